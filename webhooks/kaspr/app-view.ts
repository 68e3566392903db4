import { type ObservationStatus, observationStatusSchema } from '../../crds/types/observation.ts'
import { isMap } from '../contract/objects.ts'
import { type KindRule, objectsOf } from '../contract/request.ts'
import type { CompositeRequest, KubeObject } from '../contract/types.ts'
import { shapeCheck } from '../contract/validate.ts'
import { type ComponentKind, componentKinds } from './components/kinds.ts'
import type { HookSettings } from '../settings.ts'
import { hasStaticMembership, isPaused } from './annotations.ts'
import { type AppRendering, type RenderedLink, renderApp } from './app-rendering.ts'
import { childRules } from './child.ts'
import { appLabel, appNames, kasprApiVersion } from './names.ts'

/** A related component with what it renders to and what its own controller says the cluster holds. */
export interface LinkedComponent extends RenderedLink {
  /** `status.hash` of the component: hash of the definition that its ConfigMap holds. */
  heldHash: string | undefined
}

/** What is observed of an app itself. */
export interface ObservedApp {
  parent: KubeObject
  /** All observed children, whatever their names. */
  children: KubeObject[]
  statefulSet: StatefulSet | undefined
  autoscaler: KubeObject | undefined
  /** Claim of the packages volume; one that is to outlive the app is no child, and not seen here. */
  packagesClaim: Claim | undefined
  observation: KubeObject | undefined
  /** Report of the poller; absent before its first, or when it is about an app of the same name that is gone. */
  report: AppReport | undefined
  paused: boolean
}

/** Everything that a sync of an app decides from. */
export interface AppView extends ObservedApp {
  components: LinkedComponent[]
  /** What the app and its components are declared to be. */
  rendering: AppRendering
}

/** A StatefulSet as far as it is read. */
export interface StatefulSet extends KubeObject {
  spec: {
    replicas?: number
    serviceName?: string
    volumeClaimTemplates?: unknown[]
    template: {
      metadata?: { annotations?: Record<string, string> }
      spec: { containers: { name: string; image?: string; ports?: { name?: string; containerPort: number }[] }[] }
    }
  }
  status?: {
    observedGeneration?: number
    replicas?: number
    availableReplicas?: number
    updatedReplicas?: number
    currentRevision?: string
    updateRevision?: string
  }
}

/** A PersistentVolumeClaim as far as it is read. */
export interface Claim extends KubeObject {
  spec: { storageClassName?: string; resources?: { requests?: { storage?: string } } }
}

/** `Observation.status.kasprApp`, see crds/observations.yaml. */
export type AppReport = NonNullable<ObservationStatus['kasprApp']>

/** The install container of a pod, `Observation.status.kasprApp.packages`. */
export type InstallReport = NonNullable<AppReport['packages']>

/** Reads a request into the view. */
export function appView(request: CompositeRequest, settings: HookSettings): AppView {
  const app = observedApp(request)
  const related = relatedComponents(request)
  const { metadata, spec } = app.parent
  const claims = app.statefulSet === undefined ? null : (app.statefulSet.spec.volumeClaimTemplates ?? []).length > 0
  const rendering = renderApp({
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
    },
    spec,
    staticMembership: hasStaticMembership(app.parent),
    components: related.map(({ kind, object }) => ({ kind, name: object.metadata.name, spec: object['spec'] })),
    claimed: claims,
    settings: {
      KASPR_IMAGE_REGISTRY: settings.KASPR_IMAGE_REGISTRY,
      HPA_SCALE_UP_POLICY_PERIOD_SECONDS: settings.HPA_SCALE_UP_POLICY_PERIOD_SECONDS,
      HPA_SCALE_UP_POLICY_PODS_PER_STEP: settings.HPA_SCALE_UP_POLICY_PODS_PER_STEP,
    },
  })
  const components = rendering.components.map((component, index) => ({
    ...component,
    heldHash: heldHash(related[index]?.object),
  }))
  return { ...app, rendering, components }
}

/**
 * The part of the view that does not depend on components: the end of an app does not wait for them.
 */
export function observedApp({ parent, children }: CompositeRequest): ObservedApp {
  const names = appNames(parent.metadata.name)
  const observed = new Map<KindRule, KubeObject[]>(
    Object.values(childRules).map((rule) => [rule, [...objectsOf(children, rule).values()]]),
  )
  const named = (rule: KindRule, called: string): KubeObject | undefined =>
    observed.get(rule)?.find(({ metadata }) => metadata.name === called)
  const observation = named(childRules.observation, names.observation)
  return {
    parent,
    children: [...observed.values()].flat(),
    statefulSet: named(childRules.statefulSet, names.statefulSet) as StatefulSet | undefined,
    autoscaler: named(childRules.autoscaler, names.autoscaler),
    packagesClaim: named(childRules.claim, names.packagesClaim) as Claim | undefined,
    observation,
    report: reportOf(observation, parent.metadata.uid),
    paused: isPaused(parent),
  }
}

/** Components of this app by label; one that is being deleted is as good as gone. */
function relatedComponents({
  parent,
  related,
}: CompositeRequest): { kind: ComponentKind['kind']; object: KubeObject }[] {
  return componentKinds.flatMap(({ kind }) =>
    [...objectsOf(related, { apiVersion: kasprApiVersion, kind }).values()]
      .filter(
        ({ metadata }) =>
          metadata.labels?.[appLabel] === parent.metadata.name &&
          metadata.namespace === parent.metadata.namespace &&
          metadata.deletionTimestamp === undefined,
      )
      .map((object) => ({ kind, object })),
  )
}

function heldHash(component: KubeObject | undefined): string | undefined {
  const status = component?.['status']
  const hash = isMap(status) ? status['hash'] : undefined
  return typeof hash === 'string' ? hash : undefined
}

/** The report about this very app. One of another shape, which the API server would not have stored, is none. */
function reportOf(observation: KubeObject | undefined, uid: string | undefined): AppReport | undefined {
  const status = observation?.['status']
  if (!isStatus(status)) return undefined
  const { kasprApp } = status
  return kasprApp?.appUid === uid ? kasprApp : undefined
}

const isStatus = shapeCheck<ObservationStatus>(observationStatusSchema)
