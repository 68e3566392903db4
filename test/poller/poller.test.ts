/** Whole pollers against a fake API server and fake members: what is asked, and what is reported. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { until } from '../webhooks/until.ts'
import { World, calm, pods, sets } from './poller-world.ts'

void t.test('members are reported, followed, and written only when something changed', async (t) => {
  const world = await World.start(t)
  world.app('orders')
  world.set('orders', 2)
  world.pod('orders', 0, '127.0.0.2')
  world.pod('orders', 1, '127.0.0.3')
  world.says.set('127.0.0.2', { ...calm, leader: true }).set('127.0.0.3', calm)
  await world.poller()

  await until(() => world.report('orders')?.reachable === '2/2')
  t.match(world.status('orders'), {
    observedGeneration: 1,
    conditions: [{ type: 'Reporting', status: 'True', reason: 'Polled' }],
    kasprApp: {
      appUid: 'app-orders',
      lastReplicas: 2,
      members: [
        { id: 0, reachable: true, leader: true, rebalancing: false },
        { id: 1, reachable: true, leader: false },
      ],
    },
  })
  t.ok(world.asked.includes(`orders-app-1.orders-app.shop.svc.cluster.local:${world.port}`))

  const written = world.writes()
  const { length } = world.asked
  await until(() => world.asked.length >= length + 8)
  t.equal(world.writes(), written, 'rounds go on, writes do not')

  world.says.set('127.0.0.3', { ...calm, rebalancing: true })
  await until(() => world.report('orders')?.members[1]?.rebalancing === true)

  world.says.delete('127.0.0.3')
  await until(() => world.report('orders')?.reachable === '1/2')
  t.match(world.report('orders')?.members[1], {
    reachable: false,
    rebalancing: null,
    lastKnown: { ...calm, rebalancing: true },
  })
  await until(() => world.events().length === 1)
  t.match(world.events()[0], {
    involvedObject: { kind: 'KasprApp', name: 'orders', namespace: 'shop', uid: 'app-orders' },
    reason: 'MemberUnreachable',
    message: 'Member 1: it answers HTTP 500',
  })

  world.pod('orders', 2, '127.0.0.4')
  world.says.set('127.0.0.4', calm)
  await until(() => world.report('orders')?.reachable === '2/3')
  world.pod('orders', 2, '127.0.0.4', { deletionTimestamp: '2030-01-01T00:00:00Z' })
  world.api.remove(pods, 'shop', 'orders-app-1')
  await until(() => world.report('orders')?.reachable === '1/1')
  t.strictSame(
    world.report('orders')?.members.map(({ id }) => id),
    [0],
  )
})

void t.test('replicas are remembered when the set is gone, and only of the own one', async (t) => {
  const world = await World.start(t)
  world.app('orders')
  world.set('orders', 3)
  await world.poller()
  await until(() => world.report('orders')?.lastReplicas === 3)
  t.match(world.report('orders'), { reachable: '0/0', members: [] })
  world.set('orders', 5)
  await until(() => world.report('orders')?.lastReplicas === 5)
  world.api.remove(sets, 'shop', 'orders-app')
  world.app('orders', {}, 2)
  await until(() => world.status('orders')?.observedGeneration === 2)
  t.equal(world.report('orders')?.lastReplicas, 5)
  world.set('orders', 1, 'somebody-else')
  world.app('orders', {}, 3)
  await until(() => world.status('orders')?.observedGeneration === 3)
  t.equal(world.report('orders')?.lastReplicas, 5)
  world.app('orders', { app: { name: 'orders', uid: 'reborn' } }, 4)
  await until(() => world.status('orders')?.observedGeneration === 4)
  t.strictSame(world.report('orders'), { appUid: 'reborn', reachable: '0/0', members: [] }, 'another app of that name')
})

void t.test('switched off: nobody is asked, and the report says so', async (t) => {
  const world = await World.start(t)
  world.app('orders', { enabled: false })
  world.pod('orders', 0, '127.0.0.2')
  await world.poller()
  await until(() => world.status('orders') !== undefined)
  await sleep(300)
  t.strictSame(world.asked, [])
  t.match(world.status('orders'), {
    conditions: [{ type: 'Reporting', status: 'False', reason: 'Disabled' }],
    kasprApp: { members: [], reachable: '0/0' },
  })
})

void t.test('a round that is cut short keeps what has arrived; others stay as they were', async (t) => {
  const world = await World.start(t)
  world.app('orders')
  world.pod('orders', 0, '127.0.0.2')
  world.pod('orders', 1, '127.0.0.3')
  world.says.set('127.0.0.2', calm).set('127.0.0.3', 'nothing')
  await world.poller({ CLIENT_STATUS_CHECK_TIMEOUT_SECONDS: '0.2', MEMBER_TIMEOUT_SECONDS: '60' })
  await until(() => world.report('orders') !== undefined)
  await sleep(500)
  t.match(world.report('orders'), { reachable: '1/2', members: [{ id: 0, reachable: true }] })
  t.equal(world.report('orders')?.members.length, 1, 'of a member that could not be asked nothing is claimed')
})

void t.test('a busy member is asked at the fast pace, a calm one at the usual', async (t) => {
  const world = await World.start(t)
  world.app('orders')
  world.pod('orders', 0, '127.0.0.2')
  world.says.set('127.0.0.2', { ...calm, recovering: true })
  await world.poller({ POLL_INTERVAL_SECONDS: '60' })
  await until(() => world.asked.length >= 5)
  world.says.set('127.0.0.2', calm)
  await until(() => world.report('orders')?.members[0]?.recovering === false)
  await sleep(150)
  const { length } = world.asked
  await sleep(400)
  t.equal(world.asked.length, length)
})

void t.test('a member that does not answer is asked less and less, others as ever', async (t) => {
  const world = await World.start(t)
  world.app('orders')
  world.pod('orders', 0, '127.0.0.2')
  world.pod('orders', 1, '127.0.0.3')
  world.says.set('127.0.0.2', calm)
  await world.poller({ POLL_INTERVAL_SECONDS: '0.1' })
  const count = (id: number): number => world.asked.filter((host) => host.startsWith(`orders-app-${id}.`)).length
  await until(() => count(0) >= 14)
  t.ok(count(1) <= 6, `${count(0)} and ${count(1)}`)
})

void t.test('a dry run reaches what is done to claims and sets: it only tells', async (t) => {
  const world = await World.start(t)
  const metadata = { name: 'orders', namespace: 'shop', uid: 'app-orders' }
  world.api.put('/apis/kaspr.io/v1alpha1/kasprapps', { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', metadata })
  const claim = { name: 'orders-app-python-packages', keep: true, size: '1Gi', accessModes: ['ReadWriteMany'] }
  const template = { metadata: { name: 'pv' }, spec: { resources: { requests: { storage: '1Gi' } } } }
  const status = { availableReplicas: 1, updatedReplicas: 1 }
  world.app('orders', {
    claims: [claim],
    storage: { claim: 'pv', size: '2Gi' },
    mayDelete: ['StatefulSet'],
  })
  world.set('orders', 1, 'app-orders', { claims: [template], status })
  await world.poller({ POLLER_DRY_RUN: 'true' })
  await until(() => world.events().length === 2)
  t.same(
    world
      .events()
      .map(({ reason, message }) => `${String(reason)}: ${String(message)}`)
      .sort(),
    [
      'DryRun: The StatefulSet orders-app would be deleted without its pods and made again (POLLER_DRY_RUN)',
      'DryRun: The claim orders-app-python-packages would be made (POLLER_DRY_RUN)',
    ],
  )
  t.match(world.report('orders'), { problems: [{ reason: 'DryRun' }], storage: { problem: { reason: 'DryRun' } } })
  const others = world.api.requests.filter(
    ({ method, path }) => method !== 'GET' && !/\/leases|\/events|\/observations\/[^/]+\/status$/.test(path),
  )
  t.strictSame(others, [])
})

void t.test('a pod that vanishes while it is asked is not told of', async (t) => {
  const world = await World.start(t)
  world.app('orders')
  world.pod('orders', 0, '127.0.0.2')
  world.says.set('127.0.0.2', 'nothing')
  await world.poller({ POLL_INTERVAL_SECONDS: '60' })
  await until(() => world.asked.length === 1)
  world.api.remove(pods, 'shop', 'orders-app-0')
  await until(() => world.report('orders') !== undefined)
  const bodies = world.api.requests.filter(({ method, path }) => method === 'PUT' && path.endsWith('/status'))
  t.ok(bodies.every(({ body }) => !JSON.stringify(body).includes('podUID')))
})
