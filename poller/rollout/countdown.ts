import { type Milestone, milestone } from './milestone.ts'
import { type Moment, targetOf } from './moment.ts'

/** How far the delay before a rollout has run, in seconds. */
interface Wait {
  waited: number
  remaining: number
}

/**
 * The line that tells how long a rollout is to wait: one with its plan, then one whenever another interval has passed
 * between two looks. None while the user has paused it.
 *
 * @param isPlanned whether it was planned since the look before
 */
export function countdown(
  previous: Moment,
  now: Moment,
  { isPlanned, intervalSeconds }: { isPlanned: boolean; intervalSeconds: number },
): Milestone[] {
  const wait = waitOf(now)
  if (wait === undefined) return []
  const { waited, remaining } = wait
  const before = Math.max(0, waited - (now.now - previous.now))
  const isDue = Math.floor(waited / intervalSeconds) > Math.floor(before / intervalSeconds)
  if (!isPlanned && !isDue) return []
  const total = now.order.delaySeconds
  const text = `rollout to ${targetOf(now)} starts in ${remaining} s; waited ${waited} s of ${total} s`
  const fields = { remaining_seconds: remaining, waited_seconds: waited, total_delay_seconds: total }
  return [milestone(now, ['info', 'rollout_countdown'], text, fields)]
}

/** Seconds until the next line of the countdown; undefined if there is none. */
export function secondsToCountdown(now: Moment, intervalSeconds: number): number | undefined {
  const wait = waitOf(now)
  if (wait === undefined) return undefined
  const next = intervalSeconds - (wait.waited % intervalSeconds)
  return next < wait.remaining ? next : undefined
}

/** Undefined if nothing waits for its delay. */
function waitOf({ record, order, now }: Moment): Wait | undefined {
  const { state, plannedAt } = record
  if (state !== 'planned' || plannedAt === undefined || order.paused) return undefined
  const remaining = plannedAt + order.delaySeconds - now
  return remaining > 0 ? { waited: Math.max(0, now - plannedAt), remaining } : undefined
}
