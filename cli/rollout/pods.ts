import { isMap, own } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { needsUpdate, podOrdinal, revisionLabel } from '../../webhooks/rollout/pod-facts.ts'
import { controllerOf } from '../stored.ts'
import type { Live } from './model.ts'

/** What is at an ordinal. */
export interface PodView {
  ordinal: number
  /** `missing`: no pod, or only one that is terminating. `unknown`: a pod whose revision cannot be told. */
  revision: 'new' | 'old' | 'unknown' | 'missing'
  ready: boolean
  /** Among the ordinals of the current batch. */
  inBatch: boolean
}

/**
 * The pods of a set by ordinal. Terminating pods are left out: their ordinal is without a pod until the next one is there.
 * Pods of others are left out too, whatever their names and labels: what counts is the controller's uid.
 */
export function podsByOrdinal(
  { set, pods }: Live,
  target: string | undefined,
  batch: ReadonlySet<number>,
): Map<number, PodView> {
  const views = new Map<number, PodView>()
  for (const pod of pods) {
    const ordinal = podOrdinal(pod, set.metadata.name)
    if (
      ordinal === undefined ||
      pod.metadata.deletionTimestamp !== undefined ||
      controllerOf(pod)?.uid !== set.metadata.uid
    )
      continue
    const revision = revisionOf(pod, target)
    views.set(ordinal, { ordinal, revision, ready: isReady(pod), inBatch: batch.has(ordinal) })
  }
  return views
}

/** The operator counts a pod without a revision as old, to be on the safe side; a person is told that it has none. */
function revisionOf(pod: KubeObject, target: string | undefined): PodView['revision'] {
  if (target === undefined || !own(pod.metadata.labels, revisionLabel)) return 'unknown'
  return needsUpdate(pod, target) ? 'old' : 'new'
}

function isReady({ status }: KubeObject): boolean {
  const conditions = isMap(status) ? status['conditions'] : undefined
  if (!Array.isArray(conditions)) return false
  return conditions.some((entry: unknown) => isMap(entry) && entry['type'] === 'Ready' && entry['status'] === 'True')
}
