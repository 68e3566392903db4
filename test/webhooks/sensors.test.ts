import { Registry } from 'prom-client'
import t from 'tap'
import { definitions, type MetricDefinition } from '../../webhooks/sensors/definitions.ts'
import { SensorDelegate } from '../../webhooks/sensors/delegate.ts'
import { exposition } from '../../webhooks/sensors/exposition.ts'
import { createSensors } from '../../webhooks/sensors/prometheus.ts'
import type { PartialSensor, Sensor } from '../../webhooks/sensors/sensor.ts'
import type { MetricsDetail } from '../../webhooks/sensors/series.ts'
import { samples } from './samples.ts'

type Call = (sensor: Sensor, app?: string) => void

const member = (app: string): { app: string; namespace: string; memberId: number } => ({
  app,
  namespace: 'shop',
  memberId: 2,
})

/** Every hook once, as hooks (`serve`) and poller (`poll`) call it. */
const calls: Record<'serve' | 'poll', Record<string, Call>> = {
  serve: {
    reconcile(sensor, app = 'orders') {
      const who = { app, component: 'agent', namespace: 'shop' }
      const state = sensor.onReconcileStart({ ...who, generation: 1, triggerSource: 'sync' })
      sensor.onReconcileComplete({ ...who, success: false, error: new TypeError('x') }, state)
    },
    resources(sensor, app = 'orders') {
      const what = { app, component: app, namespace: 'shop', resourceName: 'orders-app', resourceType: 'stateful_set' }
      const state = sensor.onResourceSyncStart(what)
      sensor.onResourceSyncComplete({ ...what, operation: 'patch', success: false, error: new RangeError('x') }, state)
      sensor.onResourceDriftDetected({ ...what, driftFields: ['spec'] })
    },
    app(sensor, app = 'orders') {
      const who = { app, namespace: 'shop' }
      sensor.onStatusUpdate({ ...who, fields: ['members', 'conditions'] })
      sensor.onPackageConfigUpdated({ ...who, authEnabled: true, customIndexEnabled: false })
    },
  },
  poll: {
    reconcile(sensor, app = 'orders') {
      const who = { app, component: app, namespace: 'shop' }
      sensor.onReconcileQueued({ ...who, queueDepth: 1 })
      sensor.onReconcileDequeued({ ...who, waitSeconds: 0.2, queueDepth: 0 })
      const state = sensor.onReconcileStart({ ...who, generation: 0, triggerSource: 'poll' })
      sensor.onReconcileComplete({ ...who, success: true }, state)
      sensor.onReconcileComplete({ ...who, success: false, error: new Error('x') }, undefined)
    },
    rebalance(sensor, app = 'orders') {
      const what = { app, namespace: 'shop', triggerReason: 'manual' } as const
      sensor.onRebalanceComplete({ ...what, success: true }, sensor.onRebalanceTriggered(what))
    },
    members(sensor, app = 'orders') {
      sensor.onMemberStateChange({ ...member(app), from: 'STABLE', to: 'REBALANCING' })
      sensor.onHungMemberDetected({ ...member(app), strikes: 3, hungSeconds: 321 })
      sensor.onMemberTerminated({ ...member(app), reason: 'hung', success: false })
    },
    terminated: (sensor, app = 'orders') =>
      sensor.onMemberTerminated({ ...member(app), reason: 'hung', success: true }),
    packages(sensor, app = 'orders') {
      const who = { app, namespace: 'shop' }
      const state = sensor.onPackageInstallStart(who)
      sensor.onPackageInstallComplete({ ...who, success: false, errorType: 'timeout', retries: 2 }, state)
      sensor.onPackageCacheUsageUpdated({ ...who, totalBytes: 8, usedBytes: 2, availableBytes: 6, usedPercent: 25 })
      sensor.onStatusUpdate({ ...who, fields: ['members'] })
    },
  },
}

const C = 'app_name=orders,component_name=agent,namespace=shop'
const P = 'app_name=orders,component_name=orders,namespace=shop'
const A = 'app_name=orders,namespace=shop'
const M = `${A},member_id=2`
const R = 'app_name=orders,component_name=orders,resource_name=orders-app,namespace=shop,resource_type=stateful_set'

/** Samples after one call of each hook; durations are one tick of 1 s. */
const expected: Record<'serve' | 'poll', Record<string, number>> = {
  serve: {
    [`reconcile_duration_seconds_sum{${C},trigger_source=sync,result=failure}`]: 1,
    [`reconcile_total{${C},trigger_source=sync,result=failure}`]: 1,
    [`reconcile_errors_total{${C},error_type=TypeError}`]: 1,
    [`resource_sync_duration_seconds_sum{${R},operation=patch,result=failure}`]: 1,
    [`resource_sync_total{${R},operation=patch,result=failure}`]: 1,
    [`resource_sync_errors_total{${R},error_type=RangeError}`]: 1,
    [`resource_drift_detected_total{${R},drift_field=spec}`]: 1,
    [`status_updates_total{${A},update_field=members}`]: 1,
    [`status_updates_total{${A},update_field=conditions}`]: 1,
    [`package_auth_enabled{${A}}`]: 1,
    [`package_custom_index_enabled{${A}}`]: 0,
  },
  poll: {
    [`reconcile_duration_seconds_sum{${P},trigger_source=poll,result=success}`]: 1,
    [`reconcile_total{${P},trigger_source=poll,result=success}`]: 1,
    [`reconcile_errors_total{${P},error_type=Error}`]: 1,
    [`reconcile_queue_depth{${P}}`]: 0,
    [`reconcile_queue_wait_seconds_sum{${P}}`]: 0.2,
    [`rebalance_duration_seconds_sum{${A},trigger_reason=manual,result=success}`]: 1,
    [`rebalance_total{${A},trigger_reason=manual,result=success}`]: 1,
    [`member_state_transitions_total{${M},from_state=STABLE,to_state=REBALANCING}`]: 1,
    [`hung_members_detected_total{${M}}`]: 1,
    [`hung_member_consecutive_detections{${M}}`]: 3,
    [`hung_member_duration_seconds{${M}}`]: 321,
    [`member_termination_failures_total{${M},reason=hung}`]: 1,
    [`member_terminations_total{${M},reason=hung}`]: 1,
    [`package_install_duration_seconds_sum{${A}}`]: 1,
    [`package_install_total{${A},result=failure}`]: 1,
    [`package_install_errors_total{${A},error_type=timeout}`]: 1,
    [`package_install_retries_total{${A}}`]: 2,
    [`package_install_timeouts_total{${A}}`]: 1,
    [`package_cache_usage_bytes{${A},type=total}`]: 8,
    [`package_cache_usage_bytes{${A},type=used}`]: 2,
    [`package_cache_usage_bytes{${A},type=available}`]: 6,
    [`package_cache_usage_percent{${A}}`]: 25,
    [`status_updates_total{${A},update_field=members}`]: 1,
  },
}

function sensors(process: 'serve' | 'poll', detail: MetricsDetail = 'full'): [SensorDelegate, Registry] {
  const registry = new Registry()
  let now = 0
  return [createSensors({ registry, process, detail, ticks: () => (now += 1000) }), registry]
}

for (const process of ['serve', 'poll'] as const) {
  void t.test(`${process}: every hook moves its metrics, and every metric is moved`, async (t) => {
    const [sensor, registry] = sensors(process)
    t.same(await samples(registry), {}, 'nothing before')
    for (const call of Object.values(calls[process]).filter((call) => call.name !== 'terminated')) call(sensor)
    const { terminated } = calls[process]
    const before = await samples(registry)
    terminated?.(sensor)
    const after = await samples(registry)
    for (const [sample, value] of Object.entries(expected[process])) {
      t.equal(sample.startsWith('member_terminations') ? after[sample] : before[sample], value, sample)
    }
    const own = Object.entries<MetricDefinition>(definitions).filter(([, definition]) =>
      definition.in.includes(process),
    )
    const driven = new Set(Object.keys(expected[process]).map((sample) => sample.replace(/(_sum)?{.*/, '')))
    t.same([...driven].sort(), own.map(([name]) => name).sort())
    if (process === 'poll') {
      t.equal(after[`hung_member_consecutive_detections{${M}}`], 0, 'a terminated member has no strikes')
      t.equal(after[`hung_member_duration_seconds{${M}}`], 0)
    }
  })

  void t.test(`${process}: with an app go all its series, and only its`, async (t) => {
    const [sensor, registry] = sensors(process)
    for (const call of Object.values(calls[process])) call(sensor, 'orders')
    const orders = await samples(registry)
    for (let round = 0; round < 300; round++) {
      for (const call of Object.values(calls[process])) call(sensor, `app-${round}`)
      sensor.onAppGone({ app: `app-${round}`, namespace: 'shop' })
    }
    t.same(await samples(registry), orders)
    sensor.onAppGone({ app: 'orders', namespace: 'elsewhere' })
    t.same(await samples(registry), orders)
    t.not(sensor.describe()['PrometheusSensor'], undefined)
    sensor.onAppGone({ app: 'orders', namespace: 'shop' })
    t.same(await samples(registry), {})
    t.same(sensor.describe(), { PrometheusSensor: { series: 0 } })
  })
}

void t.test('the text is what prom-client makes of the same samples', async (t) => {
  const many = Array.from({ length: 300 }, (_, app) => `app-${app}`)
  const names = ['a"b', 'back\\slash', 'line\nfeed', ...many]
  for (const process of ['serve', 'poll'] as const) {
    const [sensor, registry] = sensors(process)
    for (const app of names) for (const call of Object.values(calls[process])) call(sensor, app)
    const chunks: string[] = []
    for await (const chunk of exposition(registry)) chunks.push(chunk)
    t.ok(chunks.length > 1)
    t.ok(chunks.join('') === (await registry.metrics()), 'to the letter')
  }
  const [sensor, registry] = sensors('poll')
  const who = { app: 'orders', component: 'orders', namespace: 'shop' }
  for (const waitSeconds of [0.01, 0.3, 31]) sensor.onReconcileDequeued({ ...who, waitSeconds, queueDepth: 0 })
  const lines = (await registry.getSingleMetricAsString('kasprop_reconcile_queue_wait_seconds')).split('\n').slice(2)
  t.same(
    lines.map((line) => line.replace(`,${P.replace(/=(\w+)/g, '="$1"')}`, '').replace('kasprop_reconcile_', '')),
    [
      ...[0.01, 0.05, 0.1].map((bound) => `queue_wait_seconds_bucket{le="${bound}"} 1`),
      ...[0.5, 1, 5, 10, 30].map((bound) => `queue_wait_seconds_bucket{le="${bound}"} 2`),
      'queue_wait_seconds_bucket{le="+Inf"} 3',
      `queue_wait_seconds_sum{${P.replace(/=(\w+)/g, '="$1"')}} 31.31`,
      `queue_wait_seconds_count{${P.replace(/=(\w+)/g, '="$1"')}} 3`,
    ],
  )
})

void t.test('with a component or member go its series', async (t) => {
  const [serve, hookRegistry] = sensors('serve')
  for (const call of Object.values(calls.serve)) call(serve)
  serve.onComponentGone({ app: 'orders', component: 'agent', namespace: 'shop' })
  const left = Object.keys(await samples(hookRegistry))
  t.ok(left.length > 0)
  t.notOk(left.some((sample) => sample.includes('component_name=agent')))

  const [poll, pollRegistry] = sensors('poll')
  for (const call of Object.values(calls.poll)) call(poll)
  poll.onMemberGone({ ...member('orders'), memberId: 1 })
  t.ok(Object.keys(await samples(pollRegistry)).some((sample) => sample.includes('member_id=2')))
  poll.onMemberGone(member('orders'))
  t.notOk(Object.keys(await samples(pollRegistry)).some((sample) => sample.includes('member_id')))
})

void t.test('METRICS_DETAIL keeps labels and hides what they say', async (t) => {
  const all = ['orders', 'billing']
  const seen = async (detail: MetricsDetail): Promise<string[]> => {
    const [sensor, registry] = sensors('poll', detail)
    for (const app of all) for (const call of Object.values(calls.poll)) call(sensor, app)
    return Object.keys(await samples(registry)).filter((sample) => sample.startsWith('hung_members_detected_total'))
  }
  const detected = (app: string, id: string): string =>
    `hung_members_detected_total{app_name=${app},namespace=shop,member_id=${id}}`
  t.same(
    await seen('full'),
    all.map((app) => detected(app, '2')),
  )
  t.same(
    await seen('app'),
    all.map((app) => detected(app, '*')),
  )
  t.same(await seen('namespace'), [detected('*', '*')])
})

/** Every hook of the interface, called with some event. */
const hooks = [
  'onReconcileStart',
  'onReconcileComplete',
  'onReconcileQueued',
  'onReconcileDequeued',
  'onResourceSyncStart',
  'onResourceSyncComplete',
  'onResourceDriftDetected',
  'onRebalanceTriggered',
  'onRebalanceComplete',
  'onMemberStateChange',
  'onHungMemberDetected',
  'onMemberTerminated',
  'onPackageInstallStart',
  'onPackageInstallComplete',
  'onPackageConfigUpdated',
  'onPackageCacheUsageUpdated',
  'onStatusUpdate',
  'onAppGone',
  'onComponentGone',
  'onMemberGone',
] as const satisfies readonly Exclude<keyof Sensor, 'describe'>[]

type AnyHook = (event: object, state?: unknown) => unknown

/** A sensor that has every hook, and records or throws. */
function recorder(name: string, act: (hook: string, args: unknown[]) => unknown): PartialSensor {
  const own = hooks.map((hook) => [hook, (...args: unknown[]) => act(hook, args)] as const)
  return { name, ...Object.fromEntries(own) }
}

void t.test('the delegate tells all sensors in order, whatever one of them does', async (t) => {
  const told: string[] = []
  const failures: string[] = []
  const lines: object[] = []
  const sensor = new SensorDelegate({
    onError: (name, hook) => failures.push(`${name}.${hook}`),
    logger: { error: (line: object) => lines.push(line) } as never,
  })
  const fails = recorder('Bad', (hook) => {
    throw new Error(hook)
  })
  const rejects = recorder('Late', (hook) => Promise.reject(new Error(hook)))
  const tell = (name: string): PartialSensor => recorder(name, (hook) => told.push(`${name}.${hook}`) < 0)
  for (const each of [tell('first'), fails, rejects, { name: 'Idle' }, tell('last')]) sensor.add(each)
  for (const hook of hooks) {
    t.doesNotThrow(() => (sensor[hook] as AnyHook)({ app: 'a' }))
    t.doesNotThrow(() => (sensor[hook] as AnyHook)({ app: 'a' }))
  }
  await new Promise(setImmediate)
  t.same(
    told,
    hooks.flatMap((hook) => [`first.${hook}`, `last.${hook}`, `first.${hook}`, `last.${hook}`]),
  )
  const twice = (name: string): string[] => hooks.flatMap((hook) => [`${name}.${hook}`, `${name}.${hook}`])
  t.same(failures.toSorted(), [...twice('Bad'), ...twice('Late')].toSorted())
  t.equal(lines.length, 2 * hooks.length, 'one line for each hook that fails, not for each failure')
})

void t.test('each sensor gets back what it gave at the beginning, or nothing', (t) => {
  const ends: [string, unknown][] = []
  const withState = (name: string, state: unknown): PartialSensor => ({
    name,
    onReconcileStart: () => state,
    onReconcileComplete: (_event, given) => ends.push([name, given]),
  })
  const sensors = [withState('a', { a: 1 }), withState('b', undefined), withState('c', null), withState('d', 0)]
  const sensor = new SensorDelegate({}, sensors)
  const who = { app: 'a', component: 'a', namespace: 'n' }
  const start = { ...who, generation: 1, triggerSource: 'sync' } as const
  sensor.onReconcileComplete({ ...who, success: true }, sensor.onReconcileStart(start))
  t.same(ends.splice(0), [
    ['a', { a: 1 }],
    ['b', undefined],
    ['c', undefined],
    ['d', 0],
  ])
  sensor.onReconcileComplete({ ...who, success: true }, { invented: 'by the caller' })
  t.same(
    ends.splice(0),
    ['a', 'b', 'c', 'd'].map((name) => [name, undefined]),
  )
  t.equal(new SensorDelegate({}, sensors.slice(1, 3)).onReconcileStart(start), undefined, 'no states, no state')

  const [first = sensors[0]] = sensors
  sensor.remove(first as PartialSensor)
  sensor.add(first as PartialSensor)
  sensor.add(first as PartialSensor)
  sensor.onReconcileComplete({ ...who, success: true }, undefined)
  t.same(
    ends.splice(0).map(([name]) => name),
    ['b', 'c', 'd', 'a'],
  )
  t.same(Object.keys(sensor.describe()), ['b', 'c', 'd', 'a'])
  sensor.clear()
  sensor.onReconcileComplete({ ...who, success: true }, undefined)
  t.same(ends, [])
  t.end()
})
