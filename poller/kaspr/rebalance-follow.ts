import { failure, stamp, unknown } from './rebalance-draft.ts'
import type { Draft, Facts, Signal } from './rebalance-draft.ts'
import { endManual, manualFailed } from './rebalance-manual.ts'

/** Refusals of a leader before others are asked. */
const maxRefusals = 3
/** The longest back-off, of the first. */
const maxBackoffFactor = 10
/** Members that do not answer hold up the end of a rebalance for so many confirm times. */
const silenceFactor = 10

/** What has become of the signal under way. */
export function followSignal(draft: Draft): void {
  const { facts, limits, state } = draft
  if (state.signal?.phase === 'asking') takeOutcome(draft, state.signal)
  const { signal } = state
  if (signal === undefined) return
  const elapsedMs = facts.now - Date.parse(signal.time)
  if (signal.phase !== 'rebalancing' && isEvidence(signal, facts)) signal.phase = 'rebalancing'
  if (signal.phase === 'rebalancing') {
    if (isOver(facts, elapsedMs > silenceFactor * limits.confirmMs)) complete(draft, signal, elapsedMs)
  } else if (elapsedMs >= limits.confirmMs) {
    miss(draft, signal)
  }
}

/** What came of sending it. If nobody knows (a restart came in between, or no answer), it counts as sent. */
function takeOutcome(draft: Draft, signal: Signal): void {
  const { state, outcomes } = draft
  const outcome = outcomes.signal?.time === signal.time ? outcomes.signal.outcome : undefined
  signal.phase = outcome?.result === 'accepted' ? 'accepted' : 'unclear'
  switch (outcome?.result) {
    case undefined:
    case 'unclear':
      return
    case 'accepted':
      draft.events.push({ type: 'Normal', reason: 'RebalanceRequested', message: requested(signal) })
      if (signal.reason === 'manual' && state.manual !== undefined) state.manual.phase = 'accepted'
      return
    case 'refused':
      refuse(draft, signal, `member ${signal.member}: ${outcome.why}`)
      return
    case 'held':
      hold(draft, signal, outcome.why)
      return
    case 'gone':
      delete state.signal
      if (state.manual !== undefined) Object.assign(state.manual, { phase: 'ended', removed: true })
  }
}

/**
 * Whether the group rebalances because of the signal. The asked member does not count unless it is alone: one that is
 * no leader of the group rejoins by itself, says so for ten seconds, and nothing has happened (recorded from real
 * members). Nor does a pod that was started since, which joins in any case.
 */
function isEvidence(signal: Signal, { members, holdings, unsettledItself }: Facts): boolean {
  const isRebalancing = members.some(
    ({ id, createdAt, said }) =>
      said?.rebalancing === true &&
      createdAt < Date.parse(signal.time) &&
      (id !== signal.member || members.length === 1),
  )
  if (isRebalancing || unsettledItself.length > 0 || signal.holdings === undefined) return isRebalancing
  const { pods, partitions } = signal.holdings
  const held = holdings()
  return held?.pods === pods && held.partitions !== partitions
}

/** All members rest; after a long time those count that answer. */
function isOver({ members }: Facts, withoutSilent: boolean): boolean {
  const heard = members.filter(({ said }) => said !== undefined)
  return (
    heard.length > 0 &&
    (withoutSilent || heard.length === members.length) &&
    heard.every(({ said }) => said?.rebalancing === false)
  )
}

function complete(draft: Draft, signal: Signal, elapsedMs: number): void {
  const { manual, signalledAt } = draft.state
  draft.state = { ...(manual && { manual }), ...(signalledAt !== undefined && { signalledAt }) }
  if (draft.applied !== undefined) draft.applied = signal.target ?? unknown
  const message = `The members have rebalanced, ${Math.round(elapsedMs / 1000)} s after member ${signal.member} was asked`
  draft.events.push({ type: 'Normal', reason: 'RebalanceCompleted', message })
  draft.finished = { signal, success: true, accepted: true }
  if (signal.reason === 'manual') endManual(draft)
}

/** It may have taken place unseen: what is applied is not known any more. After an acceptance another member is next. */
function miss(draft: Draft, signal: Signal): void {
  if (draft.applied !== undefined) draft.applied = unknown
  const accepted = signal.phase === 'accepted'
  if (accepted) pass(draft, signal)
  else countRefusal(draft, signal)
  draft.finished = { signal, success: false, accepted }
  const what = accepted ? 'accepted the request' : 'may or may not have got the request'
  const seconds = draft.limits.confirmMs / 1000
  fail(draft, signal, `member ${signal.member} ${what}, and no rebalance was seen within ${seconds} s`, 0)
}

function refuse(draft: Draft, signal: Signal, problem: string): void {
  countRefusal(draft, signal)
  forgetTime(draft, signal)
  draft.finished = { signal, success: false, accepted: false }
  fail(draft, signal, problem, draft.limits.backoffMs)
}

/** A leader is asked three times before the others are. */
function countRefusal(draft: Draft, signal: Signal): void {
  const attempts = (draft.state.attempts ??= {})
  const refusals = (attempts.refusals ?? 0) + 1
  if (signal.podUID === attempts.leader && refusals < maxRefusals) attempts.refusals = refusals
  else pass(draft, signal)
}

function pass({ state }: Draft, { member }: Signal): void {
  const { passed = [], refusals: _, ...attempts } = state.attempts ?? {}
  state.attempts = { ...attempts, passed: [...new Set([...passed, member])].sort((a, b) => a - b) }
}

/** A signal came to nothing. */
function fail(draft: Draft, signal: Signal, problem: string, manualPauseMs: number): void {
  const { state, facts, limits } = draft
  delete state.signal
  state.problem = problem
  if (signal.reason === 'manual') {
    manualFailed(draft, problem, manualPauseMs)
    return
  }
  const failures = (state.attempts?.failures ?? 0) + 1
  const factor = Math.min(maxBackoffFactor, 2 ** Math.min(failures - 1, 10))
  state.attempts = {
    ...state.attempts,
    failures,
    retryAt: stamp(facts.now + limits.backoffMs * factor),
    ...(signal.target !== undefined && { wanted: signal.target }),
  }
  draft.events.push(failure(problem))
}

/** An automatic signal that had no effect does not count; the time of an earlier one is not a manual signal's to forget. */
function forgetTime({ state }: Draft, { reason }: Signal): void {
  if (reason === 'subscription_change') delete state.signalledAt
}

/** The look just before the signal found that it must not be sent. */
function hold(draft: Draft, signal: Signal, why: string): void {
  const { state, facts, limits } = draft
  delete state.signal
  forgetTime(draft, signal)
  state.problem = why
  if (signal.reason === 'manual') manualFailed(draft, why, limits.backoffMs)
  else state.attempts = { ...state.attempts, retryAt: stamp(facts.now + limits.backoffMs) }
}

function requested({ member, reason }: Signal): string {
  const why = reason === 'manual' ? 'asked for by annotation' : 'the topics of the app have changed'
  return `Member ${member} accepted the request for a rebalance: ${why}`
}
