import type { MemberState } from '../../webhooks/sensors/sensor.ts'
import type { Member } from './members.ts'

/** A report as far as its members are concerned. */
export interface MembersReport {
  lastReplicas?: number
  members: readonly Member[]
}

/** What two consecutive reports say about members. */
export interface MemberNews {
  transitions: { memberId: number; from: MemberState; to: MemberState }[]
  /** Ordinals that there are no more: scaled away, not just between two pods. */
  gone: number[]
}

/** Compares the members of two consecutive reports. A member that was not in the first has changed nothing. */
export function memberNews(before: MembersReport | undefined, after: MembersReport): MemberNews {
  if (before === undefined) return { transitions: [], gone: [] }
  const earlier = new Map(before.members.map((member) => [member.id, stateOf(member)]))
  const transitions = after.members.flatMap((member) => {
    const from = earlier.get(member.id)
    const to = stateOf(member)
    return from === undefined || from === to ? [] : [{ memberId: member.id, from, to }]
  })
  const left = ordinals(after)
  return { transitions, gone: [...ordinals(before)].filter((id) => !left.has(id)) }
}

/** A member in one word. A member that recovers state does so within a rebalance, so that comes first. */
export function stateOf({ reachable, rebalancing, recovering }: Member): MemberState {
  if (!reachable) return 'UNREACHABLE'
  if (recovering === true) return 'RECOVERING'
  return rebalancing === true ? 'REBALANCING' : 'STABLE'
}

/** Members that run, and those that are to run: one that is being replaced is not gone. */
function ordinals({ lastReplicas = 0, members }: MembersReport): Set<number> {
  return new Set([...members.map(({ id }) => id), ...Array.from({ length: lastReplicas }, (_item, id) => id)])
}
