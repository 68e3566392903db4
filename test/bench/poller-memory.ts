import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { claimKeys, trimClaim } from '../../poller/kaspr/claims.ts'
import { podKeys, trimPod } from '../../poller/kaspr/pods.ts'
import { trimSet } from '../../poller/kaspr/statefulsets.ts'
import { Store } from '../../poller/kube/store.ts'
import { appObjects } from './poller-world.ts'

/** What an object of a kind takes. */
export interface Size {
  kind: string
  /** As the API server sends it. */
  jsonBytes: number
  /** Trimmed, in a store, with its index. */
  heapBytes: number
}

/** Measures what the poller keeps of the objects of so many apps. */
export function objectSizes(apps: number): Size[] {
  return [
    sizeOf('/api/v1/pods', trimPod, { app: podKeys }, apps),
    sizeOf('/apis/apps/v1/statefulsets', trimSet, {}, apps),
    sizeOf('/api/v1/persistentvolumeclaims', trimClaim, { app: claimKeys }, apps),
  ]
}

function sizeOf<T extends KubeObject>(
  path: string,
  trim: (object: KubeObject) => T,
  index: Record<string, (object: T) => string[]>,
  apps: number,
): Size {
  const store = new Store<T>(index, () => undefined)
  let jsonBytes = 0
  const before = heapBytes()
  for (let app = 0; app < apps; app++) {
    for (const [collection, object] of appObjects(app, 6065)) {
      if (collection !== path) continue
      const { name } = object.metadata
      const uid = `${name}-3f8c5b52-6f0e-4f39-9f0b`
      const text = JSON.stringify({ ...object, metadata: { ...object.metadata, uid, resourceVersion: `1${app}` } })
      jsonBytes += text.length
      store.set(trim(JSON.parse(text) as KubeObject))
    }
  }
  const kept = heapBytes() - before
  return { kind: path.replace(/^.*\//, ''), jsonBytes: jsonBytes / store.size, heapBytes: kept / store.size }
}

/** Of what is reachable. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
