/** Python packages: the recorded tables of kaspr-operator 0.18.51, and what of it is meant to differ. */
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { appNames } from '../../webhooks/kaspr/names.ts'
import { objectKey } from '../../webhooks/kaspr/packages/install.ts'
import {
  type PythonPackages,
  archiveBytes,
  isPackage,
  packagesHash,
  variableNames,
} from '../../webhooks/kaspr/packages/requirements.ts'
import { asArgument } from '../../webhooks/kaspr/packages/scripts.ts'
import { table } from './golden-tables.ts'
import { applied, context, hooksOf, request } from './requests.ts'

function app(pythonPackages: unknown, extra: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name: 'orders', namespace: 'n', uid: 'u', generation: 1 },
    spec: { bootstrapServers: 'k:9092', authentication: { type: 'plain' }, pythonPackages, ...extra },
  }
}

interface Condition {
  type: string
  status: string
  reason: string
  message: string
}

function sync(parent: KubeObject, children: KubeObject[] = []): { children: KubeObject[]; conditions: Condition[] } {
  const hooks = hooksOf('kasprapps')
  const answer = hooks.sync(request(hooks, parent, children), context())
  return { children: answer.children, conditions: answer.status['conditions'] as Condition[] }
}

void t.test('hash, as recorded', async (t) => {
  for (const { name, pythonPackages, expected } of table<{
    name: string
    pythonPackages: PythonPackages
    expected: { hash: string }
  }>('packages-hash'))
    t.equal(packagesHash(pythonPackages), expected.hash, name)
})

void t.test('names of variables, as recorded', async (t) => {
  for (const { text, expected } of table<{ text: string; expected: { names: string[] } }>('package-env-names'))
    t.same(variableNames(text), expected.names, text)
})

void t.test('keys of archives, as recorded', async (t) => {
  for (const { prefix, appComponentName, packagesHash, expected } of table<{
    prefix: string
    appComponentName: string
    packagesHash: string
    expected: { key: string }
  }>('gcs-object-keys'))
    t.equal(objectKey(prefix, appComponentName, packagesHash), expected.key)
})

/** Entries that pip takes and the original did not, or the other way round: reason. */
const judgedAnew: Record<string, string> = {
  'x===1': 'valid for pip',
  'x==1.0+local': 'valid for pip',
  'x==1.*': 'valid for pip',
  "x;python_version<'3'": 'valid for pip',
  'x=1': 'pip refuses it',
  ' requests ': 'blanks are refused when the spec is read',
}

void t.test('packages, as recorded but for those that pip judges otherwise', async (t) => {
  const entries = table<{ package: string; expected: { valid: boolean } }>('package-names')
  for (const { package: entry, expected } of entries)
    t.equal(isPackage(entry), expected.valid !== entry in judgedAnew, `${entry} ${judgedAnew[entry] ?? ''}`)
  for (const entry of ['foo==1!2.0', 'foo@https://h/x.whl', 'foo[a]@git+https://h/r']) t.ok(isPackage(entry), entry)
  for (const entry of ['-e', '--index-url=x', 'git+https://$(id)@h/r', 'a\nb', 'a\u0000', '../x', './x'])
    t.notOk(isPackage(entry), entry)
})

/** Sizes that were refused or read in private units: what they are now. */
const sizesJudgedAnew: Record<string, bigint> = { '10K': 10_000n, '10M': 10_000_000n, '1G': 1_000_000_000n }

void t.test('archive limits, as recorded, and the suffixes of Kubernetes', async (t) => {
  for (const { text, expected } of table<{ text: string; expected: { bytes: number | null } }>('archive-sizes')) {
    const bytes = expected.bytes === null ? undefined : BigInt(expected.bytes)
    t.equal(archiveBytes(text), sizesJudgedAnew[text] ?? bytes, text)
  }
})

/** Specs that are read otherwise than recorded: reason. */
const specsJudgedAnew: Record<string, string> = {
  'odd-name-passes-here': 'the original refuses it later',
  'cache-enabled-text': 'text for a boolean was refused by the CRD already',
  'policy-timeout-text': 'text for a number was refused by the CRD already',
}

void t.test('specs, as recorded', async (t) => {
  for (const { name, pythonPackages, expected } of table<{
    name: string
    pythonPackages: unknown
    expected: { accepted: boolean }
  }>('package-spec-validation')) {
    const valid = sync(app(pythonPackages)).conditions.find(({ type }) => type === 'Valid')
    t.equal(valid?.status === 'True', expected.accepted !== name in specsJudgedAnew, `${name}: ${valid?.message ?? ''}`)
  }
})

void t.test('an argument reads back as it was', async (t) => {
  // k8s.io/kubernetes third_party/forked/golang/expansion
  const kubelet = (text: string): string =>
    text.replace(/\$(?:\$|\(([^)]*)\))/g, (match) => (match === '$$' ? '$' : 'EXPANDED'))
  for (const text of ['$(A)', '$$', '$$(A)', '$$$(A)', '${A} $A $', 'a$(b', '$(cat <<<"$$")'])
    t.equal(kubelet(asArgument(text)), text)
})

const persistent = { packages: ['lib'], cache: { enabled: true, size: '1Gi', storageClass: 'nfs' } }
const claimName = appNames('orders').packagesClaim

function claimOf(children: KubeObject[]): KubeObject | undefined {
  return children.find(({ kind }) => kind === 'PersistentVolumeClaim')
}

function observed(children: KubeObject[]): Record<string, unknown> {
  const { spec } = children.find(({ kind }) => kind === 'Observation') as { spec?: { kasprApp: object } }
  return spec?.kasprApp as Record<string, unknown>
}

void t.test('the claim of the packages', async (t) => {
  const first = sync(app(persistent)).children
  const claim = claimOf(first)
  t.match(claim, { metadata: { name: claimName, labels: { 'kaspr.io/component': 'python-packages' } } })
  t.match(observed(first)['claims'], [{ name: claimName, keep: false, size: '1Gi', storageClassName: 'nfs' }])
  const held = [applied(claim as KubeObject)]

  const keep = { ...persistent, cache: { ...persistent.cache, deleteClaim: false } }
  t.equal(claimOf(sync(app(keep)).children), undefined, 'one that outlives the app is no child')
  t.match(observed(sync(app(keep)).children)['claims'], [{ keep: true }])
  t.same(claimOf(sync(app(keep), held).children), claim, 'but stays in the answer until the poller has released it')

  const larger = sync(app({ ...persistent, cache: { ...persistent.cache, size: '2Gi', storageClass: 'x' } }), held)
  t.same(claimOf(larger.children), claim, 'size and class are those of the claim')
  t.match(observed(larger.children)['claims'], [{ size: '2Gi' }], 'the poller makes it grow')
  const valid = larger.conditions.find(({ type }) => type === 'Valid')
  t.match(valid, {
    status: 'True',
    reason: 'ImmutableFieldsKept',
    message: /storageClass stays nfs.*size is still 1Gi/,
  })

  t.equal(claimOf(sync(app({ packages: ['lib'] }), held).children), undefined, 'a cache that is off has none')
  t.equal(observed(sync(app({ packages: ['lib'] })).children)['claims'], undefined)
})

void t.test('probes, security contexts and overrides reach the pods', async (t) => {
  const securityContext = { runAsNonRoot: true, readOnlyRootFilesystem: false }
  const { children } = sync(
    app(
      { packages: ['git+https://${TOKEN}@h/r'] },
      {
        livenessProbe: { initialDelaySeconds: 0 },
        readinessProbe: { periodSeconds: 3 },
        template: {
          kasprContainer: {
            securityContext,
            env: [
              { name: 'POD_NAME', value: 'mine' },
              { name: 'A', value: '1' },
              { name: 'A', value: '2' },
            ],
          },
          pythonPackagesInitContainer: { securityContext, env: [{ name: 'TOKEN', value: 'x' }] },
        },
      },
    ),
  )
  const set = children.find(({ kind }) => kind === 'StatefulSet') as unknown as {
    spec: { template: { spec: Record<'containers' | 'initContainers', Record<string, unknown>[]> } }
  }
  const { containers, initContainers } = set.spec.template.spec
  t.match(initContainers, [{ name: 'install-packages', securityContext, env: [{ name: 'TOKEN', value: 'x' }] }])
  t.same(containers[0]?.['livenessProbe'], {
    httpGet: { path: '/status/', port: 'http' },
    failureThreshold: 3,
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 5,
  })
  t.match(containers[0], { securityContext, readinessProbe: { initialDelaySeconds: 15, periodSeconds: 3 } })
  const env = containers[0]?.['env'] as { name: string; value?: string }[]
  t.equal(new Set(env.map(({ name }) => name)).size, env.length, 'names are unique')
  t.ok(env.findIndex(({ name }) => name === 'POD_NAME') < env.findIndex(({ name }) => name === 'K_WEB_HOST'))
  t.match(
    env.filter(({ name }) => ['POD_NAME', 'A'].includes(name)),
    [{ value: 'mine' }, { value: '2' }],
  )
})
