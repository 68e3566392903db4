import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { StoreEvent } from '../kube/store.ts'
import { trimMetadata } from '../kube/trim.ts'

/** A StatefulSet as far as it is used. */
export interface TrimmedSet extends KubeObject {
  /** uid of the object that controls it. */
  owner: string | undefined
  replicas: number
  /** Claim templates: name, and size as a quantity. */
  claims: { name: string; size: string | undefined }[]
  status: SetStatus
}

interface SetBody {
  spec: {
    replicas?: number
    volumeClaimTemplates?: { metadata: { name: string }; spec?: { resources?: { requests?: { storage?: string } } } }[]
  }
  status?: SetStatus
}

/** What the StatefulSet controller says of its progress. */
export interface SetStatus {
  observedGeneration?: number
  replicas?: number
  availableReplicas?: number
  updatedReplicas?: number
  currentRevision?: string
  updateRevision?: string
}

/** StatefulSets made by Metacontroller: it labels what it makes for a parent with that parent's uid. */
export const setSelector = 'controller-uid'

/** Keeps of a StatefulSet what is used. */
export function trimSet(set: KubeObject): TrimmedSet {
  const { spec, status = {} } = set as KubeObject & SetBody
  return {
    apiVersion: set.apiVersion,
    kind: set.kind,
    metadata: trimMetadata(set.metadata, []),
    owner: set.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid,
    replicas: spec.replicas ?? 1,
    claims: (spec.volumeClaimTemplates ?? []).map((template) => ({
      name: template.metadata.name,
      size: template.spec?.resources?.requests?.storage,
    })),
    status,
  }
}

/**
 * Why a set is not settled, in words; empty when every wanted member runs the current revision and is available. Signals
 * and deletions wait for that.
 *
 * @param wanted members that the app asks for; `undefined` while that is not known
 */
export function unsettled(set: TrimmedSet | undefined, wanted: number | undefined): string[] {
  if (set === undefined) return ['there is no StatefulSet']
  const { metadata, replicas, status } = set
  // What it says of itself may be as calm as ever, but it makes no pod again.
  if (metadata.deletionTimestamp !== undefined) return ['the StatefulSet is being deleted']
  const { observedGeneration, currentRevision, updateRevision } = status
  const { updatedReplicas = 0, availableReplicas = 0 } = status
  const isObserved = observedGeneration === metadata.generation
  const isRolling = !isObserved || currentRevision !== updateRevision || updatedReplicas !== replicas
  return [
    ...(isRolling ? ['rollout in progress'] : []),
    ...(availableReplicas === replicas && (wanted === undefined || wanted === replicas)
      ? []
      : [`members not ready (${availableReplicas}/${wanted ?? replicas})`]),
  ]
}

/** Whether a change of a StatefulSet can change a report or what waits for it. A lost set is remembered as it was. */
export function changesSet({ type, object, old }: StoreEvent<TrimmedSet>): boolean {
  if (type === 'deleted') return false
  if (object.replicas !== old?.replicas || object.owner !== old.owner) return true
  return (unsettled(object, undefined).length === 0) !== (unsettled(old, undefined).length === 0)
}
