/** KasprApps of the CRD schema: mostly ones that can be rendered. */
import fc from 'fast-check'
import { kasprAppSpecSchema } from '../../crds/types/kasprapp.ts'
import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { versions } from '../../webhooks/kaspr/versions.ts'
import { labelKey, labelValue, mostly, name, of, quantity } from './arbitrary-values.ts'
import { expression, matchField, mount, profile, resourceClaim, toleration, variable, volume } from './pod-arbitrary.ts'
import { schemaArbitrary } from './schema-arbitrary.ts'
import type { Schema } from './schema-arbitrary.ts'

const domain = mostly(['a', 'example.com'], ['A_', 'a..b', '-'])

const uid = mostly([0, 1000, 2 ** 31 - 1], [-1, 2 ** 31])

/** Places of the spec of a KasprApp whose accepted values its schema does not say. */
const places: [place: RegExp, values: fc.Arbitrary<unknown>][] = [
  [/^version$/, mostly(versions.slice(0, 12), ['9.9.9', ''])],
  [/^image$/, of('registry.example.com/kaspr:1.2.3', 'kaspr', 'kaspr@sha256:' + 'a'.repeat(64), '')],
  [/^replicas$/, of(0, 1, 3, 50)],
  [/^bootstrapServers$/, of('kafka:9092', 'a:1,b:2')],
  [/^authentication$/, authentication()],
  [/^config$/, config()],
  [/^tls$/, of({}, { a: 1 })],
  [/^storage$/, storage()],
  [/(storageClass|storageClassName)$/, mostly(['fast', 'a.b'], ['', 'A b'])],
  [/^resources$/, resources({ claims: deviceClaims() })],
  [/^pythonPackages\.resources$/, resources({})],
  [/^pythonPackages\.packages\.\[\]$/, packageEntry()],
  [
    /^pythonPackages\.(indexUrl|extraIndexUrls\.\[\])$/,
    mostly(['https://pypi.example.com/simple', 'http://a'], ['ftp://a']),
  ],
  [/^pythonPackages\.trustedHosts\.\[\]$/, mostly(['a', 'a:80', '[::1]:80'], ['a b'])],
  [/^pythonPackages\.cache$/, cache()],
  [/(secretRef|KeyRef)\.name$|(secretName|claimName)$|imagePullSecrets\.\[\]\.name$/, name],
  [/(nodePublishSecretRef|configMap|secret|configMapKeyRef|secretKeyRef)\.name$/, name],
  [/(labels|nodeSelector|matchLabels)\.\*\.key$/, labelKey],
  [/annotations\.\*\.key$/, labelKey],
  [/volumeAttributes\.\*\.key$/, of('a', 'b.c')],
  [/(labels|nodeSelector|matchLabels)\.\*$/, labelValue],
  [/(appArmorProfile|seccompProfile)$/, profile()],
  [/(runAsUser|runAsGroup|fsGroup|supplementalGroups\.\[\])$/, uid],
  [/seLinuxOptions\./, of('s0', 'a')],
  // MountOption is accepted too, where a feature gate of the cluster says so.
  [/seLinuxChangePolicy$/, mostly(['Recursive'], ['Never'])],
  [/supplementalGroupsPolicy$/, mostly(['Merge', 'Strict'], ['Never'])],
  [
    /sysctls\.\[\]$/,
    fc.record({ name: mostly(['net.core.somaxconn', 'kernel.msgmax'], ['A b', '..']), value: of('1', '') }),
  ],
  [
    /windowsOptions$/,
    of(
      {},
      { hostProcess: false },
      ...['a', 'b'].flatMap((text) => [
        { runAsUserName: text },
        { gmsaCredentialSpecName: text },
        { gmsaCredentialSpecName: 'a', gmsaCredentialSpec: text },
      ]),
    ),
  ],
  [/procMount$/, mostly(['Default'], ['Never'])],
  [/capabilities\.(add|drop)\.\[\]$/, of('ALL', 'NET_ADMIN')],
  [/terminationGracePeriodSeconds$/, of(0, 1, 30, 3600)],
  [/nodeSelectorTerms\.\[\]\.matchFields\.\[\]$/, matchField()],
  [/preference\.matchFields\.\[\]$/, matchField()],
  [/node.*matchExpressions\.\[\]$/, expression(['Gt', 'Lt', 'Near'])],
  [/matchExpressions\.\[\]$/, expression(['Gt', 'Near'])],
  [/weight$/, mostly([1, 50, 100], [0, 101, -1])],
  [/topologyKey$/, mostly(['kubernetes.io/hostname', 'zone'], ['', 'a b'])],
  [
    /(matchLabelKeys|mismatchLabelKeys)$/,
    mostly<unknown>([['pod-template-hash'], ['controller-revision-hash']], [['a b']]),
  ],
  [/namespaces\.\[\]$/, mostly(['default', 'a'], ['A', ''])],
  [/tolerations\.\[\]$/, toleration()],
  [/topologySpreadConstraints\.\[\]\.maxSkew$/, mostly([1, 5], [0, -1])],
  [/topologySpreadConstraints\.\[\]\.minDomains$/, mostly([1, 5], [0, -1])],
  [/(nodeAffinityPolicy|nodeTaintsPolicy)$/, mostly(['Honor', 'Ignore'], ['Never'])],
  [/whenUnsatisfiable$/, mostly(['DoNotSchedule', 'ScheduleAnyway'], ['Never'])],
  [/(priorityClassName|schedulerName)$/, mostly(['high', 'a.b'], ['A b', ''])],
  [/hostAliases\.\[\]\.ip$/, mostly(['127.0.0.1', '::1', '10.0.0.9'], ['', 'a', '300.1.1.1'])],
  [/hostnames\.\[\]$/, domain],
  [/resourceClaims\.\[\]$/, resourceClaim()],
  [/volumes\.\[\]$/, volume()],
  [/env\.\[\]$/, variable()],
  [/mountPath$/, mostly(['/a', '/etc/x', '/data/y', 'rel/a'], ['/a:b', '/var/lib/data/tables'])],
  [/volumeMounts\.\[\]$/, mount()],
  [/(Key|\.key)$/, mostly(['a', 'tls.key'], ['..', 'a b'])],
]

function authentication(): fc.Arbitrary<object> {
  const passwordSecret = fc.record({ secretName: name, passwordKey: of('password', 'tls.key') })
  const login = fc.record({
    type: of('plain', 'scram-sha-256', 'scram-sha-512'),
    username: of('u', 'é'),
    passwordSecret,
  })
  return fc.oneof(
    { weight: 30, arbitrary: fc.constant({ type: 'plain' }) },
    { weight: 30, arbitrary: login },
    { weight: 1, arbitrary: of<object>({ type: 'scram-sha-256' }, { type: 'plain', username: 'u' }, { type: 'tls' }) },
  )
}

function config(): fc.Arbitrary<object> {
  const flag = mostly<unknown>([true, false, 'on', 'No', 1, '0'], ['maybe', 2, {}])
  const whole = mostly<unknown>([0, 12, '7', 1.5, 1e21], ['many', true, []])
  const float = mostly<unknown>([0.5, '1e-5', 3, '.5'], ['soon', false])
  const particular: Record<string, fc.Arbitrary<unknown>> = {
    webPort: mostly<unknown>([6065, 80, '8080', ' +80 '], [0, 70_000, 'http', true]),
    topicPartitions: mostly<unknown>([1, 12, '12'], ['many']),
    tableDir: mostly(['/var/lib/data/t', '/t'], ['', '/opt/kaspr/packages']),
  }
  const { config: schema } = (kasprAppSpecSchema as { properties: Record<string, Schema> }).properties
  const typed = Object.entries(schema?.properties ?? {}).map(([key, { type }]): [string, fc.Arbitrary<unknown>] => {
    if (type === 'string') return [key, particular[key] ?? of('json', 'raw', '/a')]
    if (/Enabled$|AllowDeclare$|FilterBlocks$/.test(key)) return [key, flag]
    return [key, particular[key] ?? (/Interval|Seconds/.test(key) ? float : whole)]
  })
  const known = fc
    .tuple(
      fc.record(Object.fromEntries(typed)),
      fc.subarray(
        typed.map(([key]) => key),
        { maxLength: 4 },
      ),
    )
    .map(([values, keys]) => Object.entries(values).filter(([key]) => keys.includes(key)))
  const key = mostly(
    ['my_key', 'A', 'dotted.key', 'with-dash', 'data_dir', '__proto__', 'constructor'],
    ['a b', '', 'é', 'k'.repeat(260)],
  )
  const free = fc.array(fc.tuple(key, fc.jsonValue({ maxDepth: 1 })), { maxLength: 3 })
  return fc.tuple(known, free).map(([settings, more]) => Object.fromEntries([...settings, ...more]))
}

function storage(): fc.Arbitrary<object> {
  const size = mostly<string>(['1Gi', '1024Mi', '10G'], ['0', 'big', '500m'])
  const shared = { class: mostly(['fast', 'a.b'], ['', 'A b']), deleteClaim: fc.boolean() }
  return fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({ type: fc.constant('ephemeral'), size, ...shared }, { requiredKeys: ['type'] }),
    },
    {
      weight: 20,
      arbitrary: fc.record(
        { type: fc.constant('persistent-claim'), size, ...shared },
        { requiredKeys: ['type', 'size'] },
      ),
    },
    { weight: 1, arbitrary: fc.constant({ type: 'persistent-claim' }) },
  )
}

function resources(more: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> {
  const key = mostly(['cpu', 'memory', 'ephemeral-storage'], ['gpu', 'example.com/gpu', 'hugepages-2Mi', 'a b'])
  const amounts = fc.dictionary(key, quantity, { maxKeys: 2 })
  const parts: Record<string, fc.Arbitrary<unknown>> = { limits: amounts, requests: amounts, ...more }
  return fc.record(parts, { requiredKeys: Object.keys(more) })
}

/** Rarely any: what they name is in another part of the spec, and mostly not there. */
function deviceClaims(): fc.Arbitrary<object[]> {
  const claim = fc.record({ name: of('gpu', 'nic'), request: of('a', 'b') }, { requiredKeys: ['name'] })
  return fc.oneof(
    { weight: 15, arbitrary: fc.constant<object[]>([]) },
    { weight: 1, arbitrary: claim.map((only) => [only]) },
  )
}

function packageEntry(): fc.Arbitrary<string> {
  return mostly(
    [
      'pandas',
      'pandas[sql]>=2,<3',
      'git+https://host/org/repo.git@v1',
      'https://a/b.whl',
      'a;python_version>"3"'.replaceAll('"', "'"),
    ],
    ['a b', '-e', 'git+https://${TOKEN}@host/x', '$(id)', 'a;$(reboot)'],
  )
}

function cache(): fc.Arbitrary<object> {
  const shared = { enabled: fc.boolean(), size: mostly(['1Gi', '256Mi'], ['big', '0']), deleteClaim: fc.boolean() }
  const gcs = fc.record({
    bucket: of('b', 'my-bucket'),
    prefix: of('', 'p', 'p/'),
    maxArchiveSize: mostly(['1Gi', '500m', '1.5g'], ['huge']),
    secretRef: fc.record({ name, key: of('sa.json', 'k') }, { requiredKeys: ['name'] }),
  })
  return fc.oneof(
    {
      weight: 15,
      arbitrary: fc.record(
        { type: fc.constant('pvc'), storageClass: of('fast', 'slow'), accessMode: of('ReadWriteMany'), ...shared },
        { requiredKeys: [] },
      ),
    },
    {
      weight: 15,
      arbitrary: fc.record({ type: fc.constant('gcs'), gcs, ...shared }, { requiredKeys: ['type', 'gcs'] }),
    },
    { weight: 1, arbitrary: fc.constant({ type: 'gcs' }) },
  )
}

function at(place: readonly string[]): fc.Arbitrary<unknown> | undefined {
  const text = place.join('.')
  return places.find(([pattern]) => pattern.test(text))?.[1]
}

/** Specs of KasprApps that the schema of the CRD accepts, most of which can be rendered. */
export const appSpecs: fc.Arbitrary<Record<string, unknown>> = schemaArbitrary(kasprAppSpecSchema, {
  at,
  // The parts of a template are many, so that each is there rarely.
  present: (place) => (/^template(\.pod)?$/.test(place.join('.')) ? 0.7 : place[0] === 'template' ? 0.2 : 0.4),
}).map(withUniqueNames)

/** What a field needs beside it, so that it counts. */
const companions: [field: RegExp, needs: (place: string) => string][] = [
  [/^template\.pythonPackagesInitContainer/, () => 'pythonPackages'],
  [/volumeMounts/, () => 'template.pod.volumes'],
  [/^resources\.claims/, () => 'template.pod.resourceClaims'],
  [/(matchLabelKeys|mismatchLabelKeys)/, (place) => place.replace(/(mis)?matchLabelKeys.*/i, 'labelSelector')],
]

/** Specs of KasprApps that have a field, and little else. */
export function appSpecsWith(field: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  const text = field.join('.')
  const wanted = [text, ...companions.filter(([pattern]) => pattern.test(text)).map(([, needs]) => needs(text))]
  return schemaArbitrary(kasprAppSpecSchema, {
    at,
    present: (place) => {
      const own = place.join('.')
      return wanted.some((name) => name === own || name.startsWith(`${own}.`)) ? 1 : 0
    },
  }).map(withUniqueNames)
}

/** Lists that are merged by a key hold each key once; what mounts name is there. */
function withUniqueNames(value: unknown): Record<string, unknown> {
  const spec = value as Record<string, unknown>
  const template = spec['template']
  if (!isMap(template)) return spec
  const pod = isMap(template['pod']) ? template['pod'] : undefined
  const volumes = unique(pod?.['volumes'], 'name')
  const known = volumes.map((item) => item['name'])
  const container = (part: unknown): unknown =>
    isMap(part) && 'volumeMounts' in part
      ? {
          ...part,
          volumeMounts: unique(part['volumeMounts'], 'mountPath').filter(
            (item) => known.includes(item['name']) || item['name'] === 'nothing',
          ),
        }
      : part
  return {
    ...spec,
    template: {
      ...template,
      ...(pod === undefined
        ? {}
        : {
            pod: {
              ...pod,
              ...listOf(pod, 'volumes', 'name'),
              ...listOf(pod, 'hostAliases', 'ip'),
              ...listOf(pod, 'resourceClaims', 'name'),
            },
          }),
      ...('kasprContainer' in template ? { kasprContainer: container(template['kasprContainer']) } : {}),
      ...('pythonPackagesInitContainer' in template
        ? { pythonPackagesInitContainer: container(template['pythonPackagesInitContainer']) }
        : {}),
    },
  }
}

function listOf(part: Record<string, unknown>, list: string, key: string): Record<string, unknown> {
  return list in part ? { [list]: unique(part[list], key) } : {}
}

function unique(list: unknown, key: string): Record<string, unknown>[] {
  const items = Array.isArray(list) ? list.filter(isMap) : []
  return [...new Map(items.map((item) => [item[key], item])).values()]
}

/** A KasprApp of that spec as the API server stores it. */
export function appOf(spec: unknown, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name: 'orders', namespace: 'shop', uid: 'app-uid', generation: 1, ...metadata },
    spec,
  }
}
