import type { Look } from './part.ts'
import type { Member } from './members.ts'
import type { Answer } from './poll.ts'

/** With so many looks in a row that find it hung, a member is due. */
export const strikesMax = 3

/** Strikes of a member that was not found hung again for so long are not consecutive any more. */
const longestGapMs = 10 * 60_000

/**
 * Looks closer together than this share of the poll interval are one: what wakes the poller (edits of annotations,
 * restarts of neighbours) must not use up the strikes.
 */
export const cycleShare = 0.8

type Strikes = Required<Pick<Member, 'hungStrikes' | 'lastStrikeTime'>>

/**
 * The members with their strikes after this look.
 *
 * A strike needs a fresh answer that says rebalancing and not recovering, for longer than the threshold, 0.8 poll intervals
 * after the last strike. Any other answer takes all strikes away, and so do another pod, a rollout, and everything for
 * which nothing may be deleted. Silence does neither: a process that is blocked does not answer.
 *
 * @param settled whether no rollout is under way
 * @param intervalMs poll interval
 */
export function withStrikes(look: Look, settled: boolean, intervalMs: number): Member[] {
  const { members, previous, answers, now, spec } = look
  const before = new Map(previous?.members.map((member) => [member.podUID, member]))
  const { enabled = false, thresholdSeconds = Infinity } = spec.hungMembers ?? {}
  const isWatched = settled && enabled && spec.mayDelete?.includes('HungMembers') === true
  const limits = { thresholdMs: thresholdSeconds * 1000, spacingMs: cycleShare * intervalMs }
  return members.map((member) => {
    const { hungStrikes, lastStrikeTime, ...bare } = member
    if (!isWatched) return bare
    const kept = strikesOf(before.get(member.podUID), now)
    return Object.assign(bare, strike(member, kept, answers.get(member.podUID), now, limits))
  })
}

/** Members that are due, and have just said again that they hang. */
export function dueNow({ answers }: Look, members: readonly Member[]): Member[] {
  return members.filter(
    ({ hungStrikes, podUID }) => hungStrikes === strikesMax && answers.get(podUID)?.result === 'Success',
  )
}

function strike(
  member: Member,
  kept: Strikes | undefined,
  answer: Answer | undefined,
  now: Date,
  { thresholdMs, spacingMs }: { thresholdMs: number; spacingMs: number },
): Partial<Strikes> {
  if (answer?.result !== 'Success') return kept ?? {}
  const { rebalancing, recovering, rebalancingSince = '' } = member
  const isHung = rebalancing === true && recovering === false && ageMs(rebalancingSince, now) > thresholdMs
  if (!isHung) return {}
  // Full strikes are only kept fresh, rarely: each time is a write.
  const pauseMs = kept?.hungStrikes === strikesMax ? longestGapMs / 2 : spacingMs
  if (kept !== undefined && ageMs(kept.lastStrikeTime, now) < pauseMs) return kept
  // To the millisecond, as the spacing may be shorter than a second.
  return { hungStrikes: Math.min(strikesMax, (kept?.hungStrikes ?? 0) + 1), lastStrikeTime: now.toISOString() }
}

/** Strikes that still count. */
function strikesOf(member: Member | undefined, now: Date): Strikes | undefined {
  const { hungStrikes, lastStrikeTime } = member ?? {}
  if (hungStrikes === undefined || lastStrikeTime === undefined) return undefined
  return ageMs(lastStrikeTime, now) <= longestGapMs ? { hungStrikes, lastStrikeTime } : undefined
}

/** Milliseconds since an RFC 3339 time; NaN for what is none, which is neither more nor less than any limit. */
export function ageMs(time: string, now: Date): number {
  return now.getTime() - Date.parse(time)
}
