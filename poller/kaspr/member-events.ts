import type { EventTarget, ObjectEvent } from '../kube/events.ts'
import { describe } from './poll.ts'
import type { Answer } from './poll.ts'
import type { Member } from './members.ts'

/** Events on the app for members that went silent, or answer again: transitions only, never twice for one. */
export function memberEvents(
  target: EventTarget,
  before: readonly Member[],
  members: readonly Member[],
  answers: ReadonlyMap<string, Answer>,
): ObjectEvent[] {
  return members.flatMap(({ id, podUID, reachable }): ObjectEvent[] => {
    const earlier = before.find((member) => member.podUID === podUID)
    const answer = answers.get(podUID)
    // A member that has just been started does not answer yet: nothing has gone wrong.
    if (earlier === undefined || earlier.reachable === reachable || answer === undefined) return []
    const wasHeardOf = earlier.lastKnown !== undefined
    if (reachable) {
      return wasHeardOf
        ? [{ target, type: 'Normal', reason: 'MemberReachable', message: `Member ${id} answers again` }]
        : []
    }
    return [{ target, type: 'Warning', reason: 'MemberUnreachable', message: `Member ${id}: ${describe(answer)}` }]
  })
}
