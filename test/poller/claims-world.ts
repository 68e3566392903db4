/** An app whose claims the poller looks after, for the tests of its parts. */
import type { Test } from 'tap'
import { trimClaim } from '../../poller/kaspr/claims.ts'
import type { AppPart, KasprAppReport, KasprAppSpec, Look, PartReport } from '../../poller/kaspr/part.ts'
import { trimSet } from '../../poller/kaspr/statefulsets.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { startApiWithClient } from '../fakes/api-client.ts'
import type { FakeApi } from '../fakes/api-server.ts'
import { FakeClock } from './fake-clock.ts'

/** Paths of the collections that are used. */
export const collections = {
  app: '/apis/kaspr.io/v1alpha1/kasprapps',
  set: '/apis/apps/v1/statefulsets',
  claim: '/api/v1/persistentvolumeclaims',
  class: '/apis/storage.k8s.io/v1/storageclasses',
}

/** Labels of the app's pods and claims. */
export const selector = { 'kaspr.io/cluster': 'a', 'kaspr.io/name': 'a-app', 'kaspr.io/kind': 'KasprApp' }

/** The app `a` of the namespace `shop`. */
export const spec: KasprAppSpec = {
  app: { name: 'a', uid: 'app-uid' },
  statefulSet: 'a-app',
  selector,
  port: 6065,
  enabled: true,
  mayDelete: ['HungMembers', 'StatefulSet'],
}

/** An API server with the app and two storage classes: `fast` can grow, `fixed` cannot. */
export interface World {
  api: FakeApi
  client: KubeClient
  clock: FakeClock
}

export async function world(t: Test): Promise<World> {
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

/** A claim of 1Gi, 2Gi, … of the app. */
export function claim(
  name: string,
  size: string,
  more: { labels?: Record<string, string>; class?: string } = {},
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop', labels: { ...selector, ...more.labels } },
    spec: { storageClassName: more.class ?? 'fast', resources: { requests: { storage: size } } },
  }
}

/** The app's settled set of two members whose claim template asks for the size. */
export function statefulSet(size: string, changes: { replicas?: number; status?: object } = {}): KubeObject {
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
export function lookAt({ api }: World, asked: Partial<KasprAppSpec>, previous?: Partial<KasprAppReport>): Look {
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
export async function run(
  world: World,
  part: AppPart,
  asked: Partial<KasprAppSpec>,
  rounds = 6,
): Promise<PartReport[]> {
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

/** What was written so far: method and name. */
export function writes(api: FakeApi): string[] {
  return api.requests
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => `${method} ${path.slice(path.lastIndexOf('/') + 1)}`)
}

/** What each claim asks for, by name. */
export function sizes(api: FakeApi): Record<string, unknown> {
  const storage = ({ spec }: KubeObject): unknown =>
    (spec as { resources: { requests: { storage: string } } }).resources.requests.storage
  return Object.fromEntries(api.objects(collections.claim).map((object) => [object.metadata.name, storage(object)]))
}

/** The data claims as they should be. */
export const storage = { claim: 'a-app-pv', size: '2Gi' }

export const never = new AbortController().signal

/** The app is paused, and the hooks have not said so yet. */
export function pause({ api }: World): void {
  const metadata = { name: 'a', namespace: 'shop', annotations: { 'kaspr.io/pause-reconciliation': 'true' } }
  api.put(collections.app, { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', metadata })
}

/** The app is another one of its name. */
export function renew({ api }: World): void {
  const metadata = { name: 'a', namespace: 'shop', uid: 'other-uid' }
  api.put(collections.app, { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', metadata })
}

/** The claim of packages as it should be. */
export const kept = {
  name: 'a-app-python-packages',
  keep: true,
  size: '2Gi',
  accessModes: ['ReadWriteMany'],
  storageClassName: 'fast',
  labels: { ...selector, 'kaspr.io/component': 'python-packages' },
}

export const owner = { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', name: 'a', uid: 'app-uid', controller: true }

/** That claim as it is, the app's own or nobody's. */
export function packagesClaim(size: string, owned: boolean): KubeObject {
  const object = claim(kept.name, size, owned ? { labels: { 'controller-uid': 'app-uid' } } : {})
  return owned ? { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } } : object
}

/** A look at the app without anything of it. */
export const emptyLook: Look = {
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
