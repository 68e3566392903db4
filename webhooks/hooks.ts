import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { HookId } from './calls.ts'
import { checkCustomizeAnswer, compositeAnswerCheck } from './contract/answer.ts'
import { checkGroups, compositeRequest, customizeRequest, type KindRule } from './contract/request.ts'
import type {
  CompositeRequest,
  CompositeResponse,
  CustomizeRequest,
  CustomizeResponse,
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

/** A hook as the server runs it: body in, answer out, both checked. */
interface HookRoute<Request extends { parent: KubeObject }, Answer> extends HookId {
  docs: RouteDocs
  check(body: unknown): Request
  run(request: Request, context: HookContext): Answer
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
    run(request, context) {
      checkGroups(request, hooks)
      const answer = hooks.sync(request, context)
      checkAnswer(answer, { parent: request.parent, hook: 'sync' })
      return answer
    },
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
      run(request, context) {
        checkGroups(request, hooks)
        const answer = finalize(request, context)
        checkAnswer(answer, { parent: request.parent, hook: 'finalize' })
        return answer
      },
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
      run(request, context) {
        const answer = customize(request, context)
        checkCustomizeAnswer(answer)
        return answer
      },
    })
  }
}

function registerHook<Request extends { parent: KubeObject }, Answer>(
  app: FastifyInstance,
  route: HookRoute<Request, Answer>,
): void {
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
    call.parent = checked.parent
    const sensed = (call.sensed = sensing.begin(checked.parent, hook))
    const seconds = Math.floor(now().getTime() / 1000)
    const answer = route.run(checked, { now: new Date(seconds * 1000), settings })
    const body = JSON.stringify(answer)
    // The timer of calls.ts cannot fire while a hook computes.
    if (performance.now() - call.startedMs > settings.HOOK_TIMEOUT_SECONDS * 1000) throw new DeadlineRefusal(settings)
    void reply.type('application/json').send(body)
    route.sense?.(sensed, checked, answer)
    return reply
  }
}
