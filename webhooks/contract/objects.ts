import { type KindRule, objectsOf } from './request.ts'
import type { KubeObject, ObjectMap } from './types.ts'

/** The object of a rule with that name, or `undefined`. A parent's children are all in its own namespace. */
export function objectNamed(map: ObjectMap, rule: KindRule, name: string): KubeObject | undefined {
  return [...objectsOf(map, rule).values()].find(({ metadata }) => metadata.name === name)
}

/** The value of a key, or `undefined`: keys such as `constructor` have none unless they are there. */
export function own<Value>(map: Readonly<Record<string, Value>> | undefined, key: string): Value | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined
}

/** Whether two values have the same JSON, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]))
  }
  const keys = definedKeys(a)
  return (
    keys.length === definedKeys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key as never], b[key as never]))
  )
}

/** JSON leaves out what is undefined. */
function definedKeys(map: object): string[] {
  return Object.keys(map).filter((key) => map[key as never] !== undefined)
}

/** Whether a value of unknown shape is a JSON object. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
