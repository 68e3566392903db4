import { lastAppliedAnnotation, metacontrollerAnnotations } from './annotations.ts'
import { isMap, sameJson } from './objects.ts'
import type { KubeObject } from './types.ts'

/** Keys by which Metacontroller merges a list of objects, in the order it tries them (dynamic apply). */
const mergeKeys = ['containerPort', 'port', 'mountPath', 'name', 'uid', 'ip', 'path']

/**
 * An observed child in the form that, returned as desired, changes nothing about it: the observed values of exactly the
 * fields that Metacontroller applied last. Returning the desired values would revert manual edits, the whole observed
 * object would loop for ever, a bare name would delete the applied fields (but is right for a child without a record:
 * then there is nothing that Metacontroller would take away).
 */
export function freeze(observed: KubeObject): KubeObject {
  const applied = lastApplied(observed)
  const { name, namespace } = observed.metadata
  const identity = {
    apiVersion: observed.apiVersion,
    kind: observed.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  }
  if (applied === undefined) return identity
  const frozen = project(observed, applied) as KubeObject
  const metadata = { ...frozen.metadata, ...identity.metadata }
  if (metadata.annotations !== undefined) metadata.annotations = answerable(metadata.annotations)
  return { ...frozen, ...identity, metadata }
}

function answerable(annotations: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !metacontrollerAnnotations.includes(key)))
}

/** What Metacontroller applied last to this child, or `undefined`. */
export function lastApplied(observed: KubeObject): KubeObject | undefined {
  const record = lastAppliedRecord(observed)
  if (record === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(record)
    return typeof parsed === 'object' && parsed !== null ? (parsed as KubeObject) : undefined
  } catch {
    return undefined
  }
}

/** The same as it is kept: JSON, unchecked. */
export function lastAppliedRecord({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[lastAppliedAnnotation]
}

/** Whether `live` still has every value of `applied`, as Metacontroller compares them when it decides about an update. */
export function carries(live: unknown, applied: unknown): boolean {
  if (Array.isArray(live) && Array.isArray(applied)) return carriesItems(live, applied)
  if (!isMap(live) || !isMap(applied)) return sameJson(live, applied)
  return Object.keys(applied).every((key) => Object.hasOwn(live, key) && carries(live[key], applied[key]))
}

/** Items of a keyed list are found by key, whatever their order; any other list counts as a whole. */
function carriesItems(live: unknown[], applied: unknown[]): boolean {
  const key = mergeKey([...live, ...applied])
  if (key === undefined) return sameJson(live, applied)
  const liveByKey = new Map(live.filter(isMap).map((item) => [item[key], item]))
  return applied.filter(isMap).every((item) => carries(liveByKey.get(item[key]), item))
}

/** The part of `live` that has a counterpart in `applied`. */
function project(live: unknown, applied: unknown): unknown {
  if (Array.isArray(live) && Array.isArray(applied)) return projectList(live, applied)
  if (!isMap(live) || !isMap(applied)) return live
  // Pairs, not assignment: a key `__proto__` must stay a key.
  return Object.fromEntries(
    Object.keys(applied)
      .filter((key) => Object.hasOwn(live, key))
      .map((key) => [key, project(live[key], applied[key])]),
  )
}

/** Items of a keyed list keep only those that were applied; any other list is replaced as a whole, so it stays whole. */
function projectList(live: unknown[], applied: unknown[]): unknown[] {
  const key = mergeKey([...live, ...applied])
  if (key === undefined) return live
  const appliedByKey = new Map(applied.filter(isMap).map((item) => [item[key], item]))
  return live
    .filter(isMap)
    .filter((item) => appliedByKey.has(item[key]))
    .map((item) => project(item, appliedByKey.get(item[key])))
}

/** The first merge key that every item of the lists has, or `undefined` when some item is no map or none is shared. */
function mergeKey(items: unknown[]): string | undefined {
  if (items.length === 0 || !items.every(isMap)) return undefined
  return mergeKeys.find((key) => items.every((item) => Object.hasOwn(item, key)))
}
