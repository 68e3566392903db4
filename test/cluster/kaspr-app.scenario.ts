import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { type AppObject, KasprWorld, kasprAgent, kasprApp } from './kaspr-world.ts'
import { type Stack, startStack } from './stack.ts'
import { until } from './until.ts'

/** Polls quickly: scenarios wait for reports. */
const env = { POLL_INTERVAL_SECONDS: '1', POLL_FAST_INTERVAL_SECONDS: '0.5' }

// The runner has no limit of its own; tap's default of 30 s is for the whole file.
t.setTimeout(900_000)

let stack: Stack
t.before(async () => {
  stack = await startStack({ name: 'kaspr-app', env, members: { timeFactor: 0.01 } })
})
t.after(() => stack.stop({ failed: !t.passing() }))

/** An app of three members with an agent, settled. Members are scaled up as its autoscaler would. */
async function settledApp(namespace: string, spec: Record<string, unknown> = {}): Promise<KasprWorld> {
  const world = await KasprWorld.open(stack, namespace)
  await world.create(kasprApp('orders', { replicas: 3, ...spec }), kasprAgent('enrich', 'orders', 'orders-raw'))
  await until('the StatefulSet', () => world.get('sts', 'orders-app'))
  await world.kubectl('scale', 'sts/orders-app', '--replicas=3')
  await world.settled('orders')
  return world
}

void t.test(
  'given an app and an agent, when they are created, then all objects exist, pods run and members are seen',
  async (t) => {
    const world = await settledApp('create', { storage: { type: 'persistent-claim', size: '1Gi' } })
    await world.waitFor('orders', 'Ready')
    for (const object of [
      'sa/orders-app',
      'cm/orders-app-config',
      'svc/orders-app',
      'svc/orders-app-api',
      'sts/orders-app',
      'hpa/orders-app-hpa',
      'obs/kasprapp-orders',
      'cm/enrich-agent',
    ]) {
      const [resource = '', name = ''] = object.split('/')
      t.ok(await world.get(resource, name), object)
    }
    await until(
      'members in the status',
      async () =>
        (await world.get<AppObject>('kapp', 'orders'))?.status?.members?.filter(({ reachable }) => reachable).length ===
        3,
    )
    t.match(await world.kubectl('get', 'kapp'), /orders +0\.11\.19 +True +3\/3 +0\/3 +Healthy/)
    t.match(await world.kubectl('get', 'kagent'), /enrich +orders +True +enrich-agent/)
    t.match(await world.kubectl('get', 'obs'), /kasprapp-orders +3\/3 +True/)
    t.match(await world.kubectl('get', 'pvc'), /orders-app-pv-orders-app-2 +Bound/)
    t.equal(await world.revisions('orders'), 1, 'pods start once, with all their files')
    const creates = Object.entries(await world.createsAndDeletes()).filter(([, count]) => count !== 1)
    t.same(creates, [], 'everything is created once and nothing deleted')
  },
)

void t.test('given a running app, when its config changes, then its pods roll exactly once', async (t) => {
  const world = await settledApp('config')
  const before = await world.pods('orders')
  await world.mark()
  await world.kubectl('patch', 'kapp', 'orders', '--type=merge', '-p', '{"spec":{"config":{"topicPartitions":12}}}')
  await world.settled('orders')
  const after = await world.pods('orders')
  t.equal(await world.revisions('orders'), 2)
  t.same([...after.keys()].sort(), ['orders-app-0', 'orders-app-1', 'orders-app-2'])
  for (const [name, pod] of after) {
    t.not(pod.uid, before.get(name)?.uid, `${name} is new`)
    t.not(pod.env['CONFIG_HASH'], before.get(name)?.env['CONFIG_HASH'])
  }
  t.same(
    await world.createsAndDeletes(),
    Object.fromEntries(
      [...after.keys()]
        .flatMap((name) => [
          [`create pods ${name}`, 1],
          [`delete pods ${name}`, 1],
        ])
        .sort(),
    ),
  )
})

void t.test(
  'given a running app, when its agent changes, then the file is there before the pods, which roll once',
  async (t) => {
    const world = await settledApp('agent')
    await world.mark()
    await world.apply(kasprAgent('enrich', 'orders', 'orders-other'))
    await until('the second revision', async () => (await world.revisions('orders')) === 2)
    await world.settled('orders')
    const configMap = await world.get<KubeObject & { data: Record<string, string> }>('cm', 'enrich-agent')
    t.match(configMap?.data['enrich-agent.yaml'], /orders-other/)
    const writes = (await world.requests()).filter(
      ({ user, verb }) => user.endsWith(':metacontroller') && verb === 'update',
    )
    const order = writes.filter(({ subresource }) => subresource === '').map(({ resource }) => resource)
    t.ok(order.indexOf('configmaps') < order.indexOf('statefulsets'), order.join(' '))
    t.equal(await world.revisions('orders'), 2, 'once')
    t.match(await world.createsAndDeletes(), {
      'create pods orders-app-0': 1,
      'create pods orders-app-1': 1,
      'create pods orders-app-2': 1,
    })
  },
)

void t.test('given a running app, when it is scaled, then the number stays as somebody set it', async (t) => {
  const world = await settledApp('scale')
  await world.kubectl('patch', 'kapp', 'orders', '--type=merge', '-p', '{"spec":{"replicas":5}}')
  await until(
    'the new maximum',
    async () =>
      (await world.get<KubeObject & { spec: { maxReplicas: number } }>('hpa', 'orders-app-hpa'))?.spec.maxReplicas ===
      5,
  )
  t.equal(await replicas(world), 3, 'the autoscaler decides when')
  await world.kubectl('scale', 'sts/orders-app', '--replicas=5')
  await world.settled('orders')
  t.match(await world.kubectl('get', 'kapp'), /5\/5/)

  await world.kubectl('patch', 'kapp', 'orders', '--type=merge', '-p', '{"spec":{"replicas":0}}')
  await until('the end of the pods', async () => (await world.pods('orders')).size === 0)
  t.notOk(await world.get('hpa', 'orders-app-hpa'))
  t.equal(await replicas(world), 0)
  await world.settled('orders')

  await world.kubectl('patch', 'kapp', 'orders', '--type=merge', '-p', '{"spec":{"replicas":4}}')
  await until('the first pod', async () => (await world.pods('orders')).size === 1)
  t.equal(await replicas(world), 1, 'from nothing it starts with INITIAL_MAX_REPLICAS')
  t.ok(await world.get('hpa', 'orders-app-hpa'))
  t.equal(await world.revisions('orders'), 1, 'no pod rolled')
})

async function replicas(world: KasprWorld): Promise<number | undefined> {
  return (await world.get<KubeObject & { spec: { replicas: number } }>('sts', 'orders-app'))?.spec.replicas
}

void t.test('given a running app, when a child is deleted by hand, then it comes back', async (t) => {
  const world = await settledApp('deleted-child')
  await until(
    'the report of the replicas',
    async () =>
      (await world.kubectl('get', 'obs', 'kasprapp-orders', '-o', 'jsonpath={.status.kasprApp.lastReplicas}')) === '3',
  )
  for (const object of [
    'sa/orders-app',
    'cm/orders-app-config',
    'svc/orders-app',
    'svc/orders-app-api',
    'hpa/orders-app-hpa',
    'obs/kasprapp-orders',
    'cm/enrich-agent',
  ]) {
    const [resource = '', name = ''] = object.split('/')
    const uid = (await world.get(resource, name))?.metadata.uid
    await world.kubectl('delete', object)
    await until(
      `${object} to be back`,
      async () => ![undefined, uid].includes((await world.get(resource, name))?.metadata.uid),
    )
  }
  t.equal(await world.revisions('orders'), 1, 'no pod was touched')
  await until(
    'the report again',
    async () =>
      (await world.kubectl('get', 'obs', 'kasprapp-orders', '-o', 'jsonpath={.status.kasprApp.lastReplicas}')) === '3',
  )
  const uid = (await world.get('sts', 'orders-app'))?.metadata.uid
  await world.kubectl('delete', 'sts/orders-app')
  await until(
    'the set to be back',
    async () => ![undefined, uid].includes((await world.get('sts', 'orders-app'))?.metadata.uid),
  )
  t.equal(await replicas(world), 3, 'as large as it was')
  await world.settled('orders')
})

void t.test(
  'given a running app, when a child is edited by hand, then the edit is reverted, but not while paused',
  async (t) => {
    const world = await settledApp('edited-child')
    const settings = async (): Promise<Record<string, string> | undefined> =>
      (await world.get<KubeObject & { data: Record<string, string> }>('cm', 'orders-app-config'))?.data
    const edit = [
      'patch',
      'cm',
      'orders-app-config',
      '--type=merge',
      '-p',
      '{"data":{"K_WEB_PORT":"1","FOREIGN":"kept"}}',
    ]
    await world.kubectl(...edit)
    await until('the edit to be reverted', async () => (await settings())?.['K_WEB_PORT'] === '6065')
    t.equal((await settings())?.['FOREIGN'], 'kept', 'what others added is theirs')

    await world.kubectl('annotate', 'kapp', 'orders', 'kaspr.io/pause-reconciliation=true')
    await world.waitFor('orders', 'Paused')
    await until('the autoscaler to go', async () => (await world.get('hpa', 'orders-app-hpa')) === undefined)
    await world.kubectl(...edit)
    await world.kubectl('scale', 'sts/orders-app', '--replicas=2')
    await world.kubectl('patch', 'kapp', 'orders', '--type=merge', '-p', '{"spec":{"config":{"topicPartitions":3}}}')
    const image = '{"spec":{"template":{"spec":{"containers":[{"name":"kaspr","image":"hand/made:1"}]}}}}'
    await world.kubectl('patch', 'sts', 'orders-app', '-p', image)
    await until('the sync of the new generation', async () => {
      const app = await world.get<AppObject>('kapp', 'orders')
      return (
        app?.status?.observedGeneration === app?.metadata.generation &&
        (app?.status?.availableMembers ?? '').startsWith('2/')
      )
    })
    t.equal((await settings())?.['K_WEB_PORT'], '1')
    t.equal(await replicas(world), 2)
    t.match(await world.kubectl('get', 'sts', 'orders-app', '-o', 'yaml'), /image: hand\/made:1/)

    await world.kubectl('annotate', 'kapp', 'orders', 'kaspr.io/pause-reconciliation-')
    await until('the wish to be carried out', async () => (await settings())?.['K_TOPIC_PARTITIONS'] === '3')
    t.equal((await settings())?.['K_WEB_PORT'], '6065')
    await until('the autoscaler to be back', () => world.get('hpa', 'orders-app-hpa'))
    await until('the image to be ours', async () =>
      (await world.kubectl('get', 'sts', 'orders-app', '-o', 'yaml')).includes('image: kasprio/kaspr:'),
    )
  },
)

void t.test('given a running app, when it is deleted, then its objects go in order', async (t) => {
  const world = await settledApp('delete')
  await world.mark()
  await world.kubectl('delete', 'kapp', 'orders', '--timeout=60s')
  await until(
    'all objects to be gone',
    async () => (await world.kubectl('get', 'sts,svc,sa,hpa,obs,pods', '-o', 'name')) === 'serviceaccount/default',
  )
  const steps = (await world.requests())
    .filter(
      ({ user, verb, subresource }) =>
        user.endsWith(':metacontroller') && ['update', 'delete'].includes(verb) && subresource === '',
    )
    .map(({ verb, resource }) => `${verb} ${resource}`)
  const first = (step: string): number => steps.indexOf(step)
  t.ok(first('delete horizontalpodautoscalers') < first('update statefulsets'), steps.join(', '))
  t.ok(first('update statefulsets') < first('delete statefulsets'))
  t.ok(first('delete statefulsets') < first('delete services'))
  t.ok(first('delete services') < first('update kasprapps'))
  t.ok(await world.get('cm', 'enrich-agent'), 'components are resources of their own')
})

void t.test('given an invalid app beside a valid one, then only it says so', async (t) => {
  const world = await settledApp('invalid')
  // Most mistakes are refused at admission; that a mount has its volume is for the hooks to tell.
  const mistake = { kasprContainer: { volumeMounts: [{ name: 'nowhere', mountPath: '/x' }] } }
  await world.apply(kasprApp('broken', { template: mistake }))
  await until('the verdict', async () =>
    (await message(world, 'broken', 'Valid')).includes('"nowhere" is not accepted'),
  )
  t.notOk(await world.get('sts', 'broken-app'))
  t.match(await world.kubectl('get', 'kapp'), /broken +False +0\/1 +0\/0 +Error/)
  const patch = ['-n', 'invalid', 'patch', 'kapp', 'orders', '--type=merge', '-p']
  const refused = await stack.plane.kubectl([...patch, '{"spec":{"replicas":-1}}'], { allowFailure: true })
  t.match(refused.stderr, /spec\.replicas: Invalid value: -1/)
  await stack.plane.kubectl([...patch, JSON.stringify({ spec: { template: mistake, config: { topicPartitions: 5 } } })])
  await until('the verdict', async () =>
    (await message(world, 'orders', 'Valid')).includes('"nowhere" is not accepted'),
  )
  t.equal((await world.pods('orders')).size, 3, 'what runs goes on')
  await stack.plane.kubectl([...patch, '{"spec":{"template":null,"config":null}}'])
  await world.settled('orders')
  t.equal(await world.revisions('orders'), 1, 'as if the mistake had never been made')
})

async function message(world: KasprWorld, app: string, type: string): Promise<string> {
  const conditions = (await world.get<AppObject>('kapp', app))?.status?.conditions ?? []
  return conditions.find((condition) => condition.type === type)?.message ?? ''
}

// With processes still running, the end has to be said; it stops them.
t.end()
