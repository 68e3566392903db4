import type { Condition, KubeObject } from '../webhooks/contract/types.ts'

const api = '/apis/metacontroller.kaspr.io/v1alpha1'

/** Observations of all namespaces. */
export const observationsPath = `${api}/observations`

/** One Observation. */
export function observationPath(namespace: string, name: string): string {
  return `${api}/namespaces/${namespace}/observations/${name}`
}

/** An Observation as crds/observations.yaml describes it; the API server has validated it. */
export interface Observation extends KubeObject {
  /** One member, named after what is observed. */
  spec: Record<string, unknown>
  status?: ObservationStatus
}

/** What the poller writes: beside these fields one report, under the same name as the member of spec. */
export interface ObservationStatus {
  observedGeneration?: number
  lastObservedTime?: string
  conditions?: Condition[]
  [report: string]: unknown
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function timestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
