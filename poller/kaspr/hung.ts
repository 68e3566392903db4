import type { ObjectEvent } from '../kube/events.ts'
import type { KasprAppReport, Look } from './part.ts'
import type { Member } from './members.ts'
import { dueNow, strikesMax, withStrikes } from './strikes.ts'
import { ended, nextTerminations, obstacles, settled } from './terminations.ts'
import type { Outcome, Termination } from './terminations.ts'

export interface HungRules {
  /** Poll interval. */
  intervalMs: number
  /** Terminations of one app within an interval, and without a ready successor at a time. */
  max: number
}

/** What is asked only when a member is due. */
export interface HungLimits {
  /** Members known to this replica. */
  fleet(): { reachable: number; unreachable: number }
  /** Whether one more may be terminated now, over all apps. */
  grant(): boolean
}

/** What a look comes to. */
export interface HungDecision {
  members: Member[]
  hung: KasprAppReport['hung']
  problem: { of: 'Members'; reason: string; message: string } | undefined
  events: ObjectEvent[]
  /** To be deleted once the report is written. */
  terminate: { id: number; podUID: string; missing: number; again: boolean }[]
}

/**
 * Decides about the hung members of an app: counts strikes, takes in what became of terminations, and chooses the next.
 *
 * @param outcomes of terminations that this process has carried out, by pod uid
 */
export function decideHung(
  look: Look,
  outcomes: ReadonlyMap<string, Outcome>,
  rules: HungRules,
  limits: HungLimits,
): HungDecision {
  const before = settled(look, outcomes)
  const members = withStrikes(look, obstacles(look, before).length === 0, rules.intervalMs)
  const due = members.filter(({ hungStrikes }) => hungStrikes === strikesMax).map(({ id }) => id)
  const wanted = nextTerminations(look, dueNow(look, members), before, rules)
  const problem = due.length === 0 ? undefined : degraded(limits.fleet())
  const chosen = problem === undefined ? wanted.filter(() => limits.grant()) : []
  const terminations = [
    ...before.filter(({ podUID }) => !chosen.some((member) => member.podUID === podUID)),
    // To the millisecond: rounded times would shorten the interval.
    ...chosen.map(({ id, podUID }) => ({ id, podUID, time: look.now.toISOString(), state: 'Announced' as const })),
  ]
  const missing = ended(look, before).length + chosen.length
  return {
    members,
    hung: due.length === 0 && terminations.length === 0 ? undefined : { due, terminations },
    problem,
    events: [...strikeEvents(look, members), ...before.flatMap((termination) => terminationEvents(look, termination))],
    terminate: chosen.map(({ id, podUID }) => {
      const again = before.some((termination) => termination.podUID === podUID && termination.state === 'Announced')
      return { id, podUID, missing, again }
    }),
  }
}

/** When most members are silent, it is rather the network or this replica that is ill. */
function degraded({ reachable, unreachable }: ReturnType<HungLimits['fleet']>): HungDecision['problem'] {
  if (unreachable <= reachable) return undefined
  return {
    of: 'Members',
    reason: 'PollingDegraded',
    message: 'No member is terminated while most members are unreachable',
  }
}

function strikeEvents({ target, previous, spec }: Look, members: readonly Member[]): ObjectEvent[] {
  return members.flatMap(({ id, podUID, hungStrikes = 0, rebalancingSince }): ObjectEvent[] => {
    const earlier = previous?.members.find((member) => member.podUID === podUID)?.hungStrikes ?? 0
    if (hungStrikes <= earlier || (hungStrikes !== 1 && hungStrikes !== strikesMax)) return []
    const message =
      `Member ${id} detected as hung (${hungStrikes}/${strikesMax}): rebalancing since ${rebalancingSince}, ` +
      `longer than ${spec.hungMembers?.thresholdSeconds} s`
    return [{ target, type: 'Warning', reason: 'HungMemberDetected', message }]
  })
}

/** On the transition from Announced, so once for each attempt. */
function terminationEvents(look: Look, { id, podUID, state, message }: Termination): ObjectEvent[] {
  const { target, namespace, spec, previous } = look
  const earlier = previous?.hung?.terminations.find((termination) => termination.podUID === podUID)
  if (earlier?.state === state) return []
  const name = `${spec.statefulSet}-${id}`
  const onApp = (reason: string, text: string): ObjectEvent => ({ target, type: 'Warning', reason, message: text })
  const which = `Pod ${name} of hung member ${id}`
  switch (state) {
    case 'Announced':
    case 'Withdrawn':
      return []
    case 'Failed':
      return [onApp('HungMemberTerminationFailed', `${which} could not be deleted: ${message}`)]
    case 'DryRun':
      return [onApp('HungMemberDryRun', `${which} would be deleted`)]
    case 'Terminated': {
      const event = onApp('HungMemberTerminated', `${which} is deleted`)
      return [event, { ...event, target: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid: podUID } }]
    }
  }
}
