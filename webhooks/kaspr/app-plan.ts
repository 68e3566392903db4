import type { HookSettings } from '../settings.ts'
import { sameJson } from '../contract/hash.ts'
import { lastApplied } from '../contract/freeze.ts'
import { isMap } from '../contract/objects.ts'
import { hasStaticMembership } from './annotations.ts'
import type { AppSpec } from './app-spec.ts'
import type { AppView, LinkedComponent } from './app-view.ts'
import { type RuntimeConfig, runtimeConfig } from './config.ts'
import { kafkaConnection } from './kafka.ts'
import { appNames } from './names.ts'
import { type Installation, installation } from './packages/install.ts'
import { type MountedComponent, podTemplate } from './pod-template.ts'
import { hasClaims } from './statefulset.ts'
import { subscriptionHash, subscriptions } from './subscriptions.ts'
import { imageOf } from './versions.ts'

/** What an app should look like, before it is compared with what is. */
export interface AppPlan {
  config: RuntimeConfig
  /** Python packages of the pods; `undefined` without any. */
  installation: Installation | undefined
  /** Pod template that the spec and the valid components render to. */
  template: Record<string, unknown>
  /** Hash of the topics that the members should consume. */
  subscriptions: string
  /** Valid components whose ConfigMaps do not hold the rendered definition yet: no pod may start before they do. */
  waitingFor: MountedComponent[]
  mounted: MountedComponent[]
  /** Whether the observed StatefulSet was applied with exactly this template. */
  applied: boolean
}

/** The plan of a valid app. */
export function appPlan(view: AppView, spec: AppSpec, settings: HookSettings): AppPlan {
  const { name, namespace = '' } = view.parent.metadata
  const kafka = kafkaConnection(spec)
  const config = runtimeConfig(spec, appNames(name).statefulSet, kafka.variables)
  const mounted = view.components.filter(isMounted)
  const schedulerEnabled = config.variables.some(([key, value]) => key === 'K_SCHEDULER_ENABLED' && value === 'True')
  // A spec whose version has no image is not valid.
  const image = imageOf(spec, settings.KASPR_IMAGE_REGISTRY) ?? ''
  const packages = spec.pythonPackages === undefined ? undefined : installation(spec.pythonPackages, image)
  const topics = subscriptions(
    mounted.map(({ rendered }) => rendered.links),
    appNames(name).statefulSet,
    schedulerEnabled,
  )
  const template = podTemplate({
    name,
    namespace,
    spec,
    image,
    config,
    kafka,
    components: mounted,
    topics,
    claimed: hasClaims(view, spec),
    installation: packages,
    staticMembership: hasStaticMembership(view.parent),
  })
  return {
    config,
    installation: packages,
    template,
    subscriptions: subscriptionHash(topics),
    mounted,
    waitingFor: mounted.filter(({ heldHash, rendered }) => heldHash !== rendered.hash),
    applied: sameJson(appliedTemplate(view), template),
  }
}

/** The template that was applied last, as it was sent: defaults of the API server and edits of others are not in it. */
export function appliedTemplate({ statefulSet }: AppView): unknown {
  const spec = statefulSet === undefined ? undefined : lastApplied(statefulSet)?.['spec']
  return isMap(spec) ? spec['template'] : undefined
}

function isMounted(component: LinkedComponent): component is MountedComponent {
  return component.rendered.valid
}
