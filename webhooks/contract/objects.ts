import { type KindRule, objectsOf } from './request.ts'
import type { KubeObject, ObjectMap } from './types.ts'

/** The object of a rule with that name, or `undefined`. A parent's children are all in its own namespace. */
export function objectNamed(map: ObjectMap, rule: KindRule, name: string): KubeObject | undefined {
  return [...objectsOf(map, rule).values()].find(({ metadata }) => metadata.name === name)
}

/** Whether a value of unknown shape is a JSON object. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
