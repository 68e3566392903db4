import { frozen, withText } from '../contract/json-text.ts'
import { memo } from '../contract/memo.ts'
import type { ObjectMeta } from '../contract/types.ts'
import type { Problem } from '../contract/validate.ts'
import { shown } from '../contract/validate.ts'
import type { HookSettings } from '../settings.ts'
import { type DeclaredObjects, declaredObjects } from './app-objects.ts'
import { type AppSpec, readAppSpec } from './app-spec.ts'
import { type ComponentKind, componentKinds } from './components/kinds.ts'
import { type RenderedComponent, renderComponent } from './components/render.ts'
import { type RuntimeConfig, runtimeConfig } from './config.ts'
import { kafkaConnection } from './kafka.ts'
import { appNames } from './names.ts'
import { type Installation, installation } from './packages/install.ts'
import { type MountedComponent, podTemplate } from './pod-template.ts'
import { subscriptionHash, subscriptions } from './subscriptions.ts'
import { imageOf } from './versions.ts'

/** All that the rendering of an app depends on, as it came in: JSON. */
export interface Declared {
  metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'labels'>
  spec: unknown
  staticMembership: boolean
  components: { kind: ComponentKind['kind']; name: string; spec: unknown }[]
  /** Whether the observed set has claims, which cannot change; `null` without a set. */
  claimed: boolean | null
  settings: RenderSettings
}

/** Settings that what is rendered depends on. */
export type RenderSettings = Pick<
  HookSettings,
  'KASPR_IMAGE_REGISTRY' | 'HPA_SCALE_UP_POLICY_PERIOD_SECONDS' | 'HPA_SCALE_UP_POLICY_PODS_PER_STEP'
>

/** A component of an app with what it renders to. */
export interface RenderedLink {
  kind: ComponentKind
  name: string
  rendered: RenderedComponent
}

/** What an app is declared to be: its components in the order given, and what its pods are, or what is wrong with its spec. */
export type AppRendering = { components: readonly RenderedLink[] } & (
  { ok: false; problems: Problem[] } | { ok: true; spec: AppSpec; pods: PodRendering; objects: DeclaredObjects }
)

/** What the pods of an app are rendered to. */
export interface PodRendering {
  config: RuntimeConfig
  /** Python packages; `undefined` without any. */
  installation: Installation | undefined
  /** Pod template of the spec and the valid components. */
  template: Record<string, unknown>
  /** Hash of the topics that the members should consume. */
  subscriptions: string
}

/**
 * Renderings of late: an app is synced for each step of each of its pods, and declares the same every time. 8 Mi characters
 * are some 200 apps with 20 components each.
 */
const remembered = memo<AppRendering>(8 * 1024 * 1024)

/** Renders an app and its components, from what is declared alone. */
export function renderApp(declared: Declared): AppRendering {
  return remembered(JSON.stringify(declared), () => frozen(render(declared)))
}

function render(declared: Declared): AppRendering {
  const components = withTheirTables(
    declared.components.flatMap(({ kind, name, spec }) =>
      componentKinds
        .filter((candidate) => candidate.kind === kind)
        .map((known) => ({ kind: known, name, rendered: renderComponent(known, { metadata: { name }, spec }) })),
    ),
  )
  const read = readAppSpec(declared, components)
  if (!read.ok) return { ok: false, problems: read.problems, components }
  const pods = renderPods(declared, read.value, components.filter(isMounted))
  const objects = declaredObjects(declared, read.value, pods.config)
  return { ok: true, spec: read.value, components, pods, objects }
}

function renderPods(declared: Declared, spec: AppSpec, components: MountedComponent[]): PodRendering {
  const { metadata, staticMembership, settings } = declared
  const { name, namespace = '' } = metadata
  const { statefulSet } = appNames(name)
  const kafka = kafkaConnection(spec)
  const config = runtimeConfig(spec, statefulSet, kafka.variables)
  const schedulerEnabled = config.variables.some(([key, value]) => key === 'K_SCHEDULER_ENABLED' && value === 'True')
  // A spec whose version has no image is not valid.
  const image = imageOf(spec, settings.KASPR_IMAGE_REGISTRY) ?? ''
  const packages = spec.pythonPackages === undefined ? undefined : installation(spec.pythonPackages, image)
  const links = components.map(({ rendered }) => rendered.links)
  const topics = subscriptions(links, statefulSet, schedulerEnabled)
  const claimed = declared.claimed ?? spec.storage.type === 'persistent-claim'
  const pods = { name, namespace, spec, image, config, kafka, components, topics, claimed, staticMembership }
  const template = podTemplate({ ...pods, installation: packages })
  return {
    config,
    installation: packages,
    template: withText(template),
    subscriptions: subscriptionHash(topics),
  }
}

/**
 * A component that needs a table which the app does not mount counts as invalid: the runtime looks tables up when it
 * starts, and ends without them.
 */
function withTheirTables(components: RenderedLink[]): RenderedLink[] {
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

function isMounted(component: RenderedLink): component is MountedComponent {
  return component.rendered.valid
}
