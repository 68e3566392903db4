import { memo } from '../contract/memo.ts'
import type { Problem } from '../contract/validate.ts'
import { shown } from '../contract/validate.ts'
import { type AppSpec, readAppSpec } from './app-spec.ts'
import { type ComponentKind, componentKinds } from './components/kinds.ts'
import { type RenderedComponent, renderComponent } from './components/render.ts'
import { type RuntimeConfig, runtimeConfig } from './config.ts'
import { kafkaConnection } from './kafka.ts'
import { appNames } from './names.ts'
import { type Installation, installation } from './packages/install.ts'
import { type MountedComponent, podTemplate } from './pod-template.ts'
import { bytesOf } from './size-limit.ts'
import { subscriptionHash, subscriptions } from './subscriptions.ts'
import { imageOf } from './versions.ts'

/** All that the rendering of an app depends on, as it came in: JSON. */
export interface Declared {
  name: string
  namespace: string
  spec: unknown
  staticMembership: boolean
  components: { kind: ComponentKind['kind']; name: string; spec: unknown }[]
  /** Whether the observed set has claims, which cannot change; `null` without a set. */
  claimed: boolean | null
  /** Setting KASPR_IMAGE_REGISTRY. */
  registry: string
}

/** A component of an app with what it renders to. */
export interface RenderedLink {
  kind: ComponentKind
  name: string
  rendered: RenderedComponent
}

/** What an app is declared to be: its components in the order given, and what its pods are, or what is wrong with its spec. */
export type AppRendering = { components: readonly RenderedLink[] } & (
  { ok: false; problems: Problem[] } | { ok: true; spec: AppSpec; pods: PodRendering }
)

/** What the pods of an app are rendered to. */
export interface PodRendering {
  config: RuntimeConfig
  /** Python packages; `undefined` without any. */
  installation: Installation | undefined
  /** Pod template of the spec and the valid components. */
  template: Record<string, unknown>
  /** Length of the template as JSON. */
  templateBytes: number
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
  const read = readAppSpec({ metadata: { name: declared.name }, spec: declared.spec }, components)
  if (!read.ok) return { ok: false, problems: read.problems, components }
  return {
    ok: true,
    spec: read.value,
    components,
    pods: renderPods(declared, read.value, components.filter(isMounted)),
  }
}

function renderPods(declared: Declared, spec: AppSpec, components: MountedComponent[]): PodRendering {
  const { name, namespace, staticMembership, registry } = declared
  const { statefulSet } = appNames(name)
  const kafka = kafkaConnection(spec)
  const config = runtimeConfig(spec, statefulSet, kafka.variables)
  const schedulerEnabled = config.variables.some(([key, value]) => key === 'K_SCHEDULER_ENABLED' && value === 'True')
  // A spec whose version has no image is not valid.
  const image = imageOf(spec, registry) ?? ''
  const packages = spec.pythonPackages === undefined ? undefined : installation(spec.pythonPackages, image)
  const links = components.map(({ rendered }) => rendered.links)
  const topics = subscriptions(links, statefulSet, schedulerEnabled)
  const claimed = declared.claimed ?? spec.storage.type === 'persistent-claim'
  const pods = { name, namespace, spec, image, config, kafka, components, topics, claimed, staticMembership }
  const template = podTemplate({ ...pods, installation: packages })
  return {
    config,
    installation: packages,
    template,
    templateBytes: bytesOf(template),
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

/** Nobody can change what others will be given. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(Object.freeze(value)).forEach(frozen)
  }
  return value
}
