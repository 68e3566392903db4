import { isMap, own } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { groupLabel } from '../../webhooks/rollout/names.ts'
import { readRecord } from '../../webhooks/rollout/record.ts'
import { readSet } from '../../webhooks/rollout/stateful-set.ts'

/**
 * The member of a rollout group that a StatefulSet has to wait for; undefined when the way is free. Waited for are members that are
 * rolling or have unavailable pods. One that has unavailable pods goes first, since its rollout may be what repairs them; else
 * the one whose rollout has begun first.
 *
 * @param others StatefulSets of the same namespace, of whatever group
 */
export function blockedBy(set: KubeObject, others: readonly KubeObject[]): string | undefined {
  const group = groupOf(set)
  if (group === undefined) return undefined
  const [first] = others
    .filter((other) => groupOf(other) === group && other.metadata.uid !== set.metadata.uid)
    .filter(isBusy)
    .filter((other) => order(other, set) < 0)
    .sort(order)
  return first?.metadata.name
}

/** The rollout group of a StatefulSet, if it is in one. */
export function groupOf({ metadata }: KubeObject): string | undefined {
  const group = own(metadata.labels, groupLabel)
  return group === '' ? undefined : group
}

/** Whether others of its group have to wait for a StatefulSet. */
export function isBusy(set: KubeObject): boolean {
  return startOf(set) !== undefined || hasUnavailable(set)
}

/** Less than 0 when the first goes first. */
function order(a: KubeObject, b: KubeObject): number {
  return (
    Number(hasUnavailable(b)) - Number(hasUnavailable(a)) ||
    compare(startOf(a) ?? Infinity, startOf(b) ?? Infinity) ||
    compare(a.metadata.name, b.metadata.name)
  )
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Start of a rollout that runs, Unix seconds. */
function startOf({ metadata }: KubeObject): number | undefined {
  const { state, startedAt = 0 } = readRecord(metadata.annotations)
  return state === 'rolling' ? startedAt : undefined
}

function hasUnavailable(set: KubeObject): boolean {
  const { status } = set
  const available = isMap(status) ? Number(status['availableReplicas'] ?? 0) : 0
  return available < readSet(set).replicas
}
