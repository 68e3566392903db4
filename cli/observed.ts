import type { KubeObject } from '../webhooks/contract/types.ts'
import { controllerOf, identity } from './stored.ts'

/** Observed objects, by what they are found by. */
export interface Observed {
  byIdentity: ReadonlyMap<string, KubeObject>
  /** Children by the identity of their owner. */
  owned: ReadonlyMap<string, KubeObject[]>
  /** Objects without an owner, by identity. */
  orphans: ReadonlyMap<string, KubeObject>
}

/** Sorts objects that are in the cluster already by what they are found by. */
export function observedObjects(objects: readonly KubeObject[]): Observed {
  const byIdentity = new Map<string, KubeObject>()
  const owned = new Map<string, KubeObject[]>()
  const orphans = new Map<string, KubeObject>()
  for (const object of objects.map(inNamespace)) {
    byIdentity.set(identity(object), object)
    const owner = controllerOf(object)
    if (owner === undefined) {
      orphans.set(identity(object), object)
    } else {
      const { namespace } = object.metadata
      const key = identity({
        ...owner,
        metadata: { name: owner.name, ...(namespace === undefined ? {} : { namespace }) },
      })
      owned.set(key, [...(owned.get(key) ?? []), object])
    }
  }
  return { byIdentity, owned, orphans }
}

/** The object, in the namespace `default` if it names none. */
export function inNamespace(object: KubeObject): KubeObject {
  return object.metadata.namespace === undefined
    ? { ...object, metadata: { ...object.metadata, namespace: 'default' } }
    : object
}
