/** Status of an app: the recorded tables of conditions and of whole passes, and what tools such as kubectl wait read in it. */
import t from 'tap'
import { type ConditionDraft, conditions } from '../../webhooks/contract/conditions.ts'
import type { CompositeResponse, Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { type Difference, expectedOf, table } from './golden-tables.ts'
import { applied, context, hooksOf, request, synced } from './requests.ts'

const hooks = hooksOf('kasprapps')
const at = (time: string): string => new Date(time).toISOString()

interface UpsertRecord {
  name: string
  conditions: Partial<Condition>[] | null
  update: Partial<Condition>
  now: string
  expected: { conditions: Partial<Condition>[] | null }
}

/** Updates that nobody can make here: a condition is decided whole. */
const impossible = ['update-without-status', 'update-partial']

const upsertDifferences: Record<string, Difference<UpsertRecord, Partial<Condition>[]>> = {
  'there is one condition of a type, and none without a type': {
    applies: ({ name }) => ['duplicate-types-first-only', 'condition-without-type'].includes(name),
    instead: (all) =>
      all.filter(({ type }, index) => type !== undefined && all.findIndex((one) => one.type === type) === index),
  },
  'conditions have no other fields': {
    applies: ({ name }) => name === 'extra-fields-kept',
    instead: (all) =>
      all.map(({ type, status, reason, message, lastTransitionTime, observedGeneration }) => {
        return { type, status, reason, message, lastTransitionTime, observedGeneration } as Condition
      }),
  },
  'all conditions are decided anew, so all are about the generation of the answer': {
    applies: () => true,
    instead: (all) => all.map((condition) => ({ ...condition, observedGeneration: 2 })),
  },
}

void t.test('conditions that replace others, as recorded', async (t) => {
  for (const record of table<UpsertRecord>('conditions-upsert')) {
    const { name, conditions: before, update, now, expected } = record
    if (impossible.includes(name)) {
      t.notOk('reason' in update, `${name}: not a complete condition`)
      continue
    }
    const wanted = expectedOf(record, expected.conditions ?? [], upsertDifferences)
    // What was there and is not updated is decided as it was.
    const drafts = wanted.map(({ type }) =>
      type === update.type ? (update as ConditionDraft) : decided(before?.find((one) => one.type === type)),
    )
    const ours = conditions(before, drafts, 2, new Date(now))
    t.same(inOneFormat(ours), inOneFormat(wanted), name)
  }
})

function decided(condition: Partial<Condition> = {}): ConditionDraft {
  const { type, status, reason, message } = condition
  return { type, status, reason, message } as ConditionDraft
}

void t.test('a time that the API server would refuse is not kept', async (t) => {
  const draft: ConditionDraft = { type: 'Ready', status: 'True', reason: 'R', message: '' }
  const now = new Date('2026-01-01T00:00:00Z')
  for (const lastTransitionTime of ['', 'yesterday', '2025-01-01', '2025-01-01T00:00:00', 1, null, {}])
    t.match(conditions([{ ...draft, lastTransitionTime }], [draft], 1, now), [
      { lastTransitionTime: '2026-01-01T00:00:00Z' },
    ])
  for (const lastTransitionTime of [
    '2025-01-01T00:00:00Z',
    '2025-01-01T00:00:00.123456+00:00',
    '2025-01-01T00:00:00-05:00',
  ])
    t.match(conditions([{ ...draft, lastTransitionTime }], [draft], 1, now), [{ lastTransitionTime }])
})

/** Times are whole seconds in UTC here; the same time in other words is the same. */
function inOneFormat(all: readonly Partial<Condition>[]): unknown[] {
  return all.map(({ lastTransitionTime, ...rest }) =>
    lastTransitionTime === undefined ? rest : { ...rest, lastTransitionTime: at(lastTransitionTime) },
  )
}

interface World {
  /** The app as it comes in, with its former status. */
  parent: KubeObject
  /** Status of the StatefulSet; `null` when there is none. */
  set: Record<string, unknown> | null
  image?: string
  members?: object[]
  packages?: object
  related?: KubeObject[]
  now: string
  settings?: Record<string, string>
}

/** Answer for an app whose objects are all as asked for. */
function answer({
  parent,
  set,
  image,
  members = [],
  packages,
  related = [],
  now,
  settings = {},
}: World): CompositeResponse {
  const first = hooks.sync(request(hooks, parent, [], related), context(settings))
  const report = { appUid: parent.metadata.uid, members, ...(packages === undefined ? {} : { packages }) }
  const children = first.children
    .filter(({ kind }) => kind !== 'StatefulSet' || set !== null)
    .map((child) => {
      if (child.kind === 'Observation') return applied(child, { kasprApp: report })
      if (child.kind !== 'StatefulSet') return applied(child)
      const live = applied(child, { observedGeneration: 1, ...set })
      return image === undefined ? live : withImage(live, image)
    })
  return hooks.sync(request(hooks, parent, children, related), context(settings, now))
}

function withImage(set: KubeObject, image: string): KubeObject {
  const copy = structuredClone(set)
  const { containers } = (copy['spec'] as { template: { spec: { containers: { image: string }[] } } }).template.spec
  for (const container of containers) container.image = image
  return copy
}

function conditionsOf({ status }: CompositeResponse): Condition[] {
  return status['conditions'] as Condition[]
}

function ofTypes(all: readonly Partial<Condition>[], types: readonly string[]): unknown[] {
  return inOneFormat(types.map((type) => all.find((one) => one.type === type) ?? { type }))
}

function app(spec: Record<string, unknown>, generation: number, status?: Record<string, unknown>): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name: 'orders', namespace: 'shop', uid: 'app-uid', generation },
    spec: { bootstrapServers: 'kafka:9092', authentication: { type: 'plain' }, ...spec },
    ...(status === undefined ? {} : { status }),
  }
}

interface RolloutRecord {
  name: string
  conditions: Condition[] | null
  generation: number
  observedGeneration: number | null
  availableMembers: number | null
  replicas: number
  hungMembers: number[] | null
  now: string
  expected: { conditions: Condition[] }
}

const health = ['Progressing', 'Ready']

/** Where something else is meant: reason -> what Progressing and Ready are, or `undefined` where the rule does not apply. */
const rolloutDifferences: Record<string, (record: RolloutRecord) => [[object, object]] | undefined> = {
  'which members are hung is found out and reported by the poller: without such a report the rest decides': (
    record,
  ) => {
    if (record.hungMembers === null || record.hungMembers.length === 0) return undefined
    const isNew = record.generation !== record.observedGeneration
    return isNew ? [[{ reason: 'NewSpec' }, { reason: 'NotReady' }]] : [[{ status: 'False' }, { reason: 'Healthy' }]]
  },
  'times are kept whatever else changes in the same pass': ({ name, conditions, expected }) => {
    if (name !== 'pending-package-condition') return undefined
    const [progressing, ready] = health.map((type) => {
      const { reason, message } = expected.conditions.find((one) => one.type === type) ?? {}
      const kept = conditions?.find((one) => one.type === type)?.lastTransitionTime ?? ''
      return { reason, message, lastTransitionTime: at(kept) }
    })
    return [[progressing ?? {}, ready ?? {}]]
  },
}

void t.test('Progressing and Ready, as recorded', async (t) => {
  for (const record of table<RolloutRecord>('conditions-rollout')) {
    const { name, conditions: before, generation, observedGeneration, availableMembers, replicas, now } = record
    const status = { conditions: before, ...(observedGeneration === null ? {} : { observedGeneration }) }
    const count = availableMembers ?? undefined
    const set = { replicas, updatedReplicas: replicas, ...(count === undefined ? {} : { availableReplicas: count }) }
    const ours = ofTypes(conditionsOf(answer({ parent: app({ replicas }, generation, status), set, now })), health)
    const wanted = ofTypes(record.expected.conditions, health)
    const [otherwise] = Object.values(rolloutDifferences).flatMap((rule) => rule(record) ?? [])
    if (otherwise === undefined) t.same(ours, wanted, name)
    else t.match(ours, otherwise, name)
  }
})

interface ErrorRecord {
  name: string
  conditions: Condition[] | null
  generation: number | null
  now: string
  expected: { conditions: Condition[] }
}

void t.test('an error, as recorded; here it is always one of the spec, in words', async (t) => {
  for (const { name, conditions: before, generation, now, expected } of table<ErrorRecord>('conditions-error')) {
    const parent = app({ replicas: -1 }, generation ?? 0, { conditions: before })
    const ours = ofTypes(conditionsOf(answer({ parent, set: null, now })), health)
    const wanted = ofTypes(expected.conditions, health) as Condition[]
    const message = 'spec.replicas: -1 is not accepted; accepted: must be >= 0'
    t.same(
      ours,
      wanted.map((one) => (one.type === 'Progressing' ? { ...one, message } : one)),
      name,
    )
  }
})

interface PackagesRecord {
  name: string
  state: { state?: string; reason?: string } | null
  expected: { condition: { status: string } | null }
}

/** Reports that make up the recorded states. */
const reports: Record<string, object> = {
  Ready: { state: 'terminated', exitCode: 0, message: '{}' },
  Installing: { state: 'running' },
  Failed: { state: 'terminated', exitCode: 1 },
}

void t.test('the condition of the packages, as recorded', async (t) => {
  const image = 'x/y:1'
  const spec = { image, pythonPackages: { packages: ['lib'] } }
  const ready = (parent: KubeObject, packages?: object): Condition | undefined =>
    conditionsOf(
      answer({ parent, set: {}, now: '2026-01-01T00:00:00Z', ...(packages === undefined ? {} : { packages }) }),
    ).find(({ type }) => type === 'PythonPackagesReady')
  const { template } = hooks
    .sync(request(hooks, app(spec, 1)), context())
    .children.find(({ kind }) => kind === 'StatefulSet')?.['spec'] as { template: unknown }
  const set = /"--set","([^"]+)"/.exec(JSON.stringify(template))?.[1]
  for (const { name, state, expected } of table<PackagesRecord>('conditions-packages')) {
    const report = reports[state?.state ?? '']
    // A state that is not known, or none, is no report at all: then packages count as not installed yet.
    const status = report === undefined ? 'False' : expected.condition?.status
    const packages = report === undefined ? undefined : { pod: 'orders-app-0', set, ...report }
    t.match(ready(app(spec, 1), packages), { status, observedGeneration: 1 }, name)
  }
  t.equal(ready(app({ image }, 1)), undefined, 'without packages there is none')
})

interface FlowRecord {
  name: string
  app: KubeObject
  generation: number
  status: Record<string, unknown>
  settings: Record<string, string>
  statefulSet: { image: string | null; status: Record<string, number> } | null
  components: KubeObject[]
  now: string
  expected: { statusPatch: Record<string, unknown>; podDeletesAsked: string[] }
}

/** The part of a status that a pass of the hook decides, in one form for both sides. */
interface Flow {
  availableMembers?: unknown
  kasprVersion?: unknown
  rolloutInProgress?: unknown
  rebalancingMembers?: unknown
  members?: unknown
  linkedResources?: unknown
  pythonPackages?: unknown
  conditions: unknown[]
}

function flow(status: Record<string, unknown>): Flow {
  const { availableMembers, kasprVersion, rolloutInProgress, rebalancingMembers, members, pythonPackages } = status
  const linked = (status['linkedResources'] ?? {}) as Record<string, { hash: string }[]>
  // Hashes are ours; what counts is what is linked.
  const linkedResources = Object.fromEntries(
    Object.entries(linked).map(([kind, list]) => [kind, list.map(({ hash: _, ...rest }) => rest)]),
  )
  return {
    ...Object.fromEntries(
      Object.entries({
        availableMembers,
        kasprVersion,
        rolloutInProgress,
        rebalancingMembers,
        members,
        pythonPackages,
      }).filter(([, value]) => value !== undefined && value !== null),
    ),
    linkedResources,
    conditions: ofTypes((status['conditions'] ?? []) as Condition[], health),
  }
}

const conditionsAre = (flow: Flow, [progressing, ready]: [object, object]): Flow => ({
  ...flow,
  conditions: [
    { ...(flow.conditions[0] as object), ...progressing },
    { ...(flow.conditions[1] as object), ...ready },
  ],
})

const recent = '2025-03-10T12:00:00.000Z'

/** Whether there are pods of two revisions, as far as their numbers tell. */
function isOnTheWay({ statefulSet }: FlowRecord): boolean {
  const { replicas = 0, currentReplicas = replicas, updatedReplicas = replicas } = statefulSet?.status ?? {}
  return currentReplicas !== replicas || updatedReplicas !== replicas
}

const flowDifferences: Record<string, Difference<FlowRecord, Flow>> = {
  'the status is whole, also while there is no StatefulSet or none of its pods is available': {
    applies: ({ name }) => ['no-statefulset', 'available-replicas-unset'].includes(name),
    instead: (_, { name, generation }) => ({
      availableMembers: '0/2',
      rebalancingMembers: '0/0',
      rolloutInProgress: false,
      ...(name === 'no-statefulset' ? {} : { kasprVersion: '0.11.19' }),
      members: [],
      linkedResources: {
        agents: name === 'no-statefulset' ? [] : [{ name: 'g', topicName: 't1' }],
        tables: [],
        webviews: [],
        tasks: [],
      },
      conditions: [
        {
          type: 'Progressing',
          status: 'True',
          reason: 'NewSpec',
          message: 'Reconciling desired state',
          observedGeneration: generation,
          lastTransitionTime: recent,
        },
        {
          type: 'Ready',
          status: 'False',
          reason: 'NotReady',
          message: 'Rollout in progress',
          observedGeneration: generation,
          lastTransitionTime: recent,
        },
      ],
    }),
  },
  'joins are linked as well': {
    applies: () => true,
    instead: (result) => ({ ...result, linkedResources: { ...(result.linkedResources as object), joins: [] } }),
  },
  'members are there from the start, as an empty list, and say whether they answer': {
    applies: () => true,
    instead: (result) => ({
      ...result,
      members: ((result.members ?? []) as object[]).map((member) => ({ ...member, reachable: true })),
    }),
  },
  'a member that does not answer stays in the list; the original forgets it, and since when it is as it is': {
    applies: ({ name }) => ['member-silent', 'all-members-silent'].includes(name),
    instead: (result, { status }) => {
      const answering = result.members as { id: number }[]
      const members = (status['members'] as { id: number }[]).map((member) => ({
        ...member,
        reachable: answering.some(({ id }) => id === member.id),
      }))
      return { ...result, members }
    },
  },
  'an app none of whose members answers is not ready': {
    applies: ({ name }) => name === 'all-members-silent',
    instead: (result) => {
      const message = 'Pods are available, but no member answers'
      const ready = { status: 'Unknown', reason: 'MembersUnreachable', message, lastTransitionTime: recent }
      return conditionsAre(result, [{}, ready])
    },
  },
  'what is linked is also told without static membership': {
    applies: ({ name }) => name === 'agent-added-static-membership-off',
    instead: (result) => ({
      ...result,
      linkedResources: {
        ...(result.linkedResources as object),
        agents: [
          { name: 'g', topicName: 't1' },
          { name: 'g2', topicName: 't2' },
        ],
      },
    }),
  },
  'an image without a tag has no version': {
    applies: ({ name }) => name === 'image-without-tag',
    instead: (result) => ({ ...result, kasprVersion: 'unknown' }),
  },
  'a rollout is one until the last pod is of the new revision: the original takes the half-way point for its end': {
    applies: isOnTheWay,
    instead: (result) =>
      conditionsAre({ ...result, rolloutInProgress: true }, [
        {
          status: 'True',
          reason: 'Reconciling',
          message: 'Waiting for resources to become ready',
          lastTransitionTime: recent,
        },
        { status: 'False', reason: 'NotReady', message: 'Kaspr app not ready', lastTransitionTime: recent },
      ]),
  },
  'which members are hung is found out and reported by the poller: without such a report the rest decides': {
    applies: ({ expected, generation }) => expected.podDeletesAsked.length > 0 && generation === 1,
    instead: (result, { status }) =>
      conditionsAre(result, [
        {},
        { status: 'True', reason: 'Healthy', message: 'App is ready', lastTransitionTime: timeOf(status, 'Ready') },
      ]),
  },
  'the same, for a spec that is new': {
    applies: ({ expected, generation }) => expected.podDeletesAsked.length > 0 && generation === 2,
    instead: (result) =>
      conditionsAre(result, [
        { status: 'True', reason: 'NewSpec', message: 'Reconciling desired state', lastTransitionTime: recent },
        { message: 'Rollout in progress', reason: 'NotReady', lastTransitionTime: recent },
      ]),
  },
}

function timeOf(status: Record<string, unknown>, type: string): string {
  const found = (status['conditions'] as Condition[]).find((one) => one.type === type)
  return at(found?.status === 'True' ? found.lastTransitionTime : recent)
}

void t.test('whole passes, as recorded, from what the poller reports of the members', async (t) => {
  for (const record of table<FlowRecord>('status-flow')) {
    const {
      name,
      app: { metadata, ...rest },
      generation,
      status,
      statefulSet,
      components,
      settings,
      now,
    } = record
    const patch = record.expected.statusPatch
    const original = flow({ ...status, ...patch })
    const wanted = expectedOf(record, original, flowDifferences)
    const counts = statefulSet?.status
    // The table knows no revisions: pods of two of them are on their way from one to the other.
    const revisions = { currentRevision: 'r1', updateRevision: isOnTheWay(record) ? 'r2' : 'r1' }
    const ours = answer({
      parent: { ...rest, metadata: { ...metadata, generation }, status },
      set: counts === undefined ? null : { ...counts, ...revisions },
      ...(statefulSet?.image == null ? {} : { image: statefulSet.image }),
      members: wanted.members as object[],
      related: components.map((component) => synced(component)),
      now,
      settings: Object.fromEntries(Object.entries(settings).filter(([key]) => key === 'CLIENT_STATUS_CHECK_ENABLED')),
    })
    t.same(flow(ours.status), wanted, name)
    t.notHas(ours.status, { pythonPackages: {} }, `${name}: no packages`)
  }
})

/** As kubectl wait --for=condition=Ready: a condition about an older generation does not count. */
function waitSucceeds({ metadata, status }: KubeObject): boolean {
  const { conditions: all = [] } = (status ?? {}) as { conditions?: Condition[] }
  const ready = all.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' && ready.observedGeneration >= (metadata.generation ?? 0)
}

/** As kstatus: an older generation or no Ready condition is in progress. */
function isCurrent({ metadata, status }: KubeObject): boolean {
  const { observedGeneration } = (status ?? {}) as { observedGeneration?: number }
  return observedGeneration === metadata.generation && waitSucceeds({ apiVersion: '', kind: '', metadata, status })
}

void t.test('tools that wait for Ready wait for exactly the spec that they see', async (t) => {
  let parent = app({ replicas: 1 }, 1)
  let children: KubeObject[] = []
  let second = 0
  /** One sync, whose answer is carried out; the set's own controller follows when `follows` says so. */
  const pass = (follows: boolean): CompositeResponse => {
    const now = new Date(Date.UTC(2026, 0, 1, 0, 0, (second += 1))).toISOString()
    const result = hooks.sync(request(hooks, parent, children), context({}, now))
    const former = children.find(({ kind }) => kind === 'StatefulSet')
    children = result.children.map((child) => {
      if (child.kind !== 'StatefulSet') return applied(child)
      const generation = parent.metadata.generation ?? 0
      const counts = {
        replicas: 1,
        availableReplicas: 1,
        updatedReplicas: 1,
        currentRevision: 'r',
        updateRevision: 'r',
      }
      const next = applied(
        child,
        follows ? { ...counts, observedGeneration: generation } : (former?.['status'] as Record<string, unknown>),
      )
      return { ...next, metadata: { ...next.metadata, generation } }
    })
    parent = { ...parent, status: { ...result.status, observedGeneration: parent.metadata.generation } }
    return result
  }
  const types = (): string[] => (parent['status'] as { conditions: Condition[] }).conditions.map(({ type }) => type)

  t.notOk(waitSucceeds(parent), 'before the first sync')
  pass(false)
  t.same(types(), ['Valid', 'Progressing', 'Ready', 'Paused'], 'all conditions are there from the first sync')
  t.notOk(waitSucceeds(parent))
  pass(true)
  t.notOk(waitSucceeds(parent), 'the set was not observed yet')
  pass(true)
  t.ok(waitSucceeds(parent) && isCurrent(parent))
  const settled = JSON.stringify(parent['status'])
  pass(true)
  t.equal(JSON.stringify(parent['status']), settled, 'and nothing moves any more')

  const { metadata } = parent
  parent = {
    ...parent,
    spec: { ...(parent['spec'] as object), config: { topicPartitions: 9 } },
    metadata: { ...metadata, generation: 2 },
  }
  t.notOk(waitSucceeds(parent) || isCurrent(parent), 'a changed spec is not ready, whatever the old status says')
  pass(false)
  t.notOk(waitSucceeds(parent), 'nor when it is applied')
  pass(false)
  t.notOk(waitSucceeds(parent), 'nor before the set has taken it up')
  pass(true)
  pass(true)
  t.ok(waitSucceeds(parent) && isCurrent(parent))
  for (const condition of (parent['status'] as { conditions: Condition[] }).conditions)
    t.match(condition, { observedGeneration: 2, lastTransitionTime: /^2026-01-01T00:00:\d\dZ$/, reason: /^[A-Za-z]+$/ })
})

void t.test('a paused app does not say that a change is applied', async (t) => {
  const paused = { 'kaspr.io/pause-reconciliation': 'true' }
  const counts = { replicas: 1, availableReplicas: 1, currentRevision: 'r', updateRevision: 'r' }
  const settled = app({ replicas: 1 }, 2, { observedGeneration: 2 })
  const children = hooks
    .sync(request(hooks, settled), context())
    .children.map((child) =>
      applied(child, child.kind === 'StatefulSet' ? { ...counts, observedGeneration: 1 } : undefined),
    )
  const said = (parent: KubeObject): unknown => {
    const held = { ...parent, metadata: { ...parent.metadata, annotations: paused } }
    return conditionsOf(hooks.sync(request(hooks, held, children), context()))
  }
  t.match(said(settled), [
    {},
    { type: 'Progressing', status: 'False', reason: 'ReconcileComplete' },
    { status: 'True' },
  ])
  const change = app({ replicas: 1, config: { topicPartitions: 9 } }, 3, { observedGeneration: 2 })
  t.match(said(change), [{}, { type: 'Progressing', status: 'False', reason: 'Paused' }, { status: 'True' }])
})
