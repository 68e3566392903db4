import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { integer } from './annotations.ts'
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
    const ordinal = ordinalOf(pod, set.metadata.name)
    if (ordinal === undefined || pod.metadata.deletionTimestamp !== undefined || !isOwned(pod, set)) continue
    const revision = revisionOf(pod, target)
    views.set(ordinal, { ordinal, revision, ready: isReady(pod), inBatch: batch.has(ordinal) })
  }
  return views
}

/** The pod's index label or, without one, the number that its name ends with; undefined if neither is the set's. */
export function ordinalOf({ metadata }: KubeObject, setName: string): number | undefined {
  const label = labelOf(metadata.labels, 'apps.kubernetes.io/pod-index')
  if (label !== undefined) return integer(label)
  const { name } = metadata
  const suffix = name.startsWith(`${setName}-`) ? name.slice(setName.length + 1) : ''
  return /^\d+$/.test(suffix) ? integer(suffix) : undefined
}

function revisionOf({ metadata }: KubeObject, target: string | undefined): PodView['revision'] {
  const revision = labelOf(metadata.labels, 'controller-revision-hash') ?? ''
  if (target === undefined || revision === '') return 'unknown'
  return revision === target ? 'new' : 'old'
}

function isOwned({ metadata }: KubeObject, set: KubeObject): boolean {
  return (
    metadata.ownerReferences?.some(({ controller, uid }) => controller === true && uid === set.metadata.uid) ?? false
  )
}

function isReady({ status }: KubeObject): boolean {
  const conditions = isMap(status) ? status['conditions'] : undefined
  if (!Array.isArray(conditions)) return false
  return conditions.some((entry: unknown) => isMap(entry) && entry['type'] === 'Ready' && entry['status'] === 'True')
}

function labelOf(labels: Record<string, string> = {}, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
