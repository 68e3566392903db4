import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { describe, goJson } from './objects.ts'

/** Differs between any two runs and says nothing about behaviour. `generation` stays: it counts the writes of a spec. */
const volatile = ['uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp', 'managedFields', 'selfLink']

/** Objects in a form that is equal for equal behaviour: sorted, without times, uids replaced by the object's name. */
export function normalised(objects: KubeObject[]): unknown {
  const kept = [...objects].sort(byName).map((object) => {
    const metadata = Object.entries(object.metadata).filter(([field]) => !volatile.includes(field))
    return { ...object, metadata: Object.fromEntries(metadata) }
  })
  let text = goJson(kept)
  for (const { kind, metadata } of objects) {
    text = text.replaceAll(metadata.uid ?? '', `uid of ${kind} ${metadata.name}`)
  }
  return JSON.parse(text)
}

function byName(a: KubeObject, b: KubeObject): number {
  return describe(a) < describe(b) ? -1 : 1
}
