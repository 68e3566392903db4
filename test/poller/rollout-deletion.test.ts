/** Rollouts: how the pods of a batch are deleted, over HTTP, whatever happens between the check and the deletion. */
import t from 'tap'
import type { Test } from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import { type DeletionOptions, type Target, deletePods } from '../../poller/rollout/deletion.ts'
import { trimPod } from '../../poller/rollout/pods.ts'
import { systemClock } from '../../poller/clock.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import { startApiWithClient } from '../fakes/api-client.ts'
import type { FakeApi } from '../fakes/api-server.ts'

const sets = '/apis/apps/v1/statefulsets'
const pods = '/api/v1/pods'
const replicas = 32
/** Of 32 pods the upper half is first. */
const first = 16

function order(ordinals: number[], more: Partial<RolloutOrder> = {}): RolloutOrder {
  return {
    statefulSet: { name: 'web', uid: 'set' },
    maxUnavailable: ordinals.length,
    delaySeconds: 0,
    readyTimeoutSeconds: 0,
    useEviction: false,
    paused: false,
    batch: { id: 'b', targetRevision: 'r2', ordinals },
    ...more,
  }
}

function kubeSet(ordinals: number[]): KubeObject {
  const record = { state: 'rolling', 'target-revision': 'r2', 'current-batch-ordinals': JSON.stringify(ordinals) }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      namespace: 'shop',
      name: 'web',
      uid: 'set',
      generation: 2,
      labels: { 'rollout-operator/enabled': 'true' },
      annotations: Object.fromEntries(Object.entries(record).map(([key, value]) => [`rollout-operator/${key}`, value])),
    },
    spec: { replicas, updateStrategy: { type: 'OnDelete' } },
    status: { observedGeneration: 2, updateRevision: 'r2' },
  }
}

function kubePod(ordinal: number, status: 'True' | 'False' = 'True', metadata: object = {}): KubeObject {
  const labels = { app: 'web', 'apps.kubernetes.io/pod-index': String(ordinal), 'controller-revision-hash': 'r1' }
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'set', controller: true }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'shop',
      name: `web-${ordinal}`,
      uid: `u${ordinal}`,
      labels,
      ownerReferences: [owner],
      ...metadata,
    },
    status: { conditions: [{ type: 'Ready', status, lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  }
}

interface World {
  api: FakeApi
  options: DeletionOptions
  target: Target
}

/** A set whose first pods are the batch. */
async function world(t: Test, size: number, more: Partial<RolloutOrder> = {}): Promise<World> {
  const { api, client } = await startApiWithClient(t)
  const ordinals = Array.from({ length: size }, (_, index) => first + index)
  api.put(sets, kubeSet(ordinals))
  for (let ordinal = 0; ordinal < replicas; ordinal++) api.put(pods, kubePod(ordinal))
  // A watch that was told nothing after this.
  const watch = new Map(api.objects(pods).map((pod) => [pod.metadata.name, trimPod(pod)]))
  return {
    api,
    options: optionsOf(client),
    target: {
      namespace: 'shop',
      order: order(ordinals, more),
      selector: 'app=web',
      watched: (name) => watch.get(name),
      podUIDs: ordinals.map((ordinal) => `u${ordinal}`),
      mayAct: () => true,
    },
  }
}

function optionsOf(client: KubeClient): DeletionOptions {
  return {
    client,
    settings: { RO_WATCH_NAMESPACES: '' },
    timeoutMs: 5000,
    dryRun: false,
    clock: systemClock,
  }
}

/** The requests that were sent, as far as they say what was decided. */
function sent({ requests }: FakeApi): string[] {
  return requests
    .map(
      ({ method, path }) =>
        `${method} ${path.split('/').at(-1) === 'eviction' ? path.split('/').at(-2) : path.split('/').at(-1)}`,
    )
    .sort()
}

const { signal } = new AbortController()

void t.test('a batch is deleted upon one look at set and pods, each pod by uid and version', async (t) => {
  const { api, options, target } = await world(t, 2)
  const { leaving, failure } = await deletePods(options, target, signal)
  t.equal(failure, undefined)
  t.strictSame(leaving.map(({ metadata }) => metadata.uid).sort(), ['u16', 'u17'])
  t.strictSame(sent(api), ['DELETE web-16', 'DELETE web-17', 'GET pods', 'GET web'])
  for (const { body } of api.requests.filter(({ method }) => method === 'DELETE')) {
    const { preconditions } = body as { preconditions: { uid: string; resourceVersion: string } }
    t.match(preconditions, { uid: /^u1[67]$/, resourceVersion: /^\d+$/ })
  }
})

void t.test('of pods that the watch knows as they are only the metadata are read, of others all', async (t) => {
  const { api, options, target } = await world(t, 2)
  api.put(pods, kubePod(3, 'True', { annotations: { touched: 'yes' } }))
  api.put(pods, kubePod(17, 'True', { deletionTimestamp: '2026-01-01T00:00:00Z' }))
  const { leaving, failure, deleted } = await deletePods(options, target, signal)
  t.equal(failure, undefined)
  t.equal(deleted, 1)
  t.strictSame(leaving.map(({ metadata }) => metadata.name).sort(), ['web-16', 'web-17'])
  t.strictSame(sent(api), ['DELETE web-16', 'GET pods', 'GET web', 'GET web-17', 'GET web-3'])
  const list = api.requests.find(({ path }) => path.endsWith('/pods'))
  t.match(list?.headers.accept, /as=PartialObjectMetadataList/)
})

void t.test('a pod that was replaced since the watch told of it does not count as what it was', async (t) => {
  const { api, options, target } = await world(t, 2)
  api.remove(pods, 'shop', 'web-3')
  api.put(pods, kubePod(3, 'False', { uid: 'other' }))
  const { deleted, failure } = await deletePods(options, target, signal)
  t.equal(deleted, 1)
  t.match(failure, { state: 'withheld', reason: 'the budget leaves no room for web-17' })
})

void t.test('when the watch is behind with many pods, they are listed whole', async (t) => {
  const { api, options, target } = await world(t, 2)
  for (let ordinal = 0; ordinal < 9; ordinal++) api.put(pods, kubePod(ordinal, ordinal === 8 ? 'False' : 'True'))
  const { deleted } = await deletePods(options, target, signal)
  t.equal(deleted, 1, 'one is down')
  t.strictSame(sent(api), ['DELETE web-16', 'GET pods', 'GET pods', 'GET pods', 'GET pods', 'GET web', 'GET web'])
})

void t.test('not more than eight pods are deleted upon one look', async (t) => {
  const { api, options, target } = await world(t, 12)
  const { failure } = await deletePods(options, target, signal)
  t.equal(failure, undefined)
  const order = api.requests
    .map(({ method }) => method)
    .join(' ')
    .replaceAll(/(DELETE ?)+/g, (all) => `${all.split('DELETE').length - 1} `)
  t.equal(order.trim(), 'GET GET 8 GET GET 4')
})

void t.test('a check that took too long is made once more, before anything is deleted', async (t) => {
  for (const [what, slow, checks] of [
    ['the process was frozen', 1, 2],
    ['the API server is slow', Infinity, 3],
  ] as const) {
    const { api, options, target } = await world(t, 2)
    let late = 0
    let looks = 0
    api.fault = ({ path }) => {
      if (path.endsWith('/statefulsets/web') && ++looks <= slow) late += 3000
      return undefined
    }
    const clock = { date: options.clock.date.bind(options.clock), now: () => options.clock.now() + late }
    const { deleted, failure } = await deletePods({ ...options, clock }, target, signal)
    t.strictSame([deleted, failure, looks], [2, undefined, checks], what)
    const methods = api.requests.map(({ method }) => method)
    t.ok(methods.indexOf('DELETE') >= 4, `${what}: two checks come first`)
  }
})

void t.test('a pod that has changed since the look is looked at again', async (t) => {
  const { api, options, target } = await world(t, 2)
  let isChanged = false
  api.fault = ({ method, path }) => {
    if (method === 'DELETE' && path.endsWith('web-17') && !isChanged) {
      isChanged = true
      api.put(pods, kubePod(17, 'True', { annotations: { kubelet: 'was here' } }))
    }
    return undefined
  }
  const { failure } = await deletePods(options, target, signal)
  t.equal(failure, undefined)
  t.equal(sent(api).filter((request) => request === 'GET web').length, 2)
  t.strictSame(api.objects(pods).length, replicas - 2)
})

void t.test('a successor of the pod is never deleted', async (t) => {
  const { api, options, target } = await world(t, 2)
  api.fault = ({ method, path }) => {
    if (method === 'DELETE' && path.endsWith('web-17')) {
      api.remove(pods, 'shop', 'web-17')
      api.put(pods, kubePod(17, 'False', { uid: 'other' }))
    }
    return undefined
  }
  const { failure } = await deletePods(options, target, signal)
  t.equal(failure, undefined)
  t.ok(api.objects(pods).some(({ metadata }) => metadata.uid === 'other'))
})

void t.test('what is down elsewhere uses up the budget: as many pods stay', async (t) => {
  const { api, options, target } = await world(t, 2)
  api.put(pods, {
    ...kubePod(3, 'False'),
    metadata: { ...kubePod(3).metadata, labels: { ...kubePod(3).metadata.labels, 'controller-revision-hash': 'r2' } },
  })
  const { leaving, failure } = await deletePods(options, target, signal)
  t.equal(leaving.length, 1)
  t.match(failure, { state: 'withheld', reason: 'the budget leaves no room for web-17' })
  t.equal(api.objects(pods).length, replicas - 1)
})

for (const [what, change, reason] of [
  ['paused', { annotations: { 'config.rollout-operator/paused': 'true' } }, 'the rollout is paused'],
  ['another template', { generation: 3 }, 'the StatefulSet controller has not seen the template yet'],
  ['another set', { uid: 'other' }, 'the StatefulSet is gone'],
] as const) {
  void t.test(`nothing is deleted: ${what}`, async (t) => {
    const { api, options, target } = await world(t, 2)
    const { metadata, ...rest } = kubeSet([16, 17])
    const annotations = { ...metadata.annotations, ...('annotations' in change ? change.annotations : {}) }
    api.remove(sets, 'shop', 'web')
    api.put(sets, { ...rest, metadata: { ...metadata, ...change, annotations } })
    const { failure } = await deletePods(options, target, signal)
    t.match(failure, { state: 'withheld', reason })
    t.equal(api.objects(pods).length, replicas)
  })
}

void t.test('the Lease is asked for before each deletion', async (t) => {
  const { api, options, target } = await world(t, 2)
  let asked = 0
  const { failure } = await deletePods(options, { ...target, mayAct: () => ++asked === 1 }, signal)
  t.match(failure, { state: 'withheld', reason: 'another replica may have taken over' })
  t.strictSame(sent(api), ['DELETE web-16', 'GET pods', 'GET web'])
})

void t.test('of two deletions the second fails: the first is told, and why', async (t) => {
  const { api, options, target } = await world(t, 2)
  api.fault = ({ method, path }) =>
    method === 'DELETE' && path.endsWith('web-17') ? { status: 500, body: 'broken' } : undefined
  const { leaving, failure } = await deletePods(options, target, signal)
  t.strictSame(
    leaving.map(({ metadata }) => metadata.uid),
    ['u16'],
  )
  t.match(failure, { state: 'failed', reason: /HTTP 500/ })
})

void t.test('evictions come upon one look, too', async (t) => {
  const { api, options, target } = await world(t, 2, { useEviction: true })
  api.fault = ({ method, path }) => {
    const [, name = ''] = /\/pods\/(.*)\/eviction$/.exec(path) ?? []
    if (method !== 'POST') return undefined
    api.remove(pods, 'shop', name)
    api.put(pods, kubePod(Number(name.slice(4)), 'True', { deletionTimestamp: '2026-01-01T00:00:00Z' }))
    return { status: 201, body: { kind: 'Status', status: 'Success' } }
  }
  const { failure } = await deletePods(options, target, signal)
  t.equal(failure, undefined)
  const methods = api.requests.map(({ method }) => method).join(' ')
  t.equal(methods, 'GET GET POST POST')
})

void t.test('a refused eviction says so', async (t) => {
  const { api, options, target } = await world(t, 1, { useEviction: true })
  api.fault = ({ method }) =>
    method === 'POST'
      ? { status: 429, body: { kind: 'Status', reason: 'TooManyRequests', message: 'no room' } }
      : undefined
  const { failure } = await deletePods(options, target, signal)
  t.strictSame(failure, { state: 'refused', reason: 'The eviction was refused: no room' })
})
