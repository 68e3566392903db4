import { isMap, sameJson } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { configPrefix, enabledLabel, grafanaPaused, groupLabel, recordPrefix } from '../../webhooks/rollout/names.ts'
import { trimMetadata } from '../kube/trim.ts'
import { groupOf } from './groups.ts'

const keptOfSpec = ['replicas', 'ordinals', 'minReadySeconds', 'updateStrategy', 'selector']
const keptOfStatus = ['observedGeneration', 'updateRevision', 'currentRevision']
/** Read of members of a rollout group only; it changes with every pod. */
const keptOfGroups = ['availableReplicas']

/** Keeps of a StatefulSet what rollouts read; it has the shape of one still. */
export function trimSet(set: KubeObject): KubeObject {
  const { apiVersion, kind, metadata, spec, status } = set
  const isGrouped = groupOf(set) !== undefined
  const annotations = Object.entries(metadata.annotations ?? {}).filter(
    ([key]) => key.startsWith(recordPrefix) || key.startsWith(configPrefix) || key === grafanaPaused,
  )
  return {
    apiVersion,
    kind,
    metadata: {
      ...trimMetadata(metadata, [enabledLabel, groupLabel]),
      ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
    },
    spec: picked(spec, keptOfSpec),
    status: picked(status, isGrouped ? [...keptOfStatus, ...keptOfGroups] : keptOfStatus),
  }
}

/** Whether two trimmed StatefulSets differ in nothing but their version. */
export function sameSet(a: KubeObject, b: KubeObject): boolean {
  return sameJson(unversioned(a), unversioned(b))
}

function unversioned(set: KubeObject): KubeObject {
  return { ...set, metadata: { ...set.metadata, resourceVersion: '' } }
}

function picked(map: unknown, keys: readonly string[]): Record<string, unknown> {
  return isMap(map) ? Object.fromEntries(keys.filter((key) => key in map).map((key) => [key, map[key]])) : {}
}
