import { own } from '../webhooks/contract/objects.ts'
import type { KubeObject, RelatedRule } from '../webhooks/contract/types.ts'

/** Finds the objects that a customize rule selects, without looking at all of them each time. */
export class RelatedIndex {
  /** Objects by resource, by resource and namespace, and by both and one label. */
  readonly #buckets = new Map<string, KubeObject[]>()

  /**
   * @param resource lower-case plural of the objects' kind, as rules name it
   */
  add(resource: string, object: KubeObject): void {
    const { namespace, labels = {} } = object.metadata
    const base: Place = { apiVersion: object.apiVersion, resource }
    const places = [
      base,
      { ...base, namespace },
      ...Object.entries(labels).map((label): Place => ({ ...base, namespace, label })),
    ]
    for (const place of places) {
      const bucket = this.#buckets.get(keyOf(place))
      if (bucket === undefined) this.#buckets.set(keyOf(place), [object])
      else bucket.push(object)
    }
  }

  /** The objects that a rule selects. Without a namespace it selects in all of them (hook version v2). */
  select({ apiVersion, resource, namespace, names, labelSelector }: RelatedRule): KubeObject[] {
    const wanted = Object.entries(labelSelector?.matchLabels ?? {})
    const [label] = wanted
    const base: Place = { apiVersion, resource }
    const place = namespace === undefined ? base : { ...base, namespace, label }
    return (this.#buckets.get(keyOf(place)) ?? []).filter(
      ({ metadata }) =>
        (names === undefined || names.includes(metadata.name)) &&
        wanted.every(([key, value]) => own(metadata.labels, key) === value),
    )
  }
}

interface Place {
  apiVersion: string
  resource: string
  namespace?: string | undefined
  label?: [key: string, value: string] | undefined
}

function keyOf({ apiVersion, resource, namespace, label }: Place): string {
  return JSON.stringify([apiVersion, resource, namespace, label])
}
