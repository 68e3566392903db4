import fc from 'fast-check'
import t from 'tap'
import { RebalanceWorld, limits, start } from './rebalance-world.ts'
import type { Behaviour } from './rebalance-world.ts'

/** A world after its first look, with the topics it had. */
function settled(count = 3): RebalanceWorld {
  const world = new RebalanceWorld(count)
  world.run(30_000)
  return world
}

/** A world whose topics have changed and whose pods all carry the change. */
function due(count = 3): RebalanceWorld {
  const world = settled(count)
  world.wanted = 'B'
  world.look()
  world.roll()
  world.now += 20_000
  return world
}

void t.test('S2, S3: first sight and what is due', (t) => {
  const rows: [name: string, prepare: (world: RebalanceWorld) => void, applied: string, posts: number][] = [
    ['row 1: the topics of the pods are the wanted ones', () => undefined, 'A', 0],
    [
      'row 2: the pods run without topics, and an agent comes',
      (world) => {
        world.members.forEach((member) => (member.topics = 'none'))
      },
      'none',
      0,
    ],
    ['no pod runs: the wanted ones', (world) => (world.members = []), 'A', 0],
    [
      'pods that no hook of ours has made say nothing: the wanted ones',
      (world) => {
        world.members.forEach((member) => Object.assign(member, { topics: undefined }))
      },
      'A',
      0,
    ],
    ['a rebalance that was pending already is honoured', (world) => (world.inherited = true), 'A', 1],
  ]
  for (const [name, prepare, applied, posts] of rows) {
    const world = new RebalanceWorld()
    prepare(world)
    world.run(120_000)
    t.equal(world.applied, applied, name)
    t.equal(world.posts.length, posts, name)
    t.equal(world.reads, 1, 'the parent is read once')
  }
  t.end()
})

void t.test('first sight waits while the parent cannot be read', (t) => {
  const world = new RebalanceWorld()
  world.outcomes.pausedUntil = start + 10_000
  world.look()
  t.equal(world.applied, undefined)
  t.equal(world.last?.againMs, 10_000)
  world.now += 10_000
  world.look()
  world.look()
  t.equal(world.applied, 'A')
  t.end()
})

void t.test('what is due, and what is forgotten', (t) => {
  const there = settled()
  there.wanted = 'B'
  there.run(300_000)
  t.strictSame(there.posts, [], 'R2, D4: the pods do not carry the change')
  t.match(there.state?.deferred, /not started with the new topics: 0, 1, 2/)
  there.wanted = 'A'
  there.run(30_000)
  t.strictSame([there.posts, there.state], [[], {}], 'S2: A, B, A needs nothing')

  const off = settled()
  off.wanted = undefined
  off.run(30_000)
  t.equal(off.applied, undefined, 'row 32: without static membership nothing is remembered')
  const unreadable = settled()
  Object.assign(unreadable, { wanted: undefined, readable: false })
  unreadable.run(30_000)
  t.equal(unreadable.applied, 'A', 'while the spec cannot be read, it is')

  const pending = due()
  pending.automatic = false
  pending.run(600_000)
  t.strictSame([pending.applied, pending.posts.length], ['A', 0], 'row 36: it stays due')
  pending.automatic = true
  pending.run(60_000)
  t.strictSame([pending.applied, pending.posts.length], ['B', 1])
  t.end()
})

void t.test('R2: one signal, to the leader, when everybody is ready for it', (t) => {
  const rows: [name: string, change: (world: RebalanceWorld) => void, deferred: RegExp][] = [
    [
      'not enabled, or paused',
      (world) => (world.automatic = false),
      /^automatic rebalance is off, or the app is paused$/,
    ],
    ['not polled', (world) => (world.polled = false), /^client status check disabled$/],
    ['a rollout', (world) => (world.seenUnsettled = true), /^rollout in progress$/],
    ['an old pod', (world) => world.restart(1, 'A'), /new topics: 1/],
    ['one rebalances', (world) => (world.member(2).restlessUntil = Infinity), /^members that are rebalancing: 2$/],
    ['one does not answer: it may be rebalancing', (world) => (world.member(1).mute = true), /do not answer: 1$/],
    ['nobody leads', (world) => (world.leader = -1), /^no leader is known$/],
    ['many apps at once', (world) => (world.tokens = 0), /many apps/],
  ]
  for (const [name, change, deferred] of rows) {
    const world = due()
    change(world)
    world.look()
    t.match(world.state?.deferred, deferred, name)
    const { writes } = world
    world.run(20 * 60_000)
    t.strictSame(world.posts, [], name)
    t.ok(world.writes - writes <= 2, `${name}: an unchanged world is not written again`)
  }
  const world = due()
  world.run(120_000)
  t.match(world.posts, [{ member: 0, reason: 'subscription_change' }])
  t.equal(world.posts.length, 1)
  t.strictSame([world.applied, world.consumed], ['B', 'B'])
  t.strictSame(world.events, ['RebalanceRequested', 'RebalanceCompleted'])
  t.end()
})

void t.test('R2: the set is looked at again just before', (t) => {
  const world = due()
  world.unsettled = true
  world.run(100_000)
  t.strictSame(world.posts, [])
  t.equal(world.state?.problem, 'rollout in progress')
  t.equal(world.state?.attempts?.failures, undefined, 'nothing has failed')
  world.unsettled = false
  world.run(60_000)
  t.equal(world.applied, 'B')
  t.end()
})

void t.test('R3, R8: a leader that refuses is asked three times, then the others', (t) => {
  const world = due()
  world.member(0).behaviour = 'refuse'
  world.groupLeader = 2
  world.run(20 * 60_000)
  t.strictSame(
    world.posts.map(({ member }) => member),
    [0, 0, 0, 1, 2],
    'member 1 accepts, and nothing comes of it',
  )
  t.equal(world.applied, 'B')
  t.strictSame(
    world
      .gaps()
      .slice(0, 3)
      .map((ms) => Math.floor(ms / 30_000)),
    [1, 2, 4],
    'R5: pauses double',
  )
  t.strictSame(
    world.finished.map(({ success, accepted }) => [success, accepted]),
    [...Array.from({ length: 3 }, () => [false, false]), [false, true], [true, true]],
  )
  t.strictSame(world.events, [
    ...Array.from({ length: 3 }, () => 'RebalanceRequestFailed'),
    'RebalanceRequested',
    'RebalanceRequestFailed',
    'RebalanceRequested',
    'RebalanceCompleted',
  ])
  t.equal(world.state?.attempts, undefined, 'success wipes it out')
  t.end()
})

void t.test('R3: a new leader is asked first', (t) => {
  const world = due()
  world.member(0).behaviour = 'refuse'
  world.run(35_000)
  t.equal(world.posts.length, 2)
  Object.assign(world, { leader: 2, groupLeader: 2 })
  world.run(120_000)
  t.strictSame(world.posts.at(-1)?.member, 2)
  t.equal(world.applied, 'B')
  t.end()
})

void t.test('R4, D14, D15: accepted is not done', (t) => {
  const world = due()
  world.member(0).behaviour = 'ignore'
  world.groupLeader = 1
  world.run(50_000)
  t.strictSame([world.applied, world.state?.signal?.phase], ['A', 'accepted'])
  world.run(30_000)
  t.equal(world.applied, 'unknown', 'it may have happened unseen, so going back to A would be no end either')
  world.run(120_000)
  t.strictSame([world.posts.map(({ member }) => member), world.applied], [[0, 1], 'B'])

  const follower = due()
  follower.groupLeader = 1
  follower.run(20_000)
  t.equal(follower.state?.signal?.phase, 'accepted', 'a member that rebalances alone is no rebalance of the group')
  follower.run(180_000)
  t.equal(follower.consumed, 'B')

  const alone = due(1)
  alone.run(60_000)
  t.strictSame([alone.applied, alone.posts.length], ['B', 1], 'unless it is alone')

  const joining = due()
  joining.member(0).behaviour = 'ignore'
  joining.run(5_000)
  joining.restart(2, 'B')
  joining.run(30_000)
  t.equal(joining.state?.signal?.phase, 'accepted', 'nor is a pod that starts')

  const stuck = due()
  stuck.run(5_000)
  stuck.member(2).restlessUntil = Infinity
  stuck.run(3_600_000)
  t.strictSame([stuck.applied, stuck.state?.signal?.phase, stuck.posts.length], ['A', 'rebalancing', 1])
  stuck.member(2).restlessUntil = 0
  stuck.run(30_000)
  t.equal(stuck.applied, 'B', 'done is when all rest')

  const mute = due()
  mute.run(5_000)
  mute.member(2).mute = true
  mute.run(120_000)
  t.equal(mute.applied, 'A', 'one that does not answer is waited for')
  mute.run(600_000)
  t.equal(mute.applied, 'B', 'for ten minutes')
  t.end()
})

void t.test('R5: for ever, every five minutes', (t) => {
  const world = due()
  world.members.forEach((member) => (member.behaviour = 'refuse'))
  world.run(6 * 3_600_000)
  const gaps = world.gaps()
  t.ok(world.posts.length > 60)
  t.ok(Math.max(...gaps) <= 330_000 && Math.min(...gaps.slice(5)) >= 300_000)
  world.members.forEach((member) => (member.behaviour = 'rejoin'))
  world.run(3_600_000)
  t.equal(world.applied, 'B')
  t.end()
})

void t.test('R7: signals of one app are a minute apart', (t) => {
  const world = due()
  world.run(30_000)
  t.equal(world.applied, 'B')
  world.wanted = 'C'
  world.members.forEach((member) => (member.topics = 'C'))
  world.run(120_000)
  t.equal(world.applied, 'C')
  t.equal(world.posts.length, 2)
  t.ok((world.gaps()[0] ?? 0) >= limits.minIntervalMs)
  t.end()
})

void t.test('topics that change while a rebalance is under way are due after it', (t) => {
  const world = due()
  world.run(5_000)
  world.wanted = 'A'
  world.run(30_000)
  t.equal(world.applied, 'B', 'what has been done counts')
  world.roll()
  world.run(180_000)
  t.strictSame([world.applied, world.consumed, world.posts.length], ['A', 'A', 2])
  t.end()
})

void t.test('R4, R5: a poller that ends in the middle loses nothing and repeats nothing', (t) => {
  const rows: [name: string, crash: 'unwritten' | 'undone' | 'unrecorded', posts: number][] = [
    ['before the intent is written', 'unwritten', 1],
    ['before the signal is sent', 'undone', 1],
    ['after the signal, before its outcome is known', 'unrecorded', 1],
  ]
  for (const [name, crash, posts] of rows) {
    const world = due()
    world.look(crash)
    world.run(300_000)
    t.strictSame([world.applied, world.consumed, world.posts.length], ['B', 'B', posts], name)
  }
  const late = due()
  late.look('unrecorded')
  late.now += 40_000
  late.run(60_000)
  t.strictSame(
    [late.applied, late.posts.length],
    ['B', 1],
    'the rebalance was over before the next poller came: other partitions tell',
  )
  t.end()
})

void t.test('R6: the annotation asks for one rebalance', (t) => {
  const rows: [name: string, change: (world: RebalanceWorld) => void][] = [
    ['nothing is due', () => undefined],
    ['paused or switched off', (world) => (world.automatic = false)],
    ['without static membership', (world) => (world.wanted = undefined)],
    ['the spec cannot be read', (world) => Object.assign(world, { wanted: undefined, readable: false })],
    ['one does not answer', (world) => (world.member(2).mute = true)],
  ]
  for (const [name, change] of rows) {
    const world = settled()
    change(world)
    Object.assign(world, { annotation: true, knownAnnotation: true })
    world.run(4_000)
    t.match(world.posts, [{ member: 0, reason: 'manual' }], name)
    t.equal(world.annotation, false, `${name}: it goes as soon as a member has accepted`)
    world.run(900_000)
    t.equal(world.posts.length, 1, name)
    t.strictSame(world.events, ['RebalanceRequested', 'RebalanceCompleted'], name)
    t.equal(world.state?.manual, undefined, `${name}: forgotten`)
  }
  t.end()
})

void t.test('R6: tries end after two minutes, and say why', (t) => {
  const rows: [name: string, change: (world: RebalanceWorld) => void, posts: number][] = [
    ['refused', (world) => world.members.forEach((member) => (member.behaviour = 'refuse')), 4],
    ['a rollout', (world) => (world.seenUnsettled = true), 0],
    ['a rollout that the watch has not told of', (world) => (world.unsettled = true), 0],
    ['no leader', (world) => (world.leader = -1), 0],
    ['not polled', (world) => (world.polled = false), 0],
  ]
  for (const [name, change, posts] of rows) {
    const world = settled()
    change(world)
    Object.assign(world, { annotation: true, knownAnnotation: true })
    world.run(240_000)
    t.equal(world.posts.length, posts, name)
    t.strictSame(world.events, ['RebalanceRequestFailed'], name)
    t.strictSame([world.annotation, world.state?.manual], [false, undefined], name)
    t.ok((world.posts.at(-1)?.at ?? 0) <= start + 160_000, name)
  }
  const unseen = settled()
  unseen.groupLeader = 1
  Object.assign(unseen, { annotation: true, knownAnnotation: true })
  unseen.run(240_000)
  t.strictSame(
    unseen.posts.map(({ member }) => member),
    [0, 1],
    'the next member is asked when nothing is seen',
  )
  t.strictSame(unseen.events, ['RebalanceRequested', 'RebalanceRequested', 'RebalanceCompleted'])
  t.end()
})

void t.test('R6: not twice, whatever comes in between', (t) => {
  for (const crash of ['unwritten', 'undone', 'unrecorded'] as const) {
    const world = settled()
    Object.assign(world, { annotation: true, knownAnnotation: true })
    world.look(crash)
    world.run(300_000)
    t.equal(world.posts.length, 1, crash)
    t.equal(world.annotation, false, crash)
  }
  const lagging = settled()
  Object.assign(lagging, { annotation: true, knownAnnotation: true })
  for (let second = 0; second < 300; second += 2) {
    lagging.look()
    lagging.now += 2_000
  }
  t.equal(lagging.posts.length, 1, 'hooks that do not notice that it is gone')
  t.ok(lagging.writes < 20)

  const takenBack = settled()
  takenBack.seenUnsettled = true
  Object.assign(takenBack, { annotation: true, knownAnnotation: true })
  takenBack.look()
  Object.assign(takenBack, { annotation: false, knownAnnotation: false, seenUnsettled: false })
  takenBack.run(300_000)
  t.strictSame([takenBack.posts, takenBack.state], [[], {}], 'taken back before it was served')

  const quick = settled()
  Object.assign(quick, { annotation: false, knownAnnotation: true })
  quick.run(300_000)
  t.strictSame(quick.posts, [], 'nobody but the hooks sees it')
  t.end()
})

void t.test('R6: what is done by hand need not be done again', (t) => {
  const world = due()
  Object.assign(world, { annotation: true, knownAnnotation: true })
  world.run(300_000)
  t.strictSame([world.applied, world.posts.map(({ reason }) => reason)], ['B', ['manual']])
  t.end()
})

/** What may happen to an app. */
const deed = fc.oneof(
  fc.record({ do: fc.constant('change' as const), topics: fc.constantFrom('A', 'B', 'C') }),
  fc.record({ do: fc.constant('roll' as const) }),
  fc.record({ do: fc.constant('deploy' as const), topics: fc.constantFrom('A', 'B', 'C') }),
  fc.record({ do: fc.constant('deploy' as const), topics: fc.constantFrom('A', 'B', 'C') }),
  fc.record({ do: fc.constant('restart' as const), id: fc.nat(2) }),
  fc.record({ do: fc.constant('lead' as const), id: fc.nat(2), kafka: fc.nat(2) }),
  fc.record({
    do: fc.constant('behave' as const),
    id: fc.nat(2),
    as: fc.constantFrom<Behaviour>('rejoin', 'refuse', 'ignore', 'silent'),
  }),
  fc.record({ do: fc.constant('mute' as const), id: fc.nat(2), mute: fc.boolean() }),
  fc.record({ do: fc.constant('unsettle' as const), unsettled: fc.boolean(), seen: fc.boolean() }),
  fc.record({ do: fc.constant('crash' as const), how: fc.constantFrom('unwritten', 'undone', 'unrecorded' as const) }),
  fc.record({ do: fc.constant('annotate' as const) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 200_000 }) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
)

type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never

function carryOut(world: RebalanceWorld, deed: Deed): void {
  switch (deed.do) {
    case 'change':
      world.wanted = deed.topics
      break
    case 'roll':
      world.roll()
      break
    case 'deploy':
      Object.assign(world, { wanted: deed.topics, unsettled: false, seenUnsettled: false })
      world.members.forEach((member) => Object.assign(member, { mute: false }))
      world.roll()
      world.run(90_000)
      break
    case 'restart':
      world.restart(deed.id, world.members[deed.id]?.topics ?? 'A')
      break
    case 'lead':
      Object.assign(world, { leader: deed.id, groupLeader: deed.kafka })
      break
    case 'behave':
      world.member(deed.id).behaviour = deed.as
      break
    case 'mute':
      world.member(deed.id).mute = deed.mute
      break
    case 'unsettle':
      Object.assign(world, { unsettled: deed.unsettled, seenUnsettled: deed.seen })
      break
    case 'crash':
      world.look(deed.how)
      break
    case 'annotate':
      world.annotation = true
      break
    case 'wait':
      world.run(deed.ms)
  }
}

void t.test('whatever happens: one signal at a time, none while unsettled, and none is lost', (t) => {
  const property = fc.property(fc.array(deed, { maxLength: 40 }), (deeds) => {
    const world = settled()
    let automaticAt = -Infinity
    world.onPost = (signal) => {
      if (world.state?.signal?.time !== signal.time) throw new Error('the intent is not in the report')
      if (world.unsettled) throw new Error('signal during a rollout')
      if (signal.reason !== 'subscription_change') return
      if (world.members.some(({ topics }) => topics !== world.wanted)) throw new Error('signal before the rollout')
      if (
        world.members.some(({ restlessFrom, restlessUntil }) => restlessFrom <= world.now && world.now < restlessUntil)
      )
        throw new Error('signal during a rebalance')
      const behaviour = world.members[signal.member]?.behaviour
      if (behaviour === 'refuse') return
      if (world.now - automaticAt < limits.minIntervalMs) throw new Error('signals too close')
      automaticAt = world.now
    }
    for (const deed of deeds) carryOut(world, deed)
    // From now on everybody behaves.
    Object.assign(world, { unsettled: false, seenUnsettled: false, leader: 0, groupLeader: 0 })
    world.members.forEach((member) => Object.assign(member, { behaviour: 'rejoin', mute: false }))
    if (world.members.some(({ topics }) => topics !== world.wanted)) world.roll()
    world.run(3 * 3_600_000)
    if (world.applied !== world.wanted) throw new Error(`applied ${world.applied}, wanted ${world.wanted}`)
    if (world.consumed !== world.wanted) throw new Error(`consumed ${world.consumed}, wanted ${world.wanted}`)
    if (world.state?.signal !== undefined) throw new Error('a signal without end')
    if (world.annotation || world.state?.manual !== undefined) throw new Error('the annotation stays')
    const posts = world.posts.length
    world.run(3_600_000)
    if (world.posts.length !== posts) throw new Error('it does not come to rest')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
  t.end()
})
