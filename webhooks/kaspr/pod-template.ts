import { hashOf } from '../contract/hash.ts'
import type { RuntimeConfig } from './config.ts'
import type { AppSpec } from './app-spec.ts'
import type { LinkedComponent } from './app-view.ts'
import type { ComponentKind } from './components/kinds.ts'
import { componentKinds } from './components/kinds.ts'
import type { RenderedComponent } from './components/render.ts'
import type { KafkaConnection } from './kafka.ts'
import { appLabels, appNames } from './names.ts'
import { subscriptionHash } from './subscriptions.ts'

/** A component that the pods mount. */
export interface MountedComponent extends LinkedComponent {
  rendered: RenderedComponent & { valid: true }
}

/** Everything that a pod template is rendered from. */
export interface PodTemplateInput {
  name: string
  namespace: string
  spec: AppSpec
  image: string
  config: RuntimeConfig
  kafka: KafkaConnection
  components: readonly MountedComponent[]
  /** Topics that the components subscribe to. */
  topics: readonly string[]
  /** Whether tables are on a claim; if not, they are in the pod. */
  claimed: boolean
  /** Whether a restarted pod keeps its seat in the consumer group. */
  staticMembership: boolean
}

const podName = { fieldPath: 'metadata.name' }

interface EnvVar {
  name: string
  value?: string
  valueFrom?: unknown
}

/** The pod template of an app's StatefulSet: what makes a pod stale is exactly what this returns. */
export function podTemplate(input: PodTemplateInput): Record<string, unknown> {
  const names = appNames(input.name)
  return {
    metadata: {
      labels: appLabels(input.name),
      annotations: { 'metacontroller.kaspr.io/subscriptions': subscriptionHash(input.topics) },
    },
    spec: {
      serviceAccountName: names.serviceAccount,
      containers: [container(input)],
      volumes: [...tableVolume(input), ...input.components.map(({ rendered }) => definitionVolume(rendered))],
    },
  }
}

function container(input: PodTemplateInput): Record<string, unknown> {
  const { spec, config, components } = input
  return {
    name: 'kaspr',
    image: input.image,
    imagePullPolicy: 'IfNotPresent',
    ports: [{ containerPort: config.webPort, name: 'http' }],
    env: environment(input),
    ...(spec.resources === undefined ? {} : { resources: spec.resources }),
    volumeMounts: [
      { name: appNames(input.name).tables, mountPath: config.tableDir },
      ...components.map(({ rendered }) => ({
        name: rendered.configMap,
        mountPath: `${config.definitionsDir}/${rendered.file}`,
        // A subPath is never refreshed in a running pod: the hash variables make new files effective by a roll.
        subPath: rendered.file,
        readOnly: true,
      })),
    ],
  }
}

function environment({ name, namespace, config, kafka, components, staticMembership }: PodTemplateInput): EnvVar[] {
  const names = appNames(name)
  return [
    // One by one, not `envFrom`: a key that goes then also leaves the pod.
    ...config.variables.map(([key]) => ({ name: key, valueFrom: { configMapKeyRef: { name: names.config, key } } })),
    ...(kafka.password === undefined
      ? []
      : [{ name: 'K_KAFKA_AUTH_PASSWORD', valueFrom: { secretKeyRef: kafka.password } }]),
    ...(staticMembership
      ? [{ name: 'K_CONSUMER_GROUP_INSTANCE_ID', valueFrom: { fieldRef: { apiVersion: 'v1', ...podName } } }]
      : []),
    { name: 'POD_NAME', valueFrom: { fieldRef: podName } },
    { name: 'K_WEB_HOST', value: `$(POD_NAME).${names.headlessService}.${namespace}.svc.cluster.local` },
    { name: 'CONFIG_HASH', value: hashOf(Object.fromEntries(config.variables)) },
    ...componentKinds.flatMap((kind) => componentsHash(kind, components)),
  ]
}

/** Hash over the files of one kind; absent without any. */
function componentsHash(kind: ComponentKind, components: readonly MountedComponent[]): EnvVar[] {
  const hashes = components
    .filter((component) => component.kind === kind)
    .map(({ rendered }) => [rendered.file, rendered.hash])
  return hashes.length === 0 ? [] : [{ name: kind.hashVariable, value: hashOf(hashes) }]
}

function definitionVolume({ configMap, file }: RenderedComponent & { valid: true }): Record<string, unknown> {
  return { name: configMap, configMap: { name: configMap, items: [{ key: file, path: file }] } }
}

/** The volume of a claim template is implied by the StatefulSet. */
function tableVolume({ name, spec, claimed }: PodTemplateInput): Record<string, unknown>[] {
  if (claimed) return []
  const { size } = spec.storage
  return [{ name: appNames(name).tables, emptyDir: size === undefined ? {} : { sizeLimit: size } }]
}
