import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type Sight, type Urgency, factsReport, urgency } from '../../poller/rollout/report.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { ReportedPod, RolloutReport } from '../../webhooks/rollout/pods.ts'
import { noon, pod, pods, reportOf } from '../webhooks/rollout-world.ts'
import { orderOf, rollingSet, withAvailable } from './rollout-orders.ts'

t.setTimeout(120_000)

/** The report about a look at the usual set. */
function reported(changes: Partial<Sight> = {}): RolloutReport {
  return factsReport({
    set: rollingSet([2, 3]),
    pods: pods('old old old old'),
    others: [],
    order: orderOf([2, 3]),
    previous: undefined,
    announced: [],
    ...changes,
  })
}

void t.test('the facts: which set, which template, which pods', (t) => {
  t.strictSame(reported(), { setUid: 'uid-web', specGeneration: 7, pods: pods('old old old old') })
  t.strictSame(reported({ pods: [] }).pods, [], 'no pods are a fact as well')
  t.end()
})

void t.test('the group, and who of it goes first', (t) => {
  const set = rollingSet([], { labels: { 'rollout-group': 'g' } })
  const other = rollingSet([], { name: 'a', uid: 'a', labels: { 'rollout-group': 'g' }, record: { 'started-at': '1' } })
  t.strictSame(reported({ set, others: [other] }).group, { name: 'g', blockedBy: 'a' })
  t.strictSame(reported({ set, others: [] }).group, { name: 'g' })
  t.equal(reported({ others: [other] }).group, undefined)
  const idle = rollingSet([], { labels: { 'rollout-group': 'g' }, record: { state: 'done' } })
  t.equal(reported({ set: idle, others: [other] }).group, undefined, 'what is true in between is not for the next plan')
  t.end()
})

void t.test('a deletion is announced with its batch, and counted from 0', (t) => {
  const { deleting, deleted } = reported({ announced: ['uid-2-old'] })
  t.strictSame(deleting, { batchId: 'batch-1', uids: ['uid-2-old'] })
  t.strictSame(deleted, { targetRevision: 'web-new', startedAt: 1000, count: 0 })
  t.strictSame(reported({ announced: [] }).deleting, undefined)
  t.strictSame(reported({ announced: ['uid-2-old'], order: orderOf() }).deleting, undefined, 'never without a batch')
  t.end()
})

void t.test('what was announced counts as deleted once it is on its way out or gone', (t) => {
  const previous = reported({ announced: ['uid-2-old', 'uid-3-old'] })
  const count = (words: string, changes: Partial<Sight> = {}): number | undefined =>
    reported({ previous, pods: pods(words), ...changes }).deleted?.count
  t.equal(count('old old old old'), 0, 'both live')
  t.equal(count('old old old -'), 1, 'one is gone')
  t.equal(count('old old old NEW'), 1, 'one has a successor')
  const leaving = pods('old old old old').map((old) => (old.ordinal === 2 ? { ...old, terminating: true } : old))
  t.equal(reported({ previous, pods: leaving }).deleted?.count, 1, 'one is on its way out')
  t.equal(count('- - - -'), 2, 'others do not count')
  t.equal(count('old old - -', { announced: ['uid-1-old'] }), 2, 'beside what is announced next')
  t.end()
})

void t.test('it is counted per rollout', (t) => {
  const deleted = { targetRevision: 'web-new', startedAt: 1000, count: 5 }
  const previous = reportOf(pods('old'), { deleted })
  const next = (set: KubeObject, announced = ['uid-2-old']): RolloutReport['deleted'] =>
    reported({ set, previous, announced }).deleted
  t.strictSame(next(rollingSet([2])), deleted)
  t.strictSame(next(rollingSet([2], { record: { 'started-at': '2000' } })), { ...deleted, startedAt: 2000, count: 0 })
  t.strictSame(
    next(rollingSet([2], { record: { 'started-at': '2000' } }), []),
    deleted,
    'what is known stays until there is something else to count',
  )
  const other = reportOf(pods('old'), { deleted: { ...deleted, targetRevision: 'web-older' } })
  t.equal(reported({ previous: other, announced: ['uid-2-old'] }).deleted?.count, 0, 'to another revision')
  t.end()
})

void t.test('when the Observation was lost, the count goes on from what is on record for this revision', (t) => {
  const count = (record: Record<string, string>): number | undefined =>
    reported({ set: rollingSet([2], { record }), announced: ['uid-2-old'] }).deleted?.count
  t.equal(count({ 'pods-deleted': '3' }), 3)
  t.equal(count({ 'pods-deleted': 'many' }), 0)
  t.equal(count({ 'pods-deleted': '3', 'target-revision': 'web-older' }), 0, 'to another revision')
  t.end()
})

/** What may happen to a rollout between looks. */
const happenings = fc.array(
  fc.oneof(
    // A look; its report is written or lost, as in a crash or a conflict.
    fc.record({ is: fc.constant('look' as const), announces: fc.nat(63), isWritten: fc.boolean() }),
    fc.record({ is: fc.constant('terminates' as const), ordinal: fc.nat(5) }),
    fc.record({ is: fc.constant('goes' as const), ordinal: fc.nat(5) }),
  ),
  { maxLength: 60 },
)

void t.test('each announced pod is counted once, whatever crashes and whoever deletes it', (t) => {
  const property = fc.property(happenings, (list) => {
    const world = Array.from({ length: 6 }, (_, ordinal): ReportedPod => ({ ...pod(ordinal, 'old') }))
    const counted = new Set<string>()
    let generation = 0
    let previous: RolloutReport | undefined
    for (const event of list) {
      if (event.is === 'look') {
        const living = world.filter(({ terminating }) => terminating !== true).map(({ uid }) => uid)
        const announced = living.filter((_, index) => (event.announces & (1 << index)) !== 0)
        const report = reported({ pods: world, previous, announced })
        if (!event.isWritten) continue
        for (const uid of previous?.deleting?.uids ?? []) {
          if (living.includes(uid)) continue
          assert.ok(!counted.has(uid), 'a pod that has left is never announced again')
          counted.add(uid)
        }
        previous = report
        assert.equal(report.deleted?.count ?? 0, counted.size)
      } else {
        const known = world[event.ordinal] as ReportedPod
        world[event.ordinal] =
          event.is === 'terminates'
            ? { ...known, terminating: true }
            : { ...pod(event.ordinal, 'old'), uid: `${++generation}` }
      }
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 500) }))
  t.end()
})

/** Urgency of what a look finds, after what was last reported. */
function urgent(set: KubeObject, last: RolloutReport | undefined, next: RolloutReport): Urgency {
  return urgency(set, orderOf([2, 3]), last, next, noon)
}

const announced = { state: 'rolling' } as const
/** All of revision `web-new`, of which two and then three are available. */
const two = reportOf(pods('new new NEW NEW'), { announced })
const three = reportOf(pods('new new new NEW'), { announced })

void t.test('how soon a report is written', (t) => {
  const rolling = rollingSet([2, 3])
  const idle = rollingSet([], { record: { state: 'done', 'last-revision': 'web-new' } })
  const planned = rollingSet([], { record: { state: 'planned', 'planned-at': String(noon) } })
  const deleting = { batchId: 'batch-1', uids: ['uid-2-new'] }
  const old = reportOf(pods('new new old OLD'), { announced })
  const rows: [why: string, urgency: Urgency, set: KubeObject, last: RolloutReport | undefined, next: RolloutReport][] =
    [
      ['the first', 'now', rolling, undefined, two],
      ['the first with pods', 'now', rolling, reportOf(undefined, { announced }), two],
      ['nothing new', 'never', rolling, two, structuredClone(two)],
      ['one more is ready, and others are not', 'soon', rolling, two, three],
      ['the same while nothing is rolled out', 'never', idle, two, three],
      ['the same before it starts', 'soon', planned, two, three],
      ['the last one is ready: done', 'now', rolling, three, reportOf(pods('new new new new'), { announced })],
      ['an old pod while idle: planned', 'now', idle, two, old],
      [
        'another pod while idle',
        'soon',
        idle,
        two,
        reportOf([...pods('new new NEW'), { ...pod(3, 'NEW'), uid: 'x' }], { announced }),
      ],
      ['Events have been told', 'now', rolling, two, { ...two, announced: { ...announced, paused: true } }],
      ['a deletion is announced', 'now', rolling, two, { ...two, deleting }],
      [
        'others are announced',
        'now',
        rolling,
        { ...two, deleting },
        { ...two, deleting: { ...deleting, uids: ['uid-3-new'] } },
      ],
      ['the same are announced again', 'never', rolling, { ...two, deleting }, { ...two, deleting }],
      [
        'withdrawn, and the next one is free',
        'now',
        rollingSet([]),
        { ...old, deleting: { ...deleting, uids: ['uid-2-old'] } },
        old,
      ],
      ['progress alone', 'never', rolling, two, { ...two, progress: { state: 'rolling', updated: '4/4' } }],
      [
        'but for pods that time has made available',
        'soon',
        rolling,
        two,
        { ...two, progress: { state: 'rolling', available: '4/4' } },
      ],
      ['and not while idle', 'never', idle, two, { ...two, progress: { state: 'done', available: '4/4' } }],
    ]
  for (const [why, expected, set, last, next] of rows) t.equal(urgent(set, last, next), expected, why)
  t.end()
})

void t.test('a group that frees the way is told at once', (t) => {
  const set = withAvailable(
    rollingSet([], {
      labels: { 'rollout-group': 'g' },
      record: { state: 'planned', 'planned-at': '0', message: 'waits' },
    }),
  )
  const order = orderOf(undefined, { group: 'g' })
  const blocked = reportOf(pods('old old old old'), { announced, group: { name: 'g', blockedBy: 'a' } })
  const free = { ...blocked, group: { name: 'g' } }
  t.equal(urgency(set, order, blocked, free, noon), 'now')
  t.equal(urgency(set, order, free, blocked, noon), 'now')
  t.end()
})
