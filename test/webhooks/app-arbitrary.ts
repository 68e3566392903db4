/** KasprApps and components of the CRD schemas: mostly ones that can be rendered, and ones with one thing wrong. */
import fc from 'fast-check'
import { kasprAppSpecSchema } from '../../crds/types/kasprapp.ts'
import { kasprAgentSpecSchema } from '../../crds/types/kaspragent.ts'
import { kasprJoinSpecSchema } from '../../crds/types/kasprjoin.ts'
import { kasprTableSpecSchema } from '../../crds/types/kasprtable.ts'
import { kasprTaskSpecSchema } from '../../crds/types/kasprtask.ts'
import { kasprWebViewSpecSchema } from '../../crds/types/kasprwebview.ts'
import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { type ComponentKind, componentKinds } from '../../webhooks/kaspr/components/kinds.ts'
import { versions } from '../../webhooks/kaspr/versions.ts'
import { type Schema, schemaArbitrary } from './schema-arbitrary.ts'

/** Schemas of the component kinds. */
export const componentSchemas: Record<ComponentKind['kind'], object> = {
  KasprAgent: kasprAgentSpecSchema,
  KasprWebView: kasprWebViewSpecSchema,
  KasprTable: kasprTableSpecSchema,
  KasprTask: kasprTaskSpecSchema,
  KasprJoin: kasprJoinSpecSchema,
}

const of = fc.constantFrom

/** Values that are right almost always, so that an object of many of them mostly is too. */
function mostly<T>(right: readonly T[], wrong: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 60, arbitrary: of(...right) }, { weight: 1, arbitrary: of(...wrong) })
}

const labelKey = mostly(['team', 'example.com/team', 'A_b.c-9', 'x'.repeat(63)], ['', '-a', 'a/b/c', '/a', 'é'])
const labelValue = mostly(['', 'a', 'shop', 'A_b.c-9', 'x'.repeat(63)], ['-a', 'a b', 'x'.repeat(64)])
const quantity = mostly<unknown>(['1', '500m', '2Gi', '1.5', 2, '1e3', '1024Mi', 0, '0'], ['-1', 'much', ''])
const wholeQuantity = mostly<unknown>(['1', '2Gi', '1024Mi', '1e3', 3], ['-1', 'much'])
const name = mostly(['a', 'keys', 'my-secret', 'x.y'], ['A b', '_', 'ü'])
const volumeName = mostly(['data', 'cache', 'keys', 'v1'], ['A', 'orders-app-pv'])
const domain = mostly(['a', 'example.com'], ['A_', 'a..b', '-'])
const path = mostly(['/a', '/etc/x', 'rel/a'], ['..', '../a', 'a/../b', '/a:b', '/'])
const file = mostly(['a', 'b.txt', 'd/e'], ['..', '/abs', '../x'])
const uid = mostly([0, 1000, 2 ** 31 - 1], [-1, 2 ** 31])
const fieldPath = mostly(
  ['metadata.name', 'metadata.namespace', 'status.podIP', "metadata.labels['a']"],
  ['x', 'spec.x'],
)
const volumePath = mostly(['metadata.name', 'metadata.labels', "metadata.annotations['a']"], ['status.podIP', 'x'])

const expression = (operators: readonly string[]): fc.Arbitrary<object> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ key: labelKey, operator: of('In', 'NotIn'), values: of(['a'], ['a', 'b']) }) },
    { weight: 20, arbitrary: fc.record({ key: labelKey, operator: of('Exists', 'DoesNotExist') }) },
    { weight: 1, arbitrary: fc.record({ key: labelKey, operator: of(...operators), values: of([], ['a'], ['1']) }) },
    { weight: 1, arbitrary: fc.record({ key: labelKey, operator: of('In', 'Exists', 'Near') }) },
  )

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

function profile(): fc.Arbitrary<object> {
  return mostly<object>(
    [
      { type: 'RuntimeDefault' },
      { type: 'Unconfined' },
      { type: 'Localhost', localhostProfile: 'a' },
      { type: 'Localhost', localhostProfile: 'b' },
    ],
    [
      { type: 'Localhost' },
      { type: 'Unconfined', localhostProfile: 'a' },
      { type: 'Other' },
      { type: 'Localhost', localhostProfile: '../a' },
    ],
  )
}

function matchField(): fc.Arbitrary<object> {
  return mostly<object>(
    [
      { key: 'metadata.name', operator: 'In', values: ['a'] },
      { key: 'metadata.name', operator: 'NotIn', values: ['b'] },
    ],
    [
      { key: 'x', operator: 'In', values: ['a'] },
      { key: 'metadata.name', operator: 'In', values: ['a', 'b'] },
      { key: 'metadata.name', operator: 'Exists' },
    ],
  )
}

function toleration(): fc.Arbitrary<object> {
  return mostly<object>(
    [
      { operator: 'Exists' },
      { key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' },
      { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
      { key: 'example.com/a', value: '', effect: '' },
    ],
    [
      {},
      { key: 'a b', operator: 'Exists' },
      { operator: 'Equal', value: 'b' },
      { key: 'a', operator: 'Exists', value: 'b' },
      { key: 'a', operator: 'Near' },
      { key: 'a', value: 'b c' },
      { key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 30 },
      { key: 'a', operator: 'Exists', effect: 'Never' },
    ],
  )
}

function resourceClaim(): fc.Arbitrary<object> {
  return mostly<object>(
    [
      { name: 'gpu', resourceClaimName: 'a' },
      { name: 'gpu', resourceClaimName: 'b' },
      { name: 'nic', resourceClaimTemplateName: 'b' },
      { name: 'nic', resourceClaimTemplateName: 'a' },
    ],
    [
      { name: 'gpu' },
      { name: 'gpu', resourceClaimName: 'a', resourceClaimTemplateName: 'b' },
      { name: 'A b', resourceClaimName: 'a' },
    ],
  )
}

function volume(): fc.Arbitrary<object> {
  const items = fc.array(
    fc.record({ key: of('a', 'b'), path: file, mode: of(0, 256, 511) }, { requiredKeys: ['key', 'path'] }),
    {
      maxLength: 2,
    },
  )
  const defaultMode = of(0, 420)
  const optional = fc.boolean()
  const downward = fc.array(
    fc.record(
      {
        path: file,
        mode: of(256, 511),
        fieldRef: fc.record({ fieldPath: volumePath, apiVersion: of('v1', '') }, { requiredKeys: ['fieldPath'] }),
      },
      { requiredKeys: ['path', 'fieldRef'] },
    ),
    { maxLength: 2 },
  )
  const keys = fc.record({ name, optional, items }, { requiredKeys: ['name'] })
  const source = fc.oneof(
    fc.record({
      secret: fc.record({ secretName: name, defaultMode, optional, items }, { requiredKeys: ['secretName'] }),
    }),
    fc.record({ configMap: fc.record({ name, defaultMode, optional, items }, { requiredKeys: ['name'] }) }),
    fc.record({
      emptyDir: fc.record({ medium: mostly(['', 'Memory'], ['Disk']), sizeLimit: quantity }, { requiredKeys: [] }),
    }),
    fc.record({
      persistentVolumeClaim: fc.record({ claimName: name, readOnly: optional }, { requiredKeys: ['claimName'] }),
    }),
    fc.record({
      csi: fc.record(
        {
          driver: mostly(['csi.example.com', 'disk'], ['a b', '']),
          fsType: of('', 'ext4'),
          readOnly: optional,
          nodePublishSecretRef: fc.record({ name }),
          volumeAttributes: of({ a: '' }, { a: 'b' }),
        },
        { requiredKeys: ['driver'] },
      ),
    }),
    fc.record({
      projected: fc.record(
        {
          defaultMode,
          sources: fc.array(
            fc.oneof(
              fc.record({ secret: keys }),
              fc.record({ configMap: keys }),
              fc.record({ downwardAPI: fc.record({ items: downward }) }),
              fc.record({
                serviceAccountToken: fc.record(
                  { path: file, audience: of('', 'a'), expirationSeconds: of(600, 7200) },
                  { requiredKeys: ['path'] },
                ),
              }),
              { weight: 1, arbitrary: of<object>({}, { secret: { name: 'a' }, configMap: { name: 'a' } }) },
            ),
            { maxLength: 3 },
          ),
        },
        { requiredKeys: ['sources'] },
      ),
    }),
    fc.record({ downwardAPI: fc.record({ defaultMode, items: downward }, { requiredKeys: [] }) }),
    fc.record({ hostPath: fc.record({ path, type: mostly(['', 'Directory'], ['Link']) }, { requiredKeys: ['path'] }) }),
    fc.record({
      nfs: fc.record(
        { path: mostly(['/a', '/b'], ['a']), server: of('s', 't'), readOnly: optional },
        { requiredKeys: ['path', 'server'] },
      ),
    }),
    fc.record({
      ephemeral: fc.record({
        volumeClaimTemplate: fc.record(
          {
            metadata: fc.record(
              {
                labels: fc.dictionary(labelKey, labelValue, { maxKeys: 2 }),
                annotations: fc.dictionary(labelKey, of('a', 'b'), { maxKeys: 2 }),
              },
              { requiredKeys: [] },
            ),
            spec: fc.record(
              {
                accessModes: mostly([['ReadWriteOnce'], ['ReadWriteMany', 'ReadOnlyMany']], [[], ['Write']]),
                storageClassName: mostly(['fast', ''], ['A b']),
                volumeMode: mostly(['Filesystem', 'Block'], ['Disk']),
                resources: fc.record(
                  { requests: fc.record({ storage: wholeQuantity }), limits: fc.record({ storage: of('5Gi', '6Gi') }) },
                  { requiredKeys: ['requests'] },
                ),
              },
              { requiredKeys: ['accessModes', 'resources'] },
            ),
          },
          { requiredKeys: ['spec'] },
        ),
      }),
    }),
    fc.record({
      image: fc.record(
        { reference: of('a/b:1', 'a/b:2'), pullPolicy: mostly(['Always', 'IfNotPresent'], ['Later']) },
        { requiredKeys: ['reference'] },
      ),
    }),
    { weight: 1, arbitrary: of<object>({}, { emptyDir: {}, hostPath: { path: '/' } }) },
  )
  return fc.tuple(volumeName, source).map(([called, content]) => ({ name: called, ...content }))
}

function variable(): fc.Arbitrary<object> {
  const key = fc.record(
    { name, key: mostly(['a', 'tls.key'], ['a b', '..']), optional: fc.boolean() },
    { requiredKeys: ['name', 'key'] },
  )
  const from = fc.oneof(
    { weight: 10, arbitrary: fc.record({ secretKeyRef: key }) },
    { weight: 10, arbitrary: fc.record({ configMapKeyRef: key }) },
    {
      weight: 10,
      arbitrary: fc.record({
        fieldRef: fc.record({ fieldPath, apiVersion: mostly(['v1'], ['v2']) }, { requiredKeys: ['fieldPath'] }),
      }),
    },
    {
      weight: 1,
      arbitrary: of<object>({}, { secretKeyRef: { name: 'a', key: 'b' }, fieldRef: { fieldPath: 'metadata.name' } }),
    },
  )
  const called = mostly(['A', 'TOKEN', 'PYTHONPATH', 'K_WEB_HOST', 'a.b', '1 x'], ['=', '', 'é', 'POD_NAME'])
  return fc.oneof(
    { weight: 20, arbitrary: fc.record({ name: called, value: of('', 'a', '$(POD_NAME)', 'é\n') }) },
    { weight: 20, arbitrary: fc.record({ name: called, valueFrom: from }) },
    { weight: 1, arbitrary: fc.record({ name: called }) },
  )
}

function mount(): fc.Arbitrary<object> {
  const base = {
    name: mostly(['data', 'cache', 'keys', 'v1'], ['nothing']),
    mountPath: mostly(['/a', '/etc/x', '/data/y', 'rel/a'], ['/a:b', '/var/lib/data/tables']),
  }
  return fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record(
        { ...base, readOnly: fc.boolean(), mountPropagation: of('None', 'HostToContainer') },
        { requiredKeys: ['name', 'mountPath'] },
      ),
    },
    { weight: 20, arbitrary: fc.record({ ...base, subPath: mostly(['', 'a'], ['../a', '/a']) }) },
    { weight: 4, arbitrary: fc.record({ ...base, subPathExpr: of('a', '$(POD_NAME)') }) },
    {
      weight: 4,
      arbitrary: fc.record({ ...base, readOnly: fc.constant(true), recursiveReadOnly: of('IfPossible', 'Disabled') }),
    },
    { weight: 1, arbitrary: fc.record({ ...base, subPath: of('a'), subPathExpr: of('b') }) },
    {
      weight: 1,
      arbitrary: fc.record({
        ...base,
        recursiveReadOnly: of('Enabled', 'IfPossible', 'Disabled'),
        readOnly: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ ...base, mountPropagation: of('Bidirectional') }) },
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

/** What a user might put where something else belongs. */
const wrongValues = [
  null,
  '',
  0,
  -1,
  1.5,
  1e300,
  true,
  [],
  {},
  [null],
  { a: {} },
  '\u0000',
  'x'.repeat(300),
  '__proto__',
  '1',
  'yes',
]

/** A value with one place in it replaced, or one field left out. */
export function withOneChange(value: unknown): fc.Arbitrary<unknown> {
  const found: string[][] = []
  const walk = (node: unknown, path: string[]): void => {
    found.push(path)
    if (typeof node === 'object' && node !== null) {
      for (const [key, item] of Object.entries(node)) walk(item, [...path, key])
    }
  }
  walk(value, [])
  const changed = found.filter((place) => place.length > 0)
  if (changed.length === 0) return of(...wrongValues)
  return fc
    .tuple(of(...changed), fc.option(of(...wrongValues), { nil: undefined, freq: 8 }))
    .map(([place, item]) => replaced(value, place, item))
}

/** `undefined` takes the place away. */
function replaced(node: unknown, [key, ...rest]: readonly string[], item: unknown): unknown {
  if (key === undefined) return item
  if (Array.isArray(node)) {
    return node.flatMap((entry: unknown, index) => {
      const next = String(index) === key ? replaced(entry, rest, item) : entry
      return next === undefined ? [] : [next]
    })
  }
  const entries = Object.entries(node as object).map(([name, field]): [string, unknown] => [
    name,
    name === key ? replaced(field, rest, item) : field,
  ])
  return Object.fromEntries(entries.filter(([, field]) => field !== undefined))
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

/** A component of that spec as the API server stores it. */
export function componentOf(kind: string, called: string, spec: unknown, app = 'orders'): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind,
    metadata: {
      name: called,
      namespace: 'shop',
      uid: `uid-${kind}-${called}`,
      generation: 1,
      labels: { 'kaspr.io/app': app },
    },
    spec,
  }
}

/** Sets of components of the app `orders`, a few of another, with names that are unique for each kind. */
export const componentSets: fc.Arbitrary<KubeObject[]> = fc
  .array(fc.oneof(...componentKinds.map(({ kind }) => componentArbitrary(kind))), {
    maxLength: 5,
  })
  .map((components) => [
    ...new Map(components.map((component) => [`${component.kind} ${component.metadata.name}`, component])).values(),
  ])

/** Specs of components of a kind that its schema accepts, and mostly its rules too; with a field, if one is given. */
export function componentSpecs(kind: ComponentKind['kind'], field?: readonly string[]): fc.Arbitrary<unknown> {
  return schemaArbitrary(componentSchemas[kind], {
    present: (place) => (field !== undefined && place.every((key, index) => key === field[index]) ? 1 : 0.4),
    // Most tables that are named exist.
    at: (place) =>
      /(leftTable|rightTable|tables\.\[\]\.name)$/.test(place.join('.')) ? of('t1', 't2', 't3') : undefined,
  })
}

function componentArbitrary(kind: ComponentKind['kind']): fc.Arbitrary<KubeObject> {
  const called = kind === 'KasprTable' ? of('t1', 't2', 't3') : of('a', 'b', 'orders')
  const app = mostly(['orders'], ['other'])
  return fc
    .tuple(called, componentSpecs(kind), app)
    .map(([own, content, owner]) => componentOf(kind, own, content, owner))
}
