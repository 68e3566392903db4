import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'

/** One file of test/golden/kaspr. */
export interface GoldenCase {
  name: string
  description: string
  input: { app: KubeObject | null; components: KubeObject[] }
  settings: Record<string, string>
  children: KubeObject[]
  /** Whether the original raised an error for some object. */
  refused: boolean
  /** What the original writes in an order that changes from process to process. */
  volatile?: string[]
}

/** A difference that is meant: what it makes of an object, so that the two sides are the same. */
export type Rule = (object: KubeObject, golden: GoldenCase) => KubeObject

/** An object with every value in it replaced by what `map` makes of it, from the outside in. */
export function mapDeep(value: KubeObject, map: (value: unknown) => unknown): KubeObject {
  const walk = (node: unknown): unknown => {
    const mapped = map(node)
    if (Array.isArray(mapped)) return mapped.map(walk)
    return isMap(mapped) ? Object.fromEntries(Object.entries(mapped).map(([key, item]) => [key, walk(item)])) : mapped
  }
  return walk(value) as KubeObject
}

/** Without nulls and empty collections, which the API server drops. */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (!isMap(value)) return value
  const kept = Object.entries(value)
    .map(([key, item]): [string, unknown] => [key, withoutEmpty(item)])
    .filter(
      ([, item]) =>
        item !== undefined && item !== null && !(typeof item === 'object' && Object.keys(item).length === 0),
    )
  return Object.fromEntries(kept)
}
