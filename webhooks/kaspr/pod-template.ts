import type { KasprAppSpec } from '../../crds/types/kasprapp.ts'
import { hashOf } from '../contract/hash.ts'
import type { RuntimeConfig } from './config.ts'
import type { AppSpec } from './app-spec.ts'
import type { RenderedLink } from './app-rendering.ts'
import type { ComponentKind } from './components/kinds.ts'
import { componentKinds } from './components/kinds.ts'
import type { RenderedComponent } from './components/render.ts'
import { type EnvVar, withOverrides } from './environment.ts'
import type { KafkaConnection } from './kafka.ts'
import { appLabels, appNames } from './names.ts'
import {
  type Installation,
  installArguments,
  installEnvironment,
  keyDirectory,
  packagesDirectory,
} from './packages/install.ts'
import { probes } from './probes.ts'
import { subscriptionHash } from './subscriptions.ts'
import type { OwnNames } from './template-problems.ts'

/** A component that the pods mount. */
export interface MountedComponent extends RenderedLink {
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
  /** Python packages to install; `undefined` without any. */
  installation: Installation | undefined
  /** Whether a restarted pod keeps its seat in the consumer group. */
  staticMembership: boolean
}

const podName = { fieldPath: 'metadata.name' }

/** Volume with the key of the service account of the packages' bucket. */
const keyVolume = 'gcs-sa-key'

/** The pod template of an app's StatefulSet: what makes a pod stale is exactly what this returns. */
export function podTemplate(input: PodTemplateInput): Record<string, unknown> {
  const { spec, installation } = input
  const { metadata, volumes = [], ...podFields } = spec.template?.pod ?? {}
  const definitions = input.components.map(({ rendered }) => definitionVolume(rendered))
  const all = [...tableVolume(input), ...definitions, ...volumes, ...packagesVolumes(input)]
  return {
    metadata: {
      // Services and StatefulSet find the pods by our labels.
      labels: { ...metadata?.labels, ...appLabels(input.name) },
      annotations: {
        ...metadata?.annotations,
        'metacontroller.kaspr.io/subscriptions': subscriptionHash(input.topics),
      },
    },
    spec: {
      ...podFields,
      serviceAccountName: appNames(input.name).serviceAccount,
      ...(installation === undefined ? {} : { initContainers: [installContainer(input, installation)] }),
      containers: [container(input)],
      // The API server drops an empty list, and would be sent it again at every sync.
      ...(all.length === 0 ? {} : { volumes: all }),
    },
  }
}

/**
 * Names and paths that the pods of an app use themselves.
 *
 * @param components components that are mounted
 */
export function ownNames(
  name: string,
  spec: KasprAppSpec,
  { tableDir, definitionsDir }: RuntimeConfig,
  components: readonly RenderedLink[],
): OwnNames {
  const names = appNames(name)
  const mounted = components.map(({ rendered }) => rendered).filter((rendered) => rendered.valid)
  const packages = spec.pythonPackages
  return {
    volumes: [
      names.tables,
      ...mounted.map(({ configMap }) => configMap),
      ...(packages === undefined ? [] : [names.packagesVolume]),
      ...(packages?.cache?.type === 'gcs' ? [keyVolume] : []),
    ],
    memberPaths: [
      tableDir,
      ...mounted.map(({ file }) => `${definitionsDir}/${file}`),
      ...(packages === undefined ? [] : [packagesDirectory]),
    ],
  }
}

function container(input: PodTemplateInput): Record<string, unknown> {
  const { name, spec, config, components, installation } = input
  const { securityContext, volumeMounts = [] } = spec.template?.kasprContainer ?? {}
  return {
    name: 'kaspr',
    image: input.image,
    imagePullPolicy: 'IfNotPresent',
    ports: [{ containerPort: config.webPort, name: 'http' }],
    env: environment(input),
    ...(spec.resources === undefined ? {} : { resources: spec.resources }),
    ...probes(spec),
    ...(securityContext === undefined ? {} : { securityContext }),
    volumeMounts: [
      { name: appNames(name).tables, mountPath: config.tableDir },
      ...components.map(({ rendered }) => ({
        name: rendered.configMap,
        mountPath: `${config.definitionsDir}/${rendered.file}`,
        // A subPath is never refreshed in a running pod: the hash variables make new files effective by a roll.
        subPath: rendered.file,
        readOnly: true,
      })),
      ...volumeMounts,
      ...(installation === undefined
        ? []
        : [{ name: appNames(name).packagesVolume, mountPath: packagesDirectory, readOnly: true }]),
    ],
  }
}

function environment(input: PodTemplateInput): EnvVar[] {
  const { name, namespace, spec, config, kafka, components, staticMembership, installation } = input
  const names = appNames(name)
  const ours = [
    // One by one, not `envFrom`: a key that goes then also leaves the pod.
    ...config.variables.map(([key]) => ({ name: key, valueFrom: { configMapKeyRef: { name: names.config, key } } })),
    ...(kafka.password === undefined
      ? []
      : [{ name: 'K_KAFKA_AUTH_PASSWORD', valueFrom: { secretKeyRef: kafka.password } }]),
    ...(staticMembership
      ? [{ name: 'K_CONSUMER_GROUP_INSTANCE_ID', valueFrom: { fieldRef: { apiVersion: 'v1', ...podName } } }]
      : []),
    ...(installation === undefined ? [] : [{ name: 'PYTHONPATH', value: `${packagesDirectory}/${installation.set}` }]),
    { name: 'POD_NAME', valueFrom: { fieldRef: podName } },
    { name: 'K_WEB_HOST', value: `$(POD_NAME).${names.headlessService}.${namespace}.svc.cluster.local` },
    { name: 'CONFIG_HASH', value: hashOf(Object.fromEntries(config.variables)) },
    ...componentKinds.flatMap((kind) => componentsHash(kind, components)),
    ...(installation === undefined ? [] : [{ name: 'PACKAGES_HASH', value: installation.hash }]),
  ]
  return withOverrides(ours, spec.template?.kasprContainer?.env)
}

function installContainer(
  { name, spec, image }: PodTemplateInput,
  installation: Installation,
): Record<string, unknown> {
  const names = appNames(name)
  const { env, securityContext, volumeMounts = [] } = spec.template?.pythonPackagesInitContainer ?? {}
  const { resources } = installation.packages
  const variables = withOverrides(installEnvironment(installation, names.statefulSet), env)
  return {
    name: 'install-packages',
    image,
    command: ['/bin/bash'],
    args: installArguments(installation),
    ...(variables.length === 0 ? {} : { env: variables }),
    ...(resources === undefined ? {} : { resources }),
    ...(securityContext === undefined ? {} : { securityContext }),
    volumeMounts: [
      { name: names.packagesVolume, mountPath: packagesDirectory },
      ...volumeMounts,
      ...(installation.mode === 'gcs' ? [{ name: keyVolume, mountPath: keyDirectory, readOnly: true }] : []),
    ],
  }
}

/** Hash over the definitions of one kind, but for their descriptions, which no pod needs to start anew for; absent without any. */
function componentsHash(kind: ComponentKind, components: readonly MountedComponent[]): EnvVar[] {
  const hashes = components
    .filter((component) => component.kind === kind)
    .map(({ rendered }) => [rendered.file, rendered.podHash])
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

function packagesVolumes({ name, installation }: PodTemplateInput): Record<string, unknown>[] {
  if (installation === undefined) return []
  const names = appNames(name)
  const { mode, packages } = installation
  const volume =
    mode === 'persistent' ? { persistentVolumeClaim: { claimName: names.packagesClaim } } : { emptyDir: {} }
  const gcs = mode === 'gcs' ? packages.cache?.gcs : undefined
  const { name: secretName = '', key = 'sa.json' } = gcs?.secretRef ?? {}
  return [
    { name: names.packagesVolume, ...volume },
    ...(gcs === undefined ? [] : [{ name: keyVolume, secret: { secretName, items: [{ key, path: key }] } }]),
  ]
}
