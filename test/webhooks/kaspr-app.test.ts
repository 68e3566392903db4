import t from 'tap'
import type { CompositeResponse, Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { applied, context, hooksOf, request, synced } from './requests.ts'

const hooks = hooksOf('kasprapps')

function app(spec: Record<string, unknown> = {}, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name: 'orders', namespace: 'shop', uid: 'app-uid', generation: 1, ...metadata },
    spec: { replicas: 3, bootstrapServers: 'kafka:9092', authentication: { type: 'plain' }, ...spec },
  }
}

function agent(name: string, topic = 'in', metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprAgent',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      generation: 1,
      labels: { 'kaspr.io/app': 'orders' },
      ...metadata,
    },
    spec: { input: { topic: { name: topic } } },
  }
}

/** Answer to a sync. */
function sync(
  parent: KubeObject,
  children: KubeObject[] = [],
  related: KubeObject[] = [],
  env: Record<string, string> = {},
): CompositeResponse {
  return hooks.sync(request(hooks, parent, children, related), context(env))
}

function ofKind(objects: readonly KubeObject[], kind: string): KubeObject | undefined {
  return objects.find((object) => object.kind === kind)
}

function condition({ status }: { status: Record<string, unknown> }, type: string): Condition | undefined {
  return (status['conditions'] as Condition[]).find((candidate) => candidate.type === type)
}

/** Status that the StatefulSet controller reports when all is well. */
function healthySet(replicas: number): Record<string, unknown> {
  return {
    observedGeneration: 1,
    replicas,
    availableReplicas: replicas,
    updatedReplicas: replicas,
    currentRevision: 'r1',
    updateRevision: 'r1',
  }
}

/** The cluster after an answer was carried out, with the set scaled to `replicas` and healthy. */
function carriedOut(answer: CompositeResponse, replicas = 3, report?: Record<string, unknown>): KubeObject[] {
  return answer.children.map((child) => {
    if (child.kind === 'StatefulSet') {
      const scaled = { ...child, spec: { ...(child['spec'] as object), replicas } }
      return applied({ ...scaled }, healthySet(replicas))
    }
    return applied(child, child.kind === 'Observation' && report !== undefined ? { kasprApp: report } : undefined)
  })
}

/** The parent as it comes back with the status of an answer, which Metacontroller marks with the generation. */
function answered(parent: KubeObject, answer: CompositeResponse): KubeObject {
  return { ...parent, status: { ...answer.status, observedGeneration: parent.metadata.generation } }
}

const report = {
  appUid: 'app-uid',
  lastReplicas: 3,
  members: [0, 1, 2].map((id) => ({
    id,
    podUID: `pod-${id}`,
    reachable: true,
    leader: id === 0,
    rebalancing: id === 2,
    recovering: false,
  })),
}

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

function template(children: readonly KubeObject[]): unknown {
  return (ofKind(children, 'StatefulSet')?.['spec'] as { template: unknown } | undefined)?.template
}

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

void t.test('pause: everything stays as it stands, edits included, but for the autoscaler', async (t) => {
  const first = sync(app())
  const paused = app({ config: { topicPartitions: 9 } }, { annotations: { 'kaspr.io/pause-reconciliation': 'True' } })
  const children = structuredClone(carriedOut(first, 2, report))
  const set = children.find(({ kind }) => kind === 'StatefulSet') as unknown as {
    spec: { template: { spec: { containers: { image: string; env: unknown[] }[] } } }
  }
  const container = set.spec.template.spec.containers[0]
  if (container !== undefined) container.image = 'hand/made:1'
  container?.env.push({ name: 'FOREIGN', value: 'kept' })
  const answer = sync(answered(paused, first), children)
  t.notOk(ofKind(answer.children, 'HorizontalPodAutoscaler'), 'scaling by hand sticks')
  t.match(template(answer.children), { spec: { containers: [{ image: 'hand/made:1' }] } })
  t.notMatch(JSON.stringify(template(answer.children)), /FOREIGN/, 'what others added is theirs')
  t.match(
    ofKind(answer.children, 'StatefulSet')?.['spec'],
    { replicas: 2 },
    'the number of replicas is the one observed',
  )
  t.ok(ofKind(answer.children, 'Observation'), 'the poller goes on looking')
  t.match(condition(answer, 'Paused'), { status: 'True', reason: 'PausedByAnnotation' })
  const resumed = sync(answered(app({ config: { topicPartitions: 9 } }), first), children)
  t.ok(ofKind(resumed.children, 'HorizontalPodAutoscaler'))
  t.match(template(resumed.children), { spec: { containers: [{ image: 'kasprio/kaspr:0.11.19' }] } })
  t.match(condition(sync(app({}, { annotations: { 'kaspr.io/pause-reconciliation': 'yes' } })), 'Paused'), {
    status: 'False',
  })
})

void t.test('an invalid spec changes nothing and says what is accepted', async (t) => {
  const first = sync(app())
  const children = carriedOut(first)
  const cases: [spec: Record<string, unknown>, message: RegExp][] = [
    [{ replicas: -2 }, /^spec\.replicas: -2 is not accepted; accepted: must be >= 0$/],
    [{ replicas: 'three' }, /^spec\.replicas: "three" is not accepted; accepted: integer$/],
    [{ bootstrapServers: undefined }, /^spec\.bootstrapServers is missing/],
    [
      { authentication: { type: 'tls' } },
      /^spec\.authentication\.type: "tls" is not accepted; accepted: plain, scram-sha-256/,
    ],
    [
      { authentication: { type: 'scram-sha-512' } },
      /spec\.authentication\.username is missing.*; spec\.authentication\.passwordSecret is missing/,
    ],
    [{ version: '99.0.0' }, /^spec\.version: "99\.0\.0" is not accepted; accepted: 0\.11\.19/],
    [
      { config: { topicPartitions: 'many' } },
      /^spec\.config\.topicPartitions: "many" is not accepted; accepted: a whole number$/,
    ],
    [{ config: { 'a b': 1 } }, /^spec\.config\.a b: "a b" is not accepted/],
    [{ config: { webPort: 70000 } }, /^spec\.config\.webPort: 70000 is not accepted; accepted: a port/],
    [{ storage: { type: 'persistent-claim' } }, /^spec\.storage\.size is missing/],
    [{ resources: { limits: { memory: 'much' } } }, /^spec\.resources\.limits\.memory: "much" is not accepted/],
  ]
  for (const [spec, message] of cases) {
    const broken = app(spec)
    const answer = sync(answered(broken, first), children)
    t.match(condition(answer, 'Valid'), { status: 'False', reason: 'InvalidSpec', message })
    t.match(condition(answer, 'Ready'), { status: 'False', reason: 'Error' })
    t.same(template(answer.children), template(first.children), 'the set stays')
    t.equal(answer.children.length, children.length, 'so does everything else')
    t.same(
      sync(broken).children.map(({ kind }) => kind),
      ['Observation'],
      'a new app gets nothing',
    )
  }
})

void t.test('a component that cannot be rendered is named and skipped', async (t) => {
  const bad = agent('bad')
  bad['spec'] = { input: { topic: { name: 'a', pattern: 'b' } } }
  const answer = sync(app(), [], [bad, synced(agent('good'))])
  t.match(condition(answer, 'Valid'), {
    status: 'False',
    reason: 'InvalidComponent',
    message: /KasprAgent bad: spec\.input\.topic.*exactly one of name and pattern/,
  })
  t.match(JSON.stringify(template(answer.children)), /good-agent/)
  t.notMatch(JSON.stringify(template(answer.children)), /bad-agent/)
})

void t.test('health', async (t) => {
  const first = sync(app())
  const rows: [
    what: string,
    set: Record<string, unknown>,
    members: Record<string, unknown>[],
    env: Record<string, string>,
    ready: object,
    progressing: object,
  ][] = [
    [
      'one of three missing',
      { ...healthySet(3), availableReplicas: 2 },
      report.members,
      {},
      { status: 'False', reason: 'NotReady' },
      { status: 'True', reason: 'Reconciling' },
    ],
    [
      'half-way through a rollout',
      { ...healthySet(3), updatedReplicas: 1, updateRevision: 'r2' },
      report.members,
      {},
      { status: 'False' },
      { status: 'True', reason: 'Reconciling' },
    ],
    [
      'not seen by the StatefulSet controller',
      { ...healthySet(3), observedGeneration: 0 },
      report.members,
      {},
      { status: 'False' },
      { status: 'True', reason: 'NewSpec' },
    ],
    [
      'nobody answers',
      healthySet(3),
      report.members.map((member) => ({ ...member, reachable: false })),
      {},
      { status: 'Unknown', reason: 'MembersUnreachable' },
      { status: 'False' },
    ],
    [
      'nobody answers, by the original rule',
      healthySet(3),
      report.members.map((member) => ({ ...member, reachable: false })),
      { READY_NEEDS_MEMBERS: 'false' },
      { status: 'True' },
      { status: 'False' },
    ],
    ['not polled yet', healthySet(3), [], {}, { status: 'True', reason: 'Healthy' }, { status: 'False' }],
  ]
  for (const [what, status, members, env, ready, progressing] of rows) {
    const children = carriedOut(first, 3, { ...report, members }).map((child) =>
      child.kind === 'StatefulSet' ? { ...child, status } : child,
    )
    const answer = sync(answered(app(), first), children, [], env)
    t.match(condition(answer, 'Ready'), ready, what)
    t.match(condition(answer, 'Progressing'), progressing, what)
  }
  const stopped = app({ replicas: 0 })
  const stop = sync(stopped)
  t.match(
    condition(sync(answered(stopped, stop), carriedOut(stop, 0)), 'Ready'),
    { status: 'True' },
    'a stopped app is healthy at 0/0',
  )
})

void t.test('what the poller cannot do is a condition', async (t) => {
  const spec = { storage: { type: 'persistent-claim', size: '1Gi' } }
  const first = sync(app(spec))
  const after = (more: object, size = '1Gi'): CompositeResponse =>
    sync(app({ storage: { ...spec.storage, size } }), carriedOut(first, 3, { ...report, ...more }))
  const growth = { from: '1Gi', size: '2Gi', phase: 'Growing' }
  const problem = { reason: 'ExpansionNotAllowed', message: 'StorageClass slow does not allow it' }
  const rows: [what: string, answer: CompositeResponse, status: string, reason: string, message: RegExp][] = [
    ['as it should be', after({}), 'True', 'AsSpecified', /as large/],
    ['not taken up yet', after({}, '2Gi'), 'False', 'Growing', /from 1Gi to 2Gi/],
    ['the same size', after({}, '1024Mi'), 'True', 'AsSpecified', /as large/],
    ['smaller', after({}, '512Mi'), 'False', 'CannotShrink', /stay 1Gi.*512Mi \(spec\.storage\.size\)/],
    ['under way', after({ storage: growth }, '2Gi'), 'False', 'Growing', /from 1Gi to 2Gi/],
    ['at the end', after({ storage: { ...growth, phase: 'Replacing' } }, '2Gi'), 'False', 'Replacing', /its pods stay/],
    ['stuck', after({ storage: { ...growth, problem } }, '2Gi'), 'False', problem.reason, /slow does not allow/],
    ['a claim', after({ problems: [{ of: 'Claims', ...problem }] }), 'False', problem.reason, /slow does not allow/],
    ['members', after({ problems: [{ of: 'Members', ...problem }] }), 'True', 'AsSpecified', /as large/],
  ]
  for (const [what, answer, status, reason, message] of rows) {
    t.match(condition(answer, 'StorageReady'), { status, reason, message }, what)
  }
  t.equal(condition(sync(app()), 'StorageReady'), undefined, 'an app without claims has none')
  const degraded = after({ problems: [{ of: 'Members', reason: 'PollingDegraded', message: 'most are silent' }] })
  t.match(condition(degraded, 'PollingDegraded'), { status: 'True', message: 'most are silent' })
  t.equal(condition(after({}), 'PollingDegraded'), undefined)
})

void t.test('H10: hung members come before all but an error; strikes are in the status', async (t) => {
  const first = sync(app())
  const members = report.members.map((member) => ({ ...member, hungStrikes: 2 }))
  const progressing = { status: 'False', reason: 'ReconcileComplete', message: 'All resources are in desired state' }
  const rows: [what: string, parent: KubeObject, due: number[], ready: object, progressing: object][] = [
    ['nobody is due', app(), [], { status: 'True', reason: 'Healthy' }, progressing],
    [
      'before health',
      app(),
      [0, 3],
      {
        status: 'False',
        reason: 'HungMembers',
        message: 'Members [0, 3] hung in rebalancing state - terminating pods',
      },
      progressing,
    ],
    [
      'before a new spec',
      { ...app(), metadata: { ...app().metadata, generation: 9 } },
      [1],
      { reason: 'HungMembers' },
      progressing,
    ],
    ['after an error', app({ replicas: 'x' }), [1], { reason: 'Error' }, { status: 'False', reason: 'Error' }],
  ]
  for (const [what, parent, due, ready, expected] of rows) {
    const seen = { ...report, members, hung: { due, terminations: [] } }
    const status = { ...(answered(app(), first)['status'] as object) }
    const answer = sync({ ...parent, status }, carriedOut(first, 3, seen))
    t.match(condition(answer, 'Ready'), ready, what)
    t.match(condition(answer, 'Progressing'), expected, what)
    t.match(answer.status['members'], members, what)
  }
})

void t.test('a child that never appears is named', async (t) => {
  const first = sync(app())
  const children = carriedOut(first).filter(({ metadata }) => metadata.name !== 'orders-app-api')
  const answer = sync(answered(app(), first), children)
  t.match(condition(answer, 'Progressing'), {
    status: 'True',
    reason: 'WaitingForObjects',
    message: /Service orders-app-api.*belongs to somebody else/,
  })
})

void t.test('what cannot change on a running set keeps its value, and the status says so', async (t) => {
  const claim = { type: 'persistent-claim', class: 'fast', size: '1024Mi' }
  const first = sync(app({ storage: claim }))
  const claims = (ofKind(first.children, 'StatefulSet')?.['spec'] as { volumeClaimTemplates: unknown[] })
    .volumeClaimTemplates
  t.match(claims, [
    {
      metadata: { name: 'orders-app-pv' },
      spec: { storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } },
    },
  ])
  const rows: [spec: Record<string, unknown>, message: RegExp][] = [
    [{ ...claim, class: 'slow' }, /spec\.storage\.class stays fast/],
    [{ ...claim, size: '512Mi' }, /spec\.storage\.size stays 1Gi: claims cannot shrink/],
    [{ type: 'ephemeral' }, /spec\.storage\.type stays persistent-claim/],
  ]
  for (const [storage, message] of rows) {
    const parent = app({ storage })
    const answer = sync(answered(parent, first), carriedOut(first))
    t.same(
      (ofKind(answer.children, 'StatefulSet')?.['spec'] as { volumeClaimTemplates: unknown }).volumeClaimTemplates,
      claims,
    )
    t.notMatch(template(answer.children), { spec: { volumes: [{ name: 'orders-app-pv' }] } })
    t.match(condition(answer, 'Valid'), { status: 'True', reason: 'ImmutableFieldsKept', message })
  }
})

void t.test('the end of an app is orderly and never creates anything', async (t) => {
  const first = sync(app())
  const dying = { ...app(), metadata: { ...app().metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
  const finalize = (
    children: KubeObject[],
    parent: KubeObject = dying,
  ): { kinds: string[]; replicas: unknown; finalized: boolean } => {
    // Related objects are not needed: their informer may be gone by then.
    const answer = hooks.finalize?.({ ...request(hooks, parent, children), related: {}, finalizing: true }, context())
    if (answer === undefined) throw new Error('no finalize hook')
    return {
      kinds: answer.children.map(({ kind }) => kind),
      replicas: (ofKind(answer.children, 'StatefulSet')?.['spec'] as { replicas?: number } | undefined)?.replicas,
      finalized: answer.finalized,
    }
  }
  const all = carriedOut(first)
  const withoutHpa = all.filter(({ kind }) => kind !== 'HorizontalPodAutoscaler')
  const down = withoutHpa.map((child) =>
    child.kind === 'StatefulSet'
      ? { ...child, spec: { ...(child['spec'] as object), replicas: 0 }, status: { ...healthySet(0) } }
      : child,
  )
  const kinds = ['ServiceAccount', 'ConfigMap', 'Service', 'Service', 'Observation']
  t.same(
    finalize(all),
    { kinds: [...kinds, 'StatefulSet'], replicas: 3, finalized: false },
    'the autoscaler goes first',
  )
  t.same(finalize(withoutHpa), { kinds: [...kinds, 'StatefulSet'], replicas: 0, finalized: false }, 'then the members')
  t.same(finalize(down), { kinds, replicas: undefined, finalized: false }, 'then their set')
  t.same(
    finalize(down.filter(({ kind }) => kind !== 'StatefulSet')),
    { kinds: [], replicas: undefined, finalized: false },
    'then the rest',
  )
  t.same(finalize([]), { kinds: [], replicas: undefined, finalized: true })
  t.same(
    finalize([], { ...dying, spec: { broken: true } }),
    { kinds: [], replicas: undefined, finalized: true },
    'whatever the spec',
  )
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
