import type { Sensor } from '../../webhooks/sensors/sensor.ts'
import type { Clock } from '../clock.ts'
import { TokenBuckets } from '../kube/token-buckets.ts'
import { decideHung } from './hung.ts'
import type { HungLimits, HungRules } from './hung.ts'
import type { AppPart, KasprAppReport, Look, PartReport } from './part.ts'
import { terminate } from './terminate.ts'
import type { TerminateOptions } from './terminate.ts'
import type { Outcome } from './terminations.ts'

export interface HungMembersOptions extends HungRules, TerminateOptions {
  clock: Clock
  /** Terminations over all apps; so many may also come at once. */
  perMinute: number
  fleet: HungLimits['fleet']
  sensor: Pick<Sensor, 'onHungMemberDetected' | 'onMemberTerminated'>
}

/** A count of all members is good for so long: with many apps that hang at once each would count the members of all. */
const countedMs = 1000

/** What is kept in memory for an Observation until the next look reports it. */
interface Memory {
  /** By pod uid. */
  outcomes: Map<string, Outcome>
  /** The report that sensors were told of last. */
  told: KasprAppReport | undefined
}

/** Finds members that hang in a rebalance, and deletes their pods. */
export class HungMembers implements AppPart {
  readonly fields = ['hung'] as const
  readonly problemsOf = 'Members'
  readonly #options: HungMembersOptions
  readonly #memories = new Map<string, Memory>()
  readonly #bucket: TokenBuckets
  #counted: { at: number; members: ReturnType<HungLimits['fleet']> } | undefined

  constructor(options: HungMembersOptions) {
    this.#options = options
    const { perMinute, clock } = options
    this.#bucket = new TokenBuckets({ burst: Math.max(1, perMinute), everyMs: 60_000 / perMinute }, clock, 1)
  }

  look(look: Look): PartReport {
    const { previous, spec } = look
    const memory = this.#memoryOf(look)
    this.#tell(memory, look)
    const isAnnounced = (uid: string): boolean =>
      previous?.hung?.terminations.some(({ podUID, state }) => podUID === uid && state === 'Announced') ?? false
    // Kept until a report with them is written.
    for (const uid of memory.outcomes.keys()) if (!isAnnounced(uid)) memory.outcomes.delete(uid)
    const grant = (): boolean => this.#bucket.take('')
    const decision = decideHung(look, memory.outcomes, this.#options, { fleet: () => this.#fleet(), grant })
    const { members, hung, problem, events } = decision
    return {
      report: { members, ...(hung && { hung }), ...(problem && { problems: [problem] }) },
      events,
      acts: decision.terminate.map((chosen) => async (signal) => {
        memory.outcomes.delete(chosen.podUID)
        const target = { ...chosen, namespace: look.namespace, spec }
        const outcome = await terminate(this.#options, target, signal)
        if (outcome !== undefined) memory.outcomes.set(chosen.podUID, outcome)
      }),
    }
  }

  forget(uid: string): void {
    this.#memories.delete(uid)
  }

  #fleet(): ReturnType<HungLimits['fleet']> {
    const at = this.#options.clock.now()
    if (this.#counted === undefined || at - this.#counted.at >= countedMs) {
      this.#counted = { at, members: this.#options.fleet() }
    }
    return this.#counted.members
  }

  #memoryOf({ observation, previous }: Look): Memory {
    const uid = observation.metadata.uid ?? ''
    const memory = this.#memories.get(uid) ?? { outcomes: new Map<string, Outcome>(), told: previous }
    this.#memories.set(uid, memory)
    return memory
  }

  /** Tells sensors what is new in the written report: a look whose report is not written did not happen. */
  #tell(memory: Memory, { namespace, spec, previous }: Look): void {
    const { told } = memory
    memory.told = previous
    if (previous === told || previous === undefined) return
    const { sensor } = this.#options
    const event = { app: spec.app.name, namespace }
    for (const member of newStrikes(told, previous)) sensor.onHungMemberDetected({ ...event, ...member })
    for (const member of newEnds(told, previous)) sensor.onMemberTerminated({ ...event, ...member, reason: 'hung' })
  }
}

interface NewStrike {
  memberId: number
  strikes: number
  hungSeconds: number
}

function newStrikes(told: KasprAppReport | undefined, { members }: KasprAppReport): NewStrike[] {
  return members.flatMap(({ id, podUID, hungStrikes = 0, rebalancingSince = '', lastStrikeTime = '' }) => {
    const earlier = told?.members.find((member) => member.podUID === podUID)?.hungStrikes ?? 0
    const hungSeconds = (Date.parse(lastStrikeTime) - Date.parse(rebalancingSince)) / 1000
    return hungStrikes > earlier ? [{ memberId: id, strikes: hungStrikes, hungSeconds }] : []
  })
}

function newEnds(told: KasprAppReport | undefined, { hung }: KasprAppReport): { memberId: number; success: boolean }[] {
  const wasAnnounced = (uid: string): boolean =>
    told?.hung?.terminations.some(({ podUID, state }) => podUID === uid && state === 'Announced') ?? false
  return (hung?.terminations ?? [])
    .filter(({ podUID, state }) => ['Terminated', 'Failed'].includes(state) && wasAnnounced(podUID))
    .map(({ id, state }) => ({ memberId: id, success: state === 'Terminated' }))
}
