import { isMap } from '../contract/objects.ts'
import type { KubeObject } from '../contract/types.ts'

/** A StatefulSet as far as rollouts read it. */
export interface RolloutSet {
  name: string
  uid: string
  /** `spec.replicas`, 1 if unset. */
  replicas: number
  /** `spec.ordinals.start`: the lowest ordinal. */
  start: number
  minReadySeconds: number
  /** Whether `updateStrategy.type` is `OnDelete`. */
  onDelete: boolean
  /** `status.updateRevision`; absent while the status is about an earlier template. */
  target: string | undefined
}

/** Reads a StatefulSet. Fields of other shapes than the API server stores count as unset. */
export function readSet({ metadata, spec, status }: KubeObject): RolloutSet {
  const { replicas, ordinals, minReadySeconds, updateStrategy } = mapOf(spec)
  const { observedGeneration, updateRevision } = mapOf(status)
  const isCurrent = count(observedGeneration, 0) >= (metadata.generation ?? 0)
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    replicas: count(replicas, 1),
    start: count(mapOf(ordinals)['start'], 0),
    minReadySeconds: count(minReadySeconds, 0),
    onDelete: mapOf(updateStrategy)['type'] === 'OnDelete',
    target: isCurrent && typeof updateRevision === 'string' && updateRevision !== '' ? updateRevision : undefined,
  }
}

function mapOf(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {}
}

function count(value: unknown, unset: number): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : unset
}
