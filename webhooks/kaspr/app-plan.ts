import { lastApplied, lastAppliedRecord } from '../contract/freeze.ts'
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
    applied: isApplied(view, pods.template),
  }
}

/** By template, the record that was last found to hold it: reading one takes a good part of a sync. */
const records = new WeakMap<object, string>()

/** Whether the observed set was applied with this template, which nobody can change. */
function isApplied(view: AppView, template: PodRendering['template']): boolean {
  const record = view.statefulSet && lastAppliedRecord(view.statefulSet)
  if (record === undefined) return false
  if (records.get(template) === record) return true
  const applied = sameJson(appliedTemplate(view), template)
  if (applied) records.set(template, record)
  return applied
}

/** The template that was applied last, as it was sent: defaults of the API server and edits of others are not in it. */
export function appliedTemplate({ statefulSet }: AppView): unknown {
  const spec = statefulSet === undefined ? undefined : lastApplied(statefulSet)?.['spec']
  return isMap(spec) ? spec['template'] : undefined
}

function isMounted(component: LinkedComponent): component is LinkedComponent & MountedComponent {
  return component.rendered.valid
}
