import type { KubeObject, OwnerReference } from '../../../webhooks/contract/types.ts'

/** Reading and comparing unstructured Kubernetes objects the way Go code does, without trusting their keys. */

/** A JSON object whose fields are not known. */
export type Fields = Record<string, unknown>

/** Whether a JSON value is an object (no array, no null). */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value's own field, or undefined: `__proto__` and `constructor` are ordinary keys of Kubernetes maps. */
export function own(value: unknown, key: string): unknown {
  return isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** Sets an own field; assignment would change the prototype for the key `__proto__`. */
export function setOwn(target: Fields, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** The one owner reference with `controller: true`, if any. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true)
}

/** API group of an apiVersion: `apps/v1` -> `apps`, `v1` -> the empty string. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : apiVersion.slice(0, slash)
}

/** `namespace/name`, or `name` without a namespace: the key of an object in v2 requests. */
export function qualifiedName(object: KubeObject): string {
  const { namespace, name } = object.metadata
  return namespace ? `${namespace}/${name}` : name
}

/** `Kind namespace/name`, for messages. */
export function describe(object: KubeObject): string {
  return `${object.kind} ${qualifiedName(object)}`
}

const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const goEscapes = /[<>&\u2028\u2029]/g

function goScalar(value: unknown): string {
  return JSON.stringify(value).replace(goEscapes, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * JSON as Go's encoding/json writes it: keys in byte order, `<`, `>`, `&` escaped. The last-applied annotation is
 * compared as a string, so it has to be the same bytes as the original's.
 */
export function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`
  if (!isFields(value)) return goScalar(value)
  const keys = Object.keys(value).sort(byteOrder)
  return `{${keys.map((key) => `${goScalar(key)}:${goJson(value[key])}`).join(',')}}`
}

/** Structural equality of JSON values; the order of keys does not matter, the order of lists does. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]))
  if (!isFields(a) || !isFields(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]))
}
