/** Syncs of a rollout beyond the rows: sets that are not ours, time, percentages, the batch's id. */
import t from 'tap'
import { inBatch, now, rolling } from './rollout-case.ts'
import { at, carriedOut, noon, pod, pods, reportOf, setOf, sync } from './rollout-world.ts'

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
