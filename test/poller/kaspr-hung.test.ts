/** Hung members: what is decided. H1 to H11 are the requirements on hung members, each named where it is tested. */
import fc from 'fast-check'
import t from 'tap'
import { decideHung } from '../../poller/kaspr/hung.ts'
import type { Outcome } from '../../poller/kaspr/terminations.ts'
import { HungWorld } from './hung-world.ts'
import type { Says } from './hung-world.ts'

/** A world whose members have been waiting in a rebalance for 301 s, and have been seen doing so once. */
function hungFor301s(size: number): HungWorld {
  const world = new HungWorld(size)
  world.look(0)
  world.nowMs += 271_000
  return world
}

/** The same with three strikes each, before the terminations are carried out. */
function due(size: number): HungWorld {
  const world = hungFor301s(size)
  for (let look = 0; look < 3; look++) world.look(30)
  return world
}

/** Carries out what was announced. */
function carryOut(world: HungWorld, ids: number[]): void {
  for (const id of ids) {
    world.outcomes.set(world.pods[id]?.uid ?? '', { state: 'Terminated' })
    world.replace(id, false)
  }
}

const ids = (decision: { terminate: { id: number }[] }): number[] => decision.terminate.map(({ id }) => id)
const reasons = (decision: { events: { reason: string }[] }): string[] => decision.events.map(({ reason }) => reason)

void t.test('H3: three strikes, then the pod is announced and terminated, by uid', async (t) => {
  const world = hungFor301s(1)
  const looks = [world.look(30), world.look(30), world.look(30)]
  t.strictSame(
    looks.map((decision) => [decision.hung?.due ?? [], ids(decision), reasons(decision)]),
    [
      [[], [], ['HungMemberDetected']],
      [[], [], []],
      [[0], [0], ['HungMemberDetected']],
    ],
  )
  t.match(looks[2]?.events[0], {
    type: 'Warning',
    message: 'Member 0 detected as hung (3/3): rebalancing since 2030-01-01T00:00:00Z, longer than 300 s',
  })
  t.strictSame(looks[2]?.terminate, [{ id: 0, podUID: 'u0', missing: 1, again: false }])
  t.match(world.report?.hung?.terminations, [{ id: 0, podUID: 'u0', state: 'Announced' }])
})

void t.test('H2: looks that follow each other at once are one strike', async (t) => {
  const world = hungFor301s(1)
  for (const [seconds, strikes] of [
    [30, 1],
    [1, 1],
    [1, 1],
    [1, 1],
    [20, 1],
    [1, 2],
    [23.9, 2],
    [0.1, 3],
  ] as const) {
    world.look(seconds)
    t.strictSame(world.strikes(), { 0: strikes })
  }
})

void t.test('H3: the threshold is exceeded, not reached', async (t) => {
  const world = new HungWorld(1)
  world.look(0)
  world.look(300)
  t.strictSame(world.strikes(), {})
  world.look(0.001)
  t.strictSame(world.strikes(), { 0: 1 })
})

void t.test('H1, H3: a recovering member is never hung, however long', async (t) => {
  const world = new HungWorld(1, 'recovering')
  for (let look = 0; look < 120; look++) t.strictSame(ids(world.look(30)), [])
  t.strictSame(world.strikes(), {})
})

void t.test('H1, H4: what happens to two strikes', async (t) => {
  const rows: [name: string, change: (world: HungWorld) => void, strikes: number | undefined][] = [
    ['the poller is another process: only the report counts', (world) => world.outcomes.clear(), 3],
    ['it works again', (world) => setAll(world, 'calm'), undefined],
    ['it recovers', (world) => setAll(world, 'recovering'), undefined],
    ['silence neither adds nor resets', (world) => setAll(world, 'silent'), 2],
    ['nor does not being asked', (world) => setAll(world, 'not asked'), 2],
    ['another pod', (world) => world.replace(0, true, 'hung'), undefined],
    ['another pod that is another app of the name', (world) => (world.report = undefined), undefined],
    ['a new template', (world) => (world.set = { generation: 2 }), undefined],
    ['a rollout', (world) => (world.set = { revision: 'r2' }), undefined],
    ['scaling', (world) => (world.set = { replicas: 2 }), undefined],
    ['the app wants more', (world) => (world.spec = { ...world.spec, replicas: 4 }), undefined],
    ['a pod that is not ready', (world) => world.pods.push({ uid: 'u1', ready: false, says: 'calm' }), undefined],
    ['switched off', (world) => setSpec(world, { hungMembers: { enabled: false, thresholdSeconds: 300 } }), undefined],
    ['paused, invalid or being deleted', (world) => setSpec(world, { mayDelete: [] }), undefined],
    ['something else may be deleted', (world) => setSpec(world, { mayDelete: ['StatefulSet'] }), undefined],
    [
      'a larger threshold',
      (world) => setSpec(world, { hungMembers: { enabled: true, thresholdSeconds: 999 } }),
      undefined,
    ],
  ]
  for (const [name, change, strikes] of rows) {
    const world = hungFor301s(1)
    world.look(30)
    world.look(30)
    t.strictSame(world.strikes(), { 0: 2 })
    change(world)
    const { terminate } = world.look(30)
    t.strictSame(world.strikes(), strikes === undefined ? {} : { 0: strikes }, name)
    t.equal(terminate.length, strikes === 3 ? 1 : 0, name)
  }
})

function setAll(world: HungWorld, says: Says): void {
  for (const pod of world.pods) pod.says = says
}

function setSpec(world: HungWorld, changes: Partial<HungWorld['spec']>): void {
  world.spec = { ...world.spec, ...changes }
}

void t.test('H4: strikes outlive silence of up to ten minutes', async (t) => {
  for (const [seconds, strikes] of [
    [600, 3],
    [600.1, 1],
  ] as const) {
    const world = hungFor301s(1)
    world.look(30)
    world.look(30)
    setAll(world, 'silent')
    world.look(seconds / 2)
    world.look(seconds / 2 - 1)
    setAll(world, 'hung')
    world.look(1)
    t.strictSame(world.strikes(), { 0: strikes })
  }
})

void t.test('H4: a due member that has gone silent stays due, and is left alone', async (t) => {
  const world = hungFor301s(1)
  world.look(30)
  world.look(30)
  world.limits.grant = () => false
  world.look(30)
  setAll(world, 'silent')
  world.limits.grant = () => true
  const { hung, terminate } = world.look(30)
  t.strictSame([hung?.due, terminate], [[0], []])
})

void t.test('H5: pods that are missing because of us are no rollout', async (t) => {
  const world = due(8)
  carryOut(world, [0, 1, 2, 3, 4])
  world.look(2)
  t.strictSame(world.strikes(), { 5: 3, 6: 3, 7: 3 }, 'the others keep their strikes')
  const pod = world.pods[6]
  if (pod !== undefined) pod.ready = false
  world.look(2)
  t.strictSame(world.strikes(), {}, 'but somebody else that is not ready is one')
  const back = due(8)
  carryOut(back, [0, 1, 2, 3, 4])
  for (const id of [0, 1, 2, 3]) back.replace(id, true)
  const other = back.pods[6]
  if (other !== undefined) other.ready = false
  back.look(2)
  t.strictSame(back.strikes(), {}, 'also when not more are missing than we deleted')
})

void t.test('H5: after five minutes they are', async (t) => {
  const world = due(8)
  carryOut(world, [0, 1, 2, 3, 4])
  for (let seconds = 0; seconds < 300; seconds += 30) t.strictSame(ids(world.look(30)), [])
  t.strictSame(world.strikes(), { 5: 3, 6: 3, 7: 3 })
  world.look(30)
  t.strictSame(world.strikes(), {})
  t.equal(world.report?.hung, undefined)
})

void t.test('H5: a rollout or scaling counts although pods of ours are missing', async (t) => {
  for (const set of [{ generation: 2 }, { revision: 'r2' }, { replicas: 7 }, { replicas: 9 }]) {
    const world = due(8)
    carryOut(world, [0, 1, 2, 3, 4])
    world.set = set
    world.look(2)
    t.strictSame(world.strikes(), {}, JSON.stringify(set))
  }
})

void t.test(
  'H7, H10: five at a time, the oldest first; the next as successors become ready, strikes kept, all due named',
  async (t) => {
    const world = new HungWorld(8, 'calm')
    world.look(0)
    // 7 hangs first, 0 last.
    for (let id = 7; id >= 0; id--) {
      const pod = world.pods[id]
      if (pod !== undefined) pod.says = 'hung'
      world.look(10)
    }
    world.nowMs += 300_000
    world.look(30)
    world.look(30)
    const third = world.look(30)
    t.strictSame(ids(third), [7, 6, 5, 4, 3])
    t.strictSame(third.hung?.due, [0, 1, 2, 3, 4, 5, 6, 7], 'H10: all due are named')
    carryOut(world, [7, 6, 5, 4, 3])
    const after = world.look(2)
    t.strictSame([ids(after), after.hung?.due], [[], [0, 1, 2]])
    t.strictSame(ids(world.look(30)), [], 'nobody is back yet')
    for (const id of [7, 6]) world.replace(id, true)
    t.strictSame(ids(world.look(2)), [2, 1])
    carryOut(world, [2, 1])
    for (const id of [5, 4, 3, 2, 1]) world.replace(id, true)
    t.strictSame(ids(world.look(2)), [0], 'three more places')
  },
)

void t.test('H7: five in a poll interval, although all successors are ready', async (t) => {
  const world = due(7)
  carryOut(world, [0, 1, 2, 3, 4])
  for (const id of [0, 1, 2, 3, 4]) world.replace(id, true)
  t.strictSame(ids(world.look(2)), [])
  t.strictSame(ids(world.look(22)), [5, 6])
})

void t.test('H7: ties by ordinal, and a limit over all apps', async (t) => {
  const world = hungFor301s(3)
  world.look(30)
  world.look(30)
  let tokens = 1
  world.limits.grant = () => tokens-- > 0
  t.strictSame(ids(world.look(30)), [0])
  tokens = 1
  t.strictSame(ids(world.look(1)), [1], 'a token later')
})

void t.test('nobody is terminated while most members are unreachable', async (t) => {
  const world = hungFor301s(1)
  world.look(30)
  world.look(30)
  world.limits.fleet = () => ({ reachable: 10, unreachable: 11 })
  const held = world.look(30)
  t.strictSame([ids(held), held.hung?.due, held.problem?.reason], [[], [0], 'PollingDegraded'])
  world.limits.fleet = () => ({ reachable: 10, unreachable: 10 })
  const released = world.look(10)
  t.strictSame([ids(released), released.problem], [[0], undefined])
})

void t.test('H9: what came of it is told once, and is in the report', async (t) => {
  const rows: [outcome: Outcome | undefined, pod: 'there' | 'gone', state: string | undefined, events: string[]][] = [
    [{ state: 'Terminated' }, 'gone', 'Terminated', ['HungMemberTerminated', 'HungMemberTerminated']],
    [{ state: 'Terminated' }, 'there', 'Terminated', ['HungMemberTerminated', 'HungMemberTerminated']],
    [{ state: 'Failed', message: 'HTTP 403' }, 'there', 'Failed', ['HungMemberTerminationFailed']],
    [{ state: 'Withdrawn', message: 'the app is paused' }, 'there', 'Withdrawn', []],
    [{ state: 'DryRun' }, 'there', 'DryRun', ['HungMemberDryRun']],
    [{ state: 'Gone' }, 'gone', undefined, []],
    // After a crash only the pod can tell.
    [undefined, 'gone', 'Terminated', ['HungMemberTerminated', 'HungMemberTerminated']],
    [undefined, 'there', 'Announced', []],
  ]
  for (const [outcome, pod, state, events] of rows) {
    const name = `${outcome?.state ?? 'crash'}, ${pod}`
    const world = due(1)
    if (outcome !== undefined) world.outcomes.set('u0', outcome)
    if (pod === 'gone') world.replace(0, true)
    const decision = world.look(2)
    t.strictSame(reasons(decision), events, name)
    t.equal(world.report?.hung?.terminations[0]?.state, state, name)
    t.strictSame(world.strikes(), pod === 'gone' ? {} : { 0: 3 }, name)
    t.strictSame(reasons(world.look(2)), [], `${name}: not twice`)
  }
})

void t.test('H9: the Events name app and pod', async (t) => {
  const world = due(1)
  carryOut(world, [0])
  t.match(world.look(2).events, [
    {
      target: { kind: 'KasprApp', name: 'orders', uid: 'app' },
      message: 'Pod orders-app-0 of hung member 0 is deleted',
    },
    { target: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'orders-app-0', uid: 'u0' } },
  ])
  const failing = due(1)
  failing.outcomes.set('u0', { state: 'Failed', message: 'HTTP 403: forbidden' })
  t.match(failing.look(2).events, [
    { type: 'Warning', message: 'Pod orders-app-0 of hung member 0 could not be deleted: HTTP 403: forbidden' },
  ])
})

void t.test('H9: what did not happen is tried again, once in an interval', async (t) => {
  for (const outcome of [
    { state: 'Failed', message: 'HTTP 403' },
    { state: 'Withdrawn', message: 'the app is paused' },
    undefined,
  ] satisfies (Outcome | undefined)[]) {
    const world = due(1)
    if (outcome !== undefined) world.outcomes.set('u0', outcome)
    t.strictSame(ids(world.look(2)), [])
    t.strictSame(ids(world.look(21)), [])
    t.match(world.look(1).terminate, [{ id: 0, again: outcome === undefined }])
    t.equal(world.report?.hung?.terminations.length, 1)
  }
})

void t.test('a dry run, and a pod that takes its time to end, are not repeated', async (t) => {
  for (const state of ['DryRun', 'Terminated'] as const) {
    const world = due(1)
    world.outcomes.set('u0', { state })
    for (let look = 0; look < 9; look++) t.strictSame(ids(world.look(30)), [])
  }
})

void t.test('an unchanged world gives an unchanged report', async (t) => {
  const world = due(1)
  world.limits.fleet = () => ({ reachable: 0, unreachable: 1 })
  world.outcomes.set('u0', { state: 'Withdrawn', message: 'x' })
  world.look(30)
  const before = world.report
  for (let look = 0; look < 3; look++) {
    world.look(10)
    t.strictSame(world.report, before)
  }
})

void t.test('two apps of one name have nothing in common', async (t) => {
  const worlds = [hungFor301s(1), new HungWorld(1, 'calm')]
  for (let look = 0; look < 2; look++) for (const world of worlds) world.look(30)
  t.strictSame(
    worlds.map((world) => world.strikes()),
    [{ 0: 2 }, {}],
  )
})

interface Sighting {
  nowMs: number
  says: Says
  open: boolean
}

/** Whether a pod may be deleted by what was seen of it, found without looking at any report. */
function mayDie(sightings: readonly Sighting[], thresholdMs: number, spacingMs: number): boolean {
  const reversed = [...sightings].reverse()
  const answered = reversed.filter(({ says }) => says !== 'silent' && says !== 'not asked')
  const lastOther = answered.findIndex(({ says }) => says !== 'hung')
  const run = lastOther === -1 ? answered : answered.slice(0, lastOther)
  const first = Math.floor((run.at(-1)?.nowMs ?? Infinity) / 1000) * 1000
  const closed = reversed.find(({ open }) => !open)
  const qualifying = run.filter(({ nowMs }) => nowMs - first > thresholdMs && nowMs > (closed?.nowMs ?? -Infinity))
  let strikes = 0
  let nextMs = Infinity
  for (const { nowMs } of qualifying) {
    if (nowMs > nextMs) continue
    strikes++
    nextMs = nowMs - spacingMs
  }
  return reversed[0]?.says === 'hung' && reversed[0].open && strikes >= 3
}

interface Step {
  seconds: number
  change: { id: number; says: Says } | null
  restart: number | null
  ready: boolean
  event: '' | 'rollout' | 'pause' | 'lost write' | 'crash'
}

/** Members of a random world, everything that was seen of each, and when pods were deleted. */
class History {
  readonly world = new HungWorld(6)
  readonly sightings = new Map<string, Sighting[]>()
  readonly deaths: number[] = []
  readonly #max = 2

  constructor() {
    this.world.rules = { intervalMs: 30_000, max: this.#max }
    setSpec(this.world, { hungMembers: { enabled: true, thresholdSeconds: 60 } })
  }

  /** Plays a step; gives whether all that was decided is right. */
  play({ seconds, change, restart, ready, event }: Step): boolean {
    const { world } = this
    world.nowMs += seconds * 1000
    const pod = world.pods[change?.id ?? -1]
    if (change !== null && pod !== undefined) pod.says = change.says
    if (restart !== null) world.replace(restart, true, 'hung')
    if (ready) for (const each of world.pods) each.ready = true
    world.set = event === 'rollout' ? { revision: 'r2' } : {}
    setSpec(world, { mayDelete: event === 'pause' ? [] : ['HungMembers'] })
    if (event === 'crash') world.outcomes.clear()
    return this.#decide(event)
  }

  #decide(event: Step['event']): boolean {
    const { world, sightings, deaths } = this
    const missing = world.pods.filter((pod) => !pod.ready).length
    const decision = decideHung(world.seen(), world.outcomes, world.rules, world.limits)
    if (event === 'lost write') return true // then nothing is done
    world.write(decision)
    for (const { uid, says } of world.pods) {
      const open = event !== 'rollout' && event !== 'pause'
      sightings.set(uid, [...(sightings.get(uid) ?? []), { nowMs: world.nowMs, says, open }])
    }
    const isRight = decision.terminate.every(({ podUID }) => mayDie(sightings.get(podUID) ?? [], 60_000, 24_000))
    for (const { id, podUID } of decision.terminate) {
      deaths.push(world.nowMs)
      world.outcomes.set(podUID, { state: 'Terminated' })
      world.replace(id, false, 'hung')
    }
    const recent = deaths.filter((time) => world.nowMs - time < 24_000)
    return isRight && recent.length <= this.#max && missing + decision.terminate.length <= Math.max(this.#max, missing)
  }
}

const says = fc.constantFrom<Says>('hung', 'hung', 'hung', 'calm', 'recovering', 'silent', 'not asked')
const step: fc.Arbitrary<Step> = fc.record({
  seconds: fc.integer({ min: 1, max: 45_000 }).map((ms) => ms / 1000),
  change: fc.option(fc.record({ id: fc.nat(5), says }), { freq: 3 }),
  restart: fc.option(fc.nat(5), { freq: 25 }),
  ready: fc.boolean(),
  event: fc.oneof(
    { weight: 11, arbitrary: fc.constant('' as const) },
    { weight: 4, arbitrary: fc.constantFrom('rollout', 'pause', 'lost write', 'crash') },
  ),
})

void t.test(
  'whatever happens, a pod dies only after three strikes, and never while anything else goes on',
  async (t) => {
    let deaths = 0
    const check = (steps: Step[]): boolean => {
      const history = new History()
      const isRight = steps.every((step) => history.play(step))
      deaths += history.deaths.length
      return isRight
    }
    fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), check), { numRuns: 500 })
    t.ok(deaths > 100, `${deaths} pods died`)
  },
)
