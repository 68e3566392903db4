/** Hung members: how a pod is deleted, over HTTP, whatever happens in between and whoever crashes. */
import t from 'tap'
import type { Test } from 'tap'
import { systemClock } from '../../poller/clock.ts'
import { Controller } from '../../poller/controller.ts'
import { HungMembers } from '../../poller/kaspr/hung-members.ts'
import { KasprApps } from '../../poller/kaspr/index.ts'
import { MemberPoller } from '../../poller/kaspr/poll.ts'
import { terminate } from '../../poller/kaspr/terminate.ts'
import type { Target, TerminateOptions } from '../../poller/kaspr/terminate.ts'
import type { Outcome } from '../../poller/kaspr/terminations.ts'
import { createClient } from '../../poller/kube/client.ts'
import type { ObjectEvent } from '../../poller/kube/events.ts'
import { observationsPath } from '../../poller/observation.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { shardLabel } from '../../webhooks/contract/shard.ts'
import { startFakeApi } from '../fakes/api-server.ts'
import type { FakeApi, Fault, SeenRequest } from '../fakes/api-server.ts'
import { startKasprMembers } from '../fakes/kaspr-members.ts'
import { until } from '../webhooks/until.ts'
import { FakeClock } from './fake-clock.ts'
import { HungWorld, kasprAppSpec, kubePod, kubeSet } from './hung-world.ts'

// The whole file, not only a test of it.
t.setTimeout(180_000)

const apps = '/apis/kaspr.io/v1alpha1/kasprapps'
const sets = '/apis/apps/v1/statefulsets'
const pods = '/api/v1/pods'

const settledStatus = {
  observedGeneration: 1,
  replicas: 3,
  availableReplicas: 3,
  updatedReplicas: 3,
  currentRevision: 'r1',
  updateRevision: 'r1',
}

function kasprApp(metadata: object = {}): KubeObject {
  const fixed = { namespace: 'shop', name: 'orders', uid: 'app' }
  return { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', metadata: { ...fixed, ...metadata } }
}

/** An app of three settled members, the pod of the first of which is to be deleted. */
async function world(t: Test): Promise<FakeApi> {
  const api = await startFakeApi()
  t.teardown(() => api.close())
  api.put(apps, kasprApp())
  api.put(sets, kubeSet({ replicas: 3, status: settledStatus }))
  for (const id of [0, 1, 2]) api.put(pods, kubePod(id, { uid: `u${id}` }))
  return api
}

const target: Target = {
  namespace: 'shop',
  spec: kasprAppSpec(3),
  id: 0,
  podUID: 'u0',
  missing: 1,
  again: false,
}

async function act(
  api: FakeApi,
  { target: changed = {}, options = {} }: { target?: Partial<Target>; options?: Partial<TerminateOptions> } = {},
): Promise<Outcome | undefined> {
  const client = createClient({ kubeconfig: api.kubeconfig })
  const all = { client, graceSeconds: 10, timeoutMs: 10_000, dryRun: false, ...options }
  try {
    return await terminate(all, { ...target, ...changed }, new AbortController().signal)
  } finally {
    await client.close()
  }
}

const deletions = (api: FakeApi): SeenRequest[] => api.requests.filter(({ method }) => method === 'DELETE')
const isPodRead = ({ method, path }: SeenRequest): boolean => method === 'GET' && path.includes('/pods/')

void t.test('H8, H11: the pod is read anew and deleted with grace, by uid and version', async (t) => {
  const api = await world(t)
  const version = api.objects(pods)[0]?.metadata.resourceVersion
  t.strictSame(await act(api), { state: 'Terminated' })
  t.strictSame(
    api.requests.map(({ method, path }) => `${method} ${path}`),
    [
      'GET /apis/kaspr.io/v1alpha1/namespaces/shop/kasprapps/orders',
      'GET /apis/apps/v1/namespaces/shop/statefulsets/orders-app',
      'GET /api/v1/namespaces/shop/pods/orders-app-0',
      'DELETE /api/v1/namespaces/shop/pods/orders-app-0',
    ],
  )
  t.match(deletions(api)[0]?.body, {
    kind: 'DeleteOptions',
    gracePeriodSeconds: 10,
    preconditions: { uid: 'u0', resourceVersion: version },
  })
  t.strictSame(
    api.objects(pods).map(({ metadata }) => metadata.uid),
    ['u1', 'u2'],
  )
})

void t.test('H8: what has changed since it was decided calls it off; nothing is asked for', async (t) => {
  const setOf = (changes: Partial<Parameters<typeof kubeSet>[0]>): KubeObject =>
    kubeSet({ replicas: 3, status: settledStatus, ...changes })
  const rows: [name: string, change: (api: FakeApi) => void, message: string][] = [
    [
      'paused',
      (api) => api.put(apps, kasprApp({ annotations: { 'kaspr.io/pause-reconciliation': 'True' } })),
      'the app is paused',
    ],
    ['app deleted', (api) => api.remove(apps, 'shop', 'orders'), 'the app is gone'],
    ['another app of the name', (api) => api.put(apps, kasprApp({ uid: 'other' })), 'the app is gone'],
    [
      'app being deleted',
      (api) => api.put(apps, kasprApp({ deletionTimestamp: '2030-01-01T00:00:00Z' })),
      'the app is being deleted',
    ],
    [
      'a set that is being deleted',
      (api) => {
        const set = setOf({})
        api.put(sets, { ...set, metadata: { ...set.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' } })
      },
      'the StatefulSet is being deleted',
    ],
    ['no set', (api) => api.remove(sets, 'shop', 'orders-app'), 'there is no StatefulSet'],
    [
      'a set of somebody else',
      (api) => api.put(sets, setOf({ owner: 'x' })),
      'the StatefulSet belongs to somebody else',
    ],
    ['a new template', (api) => api.put(sets, setOf({ generation: 2 })), 'rollout in progress'],
    [
      'rolling',
      (api) => api.put(sets, setOf({ status: { ...settledStatus, updateRevision: 'r2' } })),
      'rollout in progress',
    ],
    [
      'more pods missing than our own',
      (api) => api.put(sets, setOf({ status: { ...settledStatus, availableReplicas: 1 } })),
      'members not ready (1/3)',
    ],
    ['scaled', (api) => api.put(sets, setOf({ replicas: 2 })), 'rollout in progress'],
  ]
  for (const [name, change, message] of rows) {
    const api = await world(t)
    change(api)
    t.strictSame(await act(api), { state: 'Withdrawn', message }, name)
    t.strictSame(deletions(api), [], name)
  }
})

void t.test('H5: pods that are missing because of us do not call it off', async (t) => {
  const api = await world(t)
  const status = { ...settledStatus, availableReplicas: 1, updatedReplicas: 1 }
  api.put(sets, kubeSet({ replicas: 3, status }))
  t.strictSame(await act(api, { target: { missing: 2 } }), { state: 'Terminated' })
})

void t.test('H8: a pod that is gone, on its way, or another one is left alone', async (t) => {
  const changes: ((api: FakeApi) => void)[] = [
    (api) => api.remove(pods, 'shop', 'orders-app-0'),
    (api) => api.put(pods, kubePod(0, { uid: 'u0', terminating: true })),
    (api) => api.put(pods, kubePod(0, { uid: 'successor' })),
  ]
  for (const change of changes) {
    const api = await world(t)
    change(api)
    t.strictSame(await act(api), { state: 'Gone' }, 'somebody else did it')
    t.strictSame(await act(api, { target: { again: true } }), { state: 'Terminated' }, 'announced before: it was us')
    t.strictSame(deletions(api), [])
  }
})

/** Has something happen just before the first request of a kind is served. */
function meanwhile(api: FakeApi, matches: (request: SeenRequest) => boolean, happen: () => Fault | undefined): void {
  let done = false
  api.fault = (request) => {
    if (done || !matches(request)) return undefined
    done = true
    return happen()
  }
}

const isDelete = ({ method }: SeenRequest): boolean => method === 'DELETE'

void t.test('H8: between the last look and the deletion', async (t) => {
  const rows: [name: string, happen: (api: FakeApi) => void, outcome: Outcome, survivors: number][] = [
    ['a successor: it survives', (api) => api.put(pods, kubePod(0, { uid: 'successor' })), { state: 'Gone' }, 3],
    ['gone (404)', (api) => api.remove(pods, 'shop', 'orders-app-0'), { state: 'Gone' }, 2],
    [
      'deleted by another poller: not twice',
      (api) => api.put(pods, kubePod(0, { uid: 'u0', terminating: true })),
      { state: 'Gone' },
      3,
    ],
    ['a new status of the same pod', (api) => api.put(pods, kubePod(0, { uid: 'u0' })), { state: 'Terminated' }, 2],
  ]
  for (const [name, happen, outcome, survivors] of rows) {
    const api = await world(t)
    meanwhile(api, isDelete, () => {
      happen(api)
      return undefined
    })
    t.strictSame(await act(api), outcome, name)
    t.equal(api.objects(pods).length, survivors, name)
  }
})

void t.test('H9: failures are told, and nothing is taken for done', async (t) => {
  const forbidden = { status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden', message: 'may not' } }
  const rows: [name: string, matches: (request: SeenRequest) => boolean, fault: Fault, expected: object][] = [
    ['403', isDelete, forbidden, { state: 'Failed', message: 'HTTP 403: may not' }],
    ['500', isDelete, { status: 500, body: 'oops' }, { state: 'Failed', message: 'HTTP 500: oops' }],
    ['no answer', isDelete, 'hang', { state: 'Failed', message: /no answer within 500 ms/ }],
    ['broken connection', isDelete, 'reset', { state: 'Failed' }],
    ['the app cannot be read', ({ path }) => path.includes('kasprapps'), forbidden, { state: 'Failed' }],
    ['the pod cannot be read', isPodRead, 'hang', { state: 'Failed', message: /no answer/ }],
  ]
  for (const [name, matches, fault, expected] of rows) {
    const api = await world(t)
    api.fault = (request) => (matches(request) ? fault : undefined)
    t.match(await act(api, { options: { timeoutMs: 500 } }), expected, name)
    t.equal(api.objects(pods).length, 3, name)
  }
})

void t.test('a deletion whose answer was lost: the pod tells, if it can be asked', async (t) => {
  const api = await world(t)
  api.fault = (request) => {
    if (!isDelete(request)) return undefined
    api.remove(pods, 'shop', 'orders-app-0')
    return 'reset'
  }
  t.strictSame(await act(api), { state: 'Terminated' })
  const down = await world(t)
  let isDown = false
  down.fault = (request) => {
    isDown ||= isDelete(request)
    return isDown ? 'hang' : undefined
  }
  t.equal(await act(down, { options: { timeoutMs: 500 } }), undefined, 'nothing is known')
})

void t.test('a pod that changes all the time is given up', async (t) => {
  const api = await world(t)
  api.fault = (request) => {
    if (isDelete(request)) api.put(pods, kubePod(0, { uid: 'u0' }))
    return undefined
  }
  t.strictSame(await act(api), { state: 'Withdrawn', message: 'the pod changes all the time' })
  t.equal(deletions(api).length, 3)
})

void t.test('a dry run deletes nothing', async (t) => {
  const api = await world(t)
  t.strictSame(await act(api, { options: { dryRun: true } }), { state: 'DryRun' })
  t.strictSame(deletions(api), [])
})

void t.test('two at once: one deletes', async (t) => {
  for (let round = 0; round < 10; round++) {
    const api = await world(t)
    const outcomes = await Promise.all([act(api), act(api), act(api)])
    t.strictSame(outcomes.map((outcome) => outcome?.state).sort(), ['Gone', 'Gone', 'Terminated'])
  }
})

void t.test('with many apps that hang, members are counted once a second', async (t) => {
  const clock = new FakeClock()
  const client = createClient({ kubeconfig: (await world(t)).kubeconfig })
  t.teardown(() => client.close())
  let counts = 0
  const part = new HungMembers({
    client,
    clock,
    sensor: { onHungMemberDetected: () => undefined, onMemberTerminated: () => undefined },
    fleet: () => ({ reachable: 0, unreachable: ++counts }),
    intervalMs: 30_000,
    max: 5,
    perMinute: 100,
    graceSeconds: 10,
    timeoutMs: 1000,
    dryRun: false,
  })
  const hung = new HungWorld(1)
  for (const seconds of [0, 301, 30, 30]) hung.look(seconds)
  for (let looks = 0; looks < 10; looks++) part.look(hung.seen())
  t.equal(counts, 1)
  await clock.advance(1000)
  part.look(hung.seen())
  t.equal(counts, 2)
})

/** A poller with its real parts, on the fake API and fake members. */
class Poller {
  readonly events: ObjectEvent[]
  readonly sensed: string[]
  readonly #parts: { controller: Controller; kasprApps: KasprApps; client: ReturnType<typeof createClient> }

  constructor(api: FakeApi, told: { events: ObjectEvent[]; sensed: string[] }) {
    this.events = told.events
    this.sensed = told.sensed
    const client = createClient({ kubeconfig: api.kubeconfig })
    const hungMembers = new HungMembers({
      client,
      clock: systemClock,
      sensor: {
        onHungMemberDetected: ({ memberId, strikes }) => this.sensed.push(`strike ${strikes} of ${memberId}`),
        onMemberTerminated: ({ memberId, success }) => this.sensed.push(`end of ${memberId}: ${success}`),
      },
      fleet: () => ({ reachable: 1, unreachable: 0 }),
      intervalMs: 100,
      max: 5,
      perMinute: 100,
      graceSeconds: 10,
      timeoutMs: 1000,
      dryRun: false,
    })
    const limits = { connectTimeoutMs: 500, timeoutMs: 500, concurrency: 8, concurrencyPerApp: 8 }
    const kasprApps: KasprApps = new KasprApps({
      client,
      clock: systemClock,
      poller: new MemberPoller(limits),
      wake: (index, key) => controller.wake(index, key),
      intervalMs: 100,
      fastIntervalMs: 50,
      roundTimeoutMs: 1000,
      parts: [hungMembers],
    })
    const controller: Controller = new Controller({
      client,
      clock: systemClock,
      reporters: [kasprApps],
      mayAct: () => true,
      record: (event) => this.events.push(event),
      queue: { workers: 2, minIntervalMs: 20, backoffMs: 20 },
    })
    this.#parts = { controller, kasprApps, client }
  }

  async start(): Promise<void> {
    const { controller, kasprApps } = this.#parts
    kasprApps.pods.start()
    kasprApps.sets.start()
    await Promise.all([kasprApps.pods.synced, kasprApps.sets.synced])
    controller.observations.start()
    controller.select([1])
  }

  /** Ends at once, whatever is under way. */
  async kill(): Promise<void> {
    const { controller, kasprApps, client } = this.#parts
    await client.close()
    await controller.queue.stop(0)
    await Promise.all([controller.observations.stop(), kasprApps.pods.stop(), kasprApps.sets.stop()])
  }
}

let addresses = 0

/** A loopback address that nobody else uses. */
function nextAddress(): string {
  return `127.200.${process.pid % 250}.${++addresses}`
}

/** An app whose member 0 hangs; its successor, which the StatefulSet makes at once, does not. */
async function hungApp(t: Test): Promise<FakeApi> {
  const api = await startFakeApi()
  const members = startKasprMembers()
  api.put(apps, kasprApp())
  api.put(
    sets,
    kubeSet({ replicas: 1, status: { ...settledStatus, replicas: 1, availableReplicas: 1, updatedReplicas: 1 } }),
  )
  const ips = [nextAddress(), nextAddress()] as const
  for (const ip of ips) await members.add(ip, 6065, { app: 'shop/orders', id: 0 })
  members.override(ips[0], { rebalancing: true, recovering: false })
  members.override(ips[1], { rebalancing: false, recovering: false })
  api.put(pods, kubePod(0, { uid: 'u0', ip: ips[0] }))
  const statefulSet = setInterval(() => {
    if (api.objects(pods).length === 0) api.put(pods, kubePod(0, { uid: 'u1', ip: ips[1] }))
  }, 10)
  const hungMembers = { enabled: true, thresholdSeconds: 1 }
  api.put(observationsPath, {
    apiVersion: 'metacontroller.kaspr.io/v1alpha1',
    kind: 'Observation',
    metadata: { namespace: 'shop', name: 'orders', generation: 1, labels: { [shardLabel]: '1' } },
    spec: { kasprApp: { ...kasprAppSpec(1), hungMembers } },
  })
  t.teardown(async () => {
    clearInterval(statefulSet)
    await api.close()
    await members.close()
  })
  return api
}

/** Waits until it is reported that pod 0 was terminated. */
async function end(api: FakeApi): Promise<void> {
  const states = (): string => JSON.stringify(api.objects(observationsPath)[0]?.['status'] ?? {})
  await until(() => states().includes('"Terminated"') && api.objects(pods).length > 0, 15_000)
}

void t.test('a hung member, from its first answer to its end: strikes, Events, sensors', async (t) => {
  const api = await hungApp(t)
  const told = { events: [] as ObjectEvent[], sensed: [] as string[] }
  const poller = new Poller(api, told)
  t.teardown(() => poller.kill())
  await poller.start()
  await end(api)
  await until(() => told.sensed.length >= 4)
  t.strictSame(told.sensed, ['strike 1 of 0', 'strike 2 of 0', 'strike 3 of 0', 'end of 0: true'])
  t.strictSame(
    told.events.map(({ reason, target }) => `${reason} ${target.kind}`),
    [
      'HungMemberDetected KasprApp',
      'HungMemberDetected KasprApp',
      'HungMemberTerminated KasprApp',
      'HungMemberTerminated Pod',
    ],
  )
  t.match(
    api.objects(pods).map(({ metadata }) => metadata.uid),
    ['u1'],
  )
  t.equal(deletions(api).length, 1)
})

/** Whether a request writes a report that says this of a termination. */
function reports(state: string): (request: SeenRequest) => boolean {
  return ({ method, body }) => method === 'PUT' && JSON.stringify(body).includes(`"${state}"`)
}

void t.test('H1: killed at any step, the next poller ends it: one deletion, and its Events once', async (t) => {
  const serve = (): Fault | undefined => undefined
  const steps: [
    name: string,
    matches: (request: SeenRequest) => boolean,
    happen: (api: FakeApi) => Fault | undefined,
  ][] = [
    ['second strike', ({ body }) => JSON.stringify(body ?? '').includes('"hungStrikes":2'), () => 'hang'],
    ['announcement not written', reports('Announced'), () => 'hang'],
    ['announcement written', reports('Announced'), serve],
    ['app read', ({ path }) => path.endsWith('/kasprapps/orders'), serve],
    ['pod read', isPodRead, serve],
    ['deletion not arrived', isDelete, () => 'hang'],
    ['deletion carried out', isDelete, serve],
    ['result not written', reports('Terminated'), () => 'hang'],
  ]
  for (const [name, matches, happen] of steps) {
    const api = await hungApp(t)
    const told = { events: [] as ObjectEvent[], sensed: [] as string[] }
    const first = new Poller(api, told)
    let killed: Promise<void> | undefined
    meanwhile(api, matches, () => {
      killed = first.kill()
      return happen(api)
    })
    await first.start()
    await until(() => killed !== undefined, 15_000)
    await killed
    const second = new Poller(api, told)
    await second.start()
    await end(api)
    await until(() => told.events.filter(({ reason }) => reason === 'HungMemberTerminated').length >= 2)
    await second.kill()
    const done = api.requests.filter(isDelete).length - (name === 'deletion not arrived' ? 1 : 0)
    t.equal(done, 1, `${name}: deletions`)
    t.equal(told.events.filter(({ reason }) => reason === 'HungMemberTerminated').length, 2, `${name}: Events`)
    t.strictSame(
      api.objects(pods).map(({ metadata }) => metadata.uid),
      ['u1'],
      name,
    )
  }
})

void t.test('H11: two pollers at once on one app: one deletion', async (t) => {
  const api = await hungApp(t)
  const told = { events: [] as ObjectEvent[], sensed: [] as string[] }
  const both = [new Poller(api, told), new Poller(api, told)]
  await Promise.all(both.map((poller) => poller.start()))
  await end(api)
  await Promise.all(both.map((poller) => poller.kill()))
  t.strictSame(
    api.objects(pods).map(({ metadata }) => metadata.uid),
    ['u1'],
  )
  t.ok(told.events.filter(({ reason }) => reason === 'HungMemberTerminated').length <= 2)
})
