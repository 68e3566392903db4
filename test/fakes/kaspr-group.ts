/**
 * What the members of one Kaspr app say about themselves, as a function of what was done to them and the time. Numbers
 * are those of a recording of two real members (framework 0.11.18, Kafka 3.9, static group membership): see
 * members-live.json. Times are milliseconds of that recording.
 */

/** Body of `GET /status/`. */
export interface MemberStatus {
  leader: boolean
  rebalancing: boolean
  recovering: boolean
  assignment: { actives: Partitions; standbys: Partitions }
  /** By member URL and changelog topic; the recorded app has no tables. */
  table_metadata: Record<string, Record<string, number[]>>
}

/** Partition numbers by topic. */
export type Partitions = Record<string, number[]>

/** Milliseconds after the event until something shows. */
const timing = {
  /** A signalled member says so at its next loop; the recording sampled four times a second. */
  signalSeen: 300,
  /** The others learn of a group rebalance with their next heartbeat. */
  followersSeen: 2_800,
  groupDone: 12_900,
  /** A follower that is asked alone rejoins alone: no group rebalance. */
  followerDone: 10_900,
  /** After a member's first answer. */
  joinRebalancing: 1_000,
  joinAssigned: 6_100,
  joinDone: 16_200,
  /** A member that has gone keeps its seat; nothing had changed when the recording ended after a minute. */
  seatHeld: 60_000,
}

/** A member's place in the group, which outlives its process. */
interface Seat {
  url: string
  /** When the member has its assignment. */
  assignedAt: number
  /** When its process ended; undefined while it lives. */
  goneAt?: number
  /** Spans of rebalancing; overlapping ones make one longer span. */
  rebalancing: [from: number, until: number][]
}

/** The consumer group of one app. */
export class KasprGroup {
  readonly #topic: string
  readonly #seats = new Map<number, Seat>()
  /** Who leads while it holds a seat; else the lowest id. */
  #appointed: number | undefined

  /** `app` is the KasprApp's name. */
  constructor(app: string) {
    this.#topic = `${app}-app-assignor-leader`
  }

  /** A member answers for the first time, with a new seat or the one it had. */
  join(id: number, url: string, now: number): void {
    const span: [number, number] = [now + timing.joinRebalancing, now + timing.joinDone]
    this.#seats.set(id, { url, assignedAt: now + timing.joinAssigned, rebalancing: [span] })
  }

  /** A member's process ends in whatever way. Nobody else notices until its seat expires. */
  leave(id: number, url: string, now: number): void {
    const seat = this.#seats.get(id)
    if (seat?.url === url) seat.goneAt = now // else its successor has joined already
  }

  /** `POST /signal/rebalance` at a member: at the leader everybody rebalances, at any other only itself. */
  signal(id: number, now: number): void {
    const leads = this.status(id, now).leader
    for (const [other, seat] of this.#seats) {
      seat.rebalancing = seat.rebalancing.filter(([, until]) => until > now)
      if (other === id)
        seat.rebalancing.push([now + timing.signalSeen, now + (leads ? timing.groupDone : timing.followerDone)])
      else if (leads) seat.rebalancing.push([now + timing.followersSeen, now + timing.groupDone])
    }
  }

  /** From now on this member leads, for as long as it holds a seat. (Not in the recording, whose leader never moved.) */
  appoint(id: number): void {
    this.#appointed = id
  }

  /** Throws for a member that never joined. */
  status(id: number, now: number): MemberStatus {
    const seat = this.#seats.get(id)
    if (seat === undefined) throw new Error(`member ${id} has not joined`)
    const assigned = now >= seat.assignedAt
    const ids = this.#seated(now)
    return {
      leader: assigned && this.#leader(ids) === id,
      rebalancing: seat.rebalancing.some(([from, until]) => now >= from && now < until),
      recovering: false,
      assignment: assigned ? this.#assignment(ids, id) : { actives: {}, standbys: {} },
      table_metadata: assigned ? Object.fromEntries(ids.map((other) => [this.#seats.get(other)?.url ?? '', {}])) : {},
    }
  }

  /** Ids that hold a seat, lowest first. */
  #seated(now: number): number[] {
    const held = [...this.#seats].filter(([, { goneAt }]) => goneAt === undefined || now < goneAt + timing.seatHeld)
    return held.map(([id]) => id).sort((a, b) => a - b)
  }

  #leader(seated: number[]): number | undefined {
    return seated.find((id) => id === this.#appointed) ?? seated[0]
  }

  /** One partition of a topic `in-1` for each seat, and the leader's topic; the next seat is the standby. */
  #assignment(ids: number[], id: number): MemberStatus['assignment'] {
    const rank = ids.indexOf(id)
    const partition = (of: number): number => (of + 1) % ids.length
    const actives: Partitions = { 'in-1': [partition(rank)] }
    const standbys: Partitions = ids.length > 1 ? { 'in-1': [partition(rank + 1)] } : {}
    const afterLeader = (rank - ids.indexOf(this.#leader(ids) ?? id) + ids.length) % ids.length
    if (afterLeader === 0) actives[this.#topic] = [0]
    if (afterLeader === 1) standbys[this.#topic] = [0]
    return { actives, standbys }
  }
}
