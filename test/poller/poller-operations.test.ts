/** What a poller tells of itself: health, metrics, settings that are wrong. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from 'prom-client'
import t from 'tap'
import { request } from 'undici'
import { describeRequest } from '../../poller/metrics.ts'
import { serveOperations } from '../../poller/operations.ts'
import { pollerSettings } from '../../poller/settings.ts'
import { SettingsError, readSettings } from '../../webhooks/environment.ts'
import { definitions } from '../../webhooks/sensors/definitions.ts'
import { createSensors } from '../../webhooks/sensors/prometheus.ts'
import { until } from '../webhooks/until.ts'
import { World, calm, get, leases, pods } from './poller-world.ts'

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
  const sensor = createSensors({ registry, process: 'poll', detail: 'full' })
  for (const app of Array.from({ length: 1000 }, (_, app) => `app-${app}`)) {
    sensor.onReconcileDequeued({ app, component: app, namespace: 'shop', waitSeconds: 0, queueDepth: 0 })
  }
  const server = await serveOperations({ port: 0, registry, unhealthy: () => reason, unready: () => reason })
  t.teardown(() => server.close())
  const ask = async (path: string, method: 'GET' | 'HEAD' | 'POST' = 'GET'): Promise<string> => {
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
  t.ok((await ask('/metrics')) === `200 ${await registry.metrics()}`, 'more than one chunk')
  const { headers, body } = await request(`http://127.0.0.1:${server.port}/metrics`)
  t.equal(headers['content-type'], registry.contentType)
  body.on('error', () => undefined).destroy()
  t.match(await ask('/metrics', 'HEAD'), /^200 $/, 'a scrape that was given up harms nobody')
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
