import { isDeepStrictEqual } from 'node:util'
import { carries, lastApplied } from '../contract/freeze.ts'
import type { KubeObject, ObjectMap } from '../contract/types.ts'
import type { DriftField, Operation } from './sensor.ts'

/** What an answer does to a child. */
export interface ChildChange {
  operation: Operation
  name: string
  /** Label value `resource_type`. */
  type: string
  /** What somebody else had done to it, if the answer only puts that right. */
  drift?: DriftField
}

/** Key of a child among those of one parent, which are all in one namespace. */
export function childKey({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`
}

/** Observed children by key. */
export function observedChildren(children: ObjectMap): Map<string, KubeObject> {
  const observed = new Map<string, KubeObject>()
  for (const group of Object.values(children)) {
    for (const child of Object.values(group)) observed.set(childKey(child), child)
  }
  return observed
}

/**
 * What Metacontroller will do to carry out an answer, by key of the child; nothing for a child that is as desired.
 *
 * Metacontroller writes a child if the answer differs from what it applied last (it keeps that in an annotation), or if
 * the child no longer carries what was applied: the first is the operator's intention, the second somebody else's doing.
 *
 * @param known keys of the children that were there when the parent was last looked at
 */
export function childChanges(
  observed: ReadonlyMap<string, KubeObject>,
  desired: readonly KubeObject[],
  known: ReadonlySet<string>,
): Map<string, ChildChange> {
  const changes = new Map<string, ChildChange>()
  const wanted = new Set<string>()
  for (const child of desired) {
    const key = childKey(child)
    wanted.add(key)
    const live = observed.get(key)
    const change = live === undefined ? missing(known.has(key)) : differing(live, child)
    if (change !== undefined)
      changes.set(key, { ...change, name: child.metadata.name, type: resourceType(live ?? child) })
  }
  for (const [key, live] of observed) {
    if (wanted.has(key) || live.metadata.deletionTimestamp !== undefined) continue
    changes.set(key, { operation: 'delete', name: live.metadata.name, type: resourceType(live) })
  }
  return changes
}

type Kind = Pick<ChildChange, 'operation' | 'drift'>

function missing(wasThere: boolean): Kind {
  return wasThere ? { operation: 'create', drift: 'deleted' } : { operation: 'create' }
}

function differing(live: KubeObject, desired: KubeObject): Kind | undefined {
  // It will be gone before it could be changed.
  if (live.metadata.deletionTimestamp !== undefined) return undefined
  const applied = lastApplied(live)
  if (applied === undefined || !isDeepStrictEqual(applied, desired)) return { operation: 'patch' }
  if (carries(live, applied)) return undefined
  return { operation: 'patch', drift: Object.hasOwn(applied, 'data') ? 'data' : 'spec' }
}

const types: Readonly<Record<string, string>> = {
  ServiceAccount: 'service_account',
  ConfigMap: 'config_map',
  PersistentVolumeClaim: 'pvc',
  StatefulSet: 'stateful_set',
  HorizontalPodAutoscaler: 'hpa',
  Observation: 'observation',
}

/** Label value for a child: the values of kaspr-operator, and one more for Observations. */
function resourceType({ kind, spec }: KubeObject): string {
  if (kind !== 'Service') return types[kind] ?? kind.toLowerCase()
  const { clusterIP } = (spec ?? {}) as { clusterIP?: unknown }
  return clusterIP === 'None' ? 'headless_service' : 'service'
}
