import type { Flags } from '../../poller/kaspr/members.ts'
import { decide } from '../../poller/kaspr/rebalance.ts'
import type {
  Decision,
  Facts,
  Outcomes,
  RebalanceLimits,
  RebalanceState,
  Signal,
} from '../../poller/kaspr/rebalance-draft.ts'

export const limits: RebalanceLimits = { confirmMs: 60_000, minIntervalMs: 60_000, backoffMs: 30_000 }
export const start = Date.UTC(2030, 0, 1)

/** What a member does with a signal. */
export type Behaviour = 'rejoin' | 'refuse' | 'ignore' | 'silent'

interface SimulatedMember {
  uid: string
  createdAt: number
  /** Topics that its process was started with. */
  topics: string
  behaviour: Behaviour
  /** Does not answer to GET either. */
  mute: boolean
  restlessFrom: number
  restlessUntil: number
}

/**
 * An app with its consumer group, and the poller's loop around {@link decide}: look, write the report, act, look again at
 * once. Members behave as the recorded ones: signalled, the leader of the group makes all rejoin, any other only itself.
 */
export class RebalanceWorld {
  now = start
  /** What the hooks want. */
  wanted: string | undefined = 'A'
  automatic = true
  polled = true
  readable = true
  /** The annotation as it is, and as the hooks know it. */
  annotation = false
  knownAnnotation = false
  /** The StatefulSet rolls; `seenUnsettled` is what the watch tells. */
  unsettled = false
  seenUnsettled = false
  /** Rebalance pending by the status of the parent. */
  inherited = false
  members: SimulatedMember[]
  leader = 0
  /** Who leads the group, by Kafka; usually the same. */
  groupLeader = 0
  /** Topics that the group has partitions of. */
  consumed = 'A'
  tokens = Infinity

  /** The report. */
  applied: string | undefined
  state: RebalanceState | undefined
  writes = 0
  /** In the poller's memory. */
  outcomes: Outcomes = {}
  events: string[] = []
  posts: { at: number; member: number; reason: Signal['reason'] }[] = []
  finished: NonNullable<Decision['finished']>[] = []
  reads = 0
  /** Called with each signal just before it is sent. */
  onPost: (signal: Signal) => void = () => undefined
  last: Decision | undefined
  #uids = 0

  constructor(count = 3) {
    this.members = Array.from({ length: count }, () => this.#member('A'))
  }

  #member(topics: string): SimulatedMember {
    const uid = `u${this.#uids++}`
    return {
      uid,
      createdAt: this.now - 60_000,
      topics,
      behaviour: 'rejoin',
      mute: false,
      restlessFrom: 0,
      restlessUntil: 0,
    }
  }

  member(id: number): SimulatedMember {
    const member = this.members[id]
    if (member === undefined) throw new Error(`no member ${id}`)
    return member
  }

  /** Milliseconds between signals. */
  gaps(): number[] {
    return this.posts.slice(1).map(({ at }, i) => at - (this.posts[i]?.at ?? 0))
  }

  /** A member's pod is replaced: it joins with the topics, alone, and keeps the seat. */
  restart(id: number, topics: string): void {
    const { behaviour } = this.members[id] ?? { behaviour: 'rejoin' as const }
    const fresh = { ...this.#member(topics), createdAt: this.now, behaviour }
    this.members[id] = { ...fresh, restlessFrom: this.now + 1_000, restlessUntil: this.now + 16_000 }
  }

  /** All pods are replaced by such with the wanted topics. */
  roll(): void {
    this.members.forEach((_, id) => this.restart(id, this.wanted ?? 'none'))
  }

  facts(): Facts {
    const said = (member: SimulatedMember, id: number): Flags | undefined =>
      member.mute
        ? undefined
        : {
            leader: id === this.leader,
            rebalancing: this.now >= member.restlessFrom && this.now < member.restlessUntil,
            recovering: false,
          }
    const members = this.members.map((member, id) => ({
      id,
      podUID: member.uid,
      createdAt: member.createdAt,
      said: this.polled ? said(member, id) : undefined,
    }))
    const isCalm = members.every((member) => member.said?.rebalancing === false)
    const unsettled = this.seenUnsettled ? ['rollout in progress'] : []
    return {
      now: this.now,
      wanted: this.wanted,
      readable: this.readable,
      polled: this.polled,
      automatic: this.automatic,
      manual: this.knownAnnotation,
      members: this.polled ? members : [],
      unsettled,
      unsettledItself: unsettled,
      stale: this.members.flatMap(({ topics }, id) => (topics === this.wanted ? [] : [id])),
      carried: new Set(this.members.map(({ topics }) => topics)).size === 1 ? this.members[0]?.topics : undefined,
      oldest: [...this.members].sort((a, b) => a.createdAt - b.createdAt)[0]?.topics,
      holdings: () =>
        isCalm ? { pods: members.map(({ podUID }) => podUID).join(), partitions: this.consumed } : undefined,
    }
  }

  /** One look. `crash` ends the poller before the report is written, before what it announces is done, or just after. */
  look(crash?: 'unwritten' | 'undone' | 'unrecorded'): Decision {
    const take = (): boolean => this.tokens-- > 0
    const decision = decide({ applied: this.applied, state: this.state }, this.facts(), this.outcomes, limits, take)
    if (crash === 'unwritten') {
      this.outcomes = {}
      return decision
    }
    if (JSON.stringify([this.applied, this.state ?? {}]) !== JSON.stringify([decision.applied, decision.state])) {
      this.writes++
    }
    this.applied = decision.applied
    this.state = decision.state
    this.events.push(...decision.events.map(({ reason }) => reason))
    if (decision.finished) this.finished.push(decision.finished)
    this.last = decision
    if (crash !== 'undone') for (const step of decision.steps) this.#do(step)
    if (crash !== undefined) this.outcomes = {}
    return decision
  }

  #do(step: Decision['steps'][number]): void {
    switch (step.do) {
      case 'readParent':
        this.reads++
        this.outcomes.inherited = this.inherited
        return
      case 'removeAnnotation':
        this.annotation = false
        this.outcomes.removed = this.state?.manual?.time ?? ''
        return
      case 'signal':
        this.outcomes.signal = { time: step.signal.time, outcome: this.#send(step.signal) }
    }
  }

  #send(signal: Signal): NonNullable<Outcomes['signal']>['outcome'] {
    if (signal.reason === 'manual' && this.state?.manual?.phase === 'serving' && !this.annotation) {
      return { result: 'gone' }
    }
    if (this.unsettled) return { result: 'held', why: 'rollout in progress' }
    this.onPost(signal)
    this.posts.push({ at: this.now, member: signal.member, reason: signal.reason })
    switch (this.members[signal.member]?.behaviour) {
      case 'rejoin':
        this.#rejoin(signal.member)
        return { result: 'accepted' }
      case 'silent':
        this.#rejoin(signal.member)
        return { result: 'unclear', why: 'no answer (TIMEOUT)' }
      case 'ignore':
        return { result: 'accepted' }
      default:
        return { result: 'refused', why: 'it answers HTTP 500' }
    }
  }

  #rejoin(id: number): void {
    const isGroup = id === this.groupLeader
    this.members.forEach((member, other) => {
      if (other !== id && !isGroup) return
      member.restlessFrom = this.now + (other === id ? 300 : 2_800)
      member.restlessUntil = this.now + (isGroup ? 12_900 : 10_900)
    })
    // What the leader of the group was started with is what the group gets.
    if (isGroup) this.consumed = this.members[id]?.topics ?? this.consumed
  }

  /** Looks as the poller does until time has moved on by so much. */
  run(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const { steps, againMs } = this.look()
      const pause = steps.length > 0 ? 2_000 : Math.min(30_000, Math.max(2_000, againMs))
      if (this.now + pause > end) break
      this.now += pause
      this.knownAnnotation = this.annotation
    }
    this.now = end
    this.knownAnnotation = this.annotation
  }
}
