import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { type Fields, equal, goJson, isFields, own, setOwn } from './objects.ts'

/**
 * Dynamic apply: the three-way merge that decides what an update writes. It knows no schema; lists of objects are
 * merged by a guessed key. Nothing is mutated: unchanged parts of the live object are shared.
 */

/** Holds, as JSON, what the hook asked for the last time. */
export const lastAppliedAnnotation = 'metacontroller.k8s.io/last-applied-configuration'

/** In this order of precedence. */
const mergeKeys = ['containerPort', 'port', 'mountPath', 'name', 'uid', 'ip', 'path']

const systemFields = [
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
]

/**
 * The live value with what is in `lastApplied` but no longer desired removed, and what is desired set.
 * As in the original the live value's type decides how to merge; a desired value of another type than a live object
 * or list counts as absent.
 */
export function merge(live: unknown, lastApplied: unknown, desired: unknown): unknown {
  if (isFields(live)) return mergeFields(live, lastApplied, desired)
  if (Array.isArray(live)) return mergeList(live as unknown[], asList(lastApplied), desired)
  return desired
}

function mergeFields(live: Fields, lastApplied: unknown, desired: unknown): Fields {
  const merged: Fields = {}
  for (const [key, value] of Object.entries(live)) {
    if (own(lastApplied, key) === undefined || own(desired, key) !== undefined) setOwn(merged, key, value)
  }
  if (!isFields(desired)) return merged
  for (const [key, value] of Object.entries(desired)) {
    setOwn(merged, key, merge(own(live, key), own(lastApplied, key), value))
  }
  return merged
}

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])

function mergeList(live: unknown[], lastApplied: unknown[], desired: unknown): unknown {
  const wanted = asList(desired)
  const key = mergeKeyOf([...live, ...lastApplied, ...wanted])
  if (key === undefined) return Array.isArray(desired) ? wanted : null
  const merged = mergeFields(byKey(live, key), byKey(lastApplied, key), byKey(wanted, key))
  // Live order first, then new items in desired order. A key that occurs twice in the live list stays twice.
  const keptKeys = live.map((item) => keyText(item, key)).filter((text) => Object.hasOwn(merged, text))
  const newKeys = wanted.map((item) => keyText(item, key)).filter((text) => !keptKeys.includes(text))
  return [...keptKeys, ...new Set(newKeys)].map((text) => merged[text])
}

/** The first known merge key that all items share; undefined if one is no object, or there is no item or no such key. */
function mergeKeyOf(items: unknown[]): string | undefined {
  if (items.length === 0 || !items.every(isFields)) return undefined
  return mergeKeys.find((key) => items.every((item) => Object.hasOwn(item, key)))
}

function keyText(item: unknown, key: string): string {
  const value = own(item, key)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function byKey(items: unknown[], key: string): Fields {
  const map: Fields = {}
  for (const item of items) setOwn(map, keyText(item, key), item)
  return map
}

/** What the hook asked for the last time, from the annotation; undefined without one. Throws if it is no JSON. */
export function lastAppliedOf(live: KubeObject): unknown {
  const text = own(live.metadata.annotations, lastAppliedAnnotation)
  return typeof text === 'string' && text !== '' ? JSON.parse(text) : undefined
}

/** The object with the annotation set to `applied`. */
export function withLastApplied(object: KubeObject, applied: KubeObject): KubeObject {
  const annotations = { ...object.metadata.annotations, [lastAppliedAnnotation]: goJson(applied) }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/** The desired object without a last-applied annotation that a hook echoed back. */
function withoutLastApplied(desired: KubeObject): KubeObject {
  if (own(desired.metadata.annotations, lastAppliedAnnotation) === undefined) return desired
  const annotations = { ...desired.metadata.annotations }
  Reflect.deleteProperty(annotations, lastAppliedAnnotation)
  return { ...desired, metadata: { ...desired.metadata, annotations } }
}

/** Copies `key` from `live`, or removes it where `live` has none. */
function revert(target: Fields, live: Fields, key: string): void {
  if (Object.hasOwn(live, key)) setOwn(target, key, live[key])
  else Reflect.deleteProperty(target, key)
}

/** The object an update would write, or undefined when the live one is already as desired. */
export function applyUpdate(live: KubeObject, desired: KubeObject): KubeObject | undefined {
  const wanted = withoutLastApplied(desired)
  const merged = { ...(merge(live, lastAppliedOf(live), wanted) as KubeObject) }
  merged.metadata = { ...merged.metadata }
  for (const field of systemFields)
    revert(merged.metadata as unknown as Fields, live.metadata as unknown as Fields, field)
  revert(merged, live, 'status')
  const updated = withLastApplied(merged, wanted)
  return equal(updated, live) ? undefined : updated
}
