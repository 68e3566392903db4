import type { BaseLogger } from 'pino'
import type { Clock } from './clock.ts'
import { ApiError } from './kube/client.ts'
import type { LeaseStore, ObservedLease } from './kube/leases.ts'
import { assign } from './rendezvous.ts'

/** Observations carry their shard, 0 … 63, in this label: a stable hash of the parent's uid. */
export const shardLabel = 'metacontroller.kaspr.io/shard'
export const shardCount = 64

export interface ShardsOptions {
  store: LeaseStore
  clock: Clock
  /** Name of this replica, never used before. */
  member: string
  /** How long a Lease is good for without renewal; default 15,000. Renewed after a third of it. */
  durationMs?: number
  /** Default 64; tests take fewer. */
  count?: number
  /** The shards this replica now acts on; called only when they change. */
  onChange?: (shards: number[]) => void
  logger?: BaseLogger
}

interface Peer {
  lease: ObservedLease
  /** When this version was first seen here. Clocks of different machines are never compared. */
  changedAt: number
}

/**
 * Divides the shards between the living replicas, so that at no time two of them act on one.
 *
 * Each replica has one Lease, which names the shards it acts on. It takes a shard only if the members it sees alive give
 * it to it and nobody alive names it; it first writes it into its own Lease and then reads all others once more: of two
 * that want the same shard at least one sees the other and stands back. It acts no longer than its own Lease is good,
 * counted from before the renewal was sent, less a margin; a Lease is taken for dead when it has not changed for its
 * whole duration since it was last seen to change. So a replica that was paused or cut off has stopped before another
 * takes over, and when it comes back it has to take its shards anew.
 */
export class Shards {
  readonly #options: ShardsOptions
  readonly #clock: Clock
  readonly #durationMs: number
  readonly #count: number
  readonly #peers = new Map<string, Peer>()
  /** Shards acted on, as long as the deadline has not passed. */
  #held = new Set<number>()
  #deadline = -Infinity
  /** Shards named in the own Lease when it was last written. */
  #claimed: number[] = []
  /** Version of the own Lease; undefined: there is none; 'unknown': not read yet, or an answer was lost. */
  #version: string | undefined = 'unknown'
  #renewAt = -Infinity
  #told: number[] = []
  #cancelTimer = (): void => undefined
  #cycle: Promise<void> | undefined
  #again = false
  #stopping = false

  constructor(options: ShardsOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#durationMs = options.durationMs ?? 15_000
    this.#count = options.count ?? shardCount
  }

  /** Takes part from now on. */
  start(): void {
    this.#kick()
  }

  /** Whether this replica may act on the shard at this moment. Ask right before each effect. */
  mayAct(shard: number): boolean {
    return this.#held.has(shard) && this.#clock.now() < this.#deadline
  }

  /** The shards this replica may act on now. */
  owned(): number[] {
    return this.#clock.now() < this.#deadline ? sorted(this.#held) : []
  }

  /** A Lease was seen to change (or to be gone). */
  observe(lease: ObservedLease, deleted = false): void {
    if (lease.member === this.#options.member) {
      // Deleted under our feet: others may already take over, so stop at once and join again.
      if (deleted && !this.#stopping) this.#lose()
      return
    }
    const known = this.#peers.get(lease.member)
    // A Lease that vanished without being released may belong to somebody who has not noticed: its time must run out.
    if (deleted) {
      if (known?.lease.released === true) this.#peers.delete(lease.member)
    } else if (known?.lease.version !== lease.version) {
      this.#peers.set(lease.member, { lease, changedAt: this.#clock.now() })
    }
    this.#kick()
  }

  /** Gives everything up; the Lease says so, so that others take over at once. Call it when nothing acts any more. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#cancelTimer()
    await this.#cycle
    this.#held.clear()
    const { store, member } = this.#options
    try {
      if (this.#version === 'unknown') await this.#read()
      if (this.#version === undefined) return
      const lease = { member, released: true, durationMs: this.#durationMs, shards: [] }
      const version = await store.put(lease, this.#version, this.#timeoutMs)
      await store.remove(member, version, this.#timeoutMs)
    } catch (error) {
      this.#options.logger?.warn({ err: error, member }, 'could not release the Lease, it will run out')
    }
  }

  get #timeoutMs(): number {
    return this.#durationMs / 3
  }

  /** Runs a cycle, or one more after the one under way. */
  #kick(): void {
    if (this.#stopping) return
    this.#again = true
    this.#cycle ??= this.#cycles().finally(() => {
      this.#cycle = undefined
      if (this.#again) this.#kick()
    })
  }

  async #cycles(): Promise<void> {
    while (this.#again && !this.#stopping) {
      this.#again = false
      this.#cancelTimer()
      let inMs: number
      try {
        await this.#reconcile()
        inMs = this.#nextChangeMs()
      } catch (error) {
        this.#options.logger?.warn({ err: error, member: this.#options.member }, 'could not renew the Lease')
        // Written or not: what the Lease says is unknown, so the next cycle reads and writes it.
        this.#version = 'unknown'
        this.#renewAt = -Infinity
        inMs = this.#durationMs / 15
      }
      if (!this.#stopping) this.#cancelTimer = this.#clock.after(inMs, () => this.#kick())
    }
  }

  async #reconcile(): Promise<void> {
    if (this.#version === 'unknown') await this.#read()
    const { store, member } = this.#options
    const living = this.#living()
    const owners = assign(this.#count, [member, ...living.map(({ lease }) => lease.member)])
    const mine = owners.flatMap((owner, shard) => (owner === member ? [shard] : []))
    const taken = new Set(living.flatMap(({ lease }) => lease.shards))
    // What is no longer ours is given up before anything is written.
    this.#held = new Set(mine.filter((shard) => this.#held.has(shard)))
    const wanted = mine.filter((shard) => this.#held.has(shard) || !taken.has(shard))
    if (this.#clock.now() >= this.#renewAt || String(wanted) !== String(this.#claimed)) {
      const sentAt = this.#clock.now()
      const lease = { member, released: false, durationMs: this.#durationMs, shards: wanted }
      this.#version = await store.put(lease, this.#version, this.#timeoutMs)
      this.#claimed = wanted
      // The answer came too late: others may have taken over in between.
      if (this.#clock.now() >= this.#deadline) this.#held.clear()
      this.#deadline = sentAt + this.#durationMs * 0.8
      this.#renewAt = sentAt + this.#durationMs / 3
      await this.#removeDead()
    }
    if (wanted.some((shard) => !this.#held.has(shard))) await this.#take(wanted)
    this.#tell()
  }

  /** The claim is written; what nobody alive names at this moment is ours. */
  async #take(wanted: number[]): Promise<void> {
    await this.#read()
    const taken = new Set(this.#living().flatMap(({ lease }) => lease.shards))
    for (const shard of wanted) if (!taken.has(shard)) this.#held.add(shard)
  }

  /** Reads all Leases as they are at this moment. */
  async #read(): Promise<void> {
    const { store, member } = this.#options
    const leases = await store.list(this.#timeoutMs)
    for (const lease of leases) this.observe(lease)
    this.#version = leases.find((lease) => lease.member === member)?.version
    if (this.#version === undefined) this.#lose()
  }

  #living(): Peer[] {
    const now = this.#clock.now()
    return [...this.#peers.values()].filter(
      ({ lease, changedAt }) => !lease.released && now - changedAt < lease.durationMs,
    )
  }

  /** Time until the next renewal or until a Lease runs out, whichever is first. */
  #nextChangeMs(): number {
    const now = this.#clock.now()
    const lapses = this.#living().map(({ lease, changedAt }) => changedAt + lease.durationMs)
    return Math.max(1, Math.min(this.#renewAt, ...lapses) - now)
  }

  #lose(): void {
    this.#held.clear()
    this.#deadline = -Infinity
    this.#renewAt = -Infinity
    this.#version = undefined
    this.#kick()
  }

  /** Clears away what dead replicas left behind, long after their time. Only the first of the living does. */
  async #removeDead(): Promise<void> {
    const { store, member, logger } = this.#options
    if (this.#living().some(({ lease }) => lease.member < member)) return
    const now = this.#clock.now()
    for (const { lease, changedAt } of this.#peers.values()) {
      if (now - changedAt < lease.durationMs * 4) continue
      this.#peers.delete(lease.member)
      await store.remove(lease.member, lease.version, this.#timeoutMs).catch((error: unknown) => {
        if (!(error instanceof ApiError && error.status === 404)) {
          logger?.warn({ err: error, lease: lease.member }, 'could not remove the Lease of a dead replica')
        }
      })
    }
  }

  #tell(): void {
    const held = sorted(this.#held)
    if (String(held) === String(this.#told)) return
    this.#told = held
    this.#options.logger?.info({ member: this.#options.member, shards: held.length }, 'shards changed')
    this.#options.onChange?.(held)
  }
}

function sorted(shards: Iterable<number>): number[] {
  return [...shards].sort((a, b) => a - b)
}

/** Selects the Observations of these shards. */
export function shardSelector(shards: readonly number[]): string {
  // An empty list is no valid selector, and no shard has this name.
  return `${shardLabel} in (${shards.length === 0 ? 'none' : shards.join(',')})`
}
