/** What is left as it stands: paused apps, specs that cannot be rendered, fields that cannot change. */
import t from 'tap'
import { agent, answered, app, carriedOut, condition, ofKind, report, sync, template } from './kaspr-app-world.ts'
import { synced } from './requests.ts'

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

void t.test('of files of a volume with one path the last counts, and an invalid spec leaves them alone', async (t) => {
  const file = (fieldPath: string, more: object = {}): object => ({ path: 'a', fieldRef: { fieldPath, ...more } })
  const [first, other, last] = [
    file('metadata.uid', { apiVersion: 'v1' }),
    { ...file('metadata.uid'), path: 'b' },
    file('metadata.name'),
  ]
  const volumes = [{ name: 'about', downwardAPI: { items: [first, other, last] } }]
  const spec = { template: { pod: { volumes, imagePullSecrets: [{ name: 'p' }, { name: 'p' }] } } }
  const answer = sync(app(spec))
  const { spec: pod } = template(answer.children) as { spec: Record<string, unknown> }
  t.strictSame((pod['volumes'] as unknown[])[1], { name: 'about', downwardAPI: { items: [last, other] } })
  t.strictSame(pod['imagePullSecrets'], [{ name: 'p' }])
  const held = sync(app({ ...spec, replicas: -2 }), carriedOut(answer))
  t.strictSame(template(held.children), template(answer.children))
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
