import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import type { CompositeRequest, CompositeResponse, KubeObject } from '../../webhooks/contract/types.ts'
import { readSettings } from '../../webhooks/environment.ts'
import { kaspr } from '../../webhooks/kaspr/index.ts'
import { createLogger } from '../../webhooks/logging.ts'
import { createMetrics } from '../../webhooks/metrics.ts'
import { CallSensing } from '../../webhooks/sensors/call-sensing.ts'
import { childChanges, observedChildren } from '../../webhooks/sensors/child-changes.ts'
import { createSensors } from '../../webhooks/sensors/prometheus.ts'
import type { PartialSensor } from '../../webhooks/sensors/sensor.ts'
import { buildServer } from '../../webhooks/server.ts'
import { hookSettings } from '../../webhooks/settings.ts'
import { get, listen, openCall } from './client.ts'
import { lab, labParent, labRequest } from './lab.ts'
import { applied, hooksOf, request } from './requests.ts'
import { samples } from './samples.ts'
import { until } from './until.ts'

const hooks = hooksOf('kasprapps')
const A = 'app_name=orders,namespace=shop'
const P = 'app_name=orders,component_name=orders,namespace=shop'

/** A cluster of one app, as far as the hooks see it: it carries out their answers, unless it is told not to. */
class World {
  readonly app: FastifyInstance
  nowMs = 0
  parent: KubeObject
  children: KubeObject[] = []
  #version = 1

  private constructor(app: FastifyInstance, spec: object) {
    this.app = app
    this.parent = {
      apiVersion: 'kaspr.io/v1alpha1',
      kind: 'KasprApp',
      metadata: { name: 'orders', namespace: 'shop', uid: 'app-uid', generation: 1, resourceVersion: '1' },
      spec: { replicas: 3, bootstrapServers: 'kafka:9092', authentication: { type: 'plain' }, ...spec },
    }
  }

  static async start(t: Test, spec: object = {}, sensors: readonly PartialSensor[] = []): Promise<World> {
    const settings = readSettings(hookSettings, {})
    const logger = createLogger('silent')
    const clock = { ticks: (): number => 0 }
    const ticks = (): number => clock.ticks()
    // Conditions carry times: two worlds are compared.
    const now = (): Date => new Date('2030-01-01T00:00:00Z')
    const app = await buildServer({ settings, hooks: [kaspr, lab], logger, ticks, sensors, now })
    t.teardown(() => app.close())
    const world = new World(app, spec)
    clock.ticks = () => world.nowMs
    return world
  }

  async call(path: string, body: object): Promise<CompositeResponse> {
    const answer = await this.app.inject({ method: 'POST', url: path, payload: body })
    await new Promise(setImmediate)
    return answer.json<CompositeResponse>()
  }

  sync(): Promise<CompositeResponse> {
    return this.call('/kasprapps/sync', request(hooks, this.parent, this.children))
  }

  /** Syncs until nothing changes any more. */
  async settle(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      this.nowMs += 1000
      this.carryOut(await this.sync())
    }
  }

  /** What Metacontroller does with an answer, for all children but these. */
  carryOut({ children, status }: CompositeResponse, except: string[] = []): void {
    const known = observedChildren({ all: Object.fromEntries(this.children.map((child, index) => [index, child])) })
    const changes = childChanges(known, children, new Set())
    const kept = (key: string): boolean => !changes.has(key) || except.includes(key)
    const wanted = new Map(children.map((child) => [`${child.kind} ${child.metadata.name}`, child]))
    this.children = [...new Set([...known.keys(), ...wanted.keys()])].flatMap((key) => {
      if (kept(key)) return known.get(key) ?? []
      const child = wanted.get(key)
      return child === undefined ? [] : this.#versioned(applied(child))
    })
    const next = { ...this.parent, status: { ...status, observedGeneration: this.parent.metadata.generation } }
    if (JSON.stringify(next) !== JSON.stringify(this.parent)) this.parent = this.#versioned(next)
  }

  /** Somebody else changes an object. */
  edit(kind: string, name: string, change: (child: KubeObject) => KubeObject | undefined): void {
    this.children = this.children.flatMap((child) => {
      if (child.kind !== kind || child.metadata.name !== name) return child
      const changed = change(structuredClone(child))
      return changed === undefined ? [] : this.#versioned(changed)
    })
  }

  /** The user changes the spec. */
  change(spec: object): void {
    const { metadata } = this.parent
    const generation = (metadata.generation ?? 0) + 1
    const wanted = { ...(this.parent['spec'] as object), ...spec }
    this.parent = this.#versioned({ ...this.parent, spec: wanted, metadata: { ...metadata, generation } })
  }

  async samples(): Promise<Record<string, number>> {
    const { body } = await this.app.inject({ url: '/metrics' })
    const lines = body.split('\n').flatMap((line) => {
      const [, name = '', labels = '', value] = /^kasprop_(\w+)(?:{(.*)})? (\S+)$/.exec(line) ?? []
      const plain = labels.replaceAll('"', '')
      return value === undefined || name.endsWith('_bucket')
        ? []
        : [[plain === '' ? name : `${name}{${plain}}`, +value]]
    })
    return Object.fromEntries(lines) as Record<string, number>
  }

  /** What grew while `act` ran, but calls and bytes. */
  async growth(act: () => Promise<unknown>): Promise<Record<string, number>> {
    const before = await this.samples()
    await act()
    const grown = Object.entries(await this.samples()).map(
      ([name, value]) => [name, value - (before[name] ?? 0)] as const,
    )
    return Object.fromEntries(grown.filter(([name, by]) => by !== 0 && !/^hook_|^reconcile_/.test(name)))
  }

  #versioned(object: KubeObject): KubeObject {
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
  }
}

const resource = (name: string, type: string): string =>
  `${P.replace(',namespace=shop', '')},resource_name=${name},namespace=shop,resource_type=${type}`
const synced = (name: string, type: string, operation: string, result = 'success'): string =>
  `resource_sync_total{${resource(name, type)},operation=${operation},result=${result}}`

void t.test('children that an answer creates are counted when they are seen', async (t) => {
  const world = await World.start(t)
  const first = await world.sync()
  t.notOk(
    Object.keys(await world.samples()).some((name) => name.startsWith('resource_sync')),
    'not before',
  )
  world.carryOut(first)
  world.nowMs += 300
  const grown = await world.growth(() => world.sync())
  const created: [string, string][] = [
    ['orders-app', 'service_account'],
    ['orders-app-config', 'config_map'],
    ['orders-app', 'headless_service'],
    ['orders-app-api', 'service'],
    ['orders-app', 'stateful_set'],
    ['orders-app-hpa', 'hpa'],
    ['kasprapp-orders', 'observation'],
  ]
  for (const [name, type] of created) t.equal(grown[synced(name, type, 'create')], 1, `${type} ${name}`)
  t.equal(Object.keys(grown).filter((name) => name.startsWith('resource_sync_total')).length, created.length)
  const seconds = `resource_sync_duration_seconds_sum{${resource('orders-app-hpa', 'hpa')},operation=create,result=success}`
  t.equal(grown[seconds], 0.3)
})

void t.test('in a settled world nothing moves but the count of calls', async (t) => {
  const world = await World.start(t)
  await world.settle()
  t.same(await world.growth(() => world.sync()), {})
  const calls = (await world.samples())[`reconcile_total{${P},trigger_source=sync,result=success}`]
  await world.sync()
  t.equal((await world.samples())[`reconcile_total{${P},trigger_source=sync,result=success}`], Number(calls) + 1)
})

void t.test('a change of the spec is a patch; what somebody else does is drift and a patch', async (t) => {
  const world = await World.start(t)
  await world.settle()
  const drift = (name: string, type: string, field: string): string =>
    `resource_drift_detected_total{${resource(name, type)},drift_field=${field}}`

  world.change({ config: { webPort: 7000 } })
  const changed = await world.growth(() => world.settle())
  t.equal(changed[synced('orders-app-config', 'config_map', 'patch')], 1)
  t.notOk(Object.keys(changed).some((name) => name.startsWith('resource_drift')))

  world.edit('ConfigMap', 'orders-app-config', (map) => ({ ...map, data: {} }))
  const edited = await world.growth(() => world.settle())
  t.equal(edited[drift('orders-app-config', 'config_map', 'data')], 1)
  t.equal(edited[synced('orders-app-config', 'config_map', 'patch')], 1)

  world.edit('StatefulSet', 'orders-app', (set) => ({
    ...set,
    spec: { ...(set['spec'] as object), updateStrategy: { type: 'OnDelete' } },
  }))
  t.equal((await world.growth(() => world.settle()))[drift('orders-app', 'stateful_set', 'spec')], 1)

  world.edit('Service', 'orders-app-api', () => undefined)
  const deleted = await world.growth(() => world.settle())
  t.equal(deleted[drift('orders-app-api', 'service', 'deleted')], 1)
  t.equal(deleted[synced('orders-app-api', 'service', 'create')], 1)

  // Fields that others own, a status, an order of their own: none of it is ours.
  world.edit('Service', 'orders-app-api', (service) => {
    const spec = service['spec'] as { ports: object[] }
    const ports = spec.ports.map((port) => ({ ...port, nodePort: 30_000 })).reverse()
    return { ...service, status: { loadBalancer: {} }, spec: { ...spec, ports, clusterIP: '10.0.0.1' } }
  })
  t.same(await world.growth(() => world.settle()), {})
})

void t.test('the autoscaler of a paused app: a delete, counted when it is gone', async (t) => {
  const world = await World.start(t)
  await world.settle()
  world.parent.metadata.annotations = { 'kaspr.io/pause-reconciliation': 'true' }
  world.change({})
  const grown = await world.growth(() => world.settle())
  t.equal(grown[synced('orders-app-hpa', 'hpa', 'delete')], 1)
  t.notOk(Object.keys(grown).some((name) => name.startsWith('resource_drift')))
})

void t.test('what is not seen within 60 s is a failure, once', async (t) => {
  const world = await World.start(t)
  const config = 'ConfigMap orders-app-config'
  world.carryOut(await world.sync(), [config])
  world.nowMs = 59_000
  t.notOk((await world.growth(() => world.sync()))[synced('orders-app-config', 'config_map', 'create', 'failure')])
  world.nowMs = 60_000
  const late = await world.growth(() => world.sync())
  t.equal(late[synced('orders-app-config', 'config_map', 'create', 'failure')], 1)
  const error = `resource_sync_errors_total{${resource('orders-app-config', 'config_map')},error_type=NotCarriedOutError}`
  t.equal(late[error], 1)
  world.nowMs = 300_000
  const later = await world.growth(() => world.sync())
  t.notOk(
    Object.keys(later).some((name) => name.includes('orders-app-config')),
    'not again',
  )
  world.carryOut(await world.sync())
  const healed = await world.growth(() => world.settle())
  t.notOk(
    Object.keys(healed).some((name) => name.includes('orders-app-config')),
    'told already',
  )
  world.edit('ConfigMap', 'orders-app-config', (map) => ({ ...map, data: {} }))
  t.equal((await world.growth(() => world.settle()))[synced('orders-app-config', 'config_map', 'patch')], 1)
})

void t.test('status: fields that change; apps by readiness; package settings', async (t) => {
  const pythonPackages = {
    packages: ['numpy'],
    indexUrl: 'https://pypi.example.com',
    credentials: { secretRef: { name: 'login' } },
  }
  const world = await World.start(t, { pythonPackages })
  const first = await world.growth(() => world.sync())
  for (const field of ['conditions', 'members', 'availableMembers', 'pythonPackages']) {
    t.equal(first[`status_updates_total{${A},update_field=${field}}`], 1, field)
  }
  await world.settle()
  const settled = await world.samples()
  t.equal(settled[`package_auth_enabled{${A}}`], 1)
  t.equal(settled[`package_custom_index_enabled{${A}}`], 1)
  t.equal(settled['apps{ready=False}'], 1)
  t.equal(settled['apps{ready=True}'], 0)
  t.match(world.parent['status'], { pythonPackages: {} })

  // With the field of the spec go the field and the condition of the status.
  const { pythonPackages: _, ...spec } = world.parent['spec'] as Record<string, unknown>
  world.parent = { ...world.parent, spec }
  world.change({})
  const grown = await world.growth(() => world.settle())
  t.equal(grown[`status_updates_total{${A},update_field=pythonPackages}`], 1)
  t.equal(grown[`package_auth_enabled{${A}}`], -1)
  t.equal(grown[`package_custom_index_enabled{${A}}`], -1)
  const status = world.parent['status'] as { pythonPackages?: object; conditions: { type: string }[] }
  t.notOk(status.pythonPackages)
  t.notOk(status.conditions.some(({ type }) => type === 'PythonPackagesReady'))
})

void t.test('components count for the app of their label; calls by kind of hook; errors by class', async (t) => {
  const world = await World.start(t)
  const agents = hooksOf('kaspragents')
  const labels = { 'kaspr.io/app': 'orders' }
  const metadata = { name: 'adder', namespace: 'shop', uid: 'u', generation: 1, resourceVersion: '1', labels }
  const agent = {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprAgent',
    metadata,
    spec: { input: { topic: { name: 'in' } } },
  }
  await world.call('/kaspragents/sync', request(agents, agent))
  const { controller, parent } = request(hooks, world.parent)
  await world.call('/kasprapps/customize', { controller, parent })
  await world.call('/labs/sync', labRequest({ parent: labParent({ fail: 'on purpose' }) }))
  const seen = await world.samples()
  const calls = (who: string, trigger: string, result: string): number | undefined =>
    seen[`reconcile_total{${who},trigger_source=${trigger},result=${result}}`]
  const component = 'app_name=orders,component_name=adder,namespace=shop'
  const one = 'app_name=one,component_name=one,namespace=lab'
  t.equal(calls(component, 'sync', 'success'), 1)
  t.equal(calls(P, 'customize', 'success'), 1)
  t.equal(calls(one, 'sync', 'failure'), 1)
  t.equal(seen[`reconcile_errors_total{${one},error_type=Error}`], 1)
  t.ok(seen[`reconcile_duration_seconds_count{${one},trigger_source=sync,result=failure}`])

  // Another app's now.
  const moved = { ...agent, metadata: { ...metadata, resourceVersion: '2', labels: { 'kaspr.io/app': 'billing' } } }
  await world.call('/kaspragents/sync', request(agents, moved))
  const after = Object.keys(await world.samples())
  t.notOk(after.some((name) => name.includes(component)))
  t.ok(after.some((name) => name.includes('app_name=billing,component_name=adder')))
})

void t.test('the last finalize takes all series of the app along', async (t) => {
  const world = await World.start(t)
  await world.settle()
  const finalize = (): Promise<CompositeResponse> =>
    world.call('/kasprapps/finalize', { ...request(hooks, world.parent, world.children), finalizing: true })
  await finalize()
  t.ok(Object.keys(await world.samples()).some((name) => name.includes('trigger_source=finalize')))
  world.children = []
  t.match(await finalize(), { finalized: true })
  t.notOk(Object.keys(await world.samples()).some((name) => name.includes('orders')))
})

void t.test('nobody asks about an app for 15 minutes: it is forgotten', async (t) => {
  const world = await World.start(t)
  await world.settle()
  world.nowMs += 900_000
  t.ok(Object.keys(await world.samples()).some((name) => name.includes('orders')))
  world.nowMs += 1
  await world.samples()
  t.notOk(Object.keys(await world.samples()).some((name) => name.includes('orders')))
})

void t.test('a sensor that throws in every hook changes no answer, and other sensors are fed', async (t) => {
  const throws = new Proxy(
    { name: 'Bad' },
    {
      get: (target, key) =>
        key === 'name'
          ? target.name
          : () => {
              throw new Error('on purpose')
            },
    },
  )
  const [good, bad] = [await World.start(t), await World.start(t, {}, [throws])]
  for (const world of [good, bad]) await world.settle()
  t.same(await bad.sync(), await good.sync())
  const [fed, fedToo] = [await good.samples(), await bad.samples()]
  for (const name of [
    'sensor_errors_total{sensor=Bad,hook=onReconcileStart}',
    'sensor_errors_total{sensor=Bad,hook=onResourceSyncComplete}',
  ]) {
    t.ok(Number(fedToo[name]) > 0, name)
  }
  const own = (all: Record<string, number>): [string, number][] =>
    Object.entries(all).filter(([name]) => !/^sensor_errors|^hook_/.test(name))
  t.same(own(fedToo), own(fed))
})

void t.test('every metric that is registered is moved by calls', async (t) => {
  const throws: PartialSensor = {
    name: 'Bad',
    onStatusUpdate: () => {
      throw new Error('on purpose')
    },
  }
  const world = await World.start(t, { pythonPackages: { packages: ['numpy'] } }, [throws])
  await world.settle()
  world.edit('ConfigMap', 'orders-app-config', (map) => ({ ...map, data: {} }))
  world.carryOut(await world.sync(), ['ConfigMap orders-app-config'])
  world.nowMs += 60_000
  await world.sync()
  await world.call('/labs/sync', labRequest({ parent: labParent({ fail: 'on purpose' }) }))
  const port = await listen(world.app)
  const call = openCall(port, labRequest())
  let body = ''
  await until(() => {
    void get(port, '/metrics').then((answer) => (body = answer.body))
    return /^kasprop_hook_requests_in_flight 1$/m.test(body)
  })
  call.finish()
  await call.answer
  const registered = [...body.matchAll(/^# TYPE (kasprop_\w+) /gm)].map(([, name = '']) => name)
  t.ok(registered.length > 15)
  // A label set that came with a call, or a value that is not the initial one.
  for (const name of registered) {
    if (name === 'kasprop_rebalance_pending') continue // the next test
    t.match(body, new RegExp(`^${name}(_count)?({.+} \\S+| [1-9]\\S*)$`, 'm'), name)
  }
})

void t.test('a rebalance is pending while a status says so', async (t) => {
  const { sensing, registry } = bare()
  const answer = (rebalanceRequired: boolean): CompositeResponse => ({ children: [], status: { rebalanceRequired } })
  const ask = (version: string): CompositeRequest =>
    request(hooks, {
      apiVersion: 'kaspr.io/v1alpha1',
      kind: 'KasprApp',
      metadata: { name: 'orders', namespace: 'shop', uid: 'u', resourceVersion: version },
    })
  for (const [version, required] of [
    ['1', true],
    ['2', false],
  ] as const) {
    const body = ask(version)
    sensing.answered(sensing.begin(body.parent, 'sync'), body, answer(required))
    t.equal((await samples(registry))['rebalance_pending'], Number(required))
  }
})

void t.test('memory is bounded: of many parents those asked about last are kept', async (t) => {
  const { sensing, registry } = bare()
  const parent = (id: number): KubeObject => ({
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name: `app-${id}`, namespace: 'shop', uid: `uid-${id}`, resourceVersion: '1' },
  })
  const asked = 101_000
  for (let id = 0; id < asked; id++) {
    const call = sensing.begin(parent(id), 'sync')
    sensing.answered(call, request(hooks, parent(id)), { children: [], status: {} })
  }
  t.equal((await samples(registry))['apps{ready=Unknown}'], 100_000)
})

function bare(): { sensing: CallSensing; registry: Registry } {
  const { registry } = createMetrics(() => 0)
  const sensor = createSensors({ registry, process: 'serve', detail: 'full' })
  return { sensing: new CallSensing({ sensor, registry, ticks: () => 0 }), registry }
}
