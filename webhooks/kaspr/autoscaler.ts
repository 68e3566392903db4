import type { KubeObject } from '../contract/types.ts'
import type { RenderSettings } from './app-rendering.ts'
import { child, childRules } from './child.ts'
import { appNames } from './names.ts'

/**
 * The HorizontalPodAutoscaler of an app with members. It is a start-up ramp: the target is so low that it always asks for
 * more, and the policies bound the pace (with the defaults 1, 5, 10, 20, … a minute), so that many members do not join the
 * consumer group at once.
 *
 * @param replicas wanted members, > 0
 */
export function autoscaler(
  parent: Pick<KubeObject, 'metadata'>,
  replicas: number,
  settings: RenderSettings,
): KubeObject {
  const names = appNames(parent.metadata.name)
  const periodSeconds = settings.HPA_SCALE_UP_POLICY_PERIOD_SECONDS
  return child(
    childRules.autoscaler,
    parent,
    names.autoscaler,
    {},
    {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: names.statefulSet },
        minReplicas: 1,
        maxReplicas: replicas,
        metrics: [
          { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Mi' } } },
        ],
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: 0,
            selectPolicy: 'Max',
            policies: [
              { type: 'Percent', value: 100, periodSeconds },
              { type: 'Pods', value: settings.HPA_SCALE_UP_POLICY_PODS_PER_STEP, periodSeconds },
            ],
          },
          scaleDown: {
            stabilizationWindowSeconds: 0,
            selectPolicy: 'Max',
            policies: [{ type: 'Percent', value: 100, periodSeconds: 1 }],
          },
        },
      },
    },
  )
}
