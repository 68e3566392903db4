import { ask, restlessMembers, silentMembers, stamp, turnToApi, unknown } from './rebalance-draft.ts'
import type { Decision, Draft, Facts, Outcomes, RebalanceLimits, RebalanceState, Signal } from './rebalance-draft.ts'
import { followSignal } from './rebalance-follow.ts'
import { manualStep } from './rebalance-manual.ts'

/**
 * The next state of an app's rebalances: a function of the last report, what is seen, and what came of the last acts.
 *
 * A rebalance is due while the wanted topics differ from the applied ones. It is asked for when every member runs with the
 * wanted topics and rests, from the leader first. Accepted is not done: done is when the members have been seen
 * rebalancing, or hold other partitions, and all rest again. Only then are the topics applied. An intent is in the report
 * before it is carried out; one whose outcome got lost counts as sent.
 *
 * @param take takes one of the signals that all apps may send together; false if none is left
 */
export function decide(
  before: { applied: string | undefined; state: RebalanceState | undefined },
  facts: Facts,
  outcomes: Outcomes,
  limits: RebalanceLimits,
  take: () => boolean,
): Decision {
  // What the members wait for is found out anew in each look.
  const { deferred: _, ...state } = structuredClone(before.state ?? {})
  const { applied } = before
  const draft: Draft = { applied, state, events: [], steps: [], againMs: Infinity, facts, outcomes, limits, take }
  setBaseline(draft)
  followSignal(draft)
  forgetWhatIsOver(draft)
  manualStep(draft)
  automaticStep(draft)
  if (draft.state.signal !== undefined) draft.againMs = Math.min(draft.againMs, pace(draft.state.signal, draft))
  const { finished, events, steps, againMs } = draft
  return { applied: draft.applied, state: draft.state, events, steps, againMs, ...(finished && { finished }) }
}

/** First sight: what the oldest pod was started with counts as applied, unless a rebalance was pending already. */
function setBaseline(draft: Draft): void {
  const { facts, outcomes } = draft
  // Without static membership every restart rebalances, so there is nothing to remember.
  if (facts.wanted === undefined && facts.readable) draft.applied = undefined
  if (facts.wanted === undefined || draft.applied !== undefined) return
  if (outcomes.inherited !== undefined) draft.applied = outcomes.inherited ? unknown : (facts.oldest ?? facts.wanted)
  else turnToApi(draft, { do: 'readParent' })
}

/** Attempts are about one set of topics; times that have passed are nothing to remember. */
function forgetWhatIsOver({ state, facts, applied, limits }: Draft): void {
  const { now, wanted } = facts
  const isDue = wanted !== undefined && applied !== wanted
  const isOther = state.attempts?.wanted !== undefined && state.attempts.wanted !== wanted
  if (state.signal === undefined && (isOther || (!isDue && state.manual === undefined))) {
    delete state.attempts
    delete state.problem
  }
  if (isBefore(state.attempts?.retryAt, now)) delete state.attempts?.retryAt
  if (isBefore(state.signalledAt, now - limits.minIntervalMs)) delete state.signalledAt
}

function isBefore(time: string | undefined, now: number): boolean {
  return time !== undefined && Date.parse(time) <= now
}

function automaticStep(draft: Draft): void {
  const { applied, facts, state, limits } = draft
  const { wanted, now } = facts
  if (wanted === undefined || applied === undefined || applied === wanted || state.signal !== undefined) return
  const reasons = [
    ...(facts.polled ? [] : ['client status check disabled']),
    ...(facts.automatic ? [] : ['automatic rebalance is off, or the app is paused']),
    ...facts.unsettled,
    ...(facts.stale.length === 0 ? [] : [`pods that were not started with the new topics: ${facts.stale.join(', ')}`]),
    ...silentMembers(facts),
    ...restlessMembers(facts),
  ]
  const waitMs = Math.max(
    state.attempts?.retryAt === undefined ? 0 : Date.parse(state.attempts.retryAt) - now,
    state.signalledAt === undefined ? 0 : Date.parse(state.signalledAt) + limits.minIntervalMs - now,
  )
  if (reasons.length > 0) state.deferred = reasons.join(', ')
  else if (waitMs > 0) draft.againMs = Math.min(draft.againMs, waitMs)
  else if (!draft.take()) state.deferred = 'many apps ask for a rebalance at once'
  else {
    state.signalledAt = stamp(now)
    ask(draft, 'subscription_change')
  }
}

/** Often at first, because a rebalance may be short. */
function pace(signal: Signal, { facts, limits }: Draft): number {
  const isFresh = facts.now - Date.parse(signal.time) < limits.confirmMs / 3
  return limits.confirmMs / (isFresh && signal.phase !== 'rebalancing' ? 60 : 12)
}
