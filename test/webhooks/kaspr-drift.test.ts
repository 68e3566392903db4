/**
 * What becomes of a change that somebody makes to the objects of an app: the recorded table, played with dynamic apply. It
 * takes back every edit of what the hook asks for, and leaves alone what others add.
 */
import t from 'tap'
import { canonicalJson } from '../../webhooks/contract/hash.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { applyUpdate, withLastApplied } from '../cluster/metacontroller/apply.ts'
import { type Difference, expectedOf, table } from './golden-tables.ts'
import { context, hooksOf, request } from './requests.ts'

interface Change {
  kind: string
  name: string
  path?: string
  value?: unknown
  deleted?: true
  present?: true
}

interface DriftRecord {
  name: string
  app: KubeObject
  settings: Record<string, string>
  change: Change | null
  expected: {
    error: object | null
    writes: { verb: string; kind: string; name: string; values?: Record<string, unknown> }[]
  }
}

const hooks = hooksOf('kasprapps')

/** The objects of an app as they were applied, after a change. */
function observed({ app, change }: DriftRecord): KubeObject[] {
  const objects = hooks.sync(request(hooks, app), context()).children.map((child) => applied(running(child)))
  if (change === null) return objects
  if (change.present === true) {
    const { kind, name } = change
    const metadata = { name, namespace: app.metadata.namespace ?? '' }
    return [...objects, applied({ apiVersion: 'autoscaling/v2', kind, metadata, spec: {} })]
  }
  const isChanged = ({ kind, metadata }: KubeObject): boolean => kind === change.kind && metadata.name === change.name
  if (!objects.some(isChanged)) throw new Error(`no ${change.kind} ${change.name}`)
  if (change.deleted === true) return objects.filter((object) => !isChanged(object))
  return objects.map((object) => (isChanged(object) ? changed(object, change) : object))
}

/** An object as the cluster holds it after Metacontroller created it. */
function applied(child: KubeObject): KubeObject {
  const metadata = { ...child.metadata, uid: `uid-of-${child.metadata.name}`, generation: 1 }
  return withLastApplied({ ...child, metadata }, child)
}

/** A set that was asked for without replicas has one, as Kubernetes has it. */
function running(child: KubeObject): KubeObject {
  return child.kind === 'StatefulSet' ? { ...child, spec: { replicas: 1, ...(child['spec'] as object) } } : child
}

function changed(object: KubeObject, { path = '', value }: Change): KubeObject {
  const copy = structuredClone(object)
  const keys = path.split('/').slice(1)
  const last = keys.pop() ?? ''
  let at = copy as unknown as Record<string, unknown>
  for (const key of keys) at = (at[key] ??= {}) as Record<string, unknown>
  at[last] = value
  return copy
}

function valueAt(object: KubeObject | undefined, path: string): unknown {
  const step = (at: unknown, key: string): unknown => (at as Record<string, unknown> | undefined)?.[key]
  return path.split('/').slice(1).reduce(step, object)
}

/** Whether two objects differ in nothing but the record of what was applied. */
function isRecordOnly(live: KubeObject, updated: KubeObject): boolean {
  const nothing = { apiVersion: '', kind: '', metadata: { name: '' } }
  return canonicalJson(withLastApplied(live, nothing)) === canonicalJson(withLastApplied(updated, nothing))
}

interface Write {
  /** `record`: nothing but the record of what was applied. */
  verb: string
  kind: string
  name: string
}

/** What Metacontroller writes for the answer to what it observes. */
function played({ app, settings }: DriftRecord, objects: KubeObject[]): { writes: Write[]; after: KubeObject[] } {
  const { children } = hooks.sync(request(hooks, app, objects), context(settings))
  const writes: Write[] = []
  const note = (verb: string, { kind, metadata }: KubeObject): void => {
    writes.push({ verb, kind, name: metadata.name })
  }
  const isSame = (a: KubeObject, b: KubeObject): boolean => a.kind === b.kind && a.metadata.name === b.metadata.name
  const after = children.map((child) => {
    const live = objects.find((object) => isSame(object, child))
    const updated = live === undefined ? running(applied(child)) : applyUpdate(live, child)
    if (live === undefined) note('create', child)
    else if (updated !== undefined) note(isRecordOnly(live, updated) ? 'record' : 'patch', child)
    return updated ?? live ?? child
  })
  for (const live of objects) if (!children.some((child) => isSame(child, live))) note('delete', live)
  return { writes, after }
}

const patched = ({ change }: DriftRecord): Write[] => [
  { verb: 'patch', kind: change?.kind ?? '', name: change?.name ?? '' },
]

const unnoticed = [
  'service-type',
  'service-selector',
  'hpa-second-policy-value',
  'hpa-metric',
  'statefulset-env-not-watched',
  'statefulset-retention-not-watched',
  'packages-init-removed',
]

const differences: Record<string, Difference<DriftRecord, Write[]>> = {
  'every field that is asked for is taken back, not only those that the original compares': {
    applies: ({ name }) => unnoticed.includes(name),
    instead: (_, record) => patched(record),
  },
  'what others add is theirs, in data as in labels': {
    applies: ({ name }) => name === 'config-extra-key',
    instead: () => [],
  },
  'what cannot change keeps its value, so the set is not deleted and made anew; replicas are echoed: both are recorded':
    {
      applies: ({ name }) => ['statefulset-service-name-recreates', 'statefulset-replicas-up'].includes(name),
      instead: () => [{ verb: 'record', kind: 'StatefulSet', name: 'orders-app' }],
    },
  'a Secret that is missing holds up the pods that need it, and nothing else': {
    applies: ({ name }) => name === 'secret-missing',
    instead: (_, record) => patched(record),
  },
}

/** Edits that dynamic apply cannot take back, because to it they are additions: what is left. */
const staysBeside: Record<string, { reason: string; after: object }> = {
  'service-port': {
    reason:
      'ports are told apart by their number: ours is added, and the API server refuses two of one name with an Event',
    after: {
      spec: {
        ports: [
          { name: 'http', port: 1 },
          { name: 'http', port: 6065 },
        ],
      },
    },
  },
  'service-selector': {
    reason: 'a label that is added to a selector stays beside ours',
    after: { spec: { selector: { a: 'b', 'kaspr.io/cluster': 'orders' } } },
  },
}

void t.test('drift, as recorded', async (t) => {
  for (const record of table<DriftRecord>('drift-writes')) {
    const { name, change, expected } = record
    const original = expected.writes.map(({ verb, kind, name }) => ({ verb, kind, name }))
    const before = observed(record)
    const { writes, after } = played(record, before)
    t.same(writes, expectedOf(record, original, differences), name)

    const again = played(record, after).writes.filter(({ verb }) => verb !== 'record')
    t.same(again, [], `${name}: a second sync changes nothing`)
    if (change?.path === undefined || !writes.some(({ verb }) => verb === 'patch')) continue
    const replicas = expected.writes[0]?.values?.['/spec/replicas']
    const untouched = observed({ ...record, change: null })
    const meant = replicas ?? valueAt(target(untouched, change), change.path)
    const stays = staysBeside[name]
    if (stays === undefined) t.same(valueAt(target(after, change), change.path), meant, `${name}: as it was`)
    else t.match(target(after, change), stays.after, stays.reason)
  }
})

function target(objects: KubeObject[], { kind, name }: Change): KubeObject | undefined {
  return objects.find((object) => object.kind === kind && object.metadata.name === name)
}
