import type { KindRule } from '../contract/request.ts'
import type { KubeObject } from '../contract/types.ts'

/** Kinds that a KasprApp owns, in the order of the controller's manifest. */
export const childRules = {
  serviceAccount: { apiVersion: 'v1', kind: 'ServiceAccount' },
  configMap: { apiVersion: 'v1', kind: 'ConfigMap' },
  service: { apiVersion: 'v1', kind: 'Service' },
  claim: { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  statefulSet: { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  autoscaler: { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  observation: { apiVersion: 'metacontroller.kaspr.io/v1alpha1', kind: 'Observation' },
} as const

/**
 * A desired child: in the parent's namespace, with the parent's own labels where it has none of that key (so that what a
 * user puts on a KasprApp can be selected by on everything it owns).
 *
 * @param content everything but the metadata, and the annotations
 */
export function child(
  rule: KindRule,
  parent: Pick<KubeObject, 'metadata'>,
  name: string,
  labels: Record<string, string>,
  { annotations = {}, ...content }: Record<string, unknown> & { annotations?: Record<string, string> },
): KubeObject {
  const { namespace } = parent.metadata
  const allLabels = { ...parent.metadata.labels, ...labels }
  return {
    apiVersion: rule.apiVersion,
    kind: rule.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(Object.keys(allLabels).length === 0 ? {} : { labels: allLabels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    ...content,
  }
}
