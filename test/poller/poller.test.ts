import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import t from 'tap'
import type { Test } from 'tap'
import { request } from 'undici'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { definitions } from '../../webhooks/sensors/definitions.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { readSettings, SettingsError } from '../../webhooks/environment.ts'
import type { KasprAppReport, KasprAppSpec } from '../../poller/kaspr/part.ts'
import { runPoller } from '../../poller/main.ts'
import type { RunningPoller } from '../../poller/main.ts'
import { describeRequest } from '../../poller/metrics.ts'
import { observationsPath } from '../../poller/observation.ts'
import type { Observation } from '../../poller/observation.ts'
import { serveOperations } from '../../poller/operations.ts'
import { pollerSettings } from '../../poller/settings.ts'
import { shardLabel } from '../../webhooks/contract/shard.ts'
import { startFakeApi } from '../fakes/api-server.ts'
import type { FakeApi } from '../fakes/api-server.ts'
import { until } from '../webhooks/until.ts'

const logger = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' })
const pods = '/api/v1/pods'
const sets = '/apis/apps/v1/statefulsets'
const leases = '/apis/coordination.k8s.io/v1/leases'
const calm = { leader: false, rebalancing: false, recovering: false }

/** A world with an API server and members on loopback addresses, and pollers with short intervals. */
class World {
  readonly api: FakeApi
  readonly pollers: RunningPoller[] = []
  /** What the member at an address says; undefined: 500. */
  readonly says = new Map<string, typeof calm | 'nothing'>()
  readonly asked: string[] = []
  port = 0

  constructor(api: FakeApi) {
    this.api = api
  }

  static async start(t: Test): Promise<World> {
    const world = new World(await startFakeApi())
    const members = createServer(({ socket, headers }, response) => {
      world.asked.push(String(headers.host))
      const flags = world.says.get(socket.localAddress ?? '')
      if (flags === undefined) response.writeHead(500).end()
      else if (flags !== 'nothing') response.end(JSON.stringify(flags))
    })
    await new Promise<void>((resolve) => members.listen(0, '0.0.0.0', resolve))
    world.port = (members.address() as AddressInfo).port
    t.teardown(async () => {
      await Promise.all(world.pollers.map((poller) => poller.stop()))
      await world.api.close()
      members.closeAllConnections()
      members.close()
    })
    return world
  }

  async poller(env: Record<string, string> = {}): Promise<RunningPoller> {
    const settings = readSettings(pollerSettings, {
      METRICS_PORT: '0',
      POD_NAME: 'poller',
      POLL_INTERVAL_SECONDS: '0.3',
      POLL_FAST_INTERVAL_SECONDS: '0.1',
      MEMBER_TIMEOUT_SECONDS: '0.5',
      LEASE_DURATION_SECONDS: '3',
      SHUTDOWN_SECONDS: '4',
      ...env,
    })
    const poller = await runPoller(settings, { logger, kubeconfig: this.api.kubeconfig })
    this.pollers.push(poller)
    return poller
  }

  app(name: string, changes: Partial<KasprAppSpec> = {}, generation = 1): void {
    const spec: KasprAppSpec = {
      app: { name, uid: `app-${name}` },
      statefulSet: `${name}-app`,
      selector: labelsOf(name),
      port: this.port,
      enabled: true,
      ...changes,
    }
    const shard = String(name.length % 64)
    this.api.put(observationsPath, {
      apiVersion: 'metacontroller.kaspr.io/v1alpha1',
      kind: 'Observation',
      metadata: { name: `kasprapp-${name}`, namespace: 'shop', generation, labels: { [shardLabel]: shard } },
      spec: { kasprApp: spec },
      ...(this.status(name) && { status: this.status(name) }),
    })
  }

  pod(app: string, id: number, ip: string, changes: object = {}): void {
    const name = `${app}-app-${id}`
    const metadata = { name, namespace: 'shop', labels: labelsOf(app), ...changes }
    const status = { phase: 'Running', podIP: ip, containerStatuses: [{ name: 'kaspr', state: { running: {} } }] }
    this.api.put(pods, { apiVersion: 'v1', kind: 'Pod', metadata, status })
  }

  set(
    app: string,
    replicas: number,
    owner = `app-${app}`,
    { claims, status }: { claims?: object[]; status?: object } = {},
  ): void {
    const ownerReferences = [{ apiVersion: 'k', kind: 'KasprApp', name: app, uid: owner, controller: true }]
    const metadata = { name: `${app}-app`, namespace: 'shop', labels: { 'controller-uid': owner }, ownerReferences }
    const spec = { replicas, ...(claims && { volumeClaimTemplates: claims }) }
    this.api.put(sets, { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec, ...(status && { status }) })
  }

  status(app: string): Observation['status'] {
    const found = this.api.objects(observationsPath).find(({ metadata }) => metadata.name === `kasprapp-${app}`)
    return (found as Observation | undefined)?.status
  }

  report(app: string): KasprAppReport | undefined {
    return this.status(app)?.['kasprApp'] as KasprAppReport | undefined
  }

  writes(): number {
    return this.api.requests.filter(({ method, path }) => method !== 'GET' && !path.includes('/leases')).length
  }

  events(): KubeObject[] {
    return this.api.objects('/api/v1/events')
  }
}

function labelsOf(app: string): Record<string, string> {
  return { 'kaspr.io/cluster': app, 'kaspr.io/name': `${app}-app`, 'kaspr.io/kind': 'KasprApp' }
}

async function get(poller: RunningPoller, path: string): Promise<{ code: number; text: string }> {
  const { statusCode, body } = await request(`http://127.0.0.1:${poller.port}${path}`)
  return { code: statusCode, text: await body.text() }
}

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

void t.test(
  'ready when all is listed; before that nothing is reported, as an empty cache looks like no members',
  async (t) => {
    const world = await World.start(t)
    world.app('orders')
    world.pod('orders', 0, '127.0.0.2')
    world.says.set('127.0.0.2', calm)
    world.api.fault = ({ path }) => (path === pods ? { status: 503 } : undefined)
    const poller = await world.poller()
    t.strictSame(await get(poller, '/healthz'), { code: 200, text: 'ok\n' })
    await sleep(300)
    t.match(await get(poller, '/readyz'), { code: 503, text: /not yet listed: pods/ })
    t.equal(world.report('orders'), undefined)
    t.equal(world.api.objects(leases).length, 0, 'nor is any work claimed')
    world.api.fault = undefined
    await until(() => world.report('orders')?.reachable === '1/1')
    t.match(await get(poller, '/readyz'), { code: 200 })
  },
)

void t.test('every metric moves', async (t) => {
  const world = await World.start(t)
  world.app('orders')
  world.pod('orders', 0, '127.0.0.2')
  world.pod('orders', 1, '127.0.0.3')
  world.says.set('127.0.0.2', calm).set('127.0.0.3', calm)
  const poller = await world.poller()
  await until(() => world.report('orders')?.reachable === '2/2')
  world.says.delete('127.0.0.3')
  await until(() => world.events().length === 1)
  const fault = world.api.fault
  let failures = 1
  world.api.fault = ({ method }) => (method === 'PUT' && failures-- > 0 ? { status: 500 } : undefined)
  world.app('orders', {}, 2)
  await until(() => world.status('orders')?.observedGeneration === 2)
  world.api.fault = fault
  for (const watch of world.api.watches) watch.write('no json\n')
  await until(() => world.api.watches.size === 0)
  await until(() => world.api.watches.size === 5)
  // Sensors are told of a report when it is looked at again.
  await until(() => world.asked.length > 20)
  const { text } = await get(poller, '/metrics')
  const value = (sample: string): number =>
    Number(new RegExp(`^kasprop_${sample.replace(/[{}"]/g, '\\$&')} (.*)$`, 'm').exec(text)?.[1])
  const more: Record<string, number> = {
    'api_requests_total{verb="list",resource="pods",code="200"}': 2,
    'api_requests_total{verb="update",resource="observations/status",code="200"}': 2,
    'api_requests_total{verb="create",resource="leases",code="200"}': 1,
    'api_requests_total{verb="watch",resource="observations",code="200"}': 2,
    'polls_total{result="Success"}': 2,
    'polls_total{result="HttpError"}': 1,
    poll_duration_seconds_count: 3,
    poller_queue_wait_seconds_count: 2,
    'poller_reconcile_duration_seconds_count{result="success"}': 2,
    'report_writes_total{result="written"}': 2,
    'poller_events_total{result="sent"}': 1,
    poller_shards: 64,
    'members{state="reachable"}': 1,
    'members{state="unreachable"}': 1,
    'poller_watch_objects{resource="pods"}': 2,
    'poller_watch_restarts_total{resource="pods"}': 1,
    'poller_watch_relists_total{resource="pods"}': 1,
    'poller_watch_unparsable_total{resource="pods"}': 1,
    poll_lag_seconds_count: 1,
    'reconcile_total{app_name="orders",component_name="orders",namespace="shop",trigger_source="poll",result="success"}': 2,
    'reconcile_total{app_name="orders",component_name="orders",namespace="shop",trigger_source="poll",result="failure"}': 1,
    'reconcile_duration_seconds_count{app_name="orders",component_name="orders",namespace="shop",trigger_source="poll",result="success"}': 2,
    'reconcile_errors_total{app_name="orders",component_name="orders",namespace="shop",error_type="ApiError"}': 1,
    'reconcile_queue_wait_seconds_count{app_name="orders",component_name="orders",namespace="shop"}': 2,
    'status_updates_total{app_name="orders",namespace="shop",update_field="members"}': 1,
    'member_state_transitions_total{app_name="orders",namespace="shop",member_id="1",from_state="STABLE",to_state="UNREACHABLE"}': 1,
  }
  for (const [sample, least] of Object.entries(more)) t.ok(value(sample) >= least, `${sample} is ${value(sample)}`)
  for (const sample of ['queue_depth', 'queue_oldest_seconds', 'queue_running']) t.ok(value(`poller_${sample}`) >= 0)
  t.ok(value('reconcile_queue_depth{app_name="orders",component_name="orders",namespace="shop"}') >= 0)
  t.ok(value('poller_watch_silent_seconds{resource="pods"}') < 60)
  t.equal(value('poller_watch_missed_total{resource="pods"}'), 0)
  const looked = new Set(Object.keys(more).map((sample) => sample.replace(/(_count)?({.*)?$/, '')))
  for (const [, name = ''] of text.matchAll(/^# TYPE kasprop_(\w+) /gm)) {
    // Those of sensors are driven one by one in sensors.test.ts, here as far as this world goes.
    const isElsewhere = name in definitions || name === 'sensor_errors_total'
    const isGauge = /^poller_(queue_\w+|watch_silent_seconds|watch_missed_total)$/.test(name)
    t.ok(looked.has(name) || isElsewhere || isGauge, `${name} is looked at`)
  }
  t.match(text, /^process_resident_memory_bytes \d/m)
  const again = (await get(poller, '/metrics')).text
  const restarts = /^kasprop_poller_watch_restarts_total{resource="pods"} .*$/m
  t.equal(restarts.exec(again)?.[0], restarts.exec(text)?.[0], 'asking changes nothing')
})

void t.test('two replicas share the work; one that stops hands over at once and leaves nothing', async (t) => {
  const world = await World.start(t)
  const names = Array.from({ length: 30 }, (_, i) => 'a'.repeat(i + 1))
  for (const name of names) world.app(name)
  const first = await world.poller()
  const second = await world.poller()
  const shards = async (poller: RunningPoller): Promise<number> =>
    Number(/^kasprop_poller_shards (\d+)$/m.exec((await get(poller, '/metrics')).text)?.[1])
  await until(() => world.api.objects(leases).length === 2)
  await sleep(300)
  const [mine, other] = [await shards(first), await shards(second)]
  t.ok(mine > 10 && other > 10)
  t.equal(mine + other, 64)
  await until(() => names.every((name) => world.status(name) !== undefined))
  await first.stop()
  await sleep(300)
  t.equal(await shards(second), 64)
  t.equal(world.api.objects(leases).length, 1)
  for (const name of names) world.app(name, {}, 2)
  await until(() => names.every((name) => world.status(name)?.observedGeneration === 2))
  await second.stop()
  t.equal(world.api.objects(leases).length, 0)
  await until(() => world.api.watches.size === 0)
})

/** A poller in a process of its own. */
function spawnPoller(t: Test, world: World, name: string): ChildProcess {
  const env = {
    PATH: process.env['PATH'],
    KUBECONFIG: world.api.kubeconfig,
    METRICS_PORT: '0',
    POD_NAME: name,
    LEASE_DURATION_SECONDS: '2',
    POLL_INTERVAL_SECONDS: '0.3',
    POLL_FAST_INTERVAL_SECONDS: '0.1',
    LOG_LEVEL: 'silent',
  }
  const script = packagePath('dist', 'test', 'poller', 'poll-process.js')
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

void t.test('as processes: one that is killed is replaced, one that is asked to stop leaves in order', async (t) => {
  const world = await World.start(t)
  const names = Array.from({ length: 20 }, (_, i) => 'b'.repeat(i + 1))
  for (const name of names) world.app(name)
  const first = spawnPoller(t, world, 'first')
  const second = spawnPoller(t, world, 'second')
  const shards = (name: string): number => {
    const lease = world.api.objects(leases).find(({ metadata }) => metadata.name.startsWith(name))
    return (lease?.metadata.annotations?.['metacontroller.kaspr.io/shards'] ?? '').split(',').filter(Boolean).length
  }
  await until(() => shards('first') > 0 && shards('second') > 0 && shards('first') + shards('second') === 64, 15_000)
  await until(() => names.every((name) => world.status(name) !== undefined))
  first.kill('SIGKILL')
  await until(() => shards('second') === 64, 10_000)
  for (const name of names) world.app(name, {}, 2)
  await until(() => names.every((name) => world.status(name)?.observedGeneration === 2))
  const exited = once(second, 'exit')
  second.kill('SIGTERM')
  t.strictSame(await exited, [0, null])
  t.strictSame(world.api.objects(leases), [], 'nothing is left of either')
})

void t.test('stop finishes what runs, and ends in time even if the API server is silent', async (t) => {
  const world = await World.start(t)
  world.app('orders')
  const poller = await world.poller({ SHUTDOWN_SECONDS: '1' })
  await until(() => world.report('orders') !== undefined)
  world.api.fault = () => 'hang'
  world.app('orders', {}, 2)
  const started = performance.now()
  await poller.stop()
  t.ok(performance.now() - started < 1500)
  await t.rejects(get(poller, '/healthz'))
})

void t.test('a port in use stops the start and names the setting', async (t) => {
  const world = await World.start(t)
  const { port } = await world.poller()
  await t.rejects(world.poller({ METRICS_PORT: String(port) }), {
    name: 'SettingsError',
    message: `METRICS_PORT=${port}: give a port that is free`,
  })
})

void t.test('settings: defaults, fractions, and every wrong one named', (t) => {
  t.match(readSettings(pollerSettings, {}), {
    METRICS_PORT: 8000,
    POLL_INTERVAL_SECONDS: 30,
    POLL_FAST_INTERVAL_SECONDS: 10,
    MEMBER_TIMEOUT_SECONDS: 10,
    MEMBER_CONNECT_TIMEOUT_SECONDS: 3,
    CLIENT_STATUS_CHECK_TIMEOUT_SECONDS: 15,
    POLL_CONCURRENCY: 256,
    POLL_CONCURRENCY_PER_APP: 16,
    LEASE_DURATION_SECONDS: 15,
    RO_POLL_SECONDS: 10,
    RO_COUNTDOWN_LOG_INTERVAL: 60,
    RO_JSON_LOGS: false,
    RO_WATCH_NAMESPACES: '',
  })
  t.equal(readSettings(pollerSettings, { POLL_INTERVAL_SECONDS: '0.5' }).POLL_INTERVAL_SECONDS, 0.5)
  for (const name of Object.keys(pollerSettings.properties).filter((name) => /_SECONDS|CONCURRENCY|PORT/.test(name))) {
    t.throws(() => readSettings(pollerSettings, { [name]: '-1' }), SettingsError, name)
  }
  for (const [name, wrong] of [
    ['RO_POLL_SECONDS', '301'],
    ['RO_POLL_SECONDS', '0'],
    ['RO_COUNTDOWN_LOG_INTERVAL', '0'],
    ['RO_JSON_LOGS', 'perhaps'],
    ['RO_TARGET_NAMESPACE', 'shop'],
    ['RO_TARGET_STATEFUL_SET', 'web'],
  ] as const) {
    t.throws(() => readSettings(pollerSettings, { [name]: wrong }), SettingsError, `${name}=${wrong}`)
  }
  t.equal(readSettings(pollerSettings, { RO_TARGET_NAMESPACE: 'a', RO_TARGET_STATEFUL_SET: 'b' }).RO_JSON_LOGS, false)
  t.end()
})

void t.test('health: reasons are told, other paths are 404', async (t) => {
  let reason = undefined as string | undefined
  const registry = new Registry()
  const server = await serveOperations({ port: 0, registry, unhealthy: () => reason, unready: () => reason })
  t.teardown(() => server.close())
  const ask = async (path: string, method: 'GET' | 'POST' = 'GET'): Promise<string> => {
    const { statusCode, body } = await request(`http://127.0.0.1:${server.port}${path}`, { method })
    return `${statusCode} ${await body.text()}`
  }
  t.equal(await ask('/healthz'), '200 ok\n')
  t.equal(await ask('/readyz?x=1'), '200 ok\n')
  reason = 'a run has lasted 400 s'
  t.equal(await ask('/healthz'), '503 a run has lasted 400 s\n')
  t.equal(await ask('/readyz'), '503 a run has lasted 400 s\n')
  t.match(await ask('/'), /^404 /)
  t.match(await ask('/metrics/x'), /^404 /)
  t.match(await ask('/metrics', 'POST'), /^405 /)
})

void t.test('requests are counted as audit logs name them', (t) => {
  const rows: [method: Parameters<typeof describeRequest>[0], path: string, expected: string][] = [
    ['GET', '/api/v1/pods', 'list pods'],
    ['WATCH', '/api/v1/pods', 'watch pods'],
    ['GET', '/apis/apps/v1/namespaces/shop/statefulsets/a', 'get statefulsets'],
    [
      'PUT',
      '/apis/metacontroller.kaspr.io/v1alpha1/namespaces/shop/observations/a/status',
      'update observations/status',
    ],
    ['POST', '/api/v1/namespaces/shop/events', 'create events'],
    ['PATCH', '/api/v1/namespaces/shop/events/a', 'patch events'],
    ['DELETE', '/apis/coordination.k8s.io/v1/namespaces/shop/leases/a', 'delete leases'],
    ['GET', '/version', 'list other'],
  ]
  for (const [method, path, expected] of rows) {
    const { verb, resource } = describeRequest(method, path)
    t.equal(`${verb} ${resource}`, expected)
  }
  t.end()
})
