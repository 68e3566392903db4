import type { RequestListener } from 'node:http'
import t from 'tap'
import type { Test } from 'tap'
import { hashOf } from '../../webhooks/contract/hash.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { KasprAppReport, KasprAppSpec, Look, PartReport } from '../../poller/kaspr/part.ts'
import { Rebalances } from '../../poller/kaspr/rebalance-part.ts'
import { signalRebalance } from '../../poller/kaspr/signal.ts'
import { trimPod } from '../../poller/kaspr/pods.ts'
import { trimSet } from '../../poller/kaspr/statefulsets.ts'
import { warnings } from '../../poller/kaspr/warnings.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import { startApiWithClient } from '../fakes/api-client.ts'
import type { FakeApi } from '../fakes/api-server.ts'
import { listen } from '../fakes/listen.ts'
import { FakeClock } from './fake-clock.ts'

const apps = '/apis/kaspr.io/v1alpha1/kasprapps'
const sets = '/apis/apps/v1/statefulsets'
const never = new AbortController().signal

void t.test('R8, D14: what a member answers to the signal', async (t) => {
  const rows: [name: string, listener: RequestListener, result: string][] = [
    ['200', (_, response) => response.end('{"status":"ok","message":"Rebalance requested"}'), 'accepted'],
    ['200 without a body, as before framework 0.6.15', (_, response) => response.end(), 'accepted'],
    ...[400, 401, 403, 404, 405, 409, 422, 500, 503].map((code): [string, RequestListener, string] => [
      String(code),
      (_, response) => response.writeHead(code).end(),
      'refused',
    ]),
    ['a redirect is not followed', (_, response) => response.writeHead(307, { location: '/x' }).end(), 'refused'],
    ['nothing', () => undefined, 'unclear'],
    ['a cut connection', ({ socket }) => socket.destroy(), 'unclear'],
    ['endless talk', (_, response) => response.end(Buffer.alloc(1024 * 1024)), 'unclear'],
  ]
  for (const [name, listener, result] of rows) {
    const seen: string[] = []
    const port = await listen(t, (request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host} ${request.headers['content-length']}`)
      listener(request, response)
    })
    const limits = { connectTimeoutMs: 300, timeoutMs: 300 }
    t.match(await signalRebalance({ ip: '127.0.0.1', port, host: 'a-app-0.a-app' }, limits, never), { result }, name)
    t.strictSame(seen, [`POST /signal/rebalance a-app-0.a-app:${port} 0`], 'once')
  }
  const limits = { connectTimeoutMs: 300, timeoutMs: 300 }
  const nobody = await signalRebalance({ ip: '127.0.0.1', port: 1, host: 'x' }, limits, never)
  t.strictSame(nobody, { result: 'refused', why: 'no connection (ECONNREFUSED)' })
})

/** One app with one member, an API server, and the part. */
class Bench {
  readonly api: FakeApi
  readonly clock = new FakeClock()
  readonly part: Rebalances
  readonly sensed: unknown[] = []
  previous: KasprAppReport | undefined
  spec: KasprAppSpec
  posts = 0
  /** Between two looks. */
  pauseMs = 2_000
  constructor(api: FakeApi, port: number, client: KubeClient) {
    this.api = api
    this.spec = {
      app: { name: 'a', uid: 'app-uid' },
      statefulSet: 'a-app',
      selector: { x: 'y' },
      port,
      enabled: true,
      replicas: 1,
      subscriptions: 'B',
      autoRebalance: true,
    }
    this.part = new Rebalances({
      client,
      clock: this.clock,
      confirmMs: 60_000,
      minIntervalMs: 60_000,
      backoffMs: 30_000,
      connectTimeoutMs: 300,
      timeoutMs: 300,
      sensor: {
        onRebalanceTriggered: (event) => this.sensed.push(event),
        onRebalanceComplete: (event, state) => void this.sensed.push({ ...event, state }),
      },
    })
  }

  static async start(t: Test): Promise<Bench> {
    const { api, client } = await startApiWithClient(t)
    const port = await listen(t, (_, response) => {
      bench.posts++
      response.end('{}')
    })
    const bench = new Bench(api, port, client)
    bench.app()
    bench.set({})
    return bench
  }

  app(metadata: Partial<KubeObject['metadata']> = {}, status: object = {}): void {
    this.api.put(apps, {
      apiVersion: 'kaspr.io/v1alpha1',
      kind: 'KasprApp',
      metadata: { name: 'a', namespace: 'shop', uid: 'app-uid', generation: 1, ...metadata },
      spec: { replicas: 1 },
      status: { observedGeneration: 1, ...status },
    })
  }

  set(status: object): void {
    this.api.put(sets, setWith(status))
  }

  async look(rebalancing = false, partitions = [1, 0]): Promise<PartReport> {
    const { spec, previous } = this
    const owner = { namespace: 'shop', name: 'a', uid: 'app-uid' }
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a-app-0', uid: 'u0', annotations: { 'metacontroller.kaspr.io/subscriptions': 'B' } },
      status: { phase: 'Running' },
    }
    const look: Look = {
      observation: { apiVersion: 'x', kind: 'Observation', metadata: { name: 'o', uid: 'o' }, spec: {} },
      namespace: 'shop',
      spec,
      previous,
      now: this.clock.date(),
      target: { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', ...owner },
      set: trimSet(setWith({})),
      pods: [trimPod(pod)],
      running: [{ id: 0, uid: 'u0', name: 'a-app-0', ip: '127.0.0.1', creationTime: undefined }],
      answers: new Map([
        [
          'u0',
          {
            result: 'Success',
            flags: { leader: true, rebalancing, recovering: false },
            assignment: { actives: { in: partitions }, standbys: {} },
          },
        ],
      ]),
      members: [],
      claims: [],
    }
    const seen = this.part.look(look)
    this.previous = { appUid: 'app-uid', reachable: '1/1', members: [], ...seen.report }
    for (const act of seen.acts ?? []) await act(never)
    await this.clock.advance(this.pauseMs)
    return seen
  }
}

function setWith(status: object): KubeObject {
  const ownerReferences = [{ apiVersion: 'k', kind: 'KasprApp', name: 'a', uid: 'app-uid', controller: true }]
  const healthy = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'a-app', namespace: 'shop', generation: 1, ownerReferences },
    spec: { replicas: 1 },
    status: { ...healthy, currentRevision: 'r', updateRevision: 'r', ...status },
  }
}

void t.test(
  'S3, R9: a rebalance that was pending in the status of the parent is honoured, and sensed with its reason',
  async (t) => {
    const world = await Bench.start(t)
    world.app({}, { rebalanceRequired: true })
    await world.look()
    await world.look()
    t.equal(world.previous?.subscriptions?.applied, 'unknown')
    t.equal(world.posts, 1)
    await world.look(true)
    const done = await world.look()
    t.strictSame(world.previous?.subscriptions, { applied: 'B' })
    t.equal(world.previous?.rebalance?.signal, undefined)
    t.match(done.events, [{ reason: 'RebalanceCompleted', target: { name: 'a', uid: 'app-uid' } }])
    const event = { app: 'a', namespace: 'shop', triggerReason: 'subscription_change' }
    t.strictSame(world.sensed, [event, { ...event, success: true, state: 1 }])
  },
)

void t.test('right before the signal, app and set are read as they are', async (t) => {
  const paused = { annotations: { 'kaspr.io/pause-reconciliation': 'true' } }
  const rows: [name: string, change: (world: Bench) => void, problem: RegExp, manual: boolean][] = [
    ['paused', (world) => world.app(paused), /^the app is paused$/, false],
    ['a new spec', (world) => world.app({ generation: 2 }), /^the spec has just changed$/, false],
    ['being deleted', (world) => world.app({ deletionTimestamp: '2030-01-01T00:00:00Z' }), /being deleted/, true],
    ['another app', (world) => world.app({ uid: 'other' }), /^the app is gone$/, true],
    ['a rollout', (world) => world.set({ currentRevision: 'q' }), /^rollout in progress$/, true],
    ['no set', (world) => world.api.remove(sets, 'shop', 'a-app'), /^there is no StatefulSet$/, true],
    [
      'no API server',
      (world) => {
        world.api.fault = () => ({ status: 500, body: 'down' })
      },
      /^the API server does not tell \(down\)$/,
      true,
    ],
  ]
  for (const [name, change, problem] of rows) {
    const world = await Bench.start(t)
    world.previous = { appUid: 'app-uid', reachable: '', members: [], subscriptions: { applied: 'A' } }
    change(world)
    await world.look()
    await world.look()
    t.equal(world.posts, 0, name)
    t.match(world.previous.rebalance, { problem }, name)
  }
})

void t.test(
  'R1, R6: the annotation is removed with a test on its value, and by hand means also while paused',
  async (t) => {
    const world = await Bench.start(t)
    const pausing = { 'kaspr.io/pause-reconciliation': 'true' }
    world.app({ generation: 7, annotations: { ...pausing, 'kaspr.io/rebalance': 'false' } })
    Object.assign(world.spec, { manualRebalance: 'false', autoRebalance: false })
    await world.look()
    t.equal(world.posts, 1)
    await world.look(true)
    const patch = world.api.requests.find(({ method }) => method === 'PATCH')
    t.equal(patch?.headers['content-type'], 'application/json-patch+json')
    const path = '/metadata/annotations/kaspr.io~1rebalance'
    t.strictSame(patch?.body, [
      { op: 'test', path: '/metadata/uid', value: 'app-uid' },
      { op: 'test', path, value: 'false' },
      { op: 'remove', path },
    ])
    t.strictSame(world.api.objects(apps)[0]?.metadata.annotations, pausing)
    await world.look()
    t.equal(world.api.requests.filter(({ method }) => method === 'PATCH').length, 1)
    delete world.spec.manualRebalance
    await world.look()
    t.equal(world.previous?.rebalance?.manual, undefined)
    t.match(world.sensed[1], { triggerReason: 'manual', success: true })
  },
)

void t.test('R6: another value is another request, and a removal that fails is tried again, not at once', async (t) => {
  const world = await Bench.start(t)
  world.app({ annotations: { 'kaspr.io/rebalance': 'one' } })
  Object.assign(world.spec, { manualRebalance: 'one' })
  await world.look()
  world.app({ annotations: { 'kaspr.io/rebalance': 'two' } })
  await world.look(true)
  t.strictSame(world.api.objects(apps)[0]?.metadata.annotations, { 'kaspr.io/rebalance': 'two' })

  const failing = await Bench.start(t)
  failing.app({ annotations: { 'kaspr.io/rebalance': 'one' } })
  Object.assign(failing.spec, { manualRebalance: 'one' })
  await failing.look()
  failing.api.fault = ({ method }) => (method === 'PATCH' ? { status: 403 } : undefined)
  const patches = (): number => failing.api.requests.filter(({ method }) => method === 'PATCH').length
  for (let i = 0; i < 4; i++) await failing.look(true)
  t.equal(patches(), 1)
  failing.api.fault = undefined
  await failing.clock.advance(10_000)
  await failing.look(true)
  t.equal(patches(), 2)
  t.strictSame(failing.api.objects(apps)[0]?.metadata.annotations, {})
})

void t.test('a request that is gone by the time it is served: nothing is sent', async (t) => {
  const world = await Bench.start(t)
  Object.assign(world.spec, { manualRebalance: 'one' })
  await world.look()
  await world.look()
  t.equal(world.posts, 0)
  t.match(world.previous?.rebalance?.manual, { phase: 'ended', removed: true })
})

void t.test('R7: twenty signals at once, then one every three seconds', async (t) => {
  const world = await Bench.start(t)
  world.pauseMs = 0
  const ask = async (): Promise<void> => {
    world.previous = { appUid: 'app-uid', reachable: '', members: [], subscriptions: { applied: 'A' } }
    await world.look()
  }
  for (let i = 0; i < 25; i++) await ask()
  t.equal(world.posts, 20)
  await world.clock.advance(3_000)
  for (let i = 0; i < 3; i++) await ask()
  t.equal(world.posts, 21)
  t.equal(world.previous?.rebalance?.deferred, 'many apps ask for a rebalance at once')
})

void t.test('each warning is told once, for as long as it stands', (t) => {
  const warning = { reason: 'TopicPattern', message: 'x' }
  const look = (spec: object, previous: object): PartReport =>
    warnings.look({ spec, previous, target: { name: 'a' } } as unknown as Look)
  const first = look({ warnings: [warning] }, {})
  t.match(first.events, [{ type: 'Warning', ...warning, target: { name: 'a' } }])
  t.strictSame(first.report, { warned: [hashOf(warning)] })
  t.strictSame(look({ warnings: [warning] }, first.report).events, [])
  t.strictSame(look({}, first.report).report, {})
  t.end()
})
