import type { Live } from '../../cli/rollout/model.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'

/** How one pod stands; `gone` for no pod. */
export type PodState = 'new' | 'new-unready' | 'old' | 'old-unready' | 'unlabelled' | 'terminating' | 'gone'

/** What differs from a set with four pods, all on the wanted revision, that an operator looks after. */
export interface World {
  name?: string
  /** By position; default all `new`. */
  pods?: PodState[]
  replicas?: number
  start?: number
  /** Annotations without `rollout-operator/`. */
  annotations?: Record<string, string>
  /** Annotations with their whole names. */
  overrides?: Record<string, string>
  labels?: Record<string, string>
  target?: string
  strategy?: string
  minReadySeconds?: number
  /** More of the set's metadata. */
  metadata?: Partial<KubeObject['metadata']>
  /** More of the set's status; default: all ready pods are available. */
  status?: Record<string, unknown>
}

/** Revisions of the set `web`. */
export const newRevision = 'web-6c9f4d7b58'
export const oldRevision = 'web-84b8c5d9f7'

/** 2026-03-01 12:00:00 UTC. */
export const noon = Date.UTC(2026, 2, 1, 12) / 1000

/** A StatefulSet in namespace `shop` and its pods. */
export function world(given: World = {}): Live {
  const { name = 'web', start = 0, replicas = given.pods?.length ?? 4 } = given
  const states = given.pods ?? Array.from({ length: replicas }, (): PodState => 'new')
  const available = states.filter((state) => state === 'new' || state === 'old').length
  const set: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      namespace: 'shop',
      name,
      uid: `uid-of-${name}`,
      labels: given.labels ?? { 'rollout-operator/enabled': 'true' },
      annotations: {
        ...given.overrides,
        ...Object.fromEntries(
          Object.entries(given.annotations ?? {}).map(([key, value]) => [`rollout-operator/${key}`, value]),
        ),
      },
      ...given.metadata,
    },
    spec: {
      replicas,
      ...(given.minReadySeconds !== undefined && { minReadySeconds: given.minReadySeconds }),
      ...(start > 0 && { ordinals: { start } }),
      updateStrategy: { type: given.strategy ?? 'OnDelete' },
      selector: { matchLabels: { app: name } },
    },
    status: { updateRevision: given.target ?? newRevision, availableReplicas: available, ...given.status },
  }
  return { set, pods: states.flatMap((state, i) => (state === 'gone' ? [] : [pod(set, start + i, state)])) }
}

/** A pod of a set. */
export function pod({ metadata: owner }: KubeObject, ordinal: number, state: PodState): KubeObject {
  const revision = state.startsWith('old') ? oldRevision : newRevision
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'shop',
      name: `${owner.name}-${ordinal}`,
      ...(state === 'terminating' && { deletionTimestamp: '2026-03-01T12:00:00Z' }),
      labels: {
        app: owner.name,
        'apps.kubernetes.io/pod-index': String(ordinal),
        ...(state !== 'unlabelled' && { 'controller-revision-hash': revision }),
      },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'StatefulSet', name: owner.name, uid: owner.uid ?? '', controller: true },
      ],
    },
    status: { conditions: [{ type: 'Ready', status: state.endsWith('-unready') ? 'False' : 'True' }] },
  }
}

/** So many pods of one kind. */
export function many(count: number, state: PodState): PodState[] {
  return Array.from({ length: count }, () => state)
}

/** A set in each of the four states, as large as wanted. The second half of `rolling` is partly done. */
export function states(count: number): Record<'idle' | 'scheduled' | 'rolling' | 'needsAction', Live> {
  const half = Math.floor(count / 2)
  const upper = count - half
  const planned = {
    'planned-at': String(noon - 60),
    'updated-at': String(noon - 60),
    'max-unavailable': '2',
    'half-split': 'true',
    'target-revision': newRevision,
  }
  const done = Math.max(0, Math.min(6, upper - 2))
  const batch = [half + done, half + done + 1].filter((ordinal) => ordinal < count)
  return {
    idle: world({ pods: many(count, 'new'), annotations: { ...planned, state: 'done' } }),
    scheduled: world({
      pods: many(count, 'old'),
      annotations: { ...planned, state: 'planned' },
      overrides: { 'config.rollout-operator/delay-seconds': '600' },
    }),
    rolling: world({
      pods: [
        ...many(half, 'old'),
        ...many(done, 'new'),
        ...batch.map((_, i): PodState => (i === 0 ? 'new-unready' : 'gone')),
        ...many(upper - done - batch.length, 'old'),
      ],
      annotations: {
        ...planned,
        state: 'rolling',
        'started-at': String(noon - 45),
        'range-name': 'upper_range',
        'range-index': '1',
        'range-total': '2',
        'batch-index': String(done / 2 + 1),
        'batch-total': String(Math.ceil(upper / 2)),
        'current-batch-ordinals': JSON.stringify(batch),
      },
    }),
    needsAction: world({ pods: [...many(count - 2, 'old'), 'new-unready', 'gone'], annotations: {} }),
  }
}
