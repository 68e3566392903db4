import type { KubeObject, OwnerReference } from '../../webhooks/contract/types.ts'
import { shardLabel, shardOf } from '../../webhooks/contract/shard.ts'

/** Members of each app. */
export const membersPerApp = 3
/** Namespaces that the apps are spread over. */
const namespaces = 20

/** Address that a member plays: all of 127.0.0.0/8 is this machine on Linux. */
export function memberAddress(member: number): string {
  return `127.${64 + (member >> 16)}.${(member >> 8) & 255}.${member & 255}`
}

/** The member that plays an address. */
export function memberAt(address: string): number {
  const [, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  return ((b - 64) << 16) | (c << 8) | d
}

export function appName(app: number): string {
  return `app-${String(app).padStart(5, '0')}`
}

/**
 * What the API server holds for one settled app with persistent storage and Python packages, by collection: objects as
 * large as real ones, because the poller has to read them whole.
 */
export function appObjects(app: number, port: number): [collection: string, object: KubeObject][] {
  const name = appName(app)
  const set = `${name}-app`
  const namespace = `team-${String(app % namespaces).padStart(2, '0')}`
  const uid = `${name}-3f8c5b52-6f0e-4f39-9f0b-0d5f0e1c2a77`
  const setUid = `${set}-9b1d2f3a-6f0e-4f39-9f0b-0d5f0e1c2a77`
  const selector = { 'kaspr.io/cluster': name, 'kaspr.io/name': set, 'kaspr.io/kind': 'KasprApp' }
  const owner = ownerOf('kaspr.io/v1alpha1', 'KasprApp', name, uid)
  const metadata = { namespace, creationTimestamp: '2030-01-01T00:00:00Z', managedFields }
  const children = { ...metadata, labels: { ...selector, 'controller-uid': uid }, ownerReferences: [owner] }
  const pods = Array.from({ length: membersPerApp }, (_, id): [string, KubeObject] => [
    '/api/v1/pods',
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...metadata,
        name: `${set}-${id}`,
        labels: {
          ...selector,
          'controller-revision-hash': `${set}-6d5f8c9b7`,
          'statefulset.kubernetes.io/pod-name': `${set}-${id}`,
          'apps.kubernetes.io/pod-index': String(id),
        },
        annotations: { 'metacontroller.kaspr.io/subscriptions': 'b5bb9d8014a0f9b1' },
        ownerReferences: [ownerOf('apps/v1', 'StatefulSet', set, setUid)],
      },
      spec: podSpec(set),
      status: podStatus(memberAddress(app * membersPerApp + id)),
    },
  ])
  return [
    ...pods,
    [
      '/apis/apps/v1/statefulsets',
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { ...children, name: set, uid: setUid, generation: 1 },
        spec: {
          replicas: membersPerApp,
          selector: { matchLabels: selector },
          template: { metadata: { labels: selector }, spec: podSpec(set) },
          volumeClaimTemplates: [
            { metadata: { name: 'storage' }, spec: { resources: { requests: { storage: '10Gi' } } } },
          ],
        },
        status: {
          observedGeneration: 1,
          replicas: membersPerApp,
          readyReplicas: membersPerApp,
          availableReplicas: membersPerApp,
          updatedReplicas: membersPerApp,
          currentRevision: `${set}-6d5f8c9b7`,
          updateRevision: `${set}-6d5f8c9b7`,
        },
      },
    ],
    [
      '/api/v1/persistentvolumeclaims',
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          ...metadata,
          name: `${set}-packages`,
          labels: { ...selector, 'kaspr.io/component': 'python-packages' },
        },
        spec: { storageClassName: 'shared', resources: { requests: { storage: '1Gi' } } },
        status: { phase: 'Bound' },
      },
    ],
    [
      '/apis/metacontroller.kaspr.io/v1alpha1/observations',
      {
        apiVersion: 'metacontroller.kaspr.io/v1alpha1',
        kind: 'Observation',
        metadata: {
          ...children,
          name: set,
          generation: 1,
          labels: { 'controller-uid': uid, [shardLabel]: String(shardOf(uid)) },
        },
        spec: {
          kasprApp: {
            app: { name, uid },
            statefulSet: set,
            selector,
            port,
            enabled: true,
            replicas: membersPerApp,
            subscriptions: 'b5bb9d8014a0f9b1',
            autoRebalance: true,
            hungMembers: { enabled: true, thresholdSeconds: 300 },
            mayDelete: ['HungMembers', 'StatefulSet'],
            storage: { claim: 'storage', size: '10Gi' },
            packages: { set: 'a1b2c3d4e5f60718' },
            claims: [{ name: `${set}-packages`, keep: true, size: '1Gi', accessModes: ['ReadWriteMany'] }],
          },
        },
      },
    ],
  ]
}

function ownerOf(apiVersion: string, kind: string, name: string, uid: string): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

const variables = Array.from({ length: 40 }, (_, index) => `K_SETTING_NUMBER_${index}`)

/** About 2 KB, as two writers of a pod leave it. */
const managedFields = ['kube-controller-manager', 'kubelet'].map((manager) => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time: '2030-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: Object.fromEntries(variables.map((name) => [`k:{"name":"${name}"}`, { '.': {}, 'f:name': {} }])),
}))

function podSpec(set: string): object {
  const volumeMounts = ['storage', 'config', 'packages', 'certificates', 'kube-api-access'].map((name) => ({
    name,
    mountPath: `/var/lib/kaspr/${name}`,
  }))
  return {
    nodeName: 'node-17',
    serviceAccountName: set,
    initContainers: [
      { name: 'install-packages', image: 'kaspr:0.11.19', args: ['--set', 'a1b2c3d4e5f60718'], volumeMounts },
    ],
    containers: [
      {
        name: 'kaspr',
        image: 'kaspr:0.11.19',
        env: variables.map((name) => ({ name, value: `value of ${name}` })),
        resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } },
        volumeMounts,
      },
    ],
    volumes: volumeMounts.map(({ name }) => ({ name, configMap: { name: `${set}-${name}` } })),
  }
}

function podStatus(podIP: string): object {
  return {
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    hostIP: '10.0.0.17',
    conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: '2030-01-01T00:01:00Z',
    })),
    initContainerStatuses: [
      {
        name: 'install-packages',
        state: { terminated: { exitCode: 0, reason: 'Completed', message: '{"packages":3,"seconds":12}' } },
      },
    ],
    containerStatuses: [
      { name: 'kaspr', ready: true, state: { running: { startedAt: '2030-01-01T00:01:00Z' } }, restartCount: 0 },
    ],
  }
}
