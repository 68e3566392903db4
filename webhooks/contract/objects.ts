import type { KindRule } from './request.ts'
import type { KubeObject, ObjectMap } from './types.ts'

/**
 * The objects of a rule, sorted by namespace and name. They are told apart by their own metadata: the keys of the group
 * differ between hook versions.
 *
 * @throws Error when the group is absent. Metacontroller sends a group for every rule, so the manifest lacks the rule, and
 * to go on would take "not looked at" for "none there"
 */
export function objectsOf(map: ObjectMap, rule: KindRule): KubeObject[] {
  const key = `${rule.kind}.${rule.apiVersion}`
  const group = Object.hasOwn(map, key) ? map[key] : undefined
  if (group === undefined) throw new Error(`the request has no group ${key}: the controller's manifest lacks its rule`)
  return Object.values(group).sort(
    (a, b) =>
      compare(a.metadata.namespace ?? '', b.metadata.namespace ?? '') || compare(a.metadata.name, b.metadata.name),
  )
}

/** The object of a rule with that name, or `undefined`. A parent's children are all in its own namespace. */
export function objectNamed(map: ObjectMap, rule: KindRule, name: string): KubeObject | undefined {
  return objectsOf(map, rule).find((object) => object.metadata.name === name)
}

/** Code-point order: the same everywhere, whatever the locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Whether a value of unknown shape is a JSON object. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
