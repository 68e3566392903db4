import type { KubeObject, OwnerReference } from '../../../webhooks/contract/types.ts'
import type { Resource } from './discovery.ts'
import type { KindCache } from './informers.ts'
import { describe } from './objects.ts'
import { isNotFound } from './objects-api.ts'
import type { ObjectsApi } from './objects-api.ts'
import { matches } from './selectors.ts'
import type { LabelSelector } from './selectors.ts'

/** Whose child is it: a composite adopts orphans that match its selector and releases its own that do not. */

/** The reference that makes `parent` the controller of an object. */
export function controllerReference(parent: KubeObject): OwnerReference {
  return {
    apiVersion: parent.apiVersion,
    kind: parent.kind,
    name: parent.metadata.name,
    uid: parent.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}

export interface Claim {
  api: ObjectsApi
  parentResource: Resource
  parent: KubeObject
  selector: LabelSelector
}

/** The children of one kind that belong to the parent now. Throws AggregateError if an adoption or release fails. */
export async function claimChildren(claim: Claim, cache: KindCache): Promise<KubeObject[]> {
  const { api, parent, selector } = claim
  const { uid = '', namespace, deletionTimestamp } = parent.metadata
  const owned = cache.ownedBy(uid).filter((child) => namespace === undefined || child.metadata.namespace === namespace)
  const claimed = owned.filter((child) => matches(selector, child.metadata.labels))
  if (deletionTimestamp !== undefined) return claimed
  const errors: unknown[] = []
  const attempt = async (write: () => Promise<unknown>): Promise<boolean> => {
    try {
      await write()
      return true
    } catch (error) {
      if (!isNotFound(error)) errors.push(error)
      return false
    }
  }
  for (const child of owned.filter((object) => !claimed.includes(object))) {
    await attempt(() => api.modify(cache.resource, child, (live) => withoutOwner(live, uid)))
  }
  for (const orphan of orphansToAdopt(cache, namespace, selector)) {
    if (await attempt(() => adopt(claim, cache.resource, orphan))) claimed.push(orphan)
  }
  if (errors.length > 0)
    throw new AggregateError(errors, `can't claim ${cache.resource.kind} children: ${texts(errors)}`)
  return claimed
}

function orphansToAdopt(cache: KindCache, namespace: string | undefined, selector: LabelSelector): KubeObject[] {
  return cache
    .orphans(namespace)
    .filter((child) => child.metadata.deletionTimestamp === undefined && matches(selector, child.metadata.labels))
}

async function adopt({ api, parent, parentResource }: Claim, resource: Resource, orphan: KubeObject): Promise<void> {
  // A look at the live parent: the cached one may have been deleted, even replaced, meanwhile.
  const live = await api.get(parentResource, parent)
  if (live.metadata.uid !== parent.metadata.uid || live.metadata.deletionTimestamp !== undefined) {
    throw new Error(`can't adopt ${describe(orphan)}: ${describe(parent)} has just been deleted`)
  }
  const reference = controllerReference(parent)
  await api.modify(resource, orphan, (child) => {
    const others = (child.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== reference.uid)
    return { ...child, metadata: { ...child.metadata, ownerReferences: [...others, reference] } }
  })
}

function withoutOwner(child: KubeObject, uid: string): KubeObject {
  const ownerReferences = (child.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== uid)
  return { ...child, metadata: { ...child.metadata, ownerReferences } }
}

/** The messages of several errors in one line. */
export function texts(errors: unknown[]): string {
  return errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ')
}
