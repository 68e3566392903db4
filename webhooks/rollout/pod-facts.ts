import { own } from '../contract/objects.ts'
import type { ObjectMeta } from '../contract/types.ts'

/** Label with the ordinal of a StatefulSet's pod, set by Kubernetes 1.28 and later. */
export const podIndexLabel = 'apps.kubernetes.io/pod-index'

/** Label with the revision that a pod was made from. */
export const revisionLabel = 'controller-revision-hash'

/** A pod as far as these functions read it; whatever else it is, it may have no metadata. */
export interface PodIdentity {
  metadata?: Pick<Partial<ObjectMeta>, 'name' | 'labels'>
}

/**
 * The ordinal of a pod: the label's value if there is a label, else the number at the end of `<set>-<n>`.
 *
 * @returns undefined when the label is no integer (the name is not asked then), or the name is none of this set
 */
export function podOrdinal({ metadata }: PodIdentity, setName: string): number | undefined {
  const label = own(metadata?.labels, podIndexLabel)
  if (label !== undefined) return integer(label)
  const name = metadata?.name ?? ''
  return name.startsWith(`${setName}-`) ? integer(name.slice(setName.length + 1)) : undefined
}

/** The ordinal of a pod whose label and name agree: the only one that a pod is ever deleted by. */
export function certainOrdinal(pod: PodIdentity, setName: string): number | undefined {
  const label = own(pod.metadata?.labels, podIndexLabel)
  const ordinal = label === undefined ? undefined : integer(label)
  return ordinal !== undefined && pod.metadata?.name === `${setName}-${ordinal}` ? ordinal : undefined
}

/** Whether a pod is not of the target revision. One without the label is not. */
export function needsUpdate({ metadata }: PodIdentity, target: string): boolean {
  return own(metadata?.labels, revisionLabel) !== target
}

function integer(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
