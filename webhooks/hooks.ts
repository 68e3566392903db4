import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { HookId } from './calls.ts'
import { answerText, checkCustomizeAnswer, compositeAnswerCheck, decoratorAnswerCheck } from './contract/answer.ts'
import {
  checkAttachments,
  checkGroups,
  compositeRequest,
  customizeRequest,
  decoratorRequest,
  type KindRule,
} from './contract/request.ts'
import type {
  CompositeRequest,
  CompositeResponse,
  CustomizeRequest,
  CustomizeResponse,
  DecoratorRequest,
  DecoratorResponse,
  FinalizeResponse,
  KubeObject,
} from './contract/types.ts'
import { DeadlineRefusal } from './errors.ts'
import type { RouteDocs } from './openapi.ts'
import type { SensedCall } from './sensors/call-sensing.ts'
import type { HookSettings } from './settings.ts'

/** All that a hook knows besides its request. */
export interface HookContext {
  /** The time of the call, in whole seconds: the same for everything in one answer. */
  now: Date
  settings: HookSettings
}

/** The hooks of one CompositeController: pure functions, called in parallel for different parents. */
export interface CompositeHooks {
  /** Lower-case plural of the parent kind: the first segment of the hooks' paths. */
  resource: string
  apiVersion: string
  kind: string
  /** Kinds of children, as `childResources` of the CompositeController declares them. */
  childRules: readonly KindRule[]
  /** Kinds that `customize` asks for, whatever the parent. */
  relatedRules?: readonly KindRule[]
  sync(request: CompositeRequest, context: HookContext): CompositeResponse
  finalize?(request: CompositeRequest, context: HookContext): FinalizeResponse
  customize?(request: CustomizeRequest, context: HookContext): CustomizeResponse
}

/**
 * The hook of one DecoratorController: a pure function, called in parallel for different objects. There is no finalize
 * hook: it would put a finalizer on objects of others, and hold up their deletion.
 */
export interface DecoratorHooks {
  /** Name of the DecoratorController: the first segment of the hook's path. */
  resource: string
  apiVersion: string
  kind: string
  /** Kinds of attachments, as `attachments` of the DecoratorController declares them. */
  attachmentRules: readonly KindRule[]
  sync(request: DecoratorRequest, context: HookContext): DecoratorResponse
}

/** A hook as the server runs it: body in, answer out, both checked. */
interface HookRoute<Request, Answer> extends HookId {
  docs: RouteDocs
  check(body: unknown): Request
  /** The object that the call is about. */
  parent(request: Request): KubeObject
  run(request: Request, context: HookContext): Answer
  /** The answer as it is sent. */
  text(answer: Answer): string
  /** Whether sensors hear of the call. */
  sensed: boolean
  /** Looks at what was answered. */
  sense?: (call: SensedCall, request: Request, answer: Answer) => void
}

/**
 * Serves `POST /<resource>/sync`, and `finalize` and `customize` where the hooks have them. To be called inside a plugin
 * given to `buildServer`, which guards, counts and logs the calls.
 */
export function registerComposite(app: FastifyInstance, hooks: CompositeHooks): void {
  const { resource, kind } = hooks
  const checkAnswer = compositeAnswerCheck(hooks.childRules)
  const checkRequest = (body: unknown): CompositeRequest => compositeRequest(body, hooks)
  const { sensing } = app.hookService
  const sense = sensing.answered.bind(sensing)
  registerHook(app, {
    resource,
    hook: 'sync',
    kind,
    docs: {
      summary: `Desired children and status of a ${kind}`,
      request: 'CompositeRequest',
      answer: 'CompositeResponse',
    },
    check: checkRequest,
    parent: ({ parent }) => parent,
    sensed: true,
    run(request, context) {
      checkGroups(request, hooks)
      const answer = hooks.sync(request, context)
      checkAnswer(answer, { parent: request.parent, hook: 'sync' })
      return answer
    },
    text: answerText,
    sense,
  })
  if (hooks.finalize !== undefined) {
    const finalize = hooks.finalize.bind(hooks)
    registerHook(app, {
      resource,
      hook: 'finalize',
      kind,
      docs: { summary: `What is left of a ${kind} that goes`, request: 'CompositeRequest', answer: 'FinalizeResponse' },
      check: checkRequest,
      parent: ({ parent }) => parent,
      sensed: true,
      run(request, context) {
        checkGroups(request, hooks)
        const answer = finalize(request, context)
        checkAnswer(answer, { parent: request.parent, hook: 'finalize' })
        return answer
      },
      text: answerText,
      sense,
    })
  }
  if (hooks.customize !== undefined) {
    const customize = hooks.customize.bind(hooks)
    registerHook(app, {
      resource,
      hook: 'customize',
      kind,
      docs: {
        summary: `Objects that a ${kind} needs to see`,
        request: 'CustomizeRequest',
        answer: 'CustomizeResponse',
      },
      check: (body: unknown): CustomizeRequest => customizeRequest(body, hooks),
      parent: ({ parent }) => parent,
      sensed: true,
      run(request, context) {
        const answer = customize(request, context)
        checkCustomizeAnswer(answer)
        return answer
      },
      text: JSON.stringify,
    })
  }
}

/** Serves `POST /<resource>/sync` of a decorator; to be called as {@link registerComposite}. */
export function registerDecorator(app: FastifyInstance, hooks: DecoratorHooks): void {
  const { resource, kind } = hooks
  const checkAnswer = decoratorAnswerCheck(hooks.attachmentRules)
  registerHook(app, {
    resource,
    hook: 'sync',
    kind,
    docs: {
      summary: `Desired annotations and attachments of a ${kind}`,
      request: 'DecoratorRequest',
      answer: 'DecoratorResponse',
    },
    check: (body: unknown): DecoratorRequest => decoratorRequest(body, hooks),
    parent: ({ object }) => object,
    sensed: false,
    run(request, context) {
      checkAttachments(request, hooks)
      const answer = hooks.sync(request, context)
      checkAnswer(answer, request.object)
      return answer
    },
    text: JSON.stringify,
  })
}

function registerHook<Request, Answer>(app: FastifyInstance, route: HookRoute<Request, Answer>): void {
  const { resource, hook, kind } = route
  const { settings, now, sensing } = app.hookService
  app.post(`/${resource}/${hook}`, {
    config: { hook: { resource, hook, kind }, docs: { ...route.docs, guarded: true } },
    handler,
  })

  async function handler(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const call = request.call
    if (call === null) throw new Error(`${request.url} is served outside of buildServer`)
    const checked = route.check(request.body)
    const parent = (call.parent = route.parent(checked))
    if (route.sensed) call.sensed = sensing.begin(parent, hook)
    const seconds = Math.floor(now().getTime() / 1000)
    const answer = route.run(checked, { now: new Date(seconds * 1000), settings })
    const body = route.text(answer)
    // The timer of calls.ts cannot fire while a hook computes.
    if (performance.now() - call.startedMs > settings.HOOK_TIMEOUT_SECONDS * 1000) throw new DeadlineRefusal(settings)
    void reply.type('application/json').send(body)
    if (call.sensed !== undefined) route.sense?.(call.sensed, checked, answer)
    return reply
  }
}
