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
  return running.flatMap((pod) => {
    const before = previous.find((member) => member.id === pod.id && member.podUID === pod.uid)
    const answer = answers.get(pod.uid)
    if (answer === undefined) return before ?? []
    return answer.result === 'Success' ? heard(pod, before, answer.flags, now) : unheard(pod, before, now)
  })
}

function heard(pod: RunningMember, before: Member | undefined, flags: Flags, now: string): Member {
  const { leader, rebalancing, recovering } = flags
  const known = before && flagsOf(before)
  const isSameRebalance = known?.rebalancing === rebalancing && known.recovering === recovering
  const isUnchanged = isSameRebalance && known.leader === leader
  return {
    id: pod.id,
    podUID: pod.uid,
    ...creation(pod),
    reachable: true,
    leader,
    rebalancing,
    recovering,
    lastTransitionTime: (isUnchanged ? before?.lastTransitionTime : undefined) ?? now,
    ...(rebalancing && since((isSameRebalance ? before?.rebalancingSince : undefined) ?? now)),
  }
}

function unheard(pod: RunningMember, before: Member | undefined, now: string): Member {
  const lastKnown = before && flagsOf(before)
  return {
    id: pod.id,
    podUID: pod.uid,
    ...creation(pod),
    reachable: false,
    leader: null,
    rebalancing: null,
    recovering: null,
    ...(lastKnown !== undefined && { lastKnown }),
    lastTransitionTime: before?.lastTransitionTime ?? now,
    ...since(before?.rebalancingSince),
  }
}

function creation({ creationTime }: RunningMember): Pick<Member, 'podCreationTime'> {
  return creationTime === undefined ? {} : { podCreationTime: creationTime }
}

function since(rebalancingSince: string | undefined): Pick<Member, 'rebalancingSince'> {
  return rebalancingSince === undefined ? {} : { rebalancingSince }
}

/** What is known of a member: what it says, or said before it went silent. */
function flagsOf({ leader, rebalancing, recovering, lastKnown }: Member): Flags | undefined {
  if (leader === null || rebalancing === null || recovering === null) return lastKnown
  return { leader, rebalancing, recovering }
}
