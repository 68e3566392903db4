/**
 * An app goes from no members to many and back. There is no metrics API here, so its autoscaler does nothing by itself: the
 * scale subresource is written as it would.
 */
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { AuditEntry } from './audit.ts'
import { type AppObject, KasprWorld, kasprAgent, kasprApp } from './kaspr-world.ts'
import { type Stack, startStack } from './stack.ts'
import { until } from './until.ts'

t.setTimeout(900_000)

const env = { POLL_INTERVAL_SECONDS: '1', POLL_FAST_INTERVAL_SECONDS: '0.5', INITIAL_MAX_REPLICAS: '2' }

let stack: Stack
t.before(async () => {
  stack = await startStack({ name: 'kaspr-scaling', env, members: { timeFactor: 0.01 } })
})
t.after(() => stack.stop({ failed: !t.passing() }))

/** A stopped app that has come to rest. */
async function stoppedApp(namespace: string): Promise<KasprWorld> {
  const world = await KasprWorld.open(stack, namespace)
  await world.create(kasprApp('orders', { replicas: 0 }), kasprAgent('enrich', 'orders', 'orders-raw'))
  await until('the StatefulSet', () => world.get('sts', 'orders-app'))
  await world.settled('orders')
  return world
}

void t.test('from 0 to n to 0', async (t) => {
  const world = await stoppedApp('ramp')
  t.same(await state(world), { replicas: 0, pods: 0, autoscaler: undefined }, 'a stopped app has neither')

  await wish(world, 5)
  await until('the first members', async () => {
    const { pods, autoscaler } = await state(world)
    return pods === 2 && autoscaler !== undefined
  })
  t.same(await state(world), { replicas: 2, pods: 2, autoscaler: [1, 5] }, 'INITIAL_MAX_REPLICAS of them')

  await world.mark()
  await scale(world, 4)
  await until('all the pods', async () => (await members(world)) === '4/5')
  await world.kubectl(
    'patch',
    'kapp',
    'orders',
    '--type=merge',
    '-p',
    '{"spec":{"config":{"topicReplicationFactor":3}}}',
  )
  await until('the roll', async () => (await world.revisions('orders')) === 2)
  await world.kubectl('rollout', 'status', 'sts/orders-app', '--timeout=60s')
  t.same(await state(world), { replicas: 4, pods: 4, autoscaler: [1, 5] }, 'what the autoscaler chose stays')

  await scale(world, 5)
  await world.settled('orders')
  await wish(world, 3)
  await until('the new maximum', async () => String((await state(world)).autoscaler) === '1,3')
  t.equal((await state(world)).replicas, 5, 'the autoscaler cuts, not the hook')
  await scale(world, 3)
  await world.settled('orders')
  t.same(await state(world), { replicas: 3, pods: 3, autoscaler: [1, 3] })

  await world.mark()
  await wish(world, 0)
  await world.settled('orders')
  await until('the end of the pods', async () => (await state(world)).pods === 0)
  t.same(await state(world), { replicas: 0, pods: 0, autoscaler: undefined })
  const steps = (await world.requests()).filter(isOurStep).map(({ verb, resource }) => `${verb} ${resource}`)
  t.same(steps, ['delete horizontalpodautoscalers', 'update statefulsets'], 'or the autoscaler would fill up again')
})

void t.test('while paused there is no autoscaler, and a wish waits', async (t) => {
  const world = await stoppedApp('paused')
  await wish(world, 2)
  await world.settled('orders')

  await world.kubectl('annotate', 'kapp', 'orders', 'kaspr.io/pause-reconciliation=true')
  await world.waitFor('orders', 'Paused')
  await until('the end of the autoscaler', async () => (await state(world)).autoscaler === undefined)
  await scale(world, 1)
  await until('one pod', async () => (await state(world)).pods === 1)
  await wish(world, 6)
  await until('the answer', async () => (await members(world)) === '1/6')
  t.same(await state(world), { replicas: 1, pods: 1, autoscaler: undefined }, 'scaling by hand sticks')

  await world.kubectl('annotate', 'kapp', 'orders', 'kaspr.io/pause-reconciliation-')
  await until('the autoscaler', async () => String((await state(world)).autoscaler) === '1,6')
  t.same(await state(world), { replicas: 1, pods: 1, autoscaler: [1, 6] }, 'which goes on from there')
})

interface State {
  replicas: number | undefined
  pods: number
  /** Least and most members. */
  autoscaler: [min: number, max: number] | undefined
}

async function state(world: KasprWorld): Promise<State> {
  const set = await world.get<KubeObject & { spec: { replicas: number } }>('sts', 'orders-app')
  const hpa = await world.get<KubeObject & { spec: { minReplicas: number; maxReplicas: number } }>(
    'hpa',
    'orders-app-hpa',
  )
  return {
    replicas: set?.spec.replicas,
    pods: (await world.pods('orders')).size,
    autoscaler: hpa && [hpa.spec.minReplicas, hpa.spec.maxReplicas],
  }
}

async function wish(world: KasprWorld, replicas: number): Promise<void> {
  await world.kubectl('patch', 'kapp', 'orders', '--type=merge', '-p', JSON.stringify({ spec: { replicas } }))
}

/** As the autoscaler does it: through the scale subresource. */
async function scale(world: KasprWorld, replicas: number): Promise<void> {
  await world.kubectl('scale', 'sts/orders-app', `--replicas=${replicas}`)
}

async function members(world: KasprWorld): Promise<string | undefined> {
  return (await world.get<AppObject>('kapp', 'orders'))?.status?.availableMembers
}

/** A change of Metacontroller to the set or the autoscaler. */
function isOurStep({ user, verb, resource, subresource }: AuditEntry): boolean {
  return (
    user.endsWith(':metacontroller') &&
    ['update', 'patch', 'delete', 'create'].includes(verb) &&
    ['statefulsets', 'horizontalpodautoscalers'].includes(resource) &&
    subresource === ''
  )
}

// With processes still running, the end has to be said; it stops them.
t.end()
