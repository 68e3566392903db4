/** Every row of the table of transitions: when it matches, what it writes, when it wants to look again. */
import t, { type Test } from 'tap'
import { step, rowIds } from '../../webhooks/rollout/transitions.ts'
import { rolloutView } from '../../webhooks/rollout/view.ts'
import { at, carriedOut, noon, pods, pod, reportOf, requestOf, type SetChanges, setOf, sync } from './rollout-world.ts'

const now = String(noon)
const planned = { state: 'planned', 'target-revision': 'web-new', 'last-revision': 'web-new', 'planned-at': now }
/** What is frozen when it is planned. */
const plan = { replicas: '4', 'max-unavailable': '2', 'half-split': 'true' }
/** What T13 writes. */
const started = { state: 'rolling', 'started-at': now, ...plan }
/** A planned rollout that only its group may hold back. */
const dueInGroup = {
  record: { ...planned, 'planned-at': '0' },
  labels: { 'rollout-operator/enabled': 'true', 'rollout-group': 'zones' },
}
const rolling = {
  state: 'rolling',
  'target-revision': 'web-new',
  'last-revision': 'web-new',
  'planned-at': String(noon - 700),
  'started-at': String(noon - 100),
  'updated-at': String(noon - 100),
  ...plan,
}
const inBatch = {
  ...rolling,
  'current-batch-ordinals': '[2, 3]',
  'batch-started-at': String(noon - 90),
  'updated-at': String(noon - 90),
}

interface Case {
  name: string
  row: string
  set: SetChanges
  /** Words of {@link pods}; undefined for no list. */
  pods?: string
  report?: Parameters<typeof reportOf>[1]
  env?: Record<string, string>
  /** All keys written but `updated-at`. */
  writes?: Record<string, string | null>
  again?: number
  batch?: number[]
}

const cases: Case[] = [
  {
    name: 'T2 rolling: the strategy is no longer OnDelete',
    row: 'T2',
    set: { strategy: 'RollingUpdate', record: { ...inBatch, 'pods-deleted': '1', 'stalled-at': now } },
    pods: 'old old new new',
    report: { deleted: { targetRevision: 'web-new', count: 2 } },
    writes: {
      state: 'none',
      'current-batch-ordinals': '[]',
      'stalled-at': null,
      'pods-deleted': '2',
      message: 'aborted: the update strategy is no longer OnDelete',
    },
  },
  {
    name: 'T2b idle: the strategy is not OnDelete',
    row: 'T2b',
    set: { strategy: 'RollingUpdate' },
    pods: 'old old old old',
  },
  {
    name: 'T2b done: the strategy is not OnDelete',
    row: 'T2b',
    set: { strategy: 'RollingUpdate', record: { state: 'done' } },
    pods: 'old old old old',
  },
  {
    name: 'T3 the status is about the template before',
    row: 'T3',
    set: { generation: 8, observedGeneration: 7 },
    pods: 'old old old old',
    again: 2,
  },
  {
    name: 'T3 rolling: no batch to act on while the target is not known',
    row: 'T3',
    set: { target: '', record: inBatch },
    pods: 'old old old old',
    again: 2,
  },
  { name: 'T4 no list of pods yet', row: 'T4', set: {}, again: 5 },
  { name: 'T4 rolling: no list of pods', row: 'T4', set: { record: inBatch }, again: 5 },
  {
    name: 'T4 a report about a set of that name that is gone',
    row: 'T4',
    set: { uid: 'other' },
    pods: 'old',
    again: 5,
  },
  { name: 'T4 a set without pods is waited for', row: 'T4', set: {}, pods: '', again: 5 },
  {
    name: 'T5 a pod without a certain ordinal stops everything',
    row: 'T5',
    set: { record: inBatch },
    pods: 'old old old',
    report: { pods: [...pods('old old old'), { uid: 'x', name: 'web-3' }] },
    writes: { message: 'pods without a label apps.kubernetes.io/pod-index that agrees with their name: web-3' },
  },
  {
    name: 'T5 more replicas than can be reported',
    row: 'T5',
    set: { replicas: 2_000_000_000 },
    pods: 'old',
    writes: { message: '2000000000 replicas; sets of up to 5000 are rolled' },
  },
  { name: 'T6 nothing to do', row: 'T6', set: {}, pods: 'new new new new' },
  { name: 'T6 nothing to do: no replicas', row: 'T6', set: { replicas: 0 }, pods: '' },
  { name: 'T6 pods that are down, none of them old', row: 'T6', set: {}, pods: 'new NEW - gone' },
  {
    name: 'T6 a message about what is over goes',
    row: 'T6',
    set: { record: { message: 'x' } },
    pods: 'new new new new',
    writes: { message: null },
  },
  {
    name: 'T6b done: a new revision that every pod has already',
    row: 'T6b',
    set: { record: { state: 'done', 'last-revision': 'web-old', 'target-revision': 'web-old' } },
    pods: 'new new new new',
    writes: { 'last-revision': 'web-new', 'target-revision': 'web-new' },
  },
  {
    name: 'T7 first contact with an outdated set',
    row: 'T7',
    set: {},
    pods: 'new old OLD old',
    writes: {
      state: 'planned',
      'planned-at': now,
      'last-revision': 'web-new',
      'target-revision': 'web-new',
      ...plan,
      'pods-to-update': '3',
      'pods-deleted': '0',
    },
  },
  {
    name: 'T7 done, and pods of the same revision have fallen behind',
    row: 'T7',
    set: {
      record: { ...inBatch, state: 'done', 'range-name': 'all', 'stalled-at': now, message: 'x', 'pods-deleted': '4' },
    },
    pods: 'new old new new',
    writes: {
      state: 'planned',
      'planned-at': now,
      'pods-to-update': '1',
      'pods-deleted': '0',
      'current-batch-ordinals': '[]',
      'started-at': null,
      'range-name': null,
      'batch-started-at': null,
      'stalled-at': null,
      message: null,
    },
  },
  {
    name: 'T8 another template while planned: the delay goes on',
    row: 'T8',
    set: { record: { ...planned, 'target-revision': 'web-mid', 'last-revision': 'web-mid', 'pods-to-update': '1' } },
    pods: 'old old old old',
    writes: { 'target-revision': 'web-new', 'last-revision': 'web-new', 'pods-to-update': '4' },
  },
  {
    name: 'T9 reverted while planned',
    row: 'T9',
    set: { record: planned },
    pods: 'new new new new',
    writes: { state: 'done', 'current-batch-ordinals': '[]' },
  },
  {
    name: 'T10 planned without a time',
    row: 'T10',
    set: { record: { ...planned, 'planned-at': '1.5' } },
    pods: 'old old old old',
    writes: { 'planned-at': now },
  },
  {
    name: 'T11 paused',
    row: 'T11',
    set: { record: { ...planned, 'planned-at': '0' }, annotations: { 'config.rollout-operator/paused': 'true' } },
    pods: 'old old old old',
    writes: { message: 'paused' },
  },
  {
    name: "T11 paused by grafana's annotation",
    row: 'T11',
    set: {
      record: { ...planned, 'planned-at': '0', message: 'paused' },
      annotations: { 'grafana.com/rollout-paused': 'true' },
    },
    pods: 'old old old old',
  },
  {
    name: 'T11 another member of the group is busy',
    row: 'T11',
    set: dueInGroup,
    pods: 'old old old old',
    report: { group: { name: 'zones', blockedBy: 'web-b' } },
    writes: { message: 'waits for web-b of the rollout group zones' },
  },
  {
    name: 'T11 nothing is known about the group',
    row: 'T11',
    set: dueInGroup,
    pods: 'old old old old',
    report: { group: { name: 'before' } },
    writes: { message: 'waits for what is known about the rollout group zones' },
  },
  {
    name: 'T12 the delay is not over',
    row: 'T12',
    set: { record: { ...planned, 'planned-at': String(noon - 100) } },
    pods: 'old old old old',
    again: 500,
  },
  {
    name: 'T13 the delay is over',
    row: 'T13',
    set: { record: { ...planned, 'planned-at': String(noon - 600) } },
    pods: 'old old old new',
    writes: {
      ...started,
      'pods-to-update': '3',
    },
  },
  {
    name: 'T13 the free member of a group starts',
    row: 'T13',
    set: dueInGroup,
    pods: 'old old old old',
    report: { group: { name: 'zones' } },
    writes: {
      ...started,
      'pods-to-update': '4',
    },
  },
  {
    name: 'T13 a revision that need not wait',
    row: 'T13',
    set: { record: planned, annotations: { 'config.rollout-operator/start-now': 'web-new' } },
    pods: 'old old old old',
    writes: {
      ...started,
      'pods-to-update': '4',
    },
  },
  {
    name: 'T12 another revision does wait',
    row: 'T12',
    set: { record: planned, annotations: { 'config.rollout-operator/start-now': 'web-mid' } },
    pods: 'old old old old',
    again: 600,
  },
  {
    name: 'T14 another template while rolling',
    row: 'T14',
    set: {
      record: {
        ...inBatch,
        'target-revision': 'web-mid',
        'last-revision': 'web-mid',
        'stalled-at': now,
        'pods-deleted': '2',
      },
      annotations: { 'config.rollout-operator/max-unavailable': '3' },
    },
    pods: 'old old OLD OLD',
    writes: {
      'target-revision': 'web-new',
      'last-revision': 'web-new',
      'max-unavailable': '3',
      'pods-to-update': '4',
      'pods-deleted': '0',
      'current-batch-ordinals': '[]',
      'stalled-at': null,
    },
  },
  {
    name: 'T15 every pod is updated and available',
    row: 'T15',
    set: { record: { ...inBatch, 'stalled-at': now, message: 'x', 'pods-deleted': '2' } },
    pods: 'new new new new',
    report: { deleted: { targetRevision: 'web-new', count: 4 } },
    writes: { state: 'done', 'current-batch-ordinals': '[]', 'stalled-at': null, message: null, 'pods-deleted': '4' },
  },
  {
    name: 'T15 not while a pod above the range is still there',
    row: 'T19',
    set: { record: inBatch },
    pods: 'new new new new new',
    again: 1710,
    batch: [2, 3],
  },
  {
    name: 'T15 no replicas',
    row: 'T15',
    set: { replicas: 0, record: { ...rolling, replicas: '0' } },
    pods: '',
    writes: { state: 'done', 'current-batch-ordinals': '[]' },
  },
  {
    name: 'T16 paused while rolling',
    row: 'T16',
    set: { record: inBatch, annotations: { 'config.rollout-operator/paused': 'yes' } },
    pods: 'old old gone old',
    writes: { 'current-batch-ordinals': '[]', message: 'paused' },
  },
  {
    name: 'T17 the first batch: the lower ordinals of the upper half',
    row: 'T17',
    set: { record: { ...rolling, 'max-unavailable': '1' } },
    pods: 'old old old old',
    writes: {
      'range-name': 'upper_range',
      'range-index': '1',
      'range-total': '2',
      'batch-index': '1',
      'batch-total': '2',
      'current-batch-ordinals': '[2]',
      'batch-started-at': now,
    },
    batch: [2],
  },
  {
    name: 'T17 the next batch, with what was deleted so far; the stall is over',
    row: 'T17',
    set: { record: { ...inBatch, 'stalled-at': now, message: 'x' } },
    pods: 'old old new new',
    report: { deleted: { targetRevision: 'web-new', count: 2 } },
    writes: {
      'range-name': 'lower_range',
      'range-index': '2',
      'range-total': '2',
      'batch-index': '1',
      'batch-total': '1',
      'current-batch-ordinals': '[0, 1]',
      'batch-started-at': now,
      'pods-deleted': '2',
      'stalled-at': null,
      message: null,
    },
    batch: [0, 1],
  },
  {
    name: 'T17 keeps what is still under way',
    row: 'T17',
    set: { record: { ...inBatch, 'current-batch-ordinals': '[2]' } },
    pods: 'old old NEW old',
    writes: {
      'range-name': 'upper_range',
      'range-index': '1',
      'range-total': '2',
      'batch-index': '1',
      'batch-total': '1',
      'current-batch-ordinals': '[2, 3]',
      'batch-started-at': now,
    },
    batch: [2, 3],
  },
  {
    name: 'T18 the batch does not become available',
    row: 'T18',
    set: { record: { ...inBatch, 'batch-started-at': String(noon - 1800) } },
    pods: 'old old NEW -',
    writes: { 'stalled-at': now, message: 'not available: 2 (Running/CrashLoopBackOff), 3 (missing)' },
    batch: [2, 3],
  },
  {
    name: 'T18 a set that has lost all its pods',
    row: 'T18',
    set: { record: { ...rolling, 'updated-at': String(noon - 1800) } },
    pods: '',
    writes: { 'stalled-at': now, message: 'not available: 0 (missing), 1 (missing), 2 (missing), 3 (missing)' },
  },
  {
    name: 'T19 waits for the batch',
    row: 'T19',
    set: { record: inBatch },
    pods: 'old old NEW gone',
    again: 1710,
    batch: [2, 3],
  },
  {
    name: 'T19 the end of a pause shows',
    row: 'T19',
    set: { record: { ...rolling, message: 'paused' } },
    pods: 'old old gone gone',
    writes: { message: null },
    again: 1700,
  },
  {
    name: 'T19 a stall stays until something moves',
    row: 'T19',
    set: { record: { ...inBatch, 'stalled-at': '1', message: 'x' } },
    pods: 'old old NEW gone',
    batch: [2, 3],
  },
  {
    name: 'T19 without a timeout there is no stall',
    row: 'T19',
    set: {
      record: { ...inBatch, 'batch-started-at': '0' },
      annotations: { 'config.rollout-operator/ready-timeout-seconds': '0' },
    },
    pods: 'old old NEW gone',
    batch: [2, 3],
  },
]

void t.test('each row', async (t) => {
  for (const { name, row, set, report, env, ...expected } of cases) {
    await t.test(name, async (t) => {
      const object = setOf(set)
      const facts = expected.pods === undefined ? undefined : reportOf(pods(expected.pods), report)
      const hookContext = at(noon, env)
      // Without a report there is an Observation all the same: that it is missing is another test.
      const request = requestOf(object, facts ?? { setUid: 'uid-web' })
      t.equal(step(rolloutView(request, hookContext)).row, row)
      const answer = sync(object, facts ?? { setUid: 'uid-web' }, hookContext)
      const { writes = {}, batch } = expected
      const stamp = Object.keys(writes).length === 0 ? {} : { 'updated-at': now }
      t.strictSame(answer.written, { ...writes, ...stamp }, 'annotations')
      t.equal(answer.resyncAfterSeconds, expected.again, 'time of the next look')
      t.equal(answer.attachments.length, 1, 'the Observation is in every answer')
      t.strictSame((answer.order?.['batch'] as { ordinals: number[] } | undefined)?.ordinals, batch, 'batch')
      isSettled(t, name, carriedOut(object, answer), facts, env)
    })
  }
})

/** Rows that do not lead to another one have nothing to say the second time. */
function isSettled(
  t: Test,
  name: string,
  object: ReturnType<typeof setOf>,
  facts: ReturnType<typeof reportOf> | undefined,
  env?: Record<string, string>,
): void {
  let set = object
  for (let round = 1; round <= 4; round++) {
    const answer = sync(set, facts, at(noon, env))
    if (answer.annotations === undefined) return
    set = carriedOut(set, answer)
  }
  t.fail(`${name}: five syncs in a row have written`)
}

void t.test('every row has a case', (t) => {
  t.strictSame(
    rowIds.filter((id) => !cases.some(({ row }) => row === id)),
    [],
  )
  t.end()
})

void t.test('T1 a set that is being deleted is left alone, and not held up', (t) => {
  const set = setOf({ record: inBatch, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })
  const answer = sync(set, reportOf(pods('old old old old')))
  t.strictSame(Object.keys(answer).sort(), ['attachments', 'order', 'written'])
  t.match(answer.attachments, [{ kind: 'Observation', metadata: { name: 'rollout-web' } }])
  t.strictSame(sync(set).attachments, [])
  t.end()
})

void t.test('T1 a set that is opted out: nothing attached, the record says none', (t) => {
  const labels = { 'rollout-operator/enabled': 'false' }
  const answer = sync(setOf({ labels, record: { ...inBatch, message: 'x' } }), reportOf(pods('old old old old')))
  t.strictSame(answer.attachments, [])
  t.strictSame(answer.written, { state: 'none', 'current-batch-ordinals': '[]', message: null, 'updated-at': now })
  const settled = sync(carriedOut(setOf({ labels, record: inBatch }), answer))
  t.strictSame([settled.annotations, settled.attachments], [undefined, []])
  t.strictSame(sync(setOf({ labels })).written, {}, 'one that never rolled gets no annotations')
  t.end()
})

void t.test('T1 with a single target every other set is left alone, whatever another operator wrote on it', (t) => {
  const single = at(noon, { RO_TARGET_NAMESPACE: 'shop', RO_TARGET_STATEFUL_SET: 'web' })
  const other = setOf({ name: 'db', record: inBatch })
  t.strictSame(sync(other, undefined, single), { attachments: [], written: {}, order: undefined })
  t.match(sync(other, reportOf([]), single).written, { state: 'none' }, 'unless it was ours until now')
  t.equal(sync(setOf({ labels: {} }), reportOf(pods('old old old old')), single).written['state'], 'planned')
  t.end()
})

void t.test('an Observation that is not there is looked for every 5 seconds', (t) => {
  t.equal(sync(setOf()).resyncAfterSeconds, 5)
  t.equal(sync(setOf({ strategy: 'RollingUpdate' })).resyncAfterSeconds, 5)
  t.equal(sync(setOf({ observedGeneration: 1 })).resyncAfterSeconds, 2)
  t.end()
})

void t.test('a pod is available once it is ready for minReadySeconds; the hook looks again then', (t) => {
  const set = setOf({ replicas: 2, minReadySeconds: 30, record: { ...inBatch, 'current-batch-ordinals': '[1]' } })
  const young = { ...pod(1, 'new'), readySince: new Date((noon - 10) * 1000).toISOString() }
  const report = reportOf([pod(0, 'new'), young])
  const early = sync(set, report)
  t.strictSame([early.written, early.resyncAfterSeconds], [{}, 20])
  t.equal(sync(set, report, at(noon + 19)).written['state'], undefined)
  t.equal(sync(set, report, at(noon + 20)).written['state'], 'done')
  t.end()
})

void t.test('a pod whose deletion is announced is as good as gone', (t) => {
  const set = setOf({ record: { ...rolling, 'max-unavailable': '1' } })
  const report = reportOf(pods('old old old old'), { deleting: { batchId: 'b', uids: ['uid-2-old'] } })
  t.strictSame(sync(set, report).written, {}, 'no second pod')
  t.end()
})

void t.test('a percentage is resolved anew when the set is resized; a number is not touched', (t) => {
  const of = (annotation: string): unknown =>
    sync(
      setOf({
        replicas: 40,
        record: { ...rolling, 'half-split': 'false' },
        annotations: { 'config.rollout-operator/max-unavailable': annotation },
      }),
      reportOf(pods(Array.from({ length: 40 }, () => 'old').join(' '))),
    ).order?.['maxUnavailable']
  t.equal(of('10%'), 4)
  t.equal(of('9'), 2, 'what is recorded at the start holds')
  t.end()
})

void t.test('the batch has an id of its own, and the same one as long as it stays', (t) => {
  const id = (record: Record<string, string>, at_ = noon): unknown =>
    (sync(setOf({ record }), reportOf(pods('old old gone NEW')), at(at_)).order?.['batch'] as { id: string }).id
  t.equal(id(inBatch), id(inBatch, noon + 60))
  t.not(id(inBatch), id({ ...inBatch, 'batch-started-at': '1' }))
  t.not(id(inBatch), id({ ...inBatch, 'current-batch-ordinals': '[3]' }))
  t.end()
})
