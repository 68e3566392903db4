import { freeze } from '../contract/freeze.ts'
import type {
  CompositeRequest,
  CompositeResponse,
  CustomizeRequest,
  CustomizeResponse,
  FinalizeResponse,
  KubeObject,
} from '../contract/types.ts'
import type { HookContext } from '../hooks.ts'
import type { HookSettings } from '../settings.ts'
import type { AppRendering } from './app-rendering.ts'
import { type AppPlan, appPlan, appliedTemplate } from './app-plan.ts'
import type { AppSpec } from './app-spec.ts'
import { type AppOutcome, appStatus, terminatingStatus } from './app-status.ts'
import { type AppView, type ObservedApp, type StatefulSet, appView, observedApp } from './app-view.ts'
import { childRules } from './child.ts'
import { componentKinds } from './components/kinds.ts'
import { appLabel, isObjectName, kasprApiVersion } from './names.ts'
import { type Orders, observation, runningPort } from './observation.ts'
import { ordersFor } from './orders.ts'
import { packagesClaim, wantedClaim } from './packages/claim.ts'
import { oversizedChildren, withoutOversized } from './size-limit.ts'
import { statefulSet } from './statefulset.ts'

/**
 * Sync of a KasprApp. A spec that cannot be rendered, or the pause annotation, freezes every child as it is, except the
 * Observation, which tells the poller what it may do.
 */
export function syncApp(request: CompositeRequest, { settings, now }: HookContext): CompositeResponse {
  const view = appView(request, settings)
  const outcome = appOutcome(view, settings)
  const port = outcome.valid ? outcome.plan.config.webPort : runningPort(view)
  const objects = !outcome.valid ? frozen(view) : view.paused ? withoutAutoscaler(frozen(view)) : outcome.desired
  return {
    children: [...objects, ...watch(view, port, settings, ordersFor(view, outcome, settings))],
    status: appStatus(view, outcome, settings, now),
  }
}

/**
 * Related objects of a KasprApp: its components, by label in its namespace. The answer is cached for 20 minutes by
 * generation, so it depends on the name alone.
 */
export function customizeApp({ parent }: CustomizeRequest): CustomizeResponse {
  const { name, namespace } = parent.metadata
  return {
    relatedResources: componentKinds.map(({ resource }) => ({
      apiVersion: kasprApiVersion,
      resource,
      ...(namespace === undefined ? {} : { namespace }),
      labelSelector: { matchLabels: { [appLabel]: name } },
    })),
  }
}

/**
 * Orderly end of an app: the autoscaler goes first (it would scale up what goes down), then the members, which leave the
 * consumer group one after the other with their set scaled to 0, then the rest. Nothing is created here, and the app may
 * go when nothing is observed any more. Neither a broken spec nor a pause holds it up.
 */
export function finalizeApp(request: CompositeRequest, { settings, now }: HookContext): FinalizeResponse {
  const app = observedApp(request)
  return {
    children: teardown(app, settings),
    status: terminatingStatus(app, now),
    finalized: app.children.length === 0,
  }
}

function teardown(app: ObservedApp, settings: HookSettings): KubeObject[] {
  const set = app.statefulSet
  if (set === undefined) return []
  const leaving: string[] = [childRules.statefulSet.kind, childRules.autoscaler.kind, childRules.observation.kind]
  const staying = app.children.filter(({ kind }) => !leaving.includes(kind)).map(freeze)
  const watch = app.observation === undefined ? [] : [observation(app, runningPort(app), settings)]
  if (app.autoscaler !== undefined) return [...staying, ...watch, freeze(set)]
  return isScaledToZero(set) ? [...staying, ...watch] : [...staying, ...watch, scaledToZero(set)]
}

function isScaledToZero({ metadata, spec, status }: StatefulSet): boolean {
  return spec.replicas === 0 && status?.replicas === 0 && status.observedGeneration === metadata.generation
}

function scaledToZero(set: KubeObject): KubeObject {
  const kept = freeze(set)
  return { ...kept, spec: { ...(kept['spec'] as Record<string, unknown>), replicas: 0 } }
}

function appOutcome(view: AppView, settings: HookSettings): AppOutcome {
  const { rendering } = view
  if (!rendering.ok) return { valid: false, problems: rendering.problems }
  const { spec } = rendering
  const plan = appPlan(view, rendering.pods)
  const desired = desiredObjects(view, rendering, plan, settings)
  // A set that waits for its components may be about to become too large: it will not be, later.
  const ahead = plan.waitingFor.length === 0 ? [] : [statefulSet(view, spec, settings, plan.template)]
  const oversized = oversizedChildren([
    ...desired.filter(({ kind }) => ahead.length === 0 || kind !== 'StatefulSet'),
    ...ahead,
  ])
  return {
    valid: true,
    spec,
    plan,
    desired: withoutOversized(desired, oversized, view.children),
    oversized,
  }
}

/** The Observation; none for an app whose name no object can have, which was admitted by an older schema. */
function watch(view: AppView, port: number, settings: HookSettings, orders: Orders): KubeObject[] {
  const own = observation(view, port, settings, orders)
  return isObjectName(own.metadata.name) ? [own] : []
}

type ValidRendering = AppRendering & { ok: true }

/** All objects of a valid app but its Observation. */
function desiredObjects(view: AppView, rendering: ValidRendering, plan: AppPlan, settings: HookSettings): KubeObject[] {
  const { spec, objects } = rendering
  return [
    objects.serviceAccount,
    objects.configMap,
    ...objects.services,
    ...packagesClaim(view, wantedClaim(view, spec)),
    ...setOf(view, spec, plan, settings),
    ...objects.autoscaler,
  ]
}

/**
 * The StatefulSet, unless it would be ahead of its components' files: files are mounted by subPath, so a pod that starts
 * too early would keep the old one for ever. Until all ConfigMaps are current a set keeps the template it has, and a new
 * set is not created.
 */
function setOf(view: AppView, spec: AppSpec, plan: AppPlan, settings: HookSettings): KubeObject[] {
  if (plan.waitingFor.length === 0) return [statefulSet(view, spec, settings, plan.template)]
  if (view.statefulSet === undefined) return []
  return [statefulSet(view, spec, settings, appliedTemplate(view) ?? plan.template)]
}

function frozen({ children }: AppView): KubeObject[] {
  return children.filter(({ kind }) => kind !== childRules.observation.kind).map(freeze)
}

/** While an app is paused its autoscaler is gone, so that scaling by hand sticks. */
function withoutAutoscaler(objects: KubeObject[]): KubeObject[] {
  return objects.filter(({ kind }) => kind !== childRules.autoscaler.kind)
}
