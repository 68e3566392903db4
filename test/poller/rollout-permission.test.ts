import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type Facts, permission } from '../../poller/rollout/permission.ts'
import { trimSet } from '../../poller/rollout/stateful-sets.ts'
import type { EnrolmentSettings } from '../../webhooks/rollout/enrolled.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import { type ReportedPod, maxReplicas } from '../../webhooks/rollout/pods.ts'
import { noon, pods, rfc3339, type SetChanges } from '../webhooks/rollout-world.ts'
import { everywhere, orderOf, rollingSet, withAvailable } from './rollout-orders.ts'

t.setTimeout(120_000)

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 1000)

/** The answer about the usual set, of which 2 and 3 may be deleted: ordered, on record, and within the budget of 2. */
function allowed(
  changes: Partial<Facts> & {
    of?: SetChanges
    order?: RolloutOrder
    settings?: EnrolmentSettings
    record?: number[]
  } = {},
): ReturnType<typeof permission> {
  const { of, order = orderOf([2, 3]), settings = everywhere, record = [2, 3], ...facts } = changes
  const set = rollingSet(record, { ...of, record: { 'half-split': 'true', ...of?.record } })
  return permission({ set, pods: pods('old old old old'), others: [], ...facts }, order, settings, noon)
}

void t.test('what is ordered, on record and within the budget may be deleted', (t) => {
  t.strictSame(allowed(), { ordinals: [2, 3] })
  t.end()
})

/** Each obstacle, alone; without it two pods may be deleted. */
const obstacles: [why: string, changes: Parameters<typeof allowed>[0], obstacle: RegExp][] = [
  ['no set', { set: undefined }, /is gone/],
  ['another set of the same name', { of: { uid: 'uid-other' } }, /is gone/],
  ['a set on its way out', { of: { metadata: { deletionTimestamp: rfc3339(noon) } } }, /being deleted/],
  ['opted out', { of: { labels: { 'rollout-operator/enabled': 'false' } } }, /not rolled out any more/],
  ['label gone', { of: { labels: {} } }, /not rolled out any more/],
  [
    'another namespace is watched',
    { settings: { ...everywhere, RO_WATCH_NAMESPACES: 'other' } },
    /not rolled out any more/,
  ],
  [
    'another set is the single target',
    { settings: { ...everywhere, RO_TARGET_NAMESPACE: 'shop', RO_TARGET_STATEFUL_SET: 'db' } },
    /not rolled out any more/,
  ],
  ['another strategy', { of: { strategy: 'RollingUpdate' } }, /no longer OnDelete/],
  ['too large', { of: { replicas: maxReplicas + 1 } }, /5001 replicas; sets of up to 5000/],
  ['status of an earlier template', { of: { generation: 8, observedGeneration: 7 } }, /has not seen the template/],
  ['no revision', { of: { target: '' } }, /has not seen the template/],
  ['a new template', { of: { target: 'web-newer' } }, /template has changed/],
  ['planned only', { of: { record: { state: 'planned' } } }, /not under way/],
  ['done', { of: { record: { state: 'done' } } }, /not under way/],
  ['no state on record', { of: { record: { state: '' } } }, /not under way/],
  ['a record of another revision', { of: { record: { 'target-revision': 'web-older' } } }, /not under way/],
  ['paused', { of: { annotations: { 'config.rollout-operator/paused': 'true' } } }, /paused/],
  ['a pause that is misspelt', { of: { annotations: { 'config.rollout-operator/paused': 'ture' } } }, /paused/],
  [
    'paused with the key of another operator',
    { of: { annotations: { 'grafana.com/rollout-paused': 'true' } } },
    /paused/,
  ],
  [
    'a pod without ordinal',
    { pods: [...pods('old old old old'), { uid: 'x', name: 'web-x' }] },
    /pods without a label apps.kubernetes.io\/pod-index/,
  ],
  [
    'another member of the group is rolling',
    {
      of: { labels: { 'rollout-operator/enabled': 'true', 'rollout-group': 'g' } },
      others: [
        rollingSet([], { name: 'a', uid: 'a', labels: { 'rollout-group': 'g' }, record: { 'started-at': '999' } }),
      ],
    },
    /^a of the rollout group goes first/,
  ],
]

void t.test('whatever stands in the way stands in the way of all pods', (t) => {
  for (const [why, changes, obstacle] of obstacles) t.match(allowed(changes), { ordinals: [], obstacle }, why)
  t.strictSame(allowed({ order: orderOf() }), { ordinals: [] }, 'without a batch there is nothing to be in the way of')
  t.end()
})

void t.test('a group that is not busy, or of which this is the first, is no obstacle', (t) => {
  const of = { labels: { 'rollout-operator/enabled': 'true', 'rollout-group': 'g' } }
  const other = rollingSet([], {
    name: 'a',
    uid: 'a',
    labels: { 'rollout-group': 'g' },
    record: { 'started-at': '1001' },
  })
  t.strictSame(allowed({ of, others: [other] }).ordinals, [2, 3], 'this one has begun first')
  t.strictSame(allowed({ of, others: [withAvailable(other, 1)] }).ordinals, [], 'broken pods go first')
  t.end()
})

void t.test('only what order, record and world agree on', (t) => {
  t.strictSame(allowed({ order: orderOf([3]) }).ordinals, [3])
  t.strictSame(allowed({ record: [2] }).ordinals, [2])
  t.strictSame(allowed({ record: [] }).ordinals, [])
  t.strictSame(allowed({ order: orderOf([0, 1]), record: [0, 1] }).ordinals, [], 'the upper half comes first')
  t.strictSame(allowed({ order: orderOf([0, 1, 2, 3]), record: [0, 1, 2, 3] }).ordinals, [2, 3])
  t.strictSame(allowed({ of: { record: { 'current-batch-ordinals': '2, 3' } } }).ordinals, [], 'an unreadable record')
  t.end()
})

void t.test('the budget', (t) => {
  const all = [0, 1, 2, 3]
  const of = (words: string, maxUnavailable: number): number[] =>
    allowed({ pods: pods(words), order: orderOf(all, { maxUnavailable }), record: all }).ordinals
  const rows: [words: string, maxUnavailable: number, ordinals: number[], why: string][] = [
    ['old old old old', 1, [2], 'one at a time'],
    ['old old old old', 2, [2, 3], 'a chunk'],
    ['NEW old old old', 2, [2], 'a pod that is down elsewhere counts'],
    ['NEW NEW old old', 2, [], 'and so do two'],
    ['- old old old', 2, [2], 'missing is down'],
    ['gone old old old', 2, [2], 'terminating is down'],
    ['old old NEW old', 1, [], 'the last one is not up yet'],
    ['old old new old', 1, [3], 'now it is'],
    ['old old gone old', 2, [3], 'a terminating pod is not deleted again'],
    ['old old OLD OLD', 2, [2, 3], 'old pods that are down cost nothing'],
    ['OLD OLD old old', 2, [0, 1], 'with no room left, broken old pods come first wherever they are'],
    ['OLD OLD OLD OLD', 2, [2, 3], 'but not more of them at once than the budget, in the order of the rollout'],
    ['OLD old NEW old', 1, [0], 'the repair of a broken old pod is not held up by a broken new one'],
    ['new new new new', 2, [], 'nothing is left to do'],
  ]
  for (const [words, maxUnavailable, ordinals, why] of rows) t.strictSame(of(words, maxUnavailable), ordinals, why)
  t.end()
})

void t.test('a pod counts as available only after minReadySeconds', (t) => {
  const just = pods('old old new old').map((pod) =>
    pod.ordinal === 2 ? { ...pod, readySince: rfc3339(noon - 29) } : pod,
  )
  const order = orderOf([2, 3], { maxUnavailable: 1 })
  t.strictSame(allowed({ of: { minReadySeconds: 30 }, pods: just, order }).ordinals, [])
  t.strictSame(allowed({ of: { minReadySeconds: 29 }, pods: just, order }).ordinals, [3])
  t.end()
})

void t.test('ordinals need not begin at 0, and pods above the range are left alone', (t) => {
  const at5 = { of: { start: 5 }, order: orderOf([5, 6, 7, 8]), record: [5, 6, 7, 8] }
  t.strictSame(allowed({ ...at5, pods: pods('old old old old', 5) }).ordinals, [7, 8])
  t.strictSame(
    allowed({ ...at5, pods: pods('old old old old', 0) }).ordinals,
    [],
    'of a range that was moved, 5 to 8 are missing',
  )
  const scaled = { of: { replicas: 2 }, order: orderOf([1, 2, 3]), record: [1, 2, 3] }
  t.strictSame(allowed({ ...scaled, pods: pods('old old old old') }).ordinals, [1])
  t.end()
})

/** Anything that a set, its pods, the order and the record can be, each independent of the others. */
const worlds = fc.record({
  replicas: fc.nat(10),
  start: fc.constantFrom(0, 0, 5),
  minReadySeconds: fc.constantFrom(0, 30),
  halfSplit: fc.constantFrom('true', 'false', ''),
  maxUnavailable: fc.integer({ min: 1, max: 5 }),
  ordered: fc.uniqueArray(fc.nat(16)),
  recorded: fc.uniqueArray(fc.nat(16)),
  everything: fc.boolean(),
  pods: fc.uniqueArray(
    fc.record({
      ordinal: fc.nat(16),
      revision: fc.constantFrom('web-new', 'web-old', 'web-old', 'web-older', undefined),
      readyFor: fc.constantFrom(3600, 3600, 3600, 10, -5, undefined),
      terminating: fc.constantFrom(false, false, false, true),
    }),
    { selector: ({ ordinal }) => ordinal, minLength: 3 },
  ),
})

/** Ordinals without a living pod that has been ready for long enough; found without the code under test. */
function unavailable(ordinals: number[], list: readonly ReportedPod[], minReadySeconds: number): Set<number> {
  const isUp = ({ terminating, readySince }: ReportedPod): boolean =>
    terminating !== true && readySince !== undefined && Date.parse(readySince) / 1000 + minReadySeconds <= noon
  return new Set(ordinals.filter((ordinal) => !list.some((pod) => pod.ordinal === ordinal && isUp(pod))))
}

/**
 * For every order, record and world: with U the ordinals that are unavailable before, and D those that may be deleted,
 * |U ∪ D| ≤ max(|U|, max unavailable). So a deletion either stays within the budget, or takes nothing down that was up. It
 * holds as well for whoever deletes only some of D and asks again, as long as he likes.
 */
void t.test('whatever is permitted, it never takes down more than the budget', (t) => {
  const property = fc.property(worlds, fc.array(fc.nat(2 ** 17), { minLength: 1, maxLength: 4 }), (world, rounds) => {
    const { replicas, start, minReadySeconds, maxUnavailable } = world
    const ordinals = Array.from({ length: replicas }, (_, index) => start + index)
    const [ordered, recorded] = world.everything ? [ordinals, ordinals] : [world.ordered, world.recorded]
    const set = rollingSet(recorded, { replicas, start, minReadySeconds, record: { 'half-split': world.halfSplit } })
    const order = orderOf(ordered, { maxUnavailable })
    let list: ReportedPod[] = world.pods.map(({ ordinal, revision, readyFor, terminating }) => ({
      uid: `uid-${ordinal}`,
      ordinal,
      ...(revision !== undefined && { revision }),
      ...(readyFor === undefined ? { reason: 'Pending' } : { readySince: rfc3339(noon - readyFor) }),
      ...(terminating && { terminating }),
    }))
    const before = unavailable(ordinals, list, minReadySeconds).size
    for (const deleted of rounds) {
      const down = unavailable(ordinals, list, minReadySeconds)
      const permitted = permission({ set, pods: list, others: [] }, order, everywhere, noon)
      const due = new Set(permitted.ordinals)
      assert.ok(new Set([...down, ...due]).size <= Math.max(down.size, maxUnavailable), 'budget of one answer')
      assert.ok(new Set([...down, ...due]).size <= Math.max(before, maxUnavailable), 'budget over all of them')
      assert.deepEqual([...due], permitted.ordinals, 'none twice')
      assert.deepEqual(
        [...due].sort((a, b) => a - b),
        permitted.ordinals,
        'ascending',
      )
      for (const ordinal of due) {
        assert.ok(ordered.includes(ordinal) && recorded.includes(ordinal), 'ordered, and on record')
        const own = list.filter((pod) => pod.ordinal === ordinal)
        assert.ok(own.length === 1 && own[0]?.terminating !== true && own[0]?.revision !== 'web-new', 'old and living')
      }
      const trimmed = permission({ set: trimSet(set), pods: list, others: [] }, order, everywhere, noon)
      assert.deepEqual(trimmed, permitted, 'what the watch keeps of a set is enough')
      const isDeleted = (ordinal = -1): boolean => due.has(ordinal) && (deleted & (2 ** ordinal)) !== 0
      list = list.map((pod) => (isDeleted(pod.ordinal) ? { ...pod, terminating: true } : pod))
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
  t.end()
})
