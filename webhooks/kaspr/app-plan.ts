import { lastApplied } from '../contract/freeze.ts'
import { isMap, sameJson } from '../contract/objects.ts'
import type { PodRendering } from './app-rendering.ts'
import type { AppView, LinkedComponent } from './app-view.ts'
import type { MountedComponent } from './pod-template.ts'

/** What the pods of an app should be, compared with what is. */
export interface AppPlan extends PodRendering {
  mounted: (LinkedComponent & MountedComponent)[]
  /** Valid components whose ConfigMaps do not hold the rendered definition yet: no pod may start before they do. */
  waitingFor: MountedComponent[]
  /** Whether the observed StatefulSet was applied with exactly this template. */
  applied: boolean
}

/** The plan of a valid app. */
export function appPlan(view: AppView, pods: PodRendering): AppPlan {
  const mounted = view.components.filter(isMounted)
  return {
    ...pods,
    mounted,
    waitingFor: mounted.filter(({ heldHash, rendered }) => heldHash !== rendered.hash),
    applied: sameJson(appliedTemplate(view), pods.template),
  }
}

/** The template that was applied last, as it was sent: defaults of the API server and edits of others are not in it. */
export function appliedTemplate({ statefulSet }: AppView): unknown {
  const spec = statefulSet === undefined ? undefined : lastApplied(statefulSet)?.['spec']
  return isMap(spec) ? spec['template'] : undefined
}

function isMounted(component: LinkedComponent): component is LinkedComponent & MountedComponent {
  return component.rendered.valid
}
