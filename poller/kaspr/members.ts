import type { Answer } from './poll.ts'
import type { RunningMember } from './pods.ts'

/** What a member says of itself. */
export interface Flags {
  leader: boolean
  rebalancing: boolean
  recovering: boolean
}

/** One member as the report has it; see crds/observations.yaml. */
export interface Member {
  id: number
  podUID: string
  podCreationTime?: string
  /** Whether it answered when it was last asked. */
  reachable: boolean
  /** Null while it is not reachable. */
  leader: boolean | null
  rebalancing: boolean | null
  recovering: boolean | null
  /** What it said last, while it is not reachable. */
  lastKnown?: Flags
  /** When leader, rebalancing, recovering or the pod last changed. */
  lastTransitionTime: string
  /**
   * While it is rebalancing, or was when it was last heard of: when rebalancing, recovering or the pod last changed. A new
   * leader does not move it, unlike `lastTransitionTime`.
   */
  rebalancingSince?: string
  /** Looks in a row, 1 to 3, that found it hung, and the time of the last that counted; see strikes.ts. */
  hungStrikes?: number
  lastStrikeTime?: string
}

/**
 * The members list after a round: one entry for each running pod that has ever been asked, by ordinal.
 *
 * `lastTransitionTime` becomes `now` when a flag differs from what is known or the pod is another one. A member that
 * does not answer keeps its time, and so does one that answers again with the same flags: its clock never restarts
 * because of a gap. `rebalancingSince` follows the same rule without regard to `leader`. A pod that was not asked this
 * time keeps its entry.
 */
export function mergeMembers(
  previous: readonly Member[],
  running: readonly RunningMember[],
  answers: ReadonlyMap<string, Answer>,
  now: string,
): Member[] {
  return running.flatMap(({ id, uid, creationTime }) => {
    const before = previous.find((member) => member.id === id && member.podUID === uid)
    const answer = answers.get(uid)
    if (answer === undefined) return before ?? []
    const known = before === undefined ? undefined : flagsOf(before)
    const pod = { id, podUID: uid, ...(creationTime !== undefined && { podCreationTime: creationTime }) }
    if (answer.result !== 'Success') {
      return {
        ...pod,
        reachable: false,
        leader: null,
        rebalancing: null,
        recovering: null,
        ...(known !== undefined && { lastKnown: known }),
        lastTransitionTime: before?.lastTransitionTime ?? now,
        ...since(before?.rebalancingSince),
      }
    }
    const { leader, rebalancing, recovering } = answer.flags
    const isUnchanged = known?.leader === leader && known.rebalancing === rebalancing && known.recovering === recovering
    const lastTransitionTime = isUnchanged && before !== undefined ? before.lastTransitionTime : now
    const isSameRebalance = known?.rebalancing === rebalancing && known.recovering === recovering
    const rebalancingSince = (isSameRebalance ? before?.rebalancingSince : undefined) ?? now
    return {
      ...pod,
      reachable: true,
      leader,
      rebalancing,
      recovering,
      lastTransitionTime,
      ...since(rebalancing ? rebalancingSince : undefined),
    }
  })
}

function since(rebalancingSince: string | undefined): Pick<Member, 'rebalancingSince'> {
  return rebalancingSince === undefined ? {} : { rebalancingSince }
}

/** What is known of a member: what it says, or said before it went silent. */
function flagsOf({ leader, rebalancing, recovering, lastKnown }: Member): Flags | undefined {
  if (leader === null || rebalancing === null || recovering === null) return lastKnown
  return { leader, rebalancing, recovering }
}
