import t from 'tap'
import { trimPod } from '../../poller/rollout/pods.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'

const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-web', controller: true }
const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:05Z' }

/** The pod `shop/web-3` as the API server has it. */
function podOf(metadata: object = {}, status: object = { phase: 'Running', conditions: [ready] }): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web-3',
      namespace: 'shop',
      uid: 'uid-3',
      resourceVersion: '17',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: {
        app: 'web',
        'apps.kubernetes.io/pod-index': '3',
        'statefulset.kubernetes.io/pod-name': 'web-3',
        'controller-revision-hash': 'web-old',
      },
      annotations: { long: 'x'.repeat(1000) },
      ownerReferences: [owner],
      ...metadata,
    },
    spec: { containers: [{ name: 'main', image: 'web:1' }] },
    status,
  }
}

void t.test('only what is used is kept', (t) => {
  t.strictSame(trimPod(podOf()), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web-3',
      namespace: 'shop',
      uid: 'uid-3',
      resourceVersion: '17',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: {},
    },
    owner: { name: 'web', uid: 'uid-web' },
    fact: { uid: 'uid-3', ordinal: 3, revision: 'web-old', readySince: '2026-01-01T00:00:05Z' },
  })
  t.end()
})

void t.test('the owner is the StatefulSet that controls it', (t) => {
  const ownerOf = (...ownerReferences: object[]): unknown => trimPod(podOf({ ownerReferences })).owner
  t.equal(ownerOf(), undefined, 'none')
  t.equal(ownerOf({ ...owner, controller: false }), undefined, 'one that does not control')
  t.equal(ownerOf({ ...owner, kind: 'ReplicaSet' }), undefined, 'another kind')
  t.strictSame(ownerOf({ ...owner, controller: false, uid: 'x' }, owner), { name: 'web', uid: 'uid-web' })
  t.equal(trimPod(podOf({ ownerReferences: undefined })).owner, undefined)
  t.end()
})

void t.test('an ordinal only if label and name agree on it; else the name is told', (t) => {
  const index = (value: string, metadata: object = {}): object => {
    const { ordinal, name } = trimPod(podOf({ labels: { 'apps.kubernetes.io/pod-index': value }, ...metadata })).fact
    return { ordinal, name }
  }
  const unknown = { ordinal: undefined, name: 'web-3' }
  t.strictSame(index('3'), { ordinal: 3, name: undefined })
  t.strictSame(index('4'), unknown, 'they disagree')
  t.strictSame(index('three'), unknown)
  t.strictSame(index('3', { name: 'web-03' }), { ...unknown, name: 'web-03' }, 'no name that Kubernetes gives')
  t.strictSame(index('3', { labels: {} }), unknown, 'no label')
  t.strictSame(index('3', { ownerReferences: [{ ...owner, name: 'web-3' }] }), unknown, 'the name of another set')
  t.strictSame(index('3', { ownerReferences: [] }), unknown, 'nobody’s')
  t.end()
})

void t.test('ready since its last transition, terminating, without revision', (t) => {
  const fact = (metadata: object, ...conditions: object[]): object =>
    trimPod(podOf(metadata, { phase: 'Running', conditions })).fact
  t.match(
    fact({}, { ...ready, lastTransitionTime: null }),
    { readySince: '2026-01-01T00:00:00Z' },
    'no time: its creation',
  )
  t.strictSame(fact({ deletionTimestamp: '2026-01-01T00:01:00Z' }, ready), {
    uid: 'uid-3',
    ordinal: 3,
    revision: 'web-old',
    terminating: true,
    readySince: '2026-01-01T00:00:05Z',
  })
  t.strictSame(fact({ labels: { 'apps.kubernetes.io/pod-index': '3' } }, { ...ready, status: 'False' }), {
    uid: 'uid-3',
    ordinal: 3,
    reason: 'Running',
  })
  t.match(
    fact({}, { ...ready, status: 'Unknown' }),
    { readySince: undefined, reason: 'Running' },
    'unknown is not ready',
  )
  t.match(fact({}), { readySince: undefined }, 'no condition is not ready')
  t.end()
})

void t.test('why a pod is not ready', (t) => {
  const waiting = (reason: string): object => ({ ready: false, state: { waiting: { reason } } })
  const ended = (reason: string): object => ({ ready: false, state: { terminated: { reason } } })
  const rows: [reason: string, status: object | undefined][] = [
    ['Unknown', undefined],
    ['Pending', { phase: 'Pending' }],
    [
      'Running/CrashLoopBackOff',
      { phase: 'Running', containerStatuses: [{ ready: true }, waiting('CrashLoopBackOff')] },
    ],
    [
      'Pending/ErrImagePull',
      {
        phase: 'Pending',
        initContainerStatuses: [waiting('ErrImagePull')],
        containerStatuses: [waiting('PodInitializing')],
      },
    ],
    ['Running', { phase: 'Running', containerStatuses: [{ ready: true, state: { waiting: { reason: 'Stale' } } }] }],
    ['Running/OOMKilled', { phase: 'Running', containerStatuses: [ended('Completed'), ended('OOMKilled')] }],
    [
      'Running/Error',
      {
        phase: 'Running',
        initContainerStatuses: [{ ready: true, ...ended('Completed') }],
        containerStatuses: [ended('Error')],
      },
    ],
    ['Failed/Evicted', { phase: 'Failed', reason: 'Evicted', containerStatuses: [ended('Error')] }],
    [
      'Pending/Unschedulable',
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
    ],
    ['Pending', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True', reason: 'Fine' }] }],
  ]
  for (const [reason, status] of rows) t.equal(trimPod({ ...podOf(), status }).fact.reason, reason)
  t.equal(
    trimPod(podOf({}, { phase: 'Failed', reason: 'x'.repeat(500) })).fact.reason?.length,
    128,
    'as the schema takes it',
  )
  t.end()
})
