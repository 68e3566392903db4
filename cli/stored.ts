import { lastAppliedAnnotation } from '../webhooks/contract/annotations.ts'
import { createHash } from 'node:crypto'
import { lastApplied } from '../webhooks/contract/freeze.ts'
import { canonicalJson } from '../webhooks/contract/hash.ts'
import type { KubeObject, OwnerReference } from '../webhooks/contract/types.ts'
import { customKind, withDefaults } from './crds.ts'

/** What the API server and Metacontroller make of objects when they store them, as far as hooks can see it. */

/** By which Metacontroller finds the children of a parent (`generateSelector`). */
const childLabel = 'controller-uid'

/** Tells an object from all others: kind with its API version, namespace and name. */
export function identity({ apiVersion, kind, metadata }: KubeObject): string {
  return `${apiVersion} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`
}

/**
 * A parent as the API server stores it: in a namespace, with the defaults of its schema, a uid and a generation.
 *
 * @param live the same object as the cluster has it, whose uid, generation and status it takes
 * @param uid the uid that it is known by, for an object without
 */
export function storedParent(object: KubeObject, live?: KubeObject, uid?: string): KubeObject {
  const stored = withDefaults(customKind(object)?.schema, object) as KubeObject
  const { metadata } = stored
  const status = stored['status'] ?? live?.['status']
  return {
    ...stored,
    metadata: {
      namespace: 'default',
      ...metadata,
      uid: metadata.uid ?? live?.metadata.uid ?? uid ?? uidOf(identity(stored)),
      generation: metadata.generation ?? generationAfter(live, stored),
    },
    ...(status === undefined ? {} : { status }),
  }
}

/**
 * A child as it stands in the cluster after Metacontroller has carried out an answer: the very same object when the
 * answer says what was applied last. Where it differs, each top-level field that the answer has is replaced; the three-way
 * merge into fields that others set is not played, no hook reads those.
 *
 * @param live the child before; `undefined` when it is created
 */
export function storedChild(desired: KubeObject, live: KubeObject | undefined, parent: KubeObject): KubeObject {
  const { uid = '' } = parent.metadata
  const labels = { [childLabel]: uid, ...desired.metadata.labels }
  const applied: KubeObject = { ...desired, metadata: { ...desired.metadata, labels } }
  if (live !== undefined && canonicalJson(lastApplied(live)) === canonicalJson(applied)) return live
  const before = live?.metadata
  return {
    ...live,
    ...applied,
    metadata: {
      ...before,
      ...applied.metadata,
      uid: before?.uid ?? uidOf(`${uid} ${identity(desired)}`),
      // Kinds without a spec have no generation.
      ...(Object.hasOwn(desired, 'spec') ? { generation: generationAfter(live, desired) } : {}),
      labels: { ...before?.labels, ...labels },
      annotations: {
        ...before?.annotations,
        ...applied.metadata.annotations,
        [lastAppliedAnnotation]: JSON.stringify(applied),
      },
      ownerReferences: before?.ownerReferences ?? [ownerReference(parent)],
    },
  }
}

/** The reference by which an object is controlled by somebody, or `undefined`. */
export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)
}

function ownerReference({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  const { name, uid = '' } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

function generationAfter(live: KubeObject | undefined, next: KubeObject): number {
  const before = live?.metadata.generation ?? 0
  return canonicalJson(live?.['spec']) === canonicalJson(next['spec']) ? Math.max(before, 1) : before + 1
}

/** The same uid for the same object, in every run and on every machine. */
function uidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
