/** What the poller is asked for, and the sets it is asked about, for tests of its part of rollouts. */
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { EnrolmentSettings } from '../../webhooks/rollout/enrolled.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import { noon, setOf } from '../webhooks/rollout-world.ts'
import type { SetChanges } from '../webhooks/rollout-world.ts'

/** All labelled sets are rolled out. */
export const everywhere: EnrolmentSettings = { RO_WATCH_NAMESPACES: '' }

/** The order for `shop/web`; with ordinals it has a batch of them, to `web-new`. */
export function orderOf(ordinals?: readonly number[], changes: Partial<RolloutOrder> = {}): RolloutOrder {
  return {
    statefulSet: { name: 'web', uid: 'uid-web' },
    maxUnavailable: 2,
    delaySeconds: 600,
    readyTimeoutSeconds: 1800,
    useEviction: false,
    paused: false,
    ...(ordinals && { batch: { id: 'batch-1', targetRevision: 'web-new', ordinals: [...ordinals] } }),
    ...changes,
  }
}

/** A set whose rollout to `web-new` runs, with these ordinals on record; all of its pods are available as it says. */
export function rollingSet(ordinals: readonly number[], changes: SetChanges = {}): KubeObject {
  const record = {
    state: 'rolling',
    'target-revision': 'web-new',
    'started-at': '1000',
    'batch-started-at': String(noon),
    'half-split': 'true',
    'current-batch-ordinals': JSON.stringify(ordinals),
    ...changes.record,
  }
  return withAvailable(setOf({ ...changes, record }))
}

/** The set with so many available pods in its status; by default all. */
export function withAvailable(set: KubeObject, availableReplicas?: number): KubeObject {
  const { replicas } = set['spec'] as { replicas: number }
  return { ...set, status: { ...(set['status'] as object), availableReplicas: availableReplicas ?? replicas } }
}
