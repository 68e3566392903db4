/** What a real API server says to KasprApps and to what becomes of them. */
import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { ApiError } from '../../poller/kube/client.ts'
import { lastApplied } from '../../webhooks/contract/freeze.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { context, hooksOf, request, synced } from '../webhooks/requests.ts'
import { lastAppliedAnnotation, merge } from './metacontroller/apply.ts'
import { type Plane, startPlane } from './plane.ts'

t.setTimeout(180_000)

const plane = await startPlane({ scheduler: false, name: 'admission' })
t.teardown(() => plane.stop({ failed: !t.passing() }))
await plane.kubectl(['apply', '--server-side', '-k', packagePath('crds')])
await plane.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])

interface GoldenCase {
  name: string
  input: { app: KubeObject | null; components: KubeObject[] }
  settings: Record<string, string>
}

const goldenCases = readdirSync(packagePath('test', 'golden', 'kaspr'))
  .sort()
  .map((file) => JSON.parse(readFileSync(packagePath('test', 'golden', 'kaspr', file), 'utf8')) as GoldenCase)

type Answer = { ok: true; object: KubeObject } | { ok: false; message: string }

/** What the API server would do with an object. */
async function tried(plane: Plane, object: KubeObject, method: 'POST' | 'PUT' = 'POST'): Promise<Answer> {
  const { apiVersion, kind, metadata } = object
  const plural = kind === 'KasprApp' ? 'kasprapps' : `${kind.toLowerCase()}s`
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const path = `${root}/namespaces/${metadata.namespace ?? ''}/${plural}${method === 'PUT' ? `/${metadata.name}` : ''}`
  try {
    const query = { dryRun: 'All', fieldValidation: 'Ignore' }
    return { ok: true, object: await plane.client.request<KubeObject>({ method, path, query, body: object }) }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { ok: false, message: error.message }
  }
}

/** Apps that only the hooks refuse: reason. */
const admittedOnly: Record<string, string> = {
  'invalid-app-resources-claims-list': 'names of another part of the spec',
  'invalid-packages-env-undefined': 'names of another part of the spec',
  'packages-git-token-env': 'names of another part of the spec',
  'packages-git-several-env': 'names of another part of the spec',
  'combo-16': 'mounts name volumes of another part of the spec',
}

void t.test(
  'every recorded app is admitted if and only if it is rendered, and its objects are taken as they are',
  async (t) => {
    const namespaces = new Set(goldenCases.map(({ input }) => input.app?.metadata.namespace ?? 'default'))
    for (const namespace of namespaces) {
      await plane.kubectl(['create', 'namespace', namespace], { allowFailure: true })
    }
    for (const { name, input, settings } of goldenCases) {
      // The mixtures hold values that no API server takes in a pod (test/webhooks/golden.test.ts compares them all).
      if (input.app === null || (name.startsWith('combo-') && !(name in admittedOnly))) continue
      const { app } = input
      const hooks = hooksOf('kasprapps')
      const related = input.components.map((component) => synced(component))
      const { children, status } = hooks.sync(request(hooks, app, [], related), context(settings))
      const conditions = status['conditions'] as { type: string; reason: string; message: string }[]
      const invalid = conditions.find(({ type, reason }) => type === 'Valid' && reason === 'InvalidSpec')
      const answer = await tried(plane, app)
      t.equal(
        answer.ok,
        invalid === undefined || name in admittedOnly,
        `${name}: ${answer.ok ? `admitted, ${invalid?.message ?? ''}` : answer.message}`,
      )
      if (invalid !== undefined) continue
      const held: KubeObject[] = []
      for (const child of children) {
        const taken = await tried(plane, child)
        t.ok(taken.ok, `${name} ${child.kind}: ${taken.ok ? '' : taken.message}`)
        if (taken.ok) held.push(recorded(taken.object, child))
      }
      // The next answer must write nothing: what the server changed would be written at every sync, and roll the pods.
      const next = hooks.sync(request(hooks, app, held, related), context(settings)).children
      t.equal(next.length, children.length)
      for (const child of next) {
        const live = held.find(({ kind, metadata }) => kind === child.kind && metadata.name === child.metadata.name)
        t.same(
          merge(live, lastApplied(live as KubeObject), child),
          live,
          `${name} ${child.kind} ${child.metadata.name}`,
        )
      }
    }
  },
)

/** An object with the record that Metacontroller makes of what it applied. */
function recorded(object: KubeObject, desired: KubeObject): KubeObject {
  const annotations = { ...object.metadata.annotations, [lastAppliedAnnotation]: JSON.stringify(desired) }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

function app(spec: Record<string, unknown> = {}, name = 'orders'): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name, namespace: 'default' },
    spec: { bootstrapServers: 'k:9092', authentication: { type: 'plain' }, ...spec },
  }
}

const container = (part: Record<string, unknown>): Record<string, unknown> => ({ template: { kasprContainer: part } })
const pod = (part: Record<string, unknown>): Record<string, unknown> => ({ template: { pod: part } })
const packages = (part: Record<string, unknown>): Record<string, unknown> => ({
  pythonPackages: { packages: ['lib'], ...part },
})
const gcs = { bucket: 'b', secretRef: { name: 's' } }

/** One object for each rule: what it says, and what the API server answers. */
const refused: [spec: Record<string, unknown>, message: RegExp][] = [
  [{ bootstrapServers: undefined }, /spec\.bootstrapServers: Required value/],
  [{ authentication: undefined }, /spec\.authentication: Required value/],
  [{ authentication: {} }, /spec\.authentication\.type: Required value/],
  [
    { authentication: { type: 'tls' } },
    /spec\.authentication\.type: Unsupported value: "tls": supported values: "plain", "scram-sha-256", "scram-sha-512"/,
  ],
  [
    { authentication: { type: 'scram-sha-256' } },
    /spec\.authentication\.username: Invalid value: .*username is required for scram authentication/,
  ],
  [
    { authentication: { type: 'plain', username: 'u' } },
    /spec\.authentication\.passwordSecret: .*accepted is \{secretName, passwordKey\}/,
  ],
  [
    { authentication: { type: 'plain', username: 'u', passwordSecret: { secretName: 's' } } },
    /passwordSecret\.passwordKey: Required value/,
  ],
  [{ version: '9.9.9' }, /spec\.version: .*not supported: accepted are 0\.11\.19 \(default\)/],
  [{ replicas: -1 }, /spec\.replicas: .*greater than or equal to 0/],
  [{ replicas: 1.5 }, /spec\.replicas: .*must be of type integer/],
  [{ tls: 'yes' }, /spec\.tls: .*must be of type object/],
  [{ config: { topicPartitions: 'many' } }, /spec\.config\.topicPartitions: .*should match/],
  [{ config: { topicReplicationFactor: 'many' } }, /spec\.config\.topicReplicationFactor: .*should match/],
  [{ config: { topicReplicationFactor: true } }, /spec\.config\.topicReplicationFactor/],
  [{ config: { schedulerCronTickBufferSeconds: 'soon' } }, /schedulerCronTickBufferSeconds: .*should match/],
  [{ config: { schedulerEnabled: 'maybe' } }, /spec\.config\.schedulerEnabled: Unsupported value: "maybe"/],
  [{ config: { webBasePath: 5 } }, /spec\.config\.webBasePath: .*must be of type string/],
  [{ config: { webPort: 70_000 } }, /spec\.config\.webPort: .*less than or equal to 65535/],
  [{ config: { webPort: '70000' } }, /spec\.config\.webPort: .*should match/],
  [{ livenessProbe: { successThreshold: 2 } }, /livenessProbe\.successThreshold: .*less than or equal to 1/],
  [{ readinessProbe: { periodSeconds: 0 } }, /readinessProbe\.periodSeconds: .*greater than or equal to 1/],
  [{ resources: { limits: { memory: 'much' } } }, /spec\.resources\.limits\.memory: .*should match/],
  [{ storage: { type: 'persistent-claim' } }, /spec\.storage\.size: .*size is required for a persistent claim/],
  [{ storage: { type: 'disk' } }, /Unsupported value: "disk": supported values: "ephemeral", "persistent-claim"/],
  [{ storage: { type: 'ephemeral', size: 'big' } }, /spec\.storage\.size: .*should match/],
  [{ pythonPackages: {} }, /spec\.pythonPackages\.packages: Required value/],
  [{ pythonPackages: { packages: [] } }, /spec\.pythonPackages\.packages: .*at least 1 items/],
  [
    { pythonPackages: { packages: ['a', 'x y'] } },
    /packages\[1\]: .*accepted is a package without blanks: name\[extras\]/,
  ],
  [{ pythonPackages: { packages: ['-e'] } }, /packages\[0\]: .*accepted is a package without blanks/],
  [packages({ indexUrl: 'ftp://x' }), /pythonPackages\.indexUrl: .*should match '\^https\?/],
  [packages({ extraIndexUrls: ['https://a', 'b'] }), /extraIndexUrls\[1\]: .*should match/],
  [packages({ trustedHosts: ['a b'] }), /trustedHosts\[0\]: .*should match/],
  [packages({ credentials: {} }), /credentials\.secretRef: Required value/],
  [packages({ cache: { type: 's3' } }), /cache\.type: Unsupported value: "s3": supported values: "pvc", "gcs"/],
  [packages({ cache: { type: 'gcs' } }), /cache\.gcs: .*gcs is required for cache type gcs: accepted is \{bucket/],
  [packages({ cache: { type: 'gcs', gcs: { secretRef: { name: 's' } } } }), /gcs\.bucket: Required value/],
  [packages({ cache: { type: 'gcs', gcs: { ...gcs, maxArchiveSize: 'huge' } } }), /maxArchiveSize: .*should match/],
  [packages({ cache: { accessMode: 'ReadWriteOnce' } }), /accessMode: .*supported values: "ReadWriteMany"/],
  [packages({ cache: { size: 'big' } }), /cache\.size: .*should match/],
  [packages({ installPolicy: { retries: -1 } }), /installPolicy\.retries: .*greater than or equal to 0/],
  [packages({ installPolicy: { timeout: 59 } }), /installPolicy\.timeout: .*greater than or equal to 60/],
  [packages({ installPolicy: { onFailure: 'warn' } }), /onFailure: .*supported values: "block", "allow"/],
  [container({ env: [{ value: '1' }] }), /env\[0\]\.name: Required value/],
  [container({ env: [{ name: 'A' }] }), /env\[0\]: .*exactly one of value and valueFrom is accepted/],
  [
    container({ env: [{ name: 'A', value: '', valueFrom: { fieldRef: { fieldPath: 'x' } } }] }),
    /env\[0\]: .*exactly one of value and valueFrom is accepted/,
  ],
  [
    container({ env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }] }),
    /valueFrom: .*exactly one of secretKeyRef, configMapKeyRef and fieldRef is accepted/,
  ],
  [
    container({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's' } } }] }),
    /secretKeyRef\.key: Required value/,
  ],
  [container({ volumeMounts: [{ name: 'x' }] }), /volumeMounts\[0\]\.mountPath: Required value/],
  [pod({ volumes: [{ name: 'v' }] }), /volumes\[0\]: .*exactly one source is accepted: secret, configMap, emptyDir/],
  [pod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] }), /volumes\[0\]: .*exactly one source/],
  [pod({ volumes: [{ emptyDir: {} }] }), /volumes\[0\]\.name: Required value/],
  [pod({ volumes: [{ name: 'V', emptyDir: {} }] }), /volumes\[0\]\.name: .*should match/],
  [pod({ volumes: [{ name: 'v', secret: {} }] }), /secret\.secretName: Required value/],
  [pod({ volumes: [{ name: 'v', emptyDir: { sizeLimit: { amount: 1 } } }] }), /emptyDir\.sizeLimit/],
  [pod({ metadata: { labels: { a: 1 } } }), /pod\.metadata\.labels\.a: .*must be of type string/],
  [pod({ metadata: { labels: { a: 'b c' } } }), /pod\.metadata\.labels\.a: .*should match/],
  [pod({ terminationGracePeriodSeconds: -1 }), /terminationGracePeriodSeconds: .*greater than or equal to 0/],
  [pod({ tolerations: { a: 'b' } }), /pod\.tolerations: .*must be of type array/],
  [pod({ enableServiceLinks: 'sometimes' }), /enableServiceLinks: .*must be of type boolean/],
]

void t.test('each rule refuses what it is for, and names field and accepted values', async (t) => {
  for (const [spec, message] of refused) {
    const answer = await tried(plane, app(spec))
    t.notOk(answer.ok, JSON.stringify(spec))
    if (!answer.ok) t.match(answer.message, message)
  }
  const named = await tried(plane, app({}, 'a.b'))
  t.match(named, { ok: false, message: /metadata\.name: accepted are lower-case letters, digits and dashes/ })
})

/** Changes of a stored app: what was there, what is wanted, and what is said to it (`undefined`: accepted). */
const changes: [from: Record<string, unknown>, to: Record<string, unknown>, message?: RegExp][] = [
  [{ config: { topicPartitions: 12 } }, { config: { topicPartitions: 13 } }, /topicPartitions cannot change/],
  [{ config: { topicPartitions: 12 } }, { config: { webPort: 80 } }, /topicPartitions cannot change/],
  [{ config: { topicPartitions: 12 } }, { config: { topicPartitions: '12' } }],
  [{ config: { webPort: 80 } }, { config: { topicPartitions: 12 } }],
  // A condition says that claims cannot shrink; refused here, a size that cannot be had could not be taken back.
  [{ storage: { type: 'persistent-claim', size: '2Gi' } }, { storage: { type: 'persistent-claim', size: '1Gi' } }],
  [{ storage: { type: 'persistent-claim', size: '2Gi' } }, { storage: { type: 'persistent-claim', size: '2048Mi' } }],
  [
    { storage: { type: 'persistent-claim', size: '1Gi', class: 'a' } },
    { storage: { type: 'persistent-claim', size: '1Gi', class: 'b' } },
    /spec\.storage\.class: .*class cannot change/,
  ],
  [{ storage: { type: 'ephemeral', size: '2Gi' } }, { storage: { type: 'ephemeral', size: '1Gi' } }],
]

void t.test('what cannot change is refused when it changes', async (t) => {
  const path = '/apis/kaspr.io/v1alpha1/namespaces/default/kasprapps'
  for (const [index, [from, to, message]] of changes.entries()) {
    const name = `change-${index}`
    const stored = await plane.client.request<KubeObject>({ method: 'POST', path, body: app(from, name) })
    const answer = await tried(plane, { ...stored, spec: app(to, name)['spec'] }, 'PUT')
    if (message === undefined) t.ok(answer.ok, answer.ok ? '' : answer.message)
    else t.match(answer, { ok: false, message })
  }
})
