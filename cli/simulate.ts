import { checkCustomizeAnswer, compositeAnswerCheck } from '../webhooks/contract/answer.ts'
import { checkGroups, compositeRequest, customizeRequest } from '../webhooks/contract/request.ts'
import type { KubeObject } from '../webhooks/contract/types.ts'
import type { CompositeHooks, HookContext } from '../webhooks/hooks.ts'
import { type HookCall, type SettledParent, type WorldOptions, createWorld } from './world.ts'

/**
 * Runs the hooks in process, checked as the server checks them, over all objects that have some.
 *
 * Nothing runs in this world: there is no pod, and a StatefulSet has a status only if `observed` has one.
 *
 * @returns the parents one by one in the order given, each when it is settled
 * @throws what a hook throws, and AnswerError for an answer that must not be sent
 */
export function* simulate(
  objects: readonly KubeObject[],
  { settings, now, ...options }: WorldOptions & HookContext,
): Generator<SettledParent, void, undefined> {
  const world = createWorld(objects, options)
  const context = { settings, now: new Date(Math.floor(now.getTime() / 1000) * 1000) }
  for (const parent of world.parents) {
    const calls = world.settle(parent)
    let step = calls.next()
    while (step.done !== true) step = calls.next(answerInProcess(step.value, context))
    yield step.value
  }
}

/** The answer of a hook as Metacontroller gets it, its request and itself checked as the server checks them. */
export function answerInProcess({ hooks, hook, body }: HookCall, context: HookContext): unknown {
  const answer = hook === 'customize' ? customized(hooks, body, context) : synced(hooks, hook, body, context)
  return JSON.parse(JSON.stringify(answer))
}

function customized(hooks: CompositeHooks, body: unknown, context: HookContext): unknown {
  const answer = hooks.customize?.(customizeRequest(body, hooks), context)
  checkCustomizeAnswer(answer)
  return answer
}

function synced(hooks: CompositeHooks, hook: 'sync' | 'finalize', body: unknown, context: HookContext): unknown {
  const request = compositeRequest(body, hooks)
  checkGroups(request, hooks)
  const answer = hooks[hook]?.(request, context)
  compositeAnswerCheck(hooks.childRules)(answer, { parent: request.parent, hook })
  return answer
}
