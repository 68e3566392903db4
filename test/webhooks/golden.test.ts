/**
 * Every case of test/golden/kaspr: what kaspr-operator 0.18.51 creates for a set of custom resources. Our children must be
 * the same objects, but for the named rules below.
 */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { isMap } from '../../webhooks/contract/objects.ts'
import { canonicalQuantity, quantityValue } from '../../webhooks/contract/quantity.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { acceptedComponents, componentRules, refusedComponents, withoutFields } from './golden-components.ts'
import { type GoldenCase, type Rule, mapDeep, withoutEmpty } from './golden-objects.ts'
import { context, hooksOf, request, synced } from './requests.ts'

// tap's default of 30 s is for the whole file: too little on a busy machine.
t.setTimeout(180_000)

/** Cases whose objects we refuse although the original rendered them: name -> reason. */
const refusedByUs: Record<string, string> = {
  'app-name-short-with-dots': 'a dot in the name makes an invalid Service name: the API server refuses the children',
  'app-long-name': 'the pods of a longer name cannot be created: controller-revision-hash exceeds 63 characters',
  'auth-unknown-type': 'an unknown authentication type silently connected without authentication',
  'edge-replicas-negative': 'negative replicas were refused by the CRD already',
  'edge-replicas-float': 'fractional replicas were refused by the CRD already',
  'exhaustive-template': 'words that the pod API does not know: the API server refuses the StatefulSet',
}

/** What an app asks for that is refused wherever it occurs: reason -> whether a spec does. */
const refusedWherever: Record<string, (spec: TemplatedSpec) => boolean> = {
  'a size limit that is no quantity: the API server refuses the StatefulSet': ({ template }) =>
    (template?.pod?.volumes ?? []).some(({ emptyDir }) => isMap(emptyDir?.sizeLimit)),
  'variables of the service itself do not leave it: they come from the init container template': (spec) => {
    const given = (spec.template?.pythonPackagesInitContainer?.env ?? []).map(({ name }) => name)
    const named = (spec.pythonPackages?.packages ?? []).flatMap((text) => [...text.matchAll(/\$\{?(\w+)/g)])
    return named.some(([, name = '']) => !given.includes(name))
  },
  'a request above its limit: the API server refuses the StatefulSet': ({ resources, pythonPackages }) =>
    [resources, pythonPackages?.resources].some((part) =>
      Object.entries(part?.requests ?? {}).some(([name, amount]) => {
        const limit = quantityValue(part?.limits?.[name])
        return limit !== undefined && (quantityValue(amount) ?? 0n) > limit
      }),
    ),
}

/** Why an app that the original rendered is refused; `undefined` when it is not. */
function refusal({ name, input, refused }: GoldenCase): string | undefined {
  if (name in refusedByUs) return refusedByUs[name]
  if (refused || input.app === null) return undefined
  const spec = input.app['spec'] as TemplatedSpec
  return Object.entries(refusedWherever).find(([, isRefused]) => isRefused(spec))?.[0]
}

/** Cases that the original refused and that we render: name -> reason. */
const acceptedByUs: Record<string, string> = {
  ...acceptedComponents,
  'invalid-app-no-replicas': 'replicas is 1 unless it says otherwise, as documented',
  'invalid-app-no-storage': 'storage is ephemeral unless it says otherwise',
  'invalid-app-storage-no-class': 'the cluster has a default class',
  'invalid-app-storage-only-type': 'ephemeral storage needs neither class nor size',
  'invalid-template-null': 'the API server drops a null',
  'invalid-template-pod-null': 'the API server drops a null',
  'invalid-template-volume-csi': 'volumes are passed on as they are',
  'invalid-template-volume-emptydir-empty': 'volumes are passed on as they are',
  'invalid-template-volume-pvc': 'volumes are passed on as they are',
}

/** Differences that are meant. Each is applied to both sides, or to the original's side where it says what we do instead. */
const onBothSides: Record<string, Rule> = {
  'owner references are added by Metacontroller': (object) => {
    const { ownerReferences: _, ...metadata } = object.metadata
    return { ...object, metadata }
  },
  'hashes are ours: their presence counts': (object) =>
    mapDeep(object, (value) =>
      isMap(value) &&
      typeof value['name'] === 'string' &&
      /^(CONFIG|AGENTS|WEBVIEWS|TABLES|TASKS)_HASH$/.test(value['name'])
        ? { ...value, value: 'hash' }
        : value,
    ),
}

/** A container of a pod template, as far as rules look at it. */
interface Container {
  name: string
  args?: string[]
  env?: { name: string; value?: string }[]
}

/** Applies a change to every container of a name. */
function inContainers(name: string, change: (container: Container) => object): Rule {
  return (object) =>
    mapDeep(object, (value) =>
      isMap(value) && value['name'] === name && 'image' in value ? change(value as unknown as Container) : value,
    )
}

function withoutContainerFields(...fields: string[]): (container: Container) => object {
  return (container) => Object.fromEntries(Object.entries(container).filter(([field]) => !fields.includes(field)))
}

const ofVolatileCases: Record<string, Rule> = {
  'unknown config keys are sorted: their random order rolled pods by chance': (object) =>
    mapDeep(object, (value) =>
      isMap(value) && Array.isArray(value['env'])
        ? { ...value, env: (value['env'] as { name: string }[]).toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
        : value,
    ),
}

const onTheOriginalsSide: Record<string, Rule> = {
  'names of variables are unique: a template entry replaces ours in its place': (object) =>
    mapDeep(object, (value) =>
      isMap(value) && Array.isArray(value['env'])
        ? {
            ...value,
            env: [...new Map((value['env'] as { name: string }[]).map((entry) => [entry.name, entry])).values()],
          }
        : value,
    ),
  'retries are further attempts: 0 did not even try once': inContainers('install-packages', (container) => {
    const {
      retries,
      sha256: _,
      ...told
    } = JSON.parse((container.args?.[0] ?? '').replace('@install-script ', '')) as Record<string, unknown>
    return { ...container, command: undefined, args: undefined, told: { ...told, attempts: Number(retries) + 1 } }
  }),
  'locks and markers are the business of the script': (object) =>
    mapDeep(object, (value) => {
      if (!isMap(value) || !('installPath' in value)) return value
      const { lockFile: _, markerFile: _1, staleLockSeconds: _2, packagesHash: _3, ...told } = value
      return told
    }),
  'each set of packages has its directory, and no literal ${PYTHONPATH} follows it': inContainers(
    'kaspr',
    (container) => ({
      ...container,
      env: container.env?.map((variable) =>
        variable.name === 'PYTHONPATH' ? { ...variable, value: '/opt/kaspr/packages/<set>' } : variable,
      ),
    }),
  ),
  'what the API server would not store is left out: empty texts, and false where it is the default': (object) =>
    mapDeep(object, (value) => {
      if (!isMap(value) || !['mountPath', 'name', 'medium', 'operator', 'effect'].some((key) => key in value))
        return value
      return Object.fromEntries(
        Object.entries(value).filter(
          ([key, item]) =>
            !(key === 'readOnly' && item === false) && !(item === '' && ['value', 'medium'].includes(key)),
        ),
      )
    }),
  'quantities are canonical: the API server gives them back so': (object) =>
    mapDeep(object, (value) =>
      isMap(value) && (isMap(value['limits']) || isMap(value['requests']))
        ? Object.fromEntries(
            Object.entries(value).map(([key, item]) => [
              key,
              isMap(item)
                ? Object.fromEntries(
                    Object.entries(item).map(([name, size]) => [name, canonicalQuantity(size) ?? size]),
                  )
                : item,
            ]),
          )
        : value,
    ),
  'no resource hash on objects: Metacontroller compares the objects themselves': (object) =>
    mapDeep(object, (value) => {
      if (!isMap(value) || !('kaspr.io/resource-hash' in value)) return value
      const { 'kaspr.io/resource-hash': _, ...kept } = value
      return kept
    }),
  ...componentRules.onTheOriginalsSide,
}

const onOurSide: Record<string, Rule> = {
  'probes are rendered': inContainers('kaspr', withoutContainerFields('livenessProbe', 'readinessProbe')),
  'security contexts of containers are rendered, as restricted namespaces want them': (object, golden) =>
    inContainers('install-packages', withoutContainerFields('securityContext'))(
      inContainers('kaspr', withoutContainerFields('securityContext'))(object, golden),
      golden,
    ),
  'the install script is ours: what it is told counts': inContainers('install-packages', (container) => ({
    ...container,
    command: undefined,
    args: undefined,
    told: toldToScript(container.args ?? []),
  })),
  'each set of packages has its directory, named after hash and image': inContainers('kaspr', (container) => ({
    ...container,
    env: container.env?.map((variable) =>
      variable.name === 'PYTHONPATH'
        ? { ...variable, value: variable.value?.replace(/\/[0-9a-f]{16}-[0-9a-f]{8}$/, '/<set>') }
        : variable,
    ),
  })),
  'pods carry the hash of their subscriptions': (object) =>
    mapDeep(object, (value) => {
      if (!isMap(value) || !('metacontroller.kaspr.io/subscriptions' in value)) return value
      const { 'metacontroller.kaspr.io/subscriptions': _, ...kept } = value
      return kept
    }),
  ...componentRules.onOurSide,
}

for (const file of readdirSync(packagePath('test', 'golden', 'kaspr')).sort()) {
  const golden = withMountedVolumes(
    JSON.parse(readFileSync(packagePath('test', 'golden', 'kaspr', file), 'utf8')) as GoldenCase,
  )
  void t.test(`${golden.name}: ${golden.description}`, async (t) => {
    const refused = refusedComponents[golden.name]
    if (refused !== undefined) t.match(render(golden).invalid, /is not accepted/, refused.reason)
    const { children, invalid } = render(withoutFields(golden, refused?.without))
    const reason = refusal(golden)
    if (reason !== undefined) {
      t.match(invalid, /is not accepted/, reason)
      return
    }
    t.equal(invalid !== '', golden.refused && !(golden.name in acceptedByUs), invalid)
    const aboutTheApp = golden.refused && golden.children.length === 0
    if (aboutTheApp && golden.name in acceptedByUs) {
      t.ok(
        children.some(({ kind }) => kind === 'StatefulSet'),
        acceptedByUs[golden.name] ?? '',
      )
      return
    }
    if (aboutTheApp) {
      t.notOk(
        children.some(({ kind }) => kind === 'StatefulSet'),
        'nothing is created',
      )
      return
    }
    const both = golden.volatile === undefined ? onBothSides : { ...onBothSides, ...ofVolatileCases }
    const original = withoutKept(ephemeral(golden))
    const expected = byIdentity(golden, original, { ...onTheOriginalsSide, ...both })
    const ours = children.filter(({ kind }) => kind !== 'Observation')
    const found = byIdentity(golden, ours, { ...onOurSide, ...both })
    // What the original refused has no object there; everything else is still the same.
    const names = golden.name in acceptedByUs ? Object.keys(expected) : Object.keys(found)
    t.same(Object.fromEntries(names.map((name) => [name, found[name]])), expected)
  })
}

/**
 * Some cases mount volumes that they do not have, which the API server refuses in a pod. The volumes are added to the
 * input and to what the original made of it.
 */
function withMountedVolumes(golden: GoldenCase): GoldenCase {
  const spec = golden.input.app?.['spec'] as TemplatedSpec | undefined
  const { pod, kasprContainer, pythonPackagesInitContainer } = spec?.template ?? {}
  if (refusal(golden) !== undefined || golden.refused || golden.input.app === null) return golden
  const known = (pod?.volumes ?? []).map(({ name }) => name)
  const mounts = [kasprContainer, pythonPackagesInitContainer].flatMap((container) => container?.volumeMounts ?? [])
  const missing = [...new Set(mounts.map(({ name }) => name))]
    .filter((name) => !known.includes(name))
    .map((name) => ({ name, emptyDir: { medium: 'Memory' } }))
  if (missing.length === 0) return golden
  const app = structuredClone(golden.input.app)
  const template = (app['spec'] as TemplatedSpec).template ?? {}
  template.pod = { ...template.pod, volumes: [...(template.pod?.volumes ?? []), ...missing] }
  const children = structuredClone(golden.children)
  for (const object of children.filter(({ kind }) => kind === 'StatefulSet')) {
    const { volumes } = (object['spec'] as StatefulSetSpec).template.spec
    const end = volumes.findIndex((volume) => isMap(volume) && String(volume['name']).endsWith('-app-packages'))
    volumes.splice(end < 0 ? volumes.length : end, 0, ...missing)
  }
  return { ...golden, input: { ...golden.input, app }, children }
}

interface TemplatedSpec {
  template?: {
    pod?: { volumes?: { name: string; emptyDir?: { sizeLimit?: unknown; medium?: string } }[] }
    kasprContainer?: { volumeMounts?: { name: string }[] }
    pythonPackagesInitContainer?: { env?: { name: string }[]; volumeMounts?: { name: string }[] }
  }
  resources?: Resources
  pythonPackages?: { packages?: string[]; resources?: Resources }
}

interface Resources {
  limits?: Record<string, unknown>
  requests?: Record<string, unknown>
}

/**
 * Ephemeral storage is ephemeral: the original makes a claim all the same.
 */
function ephemeral({ children, input }: GoldenCase): KubeObject[] {
  const spec = input.app?.['spec'] as { storage?: { type: string; size: string } } | undefined
  if (spec?.storage?.type !== 'ephemeral') return children
  const { size } = spec.storage
  return children.map((object) => {
    if (object.kind !== 'StatefulSet') return object
    const { volumeClaimTemplates, template, ...rest } = object['spec'] as StatefulSetSpec
    const volumes = volumeClaimTemplates.map(({ metadata }) => ({
      name: metadata.name,
      emptyDir: { sizeLimit: canonicalQuantity(size) },
    }))
    const spec = { ...template.spec, volumes: [...volumes, ...template.spec.volumes] }
    return { ...object, spec: { ...rest, template: { ...template, spec } } }
  })
}

interface StatefulSetSpec {
  volumeClaimTemplates: { metadata: { name: string } }[]
  template: { spec: { volumes: unknown[] } }
}

/** A claim that outlives its app is no child: the Observation asks the poller for it. */
function withoutKept(children: KubeObject[]): KubeObject[] {
  return children.filter(
    ({ kind, metadata }) => kind !== 'PersistentVolumeClaim' || Array.isArray(metadata['ownerReferences']),
  )
}

/** What install.sh is told, in the words of the original's record. */
function toldToScript(args: string[]): Record<string, unknown> {
  const separator = args.indexOf('--')
  const options = new Map(
    Array.from({ length: (separator - 3) / 2 }, (_, index) => [args[3 + 2 * index], args[4 + 2 * index]]),
  )
  const keyFile = options.get('--gcs-key-file')
  return {
    installPath: options.get('--directory'),
    mode: keyFile !== undefined ? 'gcs' : options.get('--shared') === 'true' ? 'pvc' : 'ephemeral',
    onFailure: options.get('--on-failure'),
    packages: args.slice(separator + 1),
    attempts: Number(options.get('--attempts')),
    timeoutSeconds: Number(options.get('--timeout')),
    ...(keyFile === undefined
      ? {}
      : { maxArchiveBytes: Number(options.get('--max-archive-bytes')), serviceAccountKeyPath: keyFile }),
  }
}

/** Settled children of app and components, and what is reported as invalid. */
function render({ input, settings }: GoldenCase): { children: KubeObject[]; invalid: string } {
  const children: KubeObject[] = []
  const invalid: string[] = []
  const collect = (answer: { children: KubeObject[]; status: Record<string, unknown> }): void => {
    children.push(...answer.children)
    const conditions = answer.status['conditions'] as { reason: string; message: string }[]
    invalid.push(...conditions.filter(({ reason }) => reason === 'InvalidSpec').map(({ message }) => message))
  }
  for (const component of input.components) {
    const hooks = hooksOf(`${component.kind.toLowerCase()}s`)
    collect(hooks.sync(request(hooks, component), context(settings)))
  }
  if (input.app !== null) {
    const hooks = hooksOf('kasprapps')
    collect(
      hooks.sync(
        request(
          hooks,
          input.app,
          [],
          input.components.map((component) => synced(component)),
        ),
        context(settings),
      ),
    )
  }
  return { children, invalid: invalid.join('\n') }
}

function byIdentity(golden: GoldenCase, objects: KubeObject[], rules: Record<string, Rule>): Record<string, unknown> {
  const entries = objects.map((object) => [
    `${object.kind} ${object.metadata.name}`,
    withoutEmpty(Object.values(rules).reduce((result, rule) => rule(result, golden), withParsedFiles(object))),
  ])
  return Object.fromEntries(entries.sort()) as Record<string, unknown>
}

/** Layout and quoting of component files belong to the YAML writer: they are compared by value. */
function withParsedFiles(object: KubeObject): KubeObject {
  if (object.kind !== 'ConfigMap' || !isMap(object['data'])) return object
  const data = Object.entries(object['data']).map(([key, text]): [string, unknown] => [
    key,
    key.endsWith('.yaml') ? parse(String(text), { version: '1.1' }) : text,
  ])
  return { ...object, data: Object.fromEntries(data) }
}
