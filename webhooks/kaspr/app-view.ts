import type { ObservationStatus } from '../../crds/types/observation.ts'
import { isMap, objectNamed } from '../contract/objects.ts'
import { objectsOf } from '../contract/request.ts'
import type { CompositeRequest, KubeObject } from '../contract/types.ts'
import { shown } from '../contract/validate.ts'
import { type RenderedComponent, renderComponent } from './components/render.ts'
import { type ComponentKind, componentKinds } from './components/kinds.ts'
import { isPaused } from './annotations.ts'
import { appLabel, appNames, kasprApiVersion } from './names.ts'

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

/** A related component with what it renders to and what its own controller says the cluster holds. */
export interface LinkedComponent {
  kind: ComponentKind
  name: string
  rendered: RenderedComponent
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
export function appView(request: CompositeRequest): AppView {
  return { ...observedApp(request), components: withTheirTables(linkedComponents(request)) }
}

/**
 * The part of the view that does not depend on components: the end of an app does not wait for them.
 */
export function observedApp({ parent, children }: CompositeRequest): ObservedApp {
  const names = appNames(parent.metadata.name)
  const observation = objectNamed(children, childRules.observation, names.observation)
  return {
    parent,
    children: Object.values(childRules).flatMap((rule) => [...objectsOf(children, rule).values()]),
    statefulSet: objectNamed(children, childRules.statefulSet, names.statefulSet) as StatefulSet | undefined,
    autoscaler: objectNamed(children, childRules.autoscaler, names.autoscaler),
    packagesClaim: objectNamed(children, childRules.claim, names.packagesClaim) as Claim | undefined,
    observation,
    report: reportOf(observation, parent.metadata.uid),
    paused: isPaused(parent),
  }
}

/** Components of this app by label; one that is being deleted is as good as gone. */
function linkedComponents({ parent, related }: CompositeRequest): LinkedComponent[] {
  return componentKinds.flatMap((kind) =>
    [...objectsOf(related, { apiVersion: kasprApiVersion, kind: kind.kind }).values()]
      .filter(
        ({ metadata }) =>
          metadata.labels?.[appLabel] === parent.metadata.name &&
          metadata.namespace === parent.metadata.namespace &&
          metadata.deletionTimestamp === undefined,
      )
      .map((component) => ({
        kind,
        name: component.metadata.name,
        rendered: renderComponent(kind, component),
        heldHash: heldHash(component),
      })),
  )
}

/**
 * A component that needs a table which the app does not mount counts as invalid: the runtime looks tables up when it
 * starts, and ends without them.
 */
function withTheirTables(components: LinkedComponent[]): LinkedComponent[] {
  const tables = new Set(
    components.filter(({ kind, rendered }) => kind.kind === 'KasprTable' && rendered.valid).map(({ name }) => name),
  )
  return components.map((component) => {
    const { name, rendered } = component
    if (!rendered.valid) return component
    const problems = rendered.links.tables
      .filter((table) => !tables.has(table.name))
      .map((table) => ({
        field: `spec.${table.field}`,
        value: shown(table.name),
        accepted: 'the name of a valid KasprTable of the same app',
      }))
    return problems.length === 0 ? component : { ...component, rendered: { valid: false, name, problems } }
  })
}

function heldHash(component: KubeObject): string | undefined {
  const status = component['status']
  const hash = isMap(status) ? status['hash'] : undefined
  return typeof hash === 'string' ? hash : undefined
}

function reportOf(observation: KubeObject | undefined, uid: string | undefined): AppReport | undefined {
  const status = observation?.['status']
  const report = isMap(status) ? status['kasprApp'] : undefined
  return isMap(report) && report['appUid'] === uid && Array.isArray(report['members'])
    ? (report as unknown as AppReport)
    : undefined
}
