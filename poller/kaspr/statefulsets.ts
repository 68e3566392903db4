import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { StoreEvent } from '../kube/store.ts'
import { trimMetadata } from '../kube/trim.ts'

/** A StatefulSet as far as it is used. */
export interface TrimmedSet extends KubeObject {
  /** uid of the object that controls it. */
  owner: string | undefined
  replicas: number
}

/** StatefulSets made by Metacontroller: it labels what it makes for a parent with that parent's uid. */
export const setSelector = 'controller-uid'

/** Keeps of a StatefulSet what is used. */
export function trimSet(set: KubeObject): TrimmedSet {
  const { replicas } = set['spec'] as { replicas?: number }
  return {
    apiVersion: set.apiVersion,
    kind: set.kind,
    metadata: trimMetadata(set.metadata, []),
    owner: set.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid,
    replicas: replicas ?? 1,
  }
}

/** Whether a change of a StatefulSet can change a report. A lost set changes nothing: its replicas are remembered. */
export function changesReplicas({ type, object, old }: StoreEvent<TrimmedSet>): boolean {
  return type !== 'deleted' && (object.replicas !== old?.replicas || object.owner !== old.owner)
}
