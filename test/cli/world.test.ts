import t from 'tap'
import { type Schema, customKind, withDefaults } from '../../cli/crds.ts'
import { RelatedIndex } from '../../cli/related.ts'
import { simulate } from '../../cli/simulate.ts'
import { storedChild, storedParent } from '../../cli/stored.ts'
import { type SettledParent, type WorldOptions, createWorld } from '../../cli/world.ts'
import { conditionOf } from '../../webhooks/contract/conditions.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { CompositeHooks } from '../../webhooks/hooks.ts'
import { context } from '../webhooks/requests.ts'

const kaspr = 'kaspr.io/v1alpha1'
const app = (name: string, metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: kaspr,
  kind: 'KasprApp',
  metadata: { name, ...metadata },
  spec: { replicas: 4, bootstrapServers: 'kafka:9092', authentication: { type: 'plain' } },
})
const agent = (name: string, of: string, namespace?: string): KubeObject => ({
  apiVersion: kaspr,
  kind: 'KasprAgent',
  metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels: { 'kaspr.io/app': of } },
  spec: { input: { topic: { name: 'in' } } },
})

function settled(objects: KubeObject[], options: WorldOptions = {}): SettledParent[] {
  return [...simulate(objects, { ...context(), ...options })]
}

function childOf({ stored }: SettledParent, kind: string): KubeObject {
  const found = stored.find((child) => child.kind === kind)
  if (found === undefined) throw new Error(`no ${kind}`)
  return found
}

/** A hook that answers one ConfigMap and a status, as the function says. */
function counting(
  status: (parent: KubeObject) => Record<string, unknown>,
  more: Partial<CompositeHooks> = {},
): CompositeHooks {
  return {
    resource: 'counters',
    apiVersion: 'lab/v1',
    kind: 'Counter',
    childRules: [{ apiVersion: 'v1', kind: 'ConfigMap' }],
    sync: ({ parent }) => ({
      children: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'default' } }],
      status: status(parent),
    }),
    ...more,
  }
}
const counter: KubeObject = { apiVersion: 'lab/v1', kind: 'Counter', metadata: { name: 'one' } }

void t.test('an app is settled with its components, whatever the order of the objects', async (t) => {
  const objects = [app('a'), agent('one', 'a'), agent('two', 'a'), agent('other', 'b'), agent('far', 'a', 'far')]
  const [first, ...rest] = settled(objects)
  t.same(
    [first, ...rest].map((parent) => parent?.parent.metadata.name),
    ['a', 'one', 'two', 'other', 'far'],
  )
  t.ok([first, ...rest].every((parent) => parent?.fixedPoint))
  t.match(first?.parent['status'], {
    linkedResources: { agents: [{ name: 'one' }, { name: 'two' }] },
    observedGeneration: 1,
  })
  t.equal(first?.parent.metadata.namespace, 'default')
  const reversed = settled(objects.toReversed()).toReversed()
  t.same(
    reversed.map(({ children }) => children),
    [first, ...rest].map((parent) => parent?.children),
  )
  t.same(settled([...objects, { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } }]), settled(objects))
})

void t.test('children stand in the world as the API server and Metacontroller keep them', async (t) => {
  const [first] = settled([app('a')])
  if (first === undefined) throw new Error('nothing settled')
  const { metadata } = childOf(first, 'StatefulSet')
  const { uid } = first.parent.metadata
  t.match(metadata, {
    namespace: 'default',
    // The first answer leaves the replicas of a new set to Kubernetes, the next one says what it observed.
    generation: 2,
    labels: { 'controller-uid': uid },
    ownerReferences: [{ apiVersion: kaspr, kind: 'KasprApp', name: 'a', uid, controller: true }],
    annotations: { 'metacontroller.k8s.io/last-applied-configuration': /^\{"apiVersion":"apps\/v1"/ },
  })
  t.notOk(JSON.stringify(first.children).includes('controller-uid'), 'which the answer has none of')
  t.equal(childOf(first, 'ConfigMap').metadata.generation, undefined)
})

void t.test('observed objects belong to the owner they name, or to whom the hook gives their name', async (t) => {
  const [before] = settled([app('a')])
  if (before === undefined) throw new Error('nothing settled')
  const running = (set: KubeObject): KubeObject => ({
    ...set,
    spec: { ...(set['spec'] as object), replicas: 3 },
    status: { replicas: 3, availableReplicas: 3, observedGeneration: 1 },
  })
  const set = running(childOf(before, 'StatefulSet'))
  const owned = {
    ...set,
    metadata: {
      ...set.metadata,
      ownerReferences: (set.metadata.ownerReferences ?? []).map((owner) => ({ ...owner, uid: 'real' })),
    },
  }
  const { ownerReferences: _, ...loose } = set.metadata
  for (const observed of [owned, { ...set, metadata: loose }]) {
    const [after] = settled([app('a')], { observed: [observed] })
    t.match(
      after?.children.find(({ kind }) => kind === 'StatefulSet'),
      { spec: { replicas: 3 } },
    )
    t.match(after, { fixedPoint: true, parent: { status: { availableMembers: '3/4' } } })
  }
  const observation = childOf(before, 'Observation')
  const report = { appUid: 'real', members: [{ id: 0, reachable: true }], reachable: '1/1' }
  const reporting = {
    ...observation,
    status: { kasprApp: report },
    metadata: { ...observation.metadata, ownerReferences: owned.metadata.ownerReferences },
  }
  const [reported] = settled([app('a')], { observed: [owned, reporting] })
  t.match(reported?.parent, { metadata: { uid: 'real' }, status: { members: [{ id: 0, reachable: true }] } })
  const live = { ...app('a', { namespace: 'default', uid: 'live', generation: 7 }), status: { conditions: [] } }
  t.match(
    settled([app('a')], { observed: [live] })[0]?.parent.metadata,
    { uid: 'live', generation: 8 },
    'a changed spec',
  )
  t.equal(settled([live], { observed: [live] })[0]?.parent.metadata.generation, 7)
})

void t.test('a paused app leaves what is there, a deleted one goes step by step as far as nothing runs', async (t) => {
  const [before] = settled([app('a')])
  if (before === undefined) throw new Error('nothing settled')
  const observed = before.stored
  const [paused] = settled([app('a', { annotations: { 'kaspr.io/pause-reconciliation': 'true' } })], { observed })
  t.same(paused?.children.map(({ kind }) => kind).sort(), [
    'ConfigMap',
    'Observation',
    'Service',
    'Service',
    'ServiceAccount',
    'StatefulSet',
  ])
  const deleted = app('a', { deletionTimestamp: '2026-01-01T00:00:00Z' })
  const [going] = settled([deleted], { observed })
  t.match(
    going?.children.find(({ kind }) => kind === 'StatefulSet'),
    { spec: { replicas: 0 } },
  )
  t.match(conditionOf((going?.parent['status'] as { conditions: unknown }).conditions, 'Progressing'), {
    reason: 'Terminating',
  })
  t.same(settled([deleted])[0]?.children, [])
})

void t.test('hooks that never come to an end are stopped, wrong answers refused', async (t) => {
  const count = (parent: KubeObject): number => (parent['status'] as { count?: number } | undefined)?.count ?? 0
  const hooks = (limit: number): CompositeHooks[] => [
    counting((parent) => ({ count: Math.min(limit, count(parent) + 1) })),
  ]
  t.match(settled([counter], { hooks: hooks(3) }), [{ rounds: 4, fixedPoint: true, parent: { status: { count: 3 } } }])
  t.match(settled([counter], { hooks: hooks(99) }), [{ rounds: 20, fixedPoint: false }])
  t.match(settled([counter], { hooks: hooks(99), maxRounds: 2 }), [{ rounds: 2, fixedPoint: false }])
  const foreign = counting(() => ({}), { childRules: [] })
  t.throws(() => settled([counter], { hooks: [foreign] }), { name: 'AnswerError' })
  const asking = (resource: string): CompositeHooks =>
    counting(() => ({}), { customize: () => ({ relatedResources: [{ apiVersion: 'lab/v1', resource }] }) })
  t.throws(() => settled([counter], { hooks: [asking('counters')] }), /Counter and Counter wait for each other/)
  t.throws(() => settled([counter], { hooks: [asking('pods')] }), /Counter asks for pods, which no hooks are known for/)
  const world = createWorld([counter], { hooks: hooks(1) })
  t.throws(() => world.settle(app('a')).next(), /KasprApp \/a is not in this world/)
})

void t.test('related objects are found by namespace, name and labels', async (t) => {
  const index = new RelatedIndex()
  const objects = [agent('a', 'x', 'n1'), agent('b', 'x', 'n2'), agent('c', 'y', 'n1')]
  for (const object of objects) index.add('kaspragents', object)
  const rule = { apiVersion: kaspr, resource: 'kaspragents' }
  const x = { matchLabels: { 'kaspr.io/app': 'x' } }
  const table: [more: object, names: string[]][] = [
    [{}, ['a', 'b', 'c']],
    [{ namespace: 'n1' }, ['a', 'c']],
    [{ names: ['b', 'c'] }, ['b', 'c']],
    [{ namespace: 'n1', names: ['b', 'c'] }, ['c']],
    [{ labelSelector: x }, ['a', 'b']],
    [{ labelSelector: {} }, ['a', 'b', 'c']],
    [{ namespace: 'n2', labelSelector: x }, ['b']],
    [{ namespace: 'n1', labelSelector: { matchLabels: { 'kaspr.io/app': 'x', other: '1' } } }, []],
    [{ labelSelector: { matchLabels: { constructor: 'x' } } }, []],
    [{ namespace: 'n3' }, []],
    [{ resource: 'kasprtables' }, []],
    [{ apiVersion: 'v1' }, []],
  ]
  for (const [more, names] of table) {
    t.same(
      index.select({ ...rule, ...more }).map(({ metadata }) => metadata.name),
      names,
      JSON.stringify(more),
    )
  }
})

void t.test('defaults as the API server fills them in', async (t) => {
  const schema: Schema = {
    properties: {
      a: { default: 1 },
      n: { nullable: true, default: 2 },
      o: { default: {}, properties: { x: { default: 'deep' } } },
      l: { items: { properties: { y: { default: true } } } },
      m: { additionalProperties: { properties: { z: { default: 3 } } } },
    },
  }
  const table: [value: unknown, stored: unknown][] = [
    [{}, { a: 1, n: 2, o: { x: 'deep' } }],
    [
      { a: null, n: null, o: null, u: null },
      { n: null, u: null, a: 1, o: { x: 'deep' } },
    ],
    [
      { a: 5, l: [{}, { y: false }, null], m: { k: {}, ['__proto__']: {} } },
      {
        a: 5,
        l: [{ y: true }, { y: false }, null],
        m: { k: { z: 3 }, ['__proto__']: { z: 3 } },
        n: 2,
        o: { x: 'deep' },
      },
    ],
    ['text', 'text'],
  ]
  for (const [value, stored] of table) t.equal(JSON.stringify(withDefaults(schema, value)), JSON.stringify(stored))
  t.match(storedParent({ ...app('a'), spec: {} }), {
    spec: { replicas: 1, storage: { type: 'ephemeral', deleteClaim: false } },
  })
  t.equal(customKind({ apiVersion: 'kaspr.io/v1', kind: 'KasprApp' }), undefined)
})

void t.test('what was applied last changes nothing; a change is a new generation of the same object', async (t) => {
  const parent = storedParent(app('a'))
  const desired = (x: number): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default' },
    spec: { x },
  })
  const created = storedChild(desired(1), undefined, parent)
  const live = { ...created, spec: { x: 1, defaulted: true }, status: { ready: true } }
  t.equal(storedChild(desired(1), live, parent), live)
  const changed = storedChild(desired(2), live, parent)
  t.match(changed, { spec: { x: 2 }, status: { ready: true }, metadata: { uid: created.metadata.uid, generation: 2 } })
})
