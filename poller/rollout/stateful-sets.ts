import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { configPrefix, enabledLabel, grafanaPaused, groupLabel, recordPrefix } from '../../webhooks/rollout/names.ts'
import { trimMetadata } from '../kube/trim.ts'

const keptOfSpec = ['replicas', 'ordinals', 'minReadySeconds', 'updateStrategy']
const keptOfStatus = ['observedGeneration', 'updateRevision', 'currentRevision', 'availableReplicas']

/** Keeps of a StatefulSet what rollouts read; it has the shape of one still. */
export function trimSet({ apiVersion, kind, metadata, spec, status }: KubeObject): KubeObject {
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
    status: picked(status, keptOfStatus),
  }
}

function picked(map: unknown, keys: readonly string[]): Record<string, unknown> {
  return isMap(map) ? Object.fromEntries(keys.filter((key) => key in map).map((key) => [key, map[key]])) : {}
}
