import type { KindRule } from '../contract/request.ts'

/** The decorated kind. */
export const setRule = { apiVersion: 'apps/v1', kind: 'StatefulSet' } as const satisfies KindRule

/** The one kind of attachment. */
export const observationRule = {
  apiVersion: 'metacontroller.kaspr.io/v1alpha1',
  kind: 'Observation',
} as const satisfies KindRule

/** Label that enrols a StatefulSet; the value is `true`. */
export const enabledLabel = 'rollout-operator/enabled'

/** Label of StatefulSets of a namespace that are rolled one after the other; that of grafana/rollout-operator. */
export const groupLabel = 'rollout-group'

/** Prefix of the annotations that this operator writes. */
export const recordPrefix = 'rollout-operator/'

/** Prefix of the annotations that users write. Another one on purpose: what is recorded must not be taken for a wish. */
export const configPrefix = 'config.rollout-operator/'

/** Annotation by which users of grafana/rollout-operator pause a StatefulSet. */
export const grafanaPaused = 'grafana.com/rollout-paused'

/** Name of the Observation of a StatefulSet. */
export function observationName(setName: string): string {
  return `rollout-${setName}`
}
