import t from 'tap'
import type { Test } from 'tap'
import { Attempts } from '../../poller/kaspr/attempts.ts'
import { KeptClaims, changesClaim, trimClaim } from '../../poller/kaspr/claims.ts'
import { packages } from '../../poller/kaspr/packages.ts'
import type { AppPart, KasprAppReport, KasprAppSpec, Look, PartReport } from '../../poller/kaspr/part.ts'
import { trimPod } from '../../poller/kaspr/pods.ts'
import { trimSet } from '../../poller/kaspr/statefulsets.ts'
import { StorageGrowth } from '../../poller/kaspr/storage.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { startApiWithClient } from '../fakes/api-client.ts'
import type { FakeApi } from '../fakes/api-server.ts'
import { FakeClock } from './fake-clock.ts'

const collections = {
  app: '/apis/kaspr.io/v1alpha1/kasprapps',
  set: '/apis/apps/v1/statefulsets',
  claim: '/api/v1/persistentvolumeclaims',
  class: '/apis/storage.k8s.io/v1/storageclasses',
}
const selector = { 'kaspr.io/cluster': 'a', 'kaspr.io/name': 'a-app', 'kaspr.io/kind': 'KasprApp' }
const spec: KasprAppSpec = {
  app: { name: 'a', uid: 'app-uid' },
  statefulSet: 'a-app',
  selector,
  port: 6065,
  enabled: true,
  mayDelete: ['HungMembers', 'StatefulSet'],
}

interface World {
  api: FakeApi
  client: KubeClient
  clock: FakeClock
}

async function world(t: Test): Promise<World> {
  const { api, client } = await startApiWithClient(t)
  const metadata = { name: 'a', namespace: 'shop', uid: 'app-uid' }
  api.put(collections.app, { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', metadata })
  for (const [name, allowVolumeExpansion] of [
    ['fast', true],
    ['fixed', false],
  ] as const) {
    const storageClass = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name } }
    api.put(collections.class, { ...storageClass, allowVolumeExpansion })
  }
  return { api, client, clock: new FakeClock() }
}

function claim(name: string, size: string, more: { labels?: Record<string, string>; class?: string } = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop', labels: { ...selector, ...more.labels } },
    spec: { storageClassName: more.class ?? 'fast', resources: { requests: { storage: size } } },
  }
}

function statefulSet(size: string, changes: { replicas?: number; status?: object } = {}): KubeObject {
  const replicas = changes.replicas ?? 2
  const owner = { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', name: 'a', uid: 'app-uid', controller: true }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'a-app', namespace: 'shop', generation: 1, ownerReferences: [owner] },
    spec: {
      replicas,
      volumeClaimTemplates: [{ metadata: { name: 'a-app-pv' }, spec: { resources: { requests: { storage: size } } } }],
    },
    status: {
      observedGeneration: 1,
      replicas,
      updatedReplicas: replicas,
      availableReplicas: replicas,
      currentRevision: 'r1',
      updateRevision: 'r1',
      ...changes.status,
    },
  }
}

/** What the poller would see now; a previous report is the one of the last look. */
function lookAt({ api }: World, asked: Partial<KasprAppSpec>, previous?: Partial<KasprAppReport>): Look {
  const set = api.objects(collections.set).map(trimSet)[0]
  return {
    observation: {
      apiVersion: 'v1',
      kind: 'Observation',
      metadata: { name: 'kasprapp-a', namespace: 'shop', uid: 'obs-uid' },
      spec: {},
    },
    namespace: 'shop',
    spec: { ...spec, ...asked },
    previous: previous === undefined ? undefined : { appUid: 'app-uid', reachable: '0/0', members: [], ...previous },
    now: new Date('2030-01-01T00:00:00Z'),
    target: { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', namespace: 'shop', ...spec.app },
    set,
    pods: [],
    claims: api.objects(collections.claim).map(trimClaim),
    running: [],
    answers: new Map(),
    members: [],
  }
}

/** Looks, acts, and looks again with what was reported, until nothing is to be done; gives all that was reported. */
async function run(world: World, part: AppPart, asked: Partial<KasprAppSpec>, rounds = 6): Promise<PartReport[]> {
  const reports: PartReport[] = []
  let previous: Partial<KasprAppReport> | undefined
  for (let round = 0; round < rounds; round++) {
    const seen = part.look(lookAt(world, asked, previous))
    reports.push(seen)
    previous = seen.report
    for (const act of seen.acts ?? []) await act(new AbortController().signal)
    if ((seen.acts ?? []).length === 0) break
  }
  return reports
}

function writes(api: FakeApi): string[] {
  return api.requests
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => `${method} ${path.slice(path.lastIndexOf('/') + 1)}`)
}

function sizes(api: FakeApi): Record<string, unknown> {
  const storage = ({ spec }: KubeObject): unknown =>
    (spec as { resources: { requests: { storage: string } } }).resources.requests.storage
  return Object.fromEntries(api.objects(collections.claim).map((object) => [object.metadata.name, storage(object)]))
}

const storage = { claim: 'a-app-pv', size: '2Gi' }
const never = new AbortController().signal

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

void t.test('what cannot be done now is tried again in a while, not at once, and is no problem to tell', async (t) => {
  const act = async ({ acts = [] }: PartReport): Promise<number> => {
    for (const act of acts) await act(new AbortController().signal)
    return acts.length
  }
  const parts: [name: string, part: (w: World) => AppPart, asked: Partial<KasprAppSpec>][] = [
    ['growth', (w) => new StorageGrowth(w.client, new Attempts(w.clock)), { storage }],
    ['kept claims', (w) => new KeptClaims(w.client, new Attempts(w.clock)), { claims: [kept] }],
  ]
  for (const [name, make, asked] of parts) {
    const w = await world(t)
    w.api.put(collections.set, statefulSet('1Gi'))
    pause(w)
    const part = make(w)
    t.equal(await act(part.look(lookAt(w, asked))), 1, `${name}: the hooks have not said yet that the app is paused`)
    const next = part.look(lookAt(w, asked))
    t.strictSame([next.acts, next.againMs, next.events], [[], 5_000, []], name)
    t.notMatch(next.report, { problems: [] }, name)
    t.equal(next.report.storage?.problem, undefined, name)
    await w.clock.advance(5_000)
    t.equal(await act(part.look(lookAt(w, asked))), 1, `${name}: then again`)
    t.strictSame(writes(w.api), [], name)
  }
})

void t.test(
  'a claim that the watch has not told of yet is no problem; one of that name without our labels is',
  async (t) => {
    const w = await world(t)
    const part = new KeptClaims(w.client, new Attempts(w.clock))
    const blind = (): Look => ({ ...lookAt(w, { claims: [kept] }), claims: [] })
    const step = async (): Promise<PartReport> => {
      const seen = part.look(blind())
      for (const act of seen.acts ?? []) await act(new AbortController().signal)
      return seen
    }
    await step()
    await step()
    t.match(await step(), { report: {}, acts: [], events: [], againMs: 5_000 }, 'made, and not seen')
    t.strictSame(part.look(lookAt(w, { claims: [kept] })), { report: {}, events: [], acts: [] }, 'seen')
    await step()
    await w.clock.advance(5_000)
    await step()
    t.match(await step(), { report: { problems: [{ reason: /./ }] }, events: [{ type: 'Warning' }] }, 'never seen')
  },
)

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

function pause({ api }: World): void {
  const metadata = { name: 'a', namespace: 'shop', annotations: { 'kaspr.io/pause-reconciliation': 'true' } }
  api.put(collections.app, { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', metadata })
}

function renew({ api }: World): void {
  const metadata = { name: 'a', namespace: 'shop', uid: 'other-uid' }
  api.put(collections.app, { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', metadata })
}

const kept = {
  name: 'a-app-python-packages',
  keep: true,
  size: '2Gi',
  accessModes: ['ReadWriteMany'],
  storageClassName: 'fast',
  labels: { ...selector, 'kaspr.io/component': 'python-packages' },
}
const owner = { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', name: 'a', uid: 'app-uid', controller: true }

function packagesClaim(size: string, owned: boolean): KubeObject {
  const object = claim(kept.name, size, owned ? { labels: { 'controller-uid': 'app-uid' } } : {})
  return owned ? { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } } : object
}

void t.test('a claim to be kept is made without an owner', async (t) => {
  const w = await world(t)
  const part = new KeptClaims(w.client, new Attempts(w.clock))
  await run(w, part, { claims: [kept] })
  t.match(w.api.objects(collections.claim), [
    { metadata: { name: kept.name, namespace: 'shop', labels: kept.labels }, spec: { storageClassName: 'fast' } },
  ])
  t.equal(w.api.objects(collections.claim)[0]?.metadata.ownerReferences, undefined)
  t.equal(w.api.requests.filter(({ method }) => method === 'POST').length, 1)
  const other = await world(t)
  await run(other, part, { claims: [{ ...kept, keep: false }] })
  t.strictSame(writes(other.api), [], 'the hooks make the others')
})

void t.test('a claim that is owned is released, and taken back', async (t) => {
  const w = await world(t)
  w.api.put(collections.claim, packagesClaim('2Gi', true))
  const part = new KeptClaims(w.client, new Attempts(w.clock))
  await run(w, part, { claims: [kept] })
  const [released] = w.api.objects(collections.claim)
  t.strictSame(released?.metadata.ownerReferences, [])
  t.equal(released?.metadata.labels?.['controller-uid'], undefined)
  await run(w, part, { claims: [{ ...kept, keep: false }] })
  t.equal(
    w.api.objects(collections.claim)[0]?.metadata.labels?.['controller-uid'],
    'app-uid',
    'for Metacontroller to adopt',
  )
  t.equal(writes(w.api).length, 2)
})

void t.test('a claim grows, never shrinks, and one of somebody else is left alone', async (t) => {
  const w = await world(t)
  const part = new KeptClaims(w.client, new Attempts(w.clock))
  w.api.put(collections.claim, packagesClaim('1Gi', false))
  await run(w, part, { claims: [kept] })
  t.match(sizes(w.api), { [kept.name]: '2Gi' })

  const shrink = await run(w, part, { claims: [{ ...kept, size: '1Gi' }] })
  t.match(shrink.at(-1), { report: { problems: [{ reason: 'ClaimCannotShrink' }] }, events: [{ type: 'Warning' }] })
  t.match(sizes(w.api), { [kept.name]: '2Gi' })

  const foreign = packagesClaim('1Gi', true)
  const theirs = { ...owner, uid: 'other', name: 'b' }
  w.api.put(collections.claim, { ...foreign, metadata: { ...foreign.metadata, ownerReferences: [theirs] } })
  const seen = await run(w, part, { claims: [kept] })
  t.match(seen.at(-1)?.report.problems, [{ reason: 'ClaimOfAnother', message: /belongs to KasprApp b/ }])
})

void t.test('a refusal of the API server is a problem, and is tried again later', async (t) => {
  const w = await world(t)
  const part = new KeptClaims(w.client, new Attempts(w.clock))
  w.api.fault = ({ method }) =>
    method === 'POST'
      ? { status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'exceeded quota' } }
      : undefined
  const [, second] = await run(w, part, { claims: [kept] })
  t.match(second, { report: { problems: [{ reason: 'Forbidden', message: /exceeded quota/ }] }, againMs: 30_000 })
  w.api.fault = undefined
  await w.clock.advance(30_000)
  const reports = await run(w, part, { claims: [kept] })
  t.strictSame(reports.at(-1)?.report, {})
  t.equal(w.api.objects(collections.claim).length, 1)
})

void t.test('a dry run looks at everything, tells once what it would do, and writes nothing', async (t) => {
  const growth = (w: World): AppPart => new StorageGrowth(w.client, new Attempts(w.clock), true)
  const keeping = (w: World): AppPart => new KeptClaims(w.client, new Attempts(w.clock), true)
  const small = (w: World): void => {
    for (const id of [0, 1]) w.api.put(collections.claim, claim(`a-app-pv-a-app-${id}`, '1Gi'))
  }
  const own = (size: string, owned: boolean) => (w: World) => w.api.put(collections.claim, packagesClaim(size, owned))
  const rows: [
    name: string,
    part: (w: World) => AppPart,
    arrange: (w: World) => void,
    asked: Partial<KasprAppSpec>,
    says: string,
  ][] = [
    ['growth', growth, small, { storage }, 'Claims that would ask for 2Gi: a-app-pv-a-app-0, a-app-pv-a-app-1'],
    [
      'replacement',
      growth,
      () => undefined,
      { storage },
      'The StatefulSet a-app would be deleted without its pods and made again',
    ],
    ['creation', keeping, () => undefined, { claims: [kept] }, `The claim ${kept.name} would be made`],
    [
      'release',
      keeping,
      own('2Gi', true),
      { claims: [kept] },
      `The claim ${kept.name} would be kept when the app is deleted`,
    ],
    [
      'return',
      keeping,
      own('2Gi', false),
      { claims: [{ ...kept, keep: false }] },
      `The claim ${kept.name} would be deleted with the app`,
    ],
    [
      'growth of a kept one',
      keeping,
      own('1Gi', false),
      { claims: [kept] },
      `Claims that would ask for 2Gi: ${kept.name}`,
    ],
  ]
  for (const [name, make, arrange, asked, says] of rows) {
    const w = await world(t)
    w.api.put(collections.set, statefulSet('1Gi'))
    arrange(w)
    const part = make(w)
    const [last = { report: {} }] = (await run(w, part, asked)).slice(-1)
    const message = `${says} (POLLER_DRY_RUN)`
    const { report, events, againMs = 0 } = last
    t.match(report.storage?.problem ?? report.problems?.[0], { reason: 'DryRun', message }, name)
    t.match(events, [{ type: 'Warning', reason: 'DryRun', message, target: { kind: 'KasprApp' } }], name)
    await w.clock.advance(againMs)
    const again = part.look(lookAt(w, asked, report))
    t.strictSame([again.acts?.length, again.events], [1, []], `${name}: looks again, and does not repeat itself`)
    for (const act of again.acts ?? []) await act(never)
    t.strictSame(part.look(lookAt(w, asked, report)).report, report, `${name}: an unchanged report`)
    t.strictSame(writes(w.api), [], name)
  }
})

void t.test('a dry run says first what stands in the way', async (t) => {
  const w = await world(t)
  w.api.put(collections.set, statefulSet('1Gi'))
  w.api.put(collections.claim, claim('a-app-pv-a-app-0', '1Gi', { class: 'fixed' }))
  const reports = await run(w, new StorageGrowth(w.client, new Attempts(w.clock), true), { storage })
  t.match(reports.at(-1)?.report.storage?.problem, { reason: 'ExpansionNotAllowed' })
  pause(w)
  const part = new KeptClaims(w.client, new Attempts(w.clock), true)
  t.strictSame((await run(w, part, { claims: [kept] })).at(-1)?.report, {}, 'a paused app')
  t.strictSame(writes(w.api), [])
})

void t.test('which changes of a claim wake', (t) => {
  const object = trimClaim(packagesClaim('1Gi', false))
  t.ok(changesClaim({ type: 'added', object }))
  t.ok(changesClaim({ type: 'deleted', object }))
  t.notOk(changesClaim({ type: 'modified', object: { ...object }, old: object }))
  t.ok(changesClaim({ type: 'modified', object: trimClaim(packagesClaim('2Gi', false)), old: object }))
  t.ok(changesClaim({ type: 'modified', object: trimClaim(packagesClaim('1Gi', true)), old: object }))
  t.end()
})

void t.test('packages are reported from the pod that installs the wanted set', (t) => {
  const pod = (name: string, set: string | undefined, state: object | undefined, lastState?: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: selector },
    spec: {
      initContainers: [
        { name: 'init-else' },
        { name: 'install-packages', args: ['-c', 'x', ...(set === undefined ? [] : ['--set', set])] },
      ],
    },
    status: { initContainerStatuses: state === undefined ? [] : [{ name: 'install-packages', state, lastState }] },
  })
  const report = (...pods: KubeObject[]): unknown =>
    packages.look({ ...emptyLook, spec: { ...spec, packages: { set: 'new' } }, pods: pods.map(trimPod) }).report
      .packages
  const done = { terminated: { exitCode: 0, message: '{"packages":[]}' } }
  t.equal(report(), undefined)
  t.equal(report(pod('a-app-0', 'new', undefined)), undefined, 'nothing is known of it yet')
  t.strictSame(report(pod('a-app-1', 'new', { running: {} }), pod('a-app-0', 'old', done)), {
    pod: 'a-app-1',
    set: 'new',
    state: 'running',
  })
  t.strictSame(report(pod('a-app-10', 'old', { running: {} }), pod('a-app-2', 'old', done)), {
    pod: 'a-app-2',
    set: 'old',
    state: 'terminated',
    exitCode: 0,
    message: '{"packages":[]}',
  })
  const waiting = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } }
  t.match(report(pod('a-app-0', 'new', waiting, { terminated: { exitCode: 1, message: 'no such package' } })), {
    state: 'waiting',
    reason: 'CrashLoopBackOff',
    message: 'no such package',
  })
  t.match(report(pod('a-app-0', 'new', waiting)), { message: 'back-off 10s' })
  t.strictSame(packages.look({ ...emptyLook, pods: [trimPod(pod('a-app-0', 'new', done))] }), { report: {} })
  t.end()
})

const emptyLook: Look = {
  observation: { apiVersion: 'v1', kind: 'Observation', metadata: { name: 'o' }, spec: {} },
  namespace: 'shop',
  spec,
  previous: undefined,
  now: new Date(0),
  target: { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', name: 'a', uid: 'app-uid' },
  set: undefined,
  pods: [],
  claims: [],
  running: [],
  answers: new Map(),
  members: [],
}
