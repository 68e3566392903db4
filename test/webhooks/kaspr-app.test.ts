/** An app from its first sync on: its objects, what rolls its pods, how many there are. */
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import {
  agent,
  answered,
  app,
  carriedOut,
  condition,
  hooks,
  ofKind,
  report,
  sync,
  template,
} from './kaspr-app-world.ts'
import { context, request, synced } from './requests.ts'

void t.test('a new app gets all its objects in one answer', async (t) => {
  const answer = sync(app())
  t.same(
    answer.children.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    [
      'ServiceAccount orders-app',
      'ConfigMap orders-app-config',
      'Service orders-app-api',
      'Service orders-app',
      'StatefulSet orders-app',
      'HorizontalPodAutoscaler orders-app-hpa',
      'Observation kasprapp-orders',
    ],
  )
  t.match(condition(answer, 'Progressing'), { status: 'True', reason: 'NewSpec' })
  t.match(condition(answer, 'Ready'), { status: 'False', reason: 'NotReady' })
  t.match(condition(answer, 'Valid'), { status: 'True' })
  t.match(condition(answer, 'Paused'), { status: 'False' })
})

void t.test('a settled app is a fixed point: same children, same status, byte for byte', async (t) => {
  const related = [synced(agent('a'))]
  const first = sync(app(), [], related)
  const second = sync(answered(app(), first), carriedOut(first, 3, report), related)
  const observed = carriedOut(second, 3, report)
  const third = hooks.sync(
    request(hooks, answered(app(), second), observed, related),
    context({}, '2026-01-01T00:05:00Z'),
  )
  t.equal(JSON.stringify(third.children), JSON.stringify(second.children))
  t.equal(JSON.stringify(third.status), JSON.stringify(second.status))
  t.match(condition(third, 'Ready'), { status: 'True', reason: 'Healthy' })
  t.match(condition(third, 'Progressing'), { status: 'False', reason: 'ReconcileComplete' })
  t.match(third.status, {
    availableMembers: '3/3',
    rebalancingMembers: '1/3',
    rolloutInProgress: false,
    kasprVersion: '0.11.19',
    members: report.members,
    linkedResources: { agents: [{ name: 'a', topicName: 'in' }] },
  })
})

void t.test('no pod starts before its component files are there', async (t) => {
  const pending = agent('pending')
  const first = sync(app(), [], [pending])
  t.notOk(ofKind(first.children, 'StatefulSet'), 'a new set is not created')
  t.match(condition(first, 'Ready'), { status: 'False' })

  const settled = sync(app(), [], [synced(agent('a'))])
  const changed = { ...synced(agent('a')), spec: { input: { topic: { name: 'other' } } } }
  const held = sync(answered(app(), settled), carriedOut(settled), [changed])
  t.same(template(held.children), template(settled.children), 'a set that runs keeps its template')
  t.match(condition(held, 'Progressing'), { status: 'True', reason: 'WaitingForComponents', message: /KasprAgent a/ })

  const moved = sync(answered(app(), settled), carriedOut(settled), [synced({ ...agent('a'), spec: changed.spec })])
  t.not(
    JSON.stringify(template(moved.children)),
    JSON.stringify(template(settled.children)),
    'then it moves on at once',
  )
})

void t.test('what rolls pods and what does not', async (t) => {
  const one = synced(agent('a'))
  const two = synced(agent('b'))
  const related = [one, two]
  const base = template(sync(app(), [], related).children)
  const cases: [what: string, rolls: boolean, other: unknown][] = [
    ['replicas', false, template(sync(app({ replicas: 7 }), [], related).children)],
    ['order of components', false, template(sync(app(), [], related.toReversed()).children)],
    [
      'a component of another app',
      false,
      template(
        sync(app(), [], [...related, synced(agent('c', 'x', { labels: { 'kaspr.io/app': 'other' } }))]).children,
      ),
    ],
    [
      'a component that is being deleted',
      true,
      template(sync(app(), [], [one, { ...two, metadata: { ...two.metadata, deletionTimestamp: 'x' } }]).children),
    ],
    ['the description of a component', false, template(sync(app(), [], [one, synced(described(two))]).children)],
    [
      'labels of a component',
      false,
      template(
        sync(app(), [], [one, synced(agent('b', 'in', { labels: { 'kaspr.io/app': 'orders', team: 'blue' } }))])
          .children,
      ),
    ],
    ['another topic', true, template(sync(app(), [], [one, synced(agent('b', 'other'))]).children)],
    ['labels of the app', false, template(sync(app({}, { labels: { team: 'blue' } }), [], related).children)],
    [
      'claim retention',
      false,
      template(sync(app({ storage: { type: 'ephemeral', deleteClaim: true } }), [], related).children),
    ],
    ['config', true, template(sync(app({ config: { topicPartitions: 12 } }), [], related).children)],
    ['image', true, template(sync(app({ image: 'x/y:1' }), [], related).children)],
    ['resources', true, template(sync(app({ resources: { limits: { memory: '1Gi' } } }), [], related).children)],
    ['resources written differently', false, template(sync(app({ resources: {} }), [], related).children)],
    ['bootstrapServers', true, template(sync(app({ bootstrapServers: 'other:9092' }), [], related).children)],
  ]
  for (const [what, rolls, other] of cases) {
    const same = JSON.stringify(withoutEmptyResources(other)) === JSON.stringify(base)
    t.equal(!same, rolls, what)
  }
})

function described(component: KubeObject): KubeObject {
  return { ...component, spec: { ...(component['spec'] as object), description: 'What it is for' } }
}

function withoutEmptyResources(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replace('"resources":{},', '')) as unknown
}

void t.test('replicas: the hook never fights the autoscaler and never forgets', async (t) => {
  const rows: [
    what: string,
    wanted: number,
    observed: number | undefined,
    lastSeen: number | undefined,
    hpa: boolean,
    initial: string,
    expected: number | undefined,
  ][] = [
    ['new app: Kubernetes starts one', 3, undefined, undefined, false, '1', undefined],
    ['new stopped app', 0, undefined, undefined, false, '1', 0],
    ['running: echoed', 3, 2, undefined, true, '1', 2],
    ['running above the wish: the autoscaler cuts', 3, 5, undefined, true, '1', 5],
    ['from 0: kicked off', 10, 0, undefined, false, '3', 3],
    ['from 0, small app', 2, 0, undefined, false, '3', 2],
    ['to 0 while the autoscaler is there: it goes first', 0, 4, undefined, true, '1', 4],
    ['to 0 once it is gone', 0, 4, undefined, false, '1', 0],
    ['lost set: as it was', 5, undefined, 4, false, '1', 4],
    ['lost set, app shrunk meanwhile', 2, undefined, 4, false, '1', 2],
    ['lost stopped set, app started', 5, undefined, 0, false, '2', 2],
  ]
  for (const [what, wanted, observed, lastSeen, hpa, initial, expected] of rows) {
    const first = sync(app({ replicas: Math.max(wanted, 1) }))
    const all = carriedOut(
      first,
      observed ?? 0,
      lastSeen === undefined ? undefined : { appUid: 'app-uid', lastReplicas: lastSeen, members: [] },
    )
    const children = all.filter(
      ({ kind }) => (kind !== 'StatefulSet' || observed !== undefined) && (kind !== 'HorizontalPodAutoscaler' || hpa),
    )
    const answer = sync(app({ replicas: wanted }), children, [], { INITIAL_MAX_REPLICAS: initial })
    t.equal((ofKind(answer.children, 'StatefulSet')?.['spec'] as { replicas?: number }).replicas, expected, what)
    t.equal(ofKind(answer.children, 'HorizontalPodAutoscaler') !== undefined, wanted > 0, `${what}: autoscaler`)
  }
})

void t.test('a report about an app of the same name that is gone is ignored', async (t) => {
  const first = sync(app())
  const children = carriedOut(first, 3, { ...report, appUid: 'former-uid' }).filter(
    ({ kind }) => kind !== 'StatefulSet',
  )
  const answer = sync(app(), children)
  t.same(answer.status['members'], [])
  t.notHas(ofKind(answer.children, 'StatefulSet')?.['spec'], { replicas: 3 })
})

void t.test('customize depends on the name alone', async (t) => {
  const rules = {
    relatedResources: ['kaspragents', 'kasprwebviews', 'kasprtables', 'kasprtasks', 'kasprjoins'].map((resource) => ({
      apiVersion: 'kaspr.io/v1alpha1',
      resource,
      namespace: 'shop',
      labelSelector: { matchLabels: { 'kaspr.io/app': 'orders' } },
    })),
  }
  const { controller } = request(hooks, app())
  t.same(hooks.customize?.({ controller, parent: app() }, context()), rules)
  t.same(
    hooks.customize?.({ controller, parent: { ...app({}, { labels: { a: 'b' } }), spec: undefined } }, context()),
    rules,
  )
})
