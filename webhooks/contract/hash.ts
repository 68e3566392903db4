import { hash } from 'node:crypto'
import { isMap } from './objects.ts'

/**
 * JSON text of a value with the keys of every map in code-point order and without insignificant blanks, so that equal
 * values have equal texts. Absent (`undefined`) fields are left out, as JSON does.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`
  if (!isMap(value)) return JSON.stringify(value) ?? 'null'
  const fields = definedKeys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`)
  return `{${fields.join(',')}}`
}

function definedKeys(map: Record<string, unknown>): string[] {
  return Object.keys(map).filter((key) => map[key] !== undefined)
}

/** The first 16 hex digits of the SHA-256 of a value's canonical JSON: what pods and components are compared by. */
export function hashOf(value: unknown): string {
  return hash('sha256', canonicalJson(value)).slice(0, 16)
}
