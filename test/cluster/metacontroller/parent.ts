import type { KubeObject } from '../../../webhooks/contract/types.ts'
import type { Resource } from './discovery.ts'
import { equal } from './objects.ts'
import type { Fields } from './objects.ts'
import type { ObjectsApi } from './objects-api.ts'

/** What controllers write to parents: their finalizer, and a composite's status. */

/** Finalizers that tell the garbage collector to deal with the children. */
const collectorFinalizers = ['foregroundDeletion', 'orphan']

export const hasFinalizer = ({ metadata }: KubeObject, name: string): boolean =>
  metadata.finalizers?.includes(name) ?? false

/** The object without the finalizer. */
export function withoutFinalizer(object: KubeObject, name: string): KubeObject {
  if (!hasFinalizer(object, name)) return object
  const finalizers = (object.metadata.finalizers ?? []).filter((item) => item !== name)
  return { ...object, metadata: { ...object.metadata, finalizers } }
}

function withFinalizer(object: KubeObject, name: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, finalizers: [...(object.metadata.finalizers ?? []), name] } }
}

export class Finalizer {
  readonly name: string
  /** Whether there is a finalize hook. */
  readonly #enabled: boolean
  readonly #api: ObjectsApi

  constructor(api: ObjectsApi, name: string, enabled: boolean) {
    this.#api = api
    this.name = name
    this.#enabled = enabled
  }

  /** Adds the finalizer to a live parent, or strips it where there is no finalize hook (any more). */
  async sync(resource: Resource, parent: KubeObject): Promise<KubeObject> {
    if (hasFinalizer(parent, this.name) === this.#enabled) return parent
    if (!this.#enabled) return this.remove(resource, parent)
    if (parent.metadata.deletionTimestamp !== undefined) return parent
    return this.#api.modify(resource, parent, (live) =>
      hasFinalizer(live, this.name) ? undefined : withFinalizer(live, this.name),
    )
  }

  async remove(resource: Resource, parent: KubeObject): Promise<KubeObject> {
    return this.#api.modify(resource, parent, (live) =>
      hasFinalizer(live, this.name) ? withoutFinalizer(live, this.name) : undefined,
    )
  }

  /** Whether children are written: for live parents, and for deleted ones as long as our finalizer holds them. */
  managesChildren(parent: KubeObject): boolean {
    if (parent.metadata.deletionTimestamp === undefined) return true
    if (parent.metadata.finalizers?.some((name) => collectorFinalizers.includes(name))) return false
    return this.#enabled && hasFinalizer(parent, this.name)
  }
}

/**
 * Replaces the whole status, with the generation that this sync saw. Nothing is written when it is equal.
 * Throws if the parent is gone or another writer stays faster.
 */
export async function writeStatus(
  api: ObjectsApi,
  resource: Resource,
  parent: KubeObject,
  answered: Fields | undefined,
): Promise<void> {
  const status = { ...answered, observedGeneration: parent.metadata.generation ?? 0 }
  await api.modify(
    resource,
    parent,
    (live) => (equal(live['status'], status) ? undefined : { ...live, status }),
    'updateStatus',
  )
}
