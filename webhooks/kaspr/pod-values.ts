import { canonicalQuantity } from '../contract/quantity.ts'
import { isMap } from '../contract/objects.ts'

/** Maps of the pod API whose keys are data, so that an empty text in them is a value. */
const textMaps = new Set(['labels', 'annotations', 'matchLabels', 'nodeSelector', 'volumeAttributes'])
const quantityMaps = new Set(['limits', 'requests'])
/** Texts that mean something when they are empty. */
const keptWhenEmpty = new Set(['storageClassName'])
/** Lists in which the pod API takes the same key twice: list -> key. Of all others it refuses that itself, or has them unique. */
const repeatable = new Map([
  ['items', 'path'],
  ['imagePullSecrets', 'name'],
])

/**
 * Part of a pod template in the form in which the API server gives it back. What it stores otherwise would look like drift and be
 * written at every sync: it drops nulls, empty lists and maps of texts, empty texts and `readOnly: false`, and
 * fills in defaults also inside lists that Metacontroller replaces as a whole. Of several files of a volume with one path the
 * last counts, as in the pod: Metacontroller merges by path, and would write them differently at create and update, which rolls
 * the pods once more.
 */
export function canonicalPodValue<T>(value: T): T {
  return canonical(value, []) as T
}

/** @param path keys that lead to the value; lists add none */
function canonical(value: unknown, path: readonly string[]): unknown {
  const key = path.at(-1) ?? ''
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => canonical(item, path))
    const by = repeatable.get(key)
    return by === undefined ? items : lastOfEach(items, by)
  }
  if (!isMap(value)) return key === 'sizeLimit' ? (canonicalQuantity(value) ?? value) : value
  const fields = Object.entries(value).filter(([, field]) => field != null)
  if (quantityMaps.has(key)) {
    return Object.fromEntries(fields.map(([name, field]) => [name, canonicalQuantity(field) ?? field]))
  }
  if (textMaps.has(key)) return Object.fromEntries(fields)
  const kept = fields
    .map(([name, field]): [string, unknown] => [name, canonical(field, [...path, name])])
    .filter(([name, field]) => !isDropped(name, field, key))
  // Only the sources of a projected volume have no key to merge by.
  return path.includes('projected') ? withDefaults(Object.fromEntries(kept), key) : Object.fromEntries(kept)
}

/** Items with a key that no later one has, each in the place of the first with that key. */
function lastOfEach(items: unknown[], key: string): unknown[] {
  return [...new Map(items.map((item) => [isMap(item) ? item[key] : item, item])).values()]
}

function isDropped(name: string, value: unknown, parent: string): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (isMap(value)) return (textMaps.has(name) || quantityMaps.has(name)) && Object.keys(value).length === 0
  if (value === '') return !keptWhenEmpty.has(name) && parent !== 'sysctls'
  // A CSI volume alone tells false from unset.
  return name === 'readOnly' && value === false && parent !== 'csi'
}

function withDefaults(fields: Record<string, unknown>, key: string): Record<string, unknown> {
  switch (key) {
    case 'serviceAccountToken':
      return { expirationSeconds: 3600, ...fields }
    case 'fieldRef':
      return { apiVersion: 'v1', ...fields }
    default:
      return fields
  }
}
