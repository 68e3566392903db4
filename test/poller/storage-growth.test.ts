/** Data claims that grow, and the replacement of the StatefulSet that follows. */
import t from 'tap'
import { Attempts } from '../../poller/kaspr/attempts.ts'
import type { KasprAppReport, KasprAppSpec } from '../../poller/kaspr/part.ts'
import { StorageGrowth } from '../../poller/kaspr/storage.ts'
import {
  claim,
  collections,
  lookAt,
  pause,
  renew,
  run,
  sizes,
  statefulSet,
  storage,
  world,
  writes,
} from './claims-world.ts'
import type { World } from './claims-world.ts'

void t.test('data claims grow, then the set is replaced without its pods', async (t) => {
  const w = await world(t)
  w.api.put(collections.set, statefulSet('1Gi'))
  for (const name of ['a-app-pv-a-app-0', 'a-app-pv-a-app-1', 'a-app-pv-a-app-7', 'a-app-python-packages']) {
    w.api.put(collections.claim, claim(name, '1Gi'))
  }
  w.api.put(collections.claim, claim('a-app-pv-a-app-8', '3Gi'))
  const part = new StorageGrowth(w.client, new Attempts(w.clock))
  const reports = await run(w, part, { storage })
  t.match(
    reports.map(({ report }) => report.storage?.phase),
    ['Growing', 'Replacing', 'Replacing'],
  )
  t.strictSame(writes(w.api), [
    'PATCH a-app-pv-a-app-0',
    'PATCH a-app-pv-a-app-1',
    'PATCH a-app-pv-a-app-7',
    'DELETE a-app',
  ])
  t.match(sizes(w.api), { 'a-app-pv-a-app-7': '2Gi', 'a-app-pv-a-app-8': '3Gi', 'a-app-python-packages': '1Gi' })
  const deletion = w.api.requests.find(({ method }) => method === 'DELETE')
  t.match(deletion?.body, { propagationPolicy: 'Orphan', preconditions: { uid: String, resourceVersion: String } })

  w.api.put(collections.set, statefulSet('2Gi'))
  const done = part.look(lookAt(w, { storage }, reports.at(-1)?.report))
  t.strictSame(done.report, {})
  t.match(done.events, [{ type: 'Normal', reason: 'StorageGrown' }])
})

void t.test('a restart after any step goes on where it was', async (t) => {
  const w = await world(t)
  w.api.put(collections.set, statefulSet('1Gi'))
  w.api.put(collections.claim, claim('a-app-pv-a-app-0', '1Gi'))
  w.api.put(collections.claim, claim('a-app-pv-a-app-1', '2Gi'))
  let previous: Partial<KasprAppReport> | undefined
  for (let round = 0; round < 6 && w.api.objects(collections.set).length > 0; round++) {
    // Every second one is killed before it acts, all forget what they knew.
    const part = new StorageGrowth(w.client, new Attempts(w.clock))
    const first = part.look(lookAt(w, { storage }, previous))
    if (round % 2 === 0) {
      previous = first.report
      continue
    }
    for (const act of first.acts ?? []) await act(new AbortController().signal)
    const second = part.look(lookAt(w, { storage }, first.report))
    previous = second.report
    for (const act of second.acts ?? []) await act(new AbortController().signal)
  }
  t.strictSame(writes(w.api), ['PATCH a-app-pv-a-app-0', 'DELETE a-app'])
  t.match(previous, { storage: { phase: 'Replacing', size: '2Gi' } })
})

void t.test('a class that does not allow it stops all claims, and is said once', async (t) => {
  const w = await world(t)
  w.api.put(collections.set, statefulSet('1Gi'))
  w.api.put(collections.claim, claim('a-app-pv-a-app-0', '1Gi'))
  w.api.put(collections.claim, claim('a-app-pv-a-app-1', '1Gi', { class: 'fixed' }))
  const part = new StorageGrowth(w.client, new Attempts(w.clock))
  const [, second] = await run(w, part, { storage })
  t.strictSame(writes(w.api), [], 'all or none')
  t.match(second?.report.storage, { phase: 'Growing', problem: { reason: 'ExpansionNotAllowed', message: /fixed/ } })
  t.match(second?.events, [{ type: 'Warning', reason: 'StorageGrowthFailed' }])
  t.equal(second?.againMs, 30_000)
  const third = part.look(lookAt(w, { storage }, second?.report))
  t.strictSame([third.events, third.acts], [[], []], 'not again')
  await w.clock.advance(30_000)
  w.api.put(collections.class, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fixed' },
    allowVolumeExpansion: true,
  })
  await run(w, part, { storage })
  t.match(writes(w.api).at(-1), 'DELETE a-app', 'goes on once the class allows it')
})

void t.test('the set is not replaced while something stands against it', async (t) => {
  const rows: [name: string, arrange: (w: World) => void, asked: Partial<KasprAppSpec>][] = [
    ['it rolls', (w) => w.api.put(collections.set, statefulSet('1Gi', { status: { updateRevision: 'r2' } })), {}],
    [
      'a member is missing',
      (w) => w.api.put(collections.set, statefulSet('1Gi', { status: { availableReplicas: 1 } })),
      {},
    ],
    ['nothing may be deleted', () => undefined, { mayDelete: [] }],
  ]
  for (const [name, arrange, asked] of rows) {
    const w = await world(t)
    w.api.put(collections.set, statefulSet('1Gi'))
    arrange(w)
    const reports = await run(w, new StorageGrowth(w.client, new Attempts(w.clock)), { storage, ...asked })
    t.strictSame(writes(w.api), [], name)
    t.match(reports.at(-1)?.report.storage, { phase: 'Replacing', problem: { message: String } }, name)
  }
})

void t.test('what changed since the report was written stops the deletion', async (t) => {
  const rows: [name: string, change: (w: World) => void][] = [
    ['paused', (w) => pause(w)],
    ['the app is another one', (w) => renew(w)],
    ['scaled', (w) => w.api.put(collections.set, statefulSet('1Gi', { replicas: 3 }))],
    ['rolling', (w) => w.api.put(collections.set, statefulSet('1Gi', { status: { updateRevision: 'r2' } }))],
    ['one more claim', (w) => w.api.put(collections.claim, claim('a-app-pv-a-app-9', '1Gi'))],
  ]
  for (const [name, change] of rows) {
    const w = await world(t)
    w.api.put(collections.set, statefulSet('1Gi'))
    const part = new StorageGrowth(w.client, new Attempts(w.clock))
    const first = part.look(lookAt(w, { storage }))
    for (const act of first.acts ?? []) await act(new AbortController().signal)
    const second = part.look(lookAt(w, { storage }, first.report))
    t.equal(second.acts?.length, 1)
    change(w)
    for (const act of second.acts ?? []) await act(new AbortController().signal)
    t.strictSame(writes(w.api), [], name)
  }
})

void t.test('a failure before does not open what is held', async (t) => {
  const w = await world(t)
  w.api.put(collections.set, statefulSet('1Gi'))
  const part = new StorageGrowth(w.client, new Attempts(w.clock))
  w.api.fault = ({ method }) => (method === 'DELETE' ? { status: 500 } : undefined)
  const reports = await run(w, part, { storage })
  t.match(reports.at(-1)?.report.storage, { phase: 'Replacing', problem: { message: /500/ } })
  w.api.fault = undefined
  await w.clock.advance(30_000)
  const held = part.look(lookAt(w, { storage, mayDelete: [] }, reports.at(-1)?.report))
  t.strictSame(held.acts, [])
  t.equal(part.look(lookAt(w, { storage }, reports.at(-1)?.report)).acts?.length, 1)
})

void t.test('a set that is on its way out is as good as gone', async (t) => {
  const w = await world(t)
  const set = statefulSet('1Gi')
  w.api.put(collections.set, { ...set, metadata: { ...set.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' } })
  const part = new StorageGrowth(w.client, new Attempts(w.clock))
  const before = { storage: { from: '1Gi', size: '2Gi', phase: 'Replacing' as const } }
  t.strictSame(part.look(lookAt(w, { storage }, before)), { report: before })
})

void t.test('nothing is done for a smaller size, or without claims', async (t) => {
  const w = await world(t)
  w.api.put(collections.set, statefulSet('3Gi'))
  const part = new StorageGrowth(w.client, new Attempts(w.clock))
  t.strictSame(part.look(lookAt(w, { storage })), { report: {}, events: [] })
  t.strictSame(part.look(lookAt(w, { storage: { claim: 'other', size: '9Gi' } })), { report: {}, events: [] })
  t.strictSame(part.look(lookAt(w, {})), { report: {}, events: [] })
})
