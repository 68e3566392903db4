import { ask, failure, restlessMembers, stamp, turnToApi } from './rebalance-draft.ts'
import type { Draft } from './rebalance-draft.ts'

/** One try at once and three more. */
const maxTries = 4

/**
 * The request by annotation: served whether or not topics have changed, and also while the app is paused, as soon as
 * the members it has can be asked. Then the annotation goes, and only when the hooks have seen that is it forgotten.
 */
export function manualStep(draft: Draft): void {
  const { facts, state, limits } = draft
  const manual = request(draft)
  if (manual === undefined) return
  if (manual.phase !== 'ended' && state.signal?.reason !== 'manual') attempt(draft, manual)
  if (!facts.manual || manual.phase === 'serving') return
  if (manual.removed !== true) turnToApi(draft, { do: 'removeAnnotation' })
  else if (manual.phase === 'ended') {
    draft.againMs = Math.min(draft.againMs, Math.max(0, Date.parse(manual.time) + limits.confirmMs - facts.now))
  }
}

/** The request as it stands: new, going on, taken back, or forgotten. */
function request({ state, facts, outcomes, limits }: Draft): Manual | undefined {
  const { manual, signal } = state
  if (manual !== undefined && outcomes.removed === manual.time) manual.removed = true
  const fresh: Manual = { phase: 'serving', time: stamp(facts.now), tries: 0 }
  if (facts.manual) {
    // It was removed and is still there: a new request, or hooks that lag behind; the look before the signal tells.
    const isOld = manual !== undefined && facts.now - Date.parse(manual.time) >= limits.confirmMs
    const isAnew = manual === undefined || (isOld && manual.phase === 'ended' && manual.removed === true)
    if (isAnew) state.manual = fresh
  } else {
    const isTakenBack = manual?.phase === 'serving' && signal?.reason !== 'manual'
    if (manual?.phase === 'ended' || isTakenBack) delete state.manual
  }
  return state.manual
}

type Manual = NonNullable<Draft['state']['manual']>

function attempt(draft: Draft, manual: Manual): void {
  const { state, facts, limits } = draft
  const waitMs = manual.retryAt === undefined ? 0 : Date.parse(manual.retryAt) - facts.now
  if (waitMs > 0) {
    draft.againMs = Math.min(draft.againMs, waitMs)
    return
  }
  delete manual.retryAt
  if (!facts.polled) {
    endManual(draft)
    draft.events.push(failure('members are not polled (CLIENT_STATUS_CHECK_ENABLED is off)'))
    return
  }
  const reasons = [
    ...(state.signal === undefined ? [] : ['a rebalance is under way']),
    ...facts.unsettledItself,
    ...restlessMembers(facts),
  ]
  if (reasons.length > 0) {
    manual.tries++
    manualFailed(draft, reasons.join(', '), limits.backoffMs)
  } else if (!draft.take()) state.deferred = 'many apps ask for a rebalance at once'
  else {
    manual.tries++
    ask(draft, 'manual')
  }
}

/** A try came to nothing: the next follows after the pause, or there is none any more. */
export function manualFailed(draft: Draft, problem: string, pauseMs: number): void {
  const { manual } = draft.state
  const { now } = draft.facts
  if (manual === undefined) return
  const isLate = now + pauseMs - Date.parse(manual.time) > maxTries * draft.limits.backoffMs
  if (manual.tries < maxTries && !isLate) {
    manual.retryAt = stamp(now + pauseMs)
    draft.againMs = Math.min(draft.againMs, pauseMs)
    return
  }
  endManual(draft)
  draft.events.push(failure(problem))
}

/** Done, or given up: what is left is that the annotation goes. */
export function endManual({ state }: Draft): void {
  if (state.manual === undefined) return
  state.manual.phase = 'ended'
  delete state.manual.retryAt
}
