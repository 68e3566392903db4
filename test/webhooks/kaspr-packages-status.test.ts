/** What is said of the Python packages of an app and of the claim that holds them, against the recorded tables. */
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { AppView, InstallReport } from '../../webhooks/kaspr/app-view.ts'
import { appNames } from '../../webhooks/kaspr/names.ts'
import { claimDifferences } from '../../webhooks/kaspr/packages/claim.ts'
import { type Installation, installation } from '../../webhooks/kaspr/packages/install.ts'
import type { PythonPackages } from '../../webhooks/kaspr/packages/requirements.ts'
import { packagesStatus } from '../../webhooks/kaspr/packages/status.ts'
import { type Difference, expectedOf, table } from './golden-tables.ts'
import { applied, context, hooksOf, request } from './requests.ts'

/** `state` or `lastState` of a container. */
interface ContainerState {
  waiting?: { reason: string; message?: string }
  running?: object
  terminated?: { exitCode: number; message?: string }
}

interface PodRecord {
  name: string
  hash?: string
  container?: string
  state?: ContainerState
  last?: ContainerState
}

interface StatusRecord {
  name: string
  pythonPackages: PythonPackages
  pods: PodRecord[]
  podListError: boolean
  markerFile: string | null
  markerFilesPresent: string[]
  markerReadError: string | null
  rawMarkerAnswer: string | null
  expected: {
    status: Record<string, unknown>
    condition: { type: string; status: string; reason: string; message: string }
  }
}

interface Said {
  status: Record<string, unknown>
  condition: { type: string; status: string; reason: string; message: string }
}

const image = 'kasprio/kaspr:0.11.19'

/** The pod that the poller reports on: of the wanted set if there is one, else the first. */
function chosen(pods: PodRecord[], mode: Installation['mode']): PodRecord | undefined {
  const installing = pods.filter(({ container, state }) => container === undefined && state !== undefined)
  const current = installing.find(({ hash }) => hash === undefined || hash === 'current')
  return mode === 'persistent' && current !== undefined ? current : installing[0]
}

function reportOf({ pods, markerFile }: StatusRecord, wanted: Installation): InstallReport | undefined {
  const pod = chosen(pods, wanted.mode)
  if (pod?.state === undefined) return undefined
  const { name, hash = 'current', last } = pod
  const set = hash === 'current' ? wanted.set : `${hash}-00000000`
  const { waiting, terminated } = pod.state
  const message = terminated === undefined ? waiting?.message : (terminated.message ?? markerFile ?? undefined)
  const fields = {
    state: Object.keys(pod.state)[0] ?? 'waiting',
    reason: waiting?.reason,
    exitCode: terminated?.exitCode,
    message: last?.terminated?.message ?? message,
  }
  const known = Object.entries(fields).filter(([, value]) => value !== undefined)
  return { pod: name, set, ...Object.fromEntries(known) } as InstallReport
}

/** Whether the pod that is reported ended well with the wanted set. */
function succeeded(record: StatusRecord): boolean {
  const wanted = installation(record.pythonPackages, image)
  const report = reportOf(record, wanted)
  return report?.set === wanted.set && report.exitCode === 0
}

const isGcs = ({ pythonPackages }: StatusRecord): boolean => pythonPackages.cache?.type === 'gcs'
const hasMarker = ({ markerFile }: StatusRecord): boolean => markerFile?.startsWith('{"') === true

const withoutDetails: Said['condition'] = {
  type: 'PythonPackagesReady',
  status: 'True',
  reason: 'PackagesInstalled',
  message: 'Packages installed (details unavailable)',
}

const differences: Record<string, Difference<StatusRecord, Said>> = {
  'absent fields are absent, not null': {
    applies: () => true,
    instead: ({ status, condition }) => ({
      status: Object.fromEntries(Object.entries(status).filter(([, value]) => value !== null)),
      condition,
    }),
  },
  'an archive in a bucket is reported as such: the original calls it ephemeral, and warns that it is': {
    applies: isGcs,
    instead: ({ status, condition }, record) => {
      const { warnings: _, ...rest } = status
      const { hash } = installation(record.pythonPackages, image)
      const message = condition.message.replace('ephemeral mode', 'gcs mode')
      return { status: { ...rest, cacheMode: 'gcs', hash }, condition: { ...condition, message } }
    },
  },
  'who installed what and when is in the status of the container, in every mode': {
    applies: (record) => succeeded(record) && hasMarker(record),
    instead: ({ status, condition }) => ({
      status: {
        ...status,
        lastInstallTime: '2025-01-01T00:00:00.000000+00:00',
        installDuration: '12s',
        installedBy: 'orders-app-0',
      },
      condition,
    }),
  },
  'a container that ended well has its set, complete: nobody needs to look for a marker file, whose troubles are gone':
    {
      applies: (record) => succeeded(record) && !hasMarker(record) && record.markerFile !== '{}',
      instead: ({ status }, { pythonPackages }) => ({
        status: {
          ...status,
          installed: pythonPackages.packages,
          warnings: ['Installation completed but there are no details of it'],
        },
        condition: withoutDetails,
      }),
    },
  'what is installed is what the spec names, also where the details are poor': {
    applies: ({ markerFile }) => markerFile === '{}',
    instead: ({ status, condition }, { pythonPackages }) => ({
      status: { ...status, installed: pythonPackages.packages },
      condition: { ...condition, message: 'Successfully installed 1 package in unknown' },
    }),
  },
  'a poller that cannot list pods keeps its last report; without one the packages count as not installed yet': {
    applies: ({ podListError }) => podListError,
    instead: ({ status }, { pythonPackages }) => {
      const { mode } = installation(pythonPackages, image)
      const message = `Installing packages (${mode} mode)`
      return {
        status: { ...status, cacheMode: mode },
        condition: { type: 'PythonPackagesReady', status: 'False', reason: 'Installing', message },
      }
    },
  },
}

void t.test('status of the packages, as recorded', async (t) => {
  for (const record of table<StatusRecord>('packages-status')) {
    const wanted = installation(record.pythonPackages, image)
    const { status, condition } = record.expected
    const { type, reason, message } = condition
    const original = { status, condition: { type, status: condition.status, reason, message } }
    const { pythonPackages, condition: ours } = packagesStatus(wanted, reportOf(record, wanted))
    t.same({ status: pythonPackages, condition: ours }, expectedOf(record, original, differences), record.name)
  }
})

void t.test('where the policy allows to start without packages, the reason of the failure is told', async (t) => {
  const report = { pod: 'p', state: 'terminated', exitCode: 0, message: 'network: down' } as const
  for (const [onFailure, expected] of [
    [
      'allow',
      { status: 'False', reason: 'InstallationFailed', message: /^Members run without packages.*network: down$/ },
    ],
    ['block', { status: 'True', reason: 'PackagesInstalled' }],
  ] as const) {
    const wanted = installation({ packages: ['lib'], installPolicy: { onFailure } }, image)
    t.match(packagesStatus(wanted, { ...report, set: wanted.set }).condition, expected, onFailure)
  }
})

function app(name: string, pythonPackages: unknown): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name, namespace: 'streaming', uid: 'u', generation: 1 },
    spec: { bootstrapServers: 'k:9092', authentication: { type: 'plain' }, pythonPackages },
  }
}

interface ClaimSync {
  /** The claim of the packages in the answer. */
  claim: KubeObject | undefined
  /** What the poller is told of claims. */
  asked: { name: string; size: string; accessModes: string[]; storageClassName?: string }[]
  /** The condition Valid. */
  valid: { status: string; reason: string; message: string }
}

function claimSync(pythonPackages: unknown, existing: unknown = null): ClaimSync {
  const hooks = hooksOf('kasprapps')
  const parent = app('orders', pythonPackages)
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: appNames('orders').packagesClaim, namespace: 'streaming' },
    spec: existing,
  }
  const answer = hooks.sync(request(hooks, parent, existing === null ? [] : [applied(claim)]), context())
  const observation = answer.children.find(({ kind }) => kind === 'Observation')
  const { kasprApp } = observation?.['spec'] as { kasprApp: { claims?: ClaimSync['asked'] } }
  const conditions = answer.status['conditions'] as (ClaimSync['valid'] & { type: string })[]
  const valid = conditions.find(({ type }) => type === 'Valid')
  if (valid === undefined) throw new Error('no condition Valid')
  return {
    claim: answer.children.find(({ kind }) => kind === 'PersistentVolumeClaim'),
    asked: kasprApp.claims ?? [],
    valid,
  }
}

interface ClaimRecord {
  name: string
  existingClaimSpec: { resources: { requests: { storage: string } }; storageClassName: string } | null
  pythonPackages: { cache?: { size?: string } } | null
  expected: {
    writes: { verb: 'create' | 'delete'; body?: { metadata: { labels: unknown }; spec: unknown } }[]
    warnsUnsupportedDrift: boolean
    error: { type: string } | null
  }
}

/** Claims that are treated otherwise: record -> reason. */
const claimsJudgedAnew: Record<string, string> = {
  'switched-to-gcs': 'a claim that nothing uses any more is deleted, as when the cache is switched off',
}

/** Claims whose difference is, or is not, said: record -> reason. */
const tellsOtherwise: Record<string, string> = {
  expand: 'the original fails; the status says that the claim is smaller until the poller has made it grow',
  'expand-and-class-change': 'the original fails; the status says both',
  'class-change-only': 'the original says nothing; the status says that the class stays',
  'same-amount-other-unit': 'the original takes another unit for another amount',
}

/** The spec of the claim that the original leaves behind. */
function claimAfter({ name, existingClaimSpec, expected }: ClaimRecord): unknown {
  const [write] = expected.writes
  if (write?.verb === 'delete' || name in claimsJudgedAnew) return undefined
  return write?.body?.spec ?? existingClaimSpec ?? undefined
}

void t.test('claim of the packages, as recorded', async (t) => {
  for (const record of table<ClaimRecord>('packages-pvc-sync')) {
    const { name, existingClaimSpec, pythonPackages, expected } = record
    const { claim, asked, valid } = claimSync(pythonPackages, existingClaimSpec)
    t.same(claim?.['spec'], claimAfter(record), `${name} ${claimsJudgedAnew[name] ?? ''}`)
    const created = expected.writes.find(({ verb }) => verb === 'create')
    if (created !== undefined) t.match(claim?.metadata.labels, withoutAppLabel(created.body?.metadata.labels), name)
    const tells = valid.reason === 'ImmutableFieldsKept'
    t.equal(tells, expected.warnsUnsupportedDrift !== name in tellsOtherwise, `${name}: ${valid.message}`)
    t.equal(asked.length, claim === undefined ? 0 : 1, `${name}: the poller is told of the claim`)
    if (name.startsWith('expand')) t.match(asked, [{ size: '2Gi' }], `${name}: the poller makes it grow`)
  }
})

/** That label ties components to their app; the claim is none. */
function withoutAppLabel(labels: unknown): unknown {
  const { 'kaspr.io/app': _, ...rest } = labels as Record<string, string>
  return rest
}

/** Sizes that the original reads wrongly: `actual desired` -> reason. */
const sizesJudgedAnew: Record<string, string> = {
  '1k 2k': 'k is a suffix of Kubernetes',
}

void t.test('which size is a growth, as recorded', async (t) => {
  for (const { actual, desired, expected } of table<{
    actual: string
    desired: string
    expected: { isExpansion: boolean }
  }>('storage-expansion')) {
    const packagesClaim = { spec: { resources: { requests: { storage: actual } } } }
    const wanted = { name: 'c', keep: false, size: desired, accessModes: [] }
    const grows = claimDifferences({ packagesClaim } as unknown as AppView, wanted).some((text) =>
      text.includes('is still'),
    )
    const sizes = `${actual} ${desired}`
    t.equal(grows, expected.isExpansion !== sizes in sizesJudgedAnew, `${sizes} ${sizesJudgedAnew[sizes] ?? ''}`)
  }
})

void t.test('whether a class can be shared is not for hooks to know: they ask for it, whatever it is', async (t) => {
  for (const { requestedClass } of table<{ requestedClass: string | null }>('storage-class-rwx')) {
    const storageClass = requestedClass ?? undefined
    const { claim, asked } = claimSync({ packages: ['lib'], cache: { enabled: true, storageClass } })
    t.match(asked, [{ accessModes: ['ReadWriteMany'] }])
    t.equal(asked[0]?.storageClassName, storageClass)
    t.match(claim?.['spec'], { accessModes: ['ReadWriteMany'] })
    t.equal((claim?.['spec'] as { storageClassName?: string }).storageClassName, storageClass)
  }
})
