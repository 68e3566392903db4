import fc from 'fast-check'
import t from 'tap'
import { ApiError } from '../../poller/kube/client.ts'
import type { LeaseStore, MemberLease, ObservedLease } from '../../poller/kube/leases.ts'
import { assign } from '../../poller/rendezvous.ts'
import { Shards, shardSelector } from '../../poller/shards.ts'
import { FakeClock } from './fake-clock.ts'

const count = 8
const durationMs = 15_000

/** A message on its way: from a replica to the server, or back. */
interface Parcel {
  replica: Replica
  way: 'requests' | 'answers'
  deliver: () => void
  /** The sender never hears of it again (its own time limit fires). */
  lose: () => void
}

/** An API server with a mind of its own: requests take effect, and answers and watch events arrive, when the test says so. */
class World {
  readonly clock = new FakeClock()
  readonly leases = new Map<string, ObservedLease>()
  readonly replicas: Replica[] = []
  readonly parcels: Parcel[] = []
  #version = 0

  join(): Replica {
    const replica = new Replica(this, `replica-${this.replicas.length}`)
    this.replicas.push(replica)
    replica.shards.start()
    return replica
  }

  write(lease: MemberLease, version: string | undefined): string {
    const old = this.leases.get(lease.member)
    if (version === undefined ? old !== undefined : old?.version !== version) {
      throw new ApiError(old === undefined ? 404 : 409, '', 'changed')
    }
    const stored = { ...lease, version: String(++this.#version) }
    this.leases.set(lease.member, stored)
    this.#announce(stored, false)
    return stored.version
  }

  delete(member: string, version?: string): void {
    const lease = this.leases.get(member)
    if (lease === undefined) throw new ApiError(404, '', 'gone')
    if (version !== undefined && lease.version !== version) throw new ApiError(409, '', 'changed')
    this.leases.delete(member)
    this.#announce(lease, true)
  }

  #announce(lease: ObservedLease, deleted: boolean): void {
    for (const replica of this.replicas) replica.events.push([lease, deleted])
  }

  /** The one rule: never two for one shard. */
  check(): void {
    for (let shard = 0; shard < count; shard++) {
      const acting = this.replicas.filter(({ shards }) => shards.mayAct(shard))
      if (acting.length > 1) throw new Error(`shard ${shard}: ${acting.map(({ name }) => name).join(' and ')}`)
    }
  }

  /** Lets time pass; whatever is not held up arrives at once. */
  async pass(ms: number, stepMs = 100): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      for (let busy = true; busy;) {
        await this.clock.advance(0)
        const due = this.parcels.filter(({ replica, way }) => !replica.heldUp.has(way))
        busy = due.length > 0
        for (const parcel of due) {
          this.parcels.splice(this.parcels.indexOf(parcel), 1)
          parcel.deliver()
        }
        for (const replica of this.replicas) while (!replica.heldUp.has('events') && replica.seeOne()) busy = true
        this.check()
      }
      await this.clock.advance(stepMs)
      this.check()
    }
  }

  owners(): number[] {
    const living = this.replicas.filter(({ alive }) => alive)
    return Array.from({ length: count }, (_, shard) => living.filter(({ shards }) => shards.mayAct(shard)).length)
  }
}

class Replica {
  readonly name: string
  readonly shards: Shards
  readonly events: [ObservedLease, boolean][] = []
  readonly changes: number[][] = []
  alive = true
  paused = false
  /** What does not arrive at the moment. */
  readonly heldUp = new Set<'requests' | 'answers' | 'events'>()
  readonly #world: World
  /** What happened to the process while it was paused. */
  #held: (() => void)[] = []

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
    const store: LeaseStore = {
      list: () => this.#call(() => structuredClone([...world.leases.values()])),
      put: (lease, version) => this.#call(() => world.write(lease, version)),
      remove: (member, version) => this.#call(() => world.delete(member, version)),
    }
    const clock = {
      now: () => world.clock.now(),
      date: () => world.clock.date(),
      after: (ms: number, run: () => void) => world.clock.after(ms, () => this.#wake(run)),
    }
    const onChange = (shards: number[]): number => this.changes.push(shards)
    this.shards = new Shards({ store, clock, member: name, durationMs, count, onChange })
  }

  /** Takes in the next watch event; false if there is none or the process does not run. */
  seeOne(): boolean {
    const event = this.alive && !this.paused ? this.events.shift() : undefined
    if (event !== undefined) this.shards.observe(...event)
    return event !== undefined
  }

  pauseOrResume(): void {
    this.paused = !this.paused
    if (!this.paused) for (const run of this.#held.splice(0)) run()
  }

  kill(): void {
    this.alive = false
  }

  async stop(): Promise<void> {
    await this.shards.stop()
    this.kill()
  }

  /** Runs in the process: later if it is paused, never if it is dead. */
  #wake(run: () => void): void {
    if (!this.alive) return
    if (this.paused) this.#held.push(run)
    else run()
  }

  /** Two parcels: the request, which takes effect on arrival even if nobody waits any more, and its answer. */
  #call<T>(effect: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const lose = (): void => this.#wake(() => reject(new Error('no answer in time')))
      this.#send(
        'requests',
        () => {
          let settle: () => void
          try {
            const value = effect()
            settle = () => resolve(value)
          } catch (error) {
            settle = () => reject(error instanceof Error ? error : new Error(String(error)))
          }
          this.#send('answers', () => this.#wake(settle), lose)
        },
        lose,
      )
    })
  }

  #send(way: Parcel['way'], deliver: () => void, lose: () => void): void {
    this.#world.parcels.push({ replica: this, way, deliver, lose })
  }
}

void t.test('rendezvous: equal views agree, shares are fair, and only the shards of a leaver move', (t) => {
  const members = ['a', 'b', 'c', 'd']
  const owners = assign(64, members)
  t.strictSame(assign(64, [...members].reverse()), owners)
  for (const member of members) {
    const share = owners.filter((owner) => owner === member).length
    t.ok(share >= 8 && share <= 24, `${member} has ${share} of 64`)
  }
  const without = assign(64, ['a', 'b', 'd'])
  for (const [shard, owner] of owners.entries()) if (owner !== 'c') t.equal(without[shard], owner)
  t.strictSame(assign(2, []), [undefined, undefined])
  t.end()
})

void t.test('the first replica takes everything at once', async (t) => {
  const world = new World()
  const { shards, changes } = world.join()
  await world.pass(100)
  t.strictSame(shards.owned(), [0, 1, 2, 3, 4, 5, 6, 7])
  await world.pass(60_000)
  t.equal(changes.length, 1, 'and keeps it')
  t.equal(world.leases.get('replica-0')?.shards.length, count)
})

void t.test('a newcomer gets its shards as soon as the others have given them up', async (t) => {
  const world = new World()
  const first = world.join()
  await world.pass(100)
  const second = world.join()
  await world.pass(200)
  t.ok(second.shards.owned().length > 0)
  t.strictSame([...first.shards.owned(), ...second.shards.owned()].sort(), [0, 1, 2, 3, 4, 5, 6, 7])
  t.equal(second.changes.length, 1)
})

void t.test('a killed replica is replaced when its Lease has run out, inside 16 s', async (t) => {
  const world = new World()
  const first = world.join()
  const second = world.join()
  await world.pass(7_000)
  first.kill()
  const lost = first.shards.owned()
  t.ok(lost.length > 0)
  await world.pass(9_900)
  t.notOk(
    lost.some((shard) => second.shards.mayAct(shard)),
    'not before',
  )
  await world.pass(6_000)
  t.equal(second.shards.owned().length, count)
  t.strictSame([...world.leases.keys()], ['replica-1'], 'its Lease is cleared away')
})

void t.test('a newcomer does not wait for the dead once more', async (t) => {
  const world = new World()
  const first = world.join()
  const second = world.join()
  await world.pass(6_000)
  first.kill()
  await world.pass(14_000) // not yet dead for the second
  const third = world.join()
  await world.pass(1_500)
  t.equal(second.shards.owned().length + third.shards.owned().length, count)
  t.ok(third.shards.owned().length > 0)
})

void t.test('a replica that stops hands over at once', async (t) => {
  const world = new World()
  const first = world.join()
  const second = world.join()
  await world.pass(1_000)
  const stopped = first.shards.stop()
  await world.pass(200)
  await stopped
  t.equal(second.shards.owned().length, count)
  t.strictSame([...world.leases.keys()], ['replica-1'])
  t.strictSame(first.shards.owned(), [])
})

void t.test('a replica that cannot renew stops before its Lease runs out, and comes back', async (t) => {
  const world = new World()
  const { shards } = world.join()
  await world.pass(100)
  await world.clock.advance(11_000) // nothing is delivered
  t.ok(shards.mayAct(0))
  await world.clock.advance(1_000)
  t.notOk(shards.mayAct(0), '3 s before the Lease runs out')
  t.strictSame(shards.owned(), [])
  for (const { lose } of world.parcels.splice(0)) lose()
  await world.pass(2_000)
  t.equal(shards.owned().length, count)
})

void t.test('a replica whose Lease was deleted stops at once and joins again', async (t) => {
  const world = new World()
  const replica = world.join()
  await world.pass(100)
  world.delete('replica-0')
  t.ok(replica.seeOne())
  t.notOk(replica.shards.mayAct(0))
  await world.pass(200)
  t.equal(replica.shards.owned().length, count)
})

void t.test('a renewal that is answered after the time of the old Lease does not bring the shards back', async (t) => {
  const world = new World()
  const late = world.join()
  const other = world.join()
  await world.pass(4_000)
  late.heldUp.add('requests').add('events')
  await world.pass(11_500) // the renewal of second 5 is on its way; the other has just taken over
  t.equal(other.shards.owned().length, count)
  late.heldUp.clear()
  other.heldUp.add('events')
  await world.pass(1_000) // throws if both act
  t.equal(late.shards.owned().length, 0)
  other.heldUp.clear()
  await world.pass(1_000)
  t.strictSame(
    world.owners(),
    Array.from({ length: count }, () => 1),
  )
})

void t.test('after a lost answer the Lease is written again, whatever it said before', async (t) => {
  const world = new World()
  const first = world.join()
  await world.pass(100)
  const brief = world.join()
  first.heldUp.add('answers')
  await world.pass(300) // the first has given up what the newcomer is to have; the answer is on its way
  t.ok((world.leases.get('replica-0')?.shards.length ?? count) < count)
  void brief.stop()
  await world.pass(100)
  first.heldUp.clear()
  for (const { lose } of world.parcels.splice(0)) lose()
  await world.pass(1_500)
  t.equal(first.shards.owned().length, count)
  first.heldUp.add('events')
  world.join()
  await world.pass(3_000) // throws if both act
  t.equal(first.shards.owned().length, count)
})

void t.test('a Lease that vanished without being released is waited out', async (t) => {
  const world = new World()
  const cutOff = world.join()
  const other = world.join()
  await world.pass(1_000)
  cutOff.heldUp.add('requests').add('events')
  world.delete('replica-0')
  await world.pass(10_000) // throws if both act
  t.ok(cutOff.shards.owned().length > 0)
  await world.pass(7_000)
  t.equal(other.shards.owned().length, count)
})

void t.test('selector', (t) => {
  t.equal(shardSelector([3, 17]), 'metacontroller.kaspr.io/shard in (3,17)')
  t.equal(shardSelector([]), 'metacontroller.kaspr.io/shard in (none)')
  t.end()
})

const whom = ({ replicas }: World, number: number): Replica | undefined => replicas[number % replicas.length]

function toggle(way: 'requests' | 'answers' | 'events'): (world: World, number: number) => void {
  return (world, number) => {
    const heldUp = whom(world, number)?.heldUp
    if (heldUp?.delete(way) === false) heldUp.add(way)
  }
}

/** What may happen to the world; the number chooses whom, what or how long. */
const happenings: Record<string, (world: World, number: number) => unknown> = {
  pass: (world, number) => world.pass(number * 600, 300),
  requests: toggle('requests'),
  answers: toggle('answers'),
  events: toggle('events'),
  pauseOrResume: (world, number) => whom(world, number)?.pauseOrResume(),
  lose: ({ parcels }, number) => parcels.splice(number % (parcels.length || 1), 1)[0]?.lose(),
  // Given up by the sender, yet it arrives some day.
  giveUp: ({ parcels }, number) => parcels[number % (parcels.length || 1)]?.lose(),
  join: (world) => world.replicas.length < 4 && world.join(),
  kill: (world, number) => whom(world, number)?.kill(),
  stop: (world, number) => void whom(world, number)?.stop(),
}

const happening = fc.tuple(
  fc.oneof(
    { weight: 8, arbitrary: fc.constant('pass') },
    { weight: 8, arbitrary: fc.constantFrom('requests', 'answers', 'events', 'pauseOrResume', 'lose', 'giveUp') },
    { weight: 1, arbitrary: fc.constantFrom('join', 'kill', 'stop') },
  ),
  fc.nat({ max: 11 }),
)

void t.test('no two replicas act for one shard, whatever is paused, lost, delayed or killed when', async (t) => {
  let handedOver = 0
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 10, maxLength: 60, size: 'max' }), async (steps) => {
      const world = new World()
      world.join()
      world.join()
      await world.pass(1_000)
      for (const [name, number] of steps) {
        await happenings[name]?.(world, number)
        await world.clock.advance(0)
        world.check()
      }
      handedOver += world.replicas.reduce((sum, { changes }) => sum + changes.length, 0)
      // Once peace returns every shard has exactly one owner.
      for (const { lose } of world.parcels.splice(0)) lose()
      for (const replica of world.replicas) {
        replica.heldUp.clear()
        if (replica.paused) replica.pauseOrResume()
      }
      await world.pass(40_000, 500)
      if (world.replicas.some(({ alive }) => alive))
        t.strictSame(
          world.owners(),
          Array.from({ length: count }, () => 1),
        )
    }),
    { numRuns: Number(process.env['RUNS'] ?? 200) },
  )
  t.ok(handedOver > 300, `${handedOver} changes of shards`)
})
