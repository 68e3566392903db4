import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { systemClock } from '../../poller/clock.ts'
import { Controller, nextStatus } from '../../poller/controller.ts'
import type { Report, Reporter } from '../../poller/controller.ts'
import { createClient } from '../../poller/kube/client.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import type { ObjectEvent } from '../../poller/kube/events.ts'
import { observationsPath as path } from '../../poller/observation.ts'
import type { Observation } from '../../poller/observation.ts'
import { shardLabel } from '../../webhooks/contract/shard.ts'
import { startFakeApi } from '../fakes/api-server.ts'
import type { FakeApi } from '../fakes/api-server.ts'
import { until } from '../webhooks/until.ts'

function observation(name: string, changes: { shard?: string; spec?: object; generation?: number } = {}): Observation {
  const { shard = '1', spec = { thing: { size: 1 } }, generation = 1 } = changes
  const metadata = { namespace: 'shop', name, generation, labels: { [shardLabel]: shard } }
  return { apiVersion: 'metacontroller.kaspr.io/v1alpha1', kind: 'Observation', metadata, spec: { ...spec } }
}

const condition = { status: 'True', reason: 'Looked', message: 'fine' } as const
const target = { apiVersion: 'v1', kind: 'Thing', namespace: 'shop', name: 'thing', uid: '1' }

class Bench {
  readonly api: FakeApi
  readonly controller: Controller
  readonly looks: string[] = []
  readonly forgotten: string[] = []
  readonly writes: string[] = []
  readonly events: ObjectEvent[] = []
  /** Looks that failed. */
  failed = 0
  /** What the next look tells; may throw. */
  look: (observation: Observation) => Partial<Report> | Promise<Partial<Report>> = () => ({})
  owned = new Set([1, 2])
  readonly client: KubeClient

  constructor(api: FakeApi) {
    this.api = api
    this.client = createClient({ kubeconfig: api.kubeconfig })
    const reporter: Reporter = {
      member: 'thing',
      index: { bySize: ({ spec }) => [String((spec['thing'] as { size?: number } | undefined)?.size)] },
      report: async (observation) => {
        this.looks.push(observation.metadata.name)
        return { report: { seen: 1 }, condition, againMs: 60_000, ...(await this.look(observation)) }
      },
      forget: ({ metadata }) => this.forgotten.push(metadata.name),
    }
    this.controller = new Controller({
      client: this.client,
      clock: systemClock,
      reporters: [reporter],
      mayAct: (shard) => this.owned.has(shard),
      record: (event) => this.events.push(event),
      queue: {
        workers: 4,
        minIntervalMs: 1,
        backoffMs: 20,
        onRun: (_, succeeded) => (this.failed += succeeded ? 0 : 1),
      },
      onWrite: (result) => this.writes.push(result),
    })
  }

  status(name: string): Observation['status'] {
    const found = this.api.objects(path).find(({ metadata }) => metadata.name === name) as Observation | undefined
    return found?.status
  }
}

async function start(t: Test, names: string[] = []): Promise<Bench> {
  const api = await startFakeApi()
  for (const name of names) api.put(path, observation(name))
  const bench = new Bench(api)
  t.teardown(async () => {
    await bench.controller.queue.stop(1000)
    await bench.controller.observations.stop()
    await bench.client.close()
    await api.close()
  })
  bench.controller.observations.start()
  bench.controller.select([1, 2])
  await until(() => api.watches.size === 1 && bench.writes.length === names.length)
  return bench
}

void t.test('a report is written once, and again only when it changes', async (t) => {
  const world = await start(t, ['a'])
  const { api, controller } = world
  t.match(api.objects(path)[0]?.['status'], {
    observedGeneration: 1,
    lastObservedTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    conditions: [{ type: 'Reporting', ...condition, observedGeneration: 1 }],
    thing: { seen: 1 },
  })
  controller.wake('bySize', '1')
  await until(() => world.looks.length === 2)
  await until(() => controller.queue.stats().running === 0)
  await sleep(30)
  t.strictSame(world.writes, ['written'], 'the own write wakes nobody and the same report is not written')
  t.equal(api.requests.filter(({ method }) => method === 'PUT').length, 1)
})

void t.test('the status is written under the version that was looked at, and nothing else of the object', async (t) => {
  const { api } = await start(t, ['a'])
  const put = api.requests.find(({ method }) => method === 'PUT')
  t.equal(put?.path, '/apis/metacontroller.kaspr.io/v1alpha1/namespaces/shop/observations/a/status')
  t.match(put?.body, { metadata: { name: 'a', resourceVersion: /^\d+$/, uid: /./ } })
  t.strictSame(api.objects(path)[0]?.metadata.labels, { [shardLabel]: '1' })
})

void t.test('a new generation is looked at, a change of nothing but status is not', async (t) => {
  const world = await start(t, ['a'])
  world.look = ({ spec }) => ({ report: spec['thing'] as object })
  world.api.put(path, { ...observation('a', { spec: { thing: { size: 7 } }, generation: 2 }), status: {} })
  await until(() => world.status('a')?.observedGeneration === 2)
  t.match(world.status('a'), { thing: { size: 7 } })
  world.api.put(path, { ...observation('a', { spec: { thing: { size: 7 } }, generation: 2 }), status: {} })
  await sleep(50)
  t.equal(world.looks.length, 2)
})

void t.test('a conflict is no error: the object is read anew and looked at again', async (t) => {
  const world = await start(t)
  world.look = () => {
    // Somebody else is faster, and the watch does not tell.
    for (const watch of world.api.watches) watch.silence()
    if (world.looks.length === 1) world.api.put(path, observation('a', { generation: 2 }))
    return {}
  }
  world.api.put(path, observation('a'))
  await until(() => world.writes.length === 2)
  t.strictSame(world.writes, ['conflict', 'written'])
  t.equal(world.status('a')?.observedGeneration, 2)
})

void t.test('an act that changes nothing is no busy loop', async (t) => {
  const world = await start(t)
  let acts = 0
  world.look = () => ({ acts: [() => Promise.resolve(acts++).then(() => undefined)] })
  const began = Date.now()
  world.api.put(path, observation('a'))
  await until(() => acts === 3)
  t.ok(Date.now() - began >= 2 * 240, 'a pause between looks')
})

void t.test('an Observation that is gone when it is written: nothing is announced, so nothing is done', async (t) => {
  const world = await start(t)
  const done: string[] = []
  const event = { target, type: 'Normal', reason: 'Seen', message: 'thing' } as const
  world.look = () => {
    for (const watch of world.api.watches) watch.silence()
    world.api.remove(path, 'shop', 'a')
    return { events: [event], acts: [() => Promise.resolve(void done.push('act'))] }
  }
  world.api.put(path, observation('a'))
  await until(() => world.writes.length === 1)
  await until(() => world.controller.queue.stats().running === 0)
  t.strictSame([world.writes, done, world.events], [['failed'], [], []])
})

void t.test('a failed write is repeated after a back-off, and its Events come only then, once', async (t) => {
  const world = await start(t)
  let failures = 2
  world.api.fault = ({ method }) => (method === 'PUT' && failures-- > 0 ? { status: 500 } : undefined)
  const event = { target, type: 'Normal', reason: 'Seen', message: 'thing' } as const
  world.look = ({ status }) => (status === undefined ? { events: [event] } : {})
  world.api.put(path, observation('a'))
  await until(() => world.writes.includes('written'))
  await until(() => world.events.length > 0)
  t.strictSame(world.writes, ['failed', 'failed', 'written'])
  t.strictSame(world.events, [event])
})

void t.test('a look that throws writes nothing and harms nobody else', async (t) => {
  const world = await start(t)
  world.look = ({ metadata }) => {
    if (metadata.name === 'bad') throw new Error('cannot tell')
    return {}
  }
  world.api.put(path, observation('bad'))
  world.api.put(path, observation('good'))
  await until(() => world.status('good') !== undefined)
  await until(() => world.looks.filter((name) => name === 'bad').length >= 3)
  t.equal(world.status('bad'), undefined)
})

void t.test('a look of which a part failed is written and acted on, and looks again after a back-off', async (t) => {
  const world = await start(t)
  const done: string[] = []
  const event = { target, type: 'Normal', reason: 'Seen', message: 'thing' } as const
  world.look = ({ status }) => ({
    failure: new Error('one part'),
    ...(status === undefined && { events: [event], acts: [() => Promise.resolve(void done.push('act'))] }),
  })
  world.api.put(path, observation('a'))
  await until(() => world.looks.length >= 3)
  t.match(world.status('a'), { thing: { seen: 1 } })
  t.strictSame([world.writes, world.events, done], [['written'], [event], ['act']])
  t.ok(world.failed >= 2, 'each counts as failed')
})

void t.test('a look is repeated after the time it gave', async (t) => {
  const world = await start(t)
  world.look = () => ({ againMs: 20 })
  world.api.put(path, observation('a'))
  await until(() => world.looks.length >= 4)
  t.strictSame(world.writes, ['written'])
})

void t.test('a deleted Observation is forgotten', async (t) => {
  const world = await start(t, ['a'])
  await until(() => world.controller.queue.stats().delayed === 1)
  world.api.remove(path, 'shop', 'a')
  await until(() => world.forgotten.length === 1)
  t.match(world.controller.queue.stats(), { delayed: 0, depth: 0, running: 0 })
})

void t.test('what was written counts at once, even if the watch is late', async (t) => {
  const world = await start(t, ['a'])
  for (const watch of world.api.watches) watch.silence()
  for (const seen of [2, 3, 4]) {
    world.look = () => ({ report: { seen } })
    world.controller.wake('bySize', '1')
    await until(() => world.writes.length === seen)
  }
  t.strictSame(new Set(world.writes), new Set(['written']))
})

void t.test('only Observations of own shards are seen; others are let go', async (t) => {
  const world = await start(t, ['a'])
  world.api.put(path, observation('b', { shard: '2' }))
  world.api.put(path, observation('c', { shard: '3' }))
  await until(() => world.status('b') !== undefined)
  world.owned = new Set([1, 3])
  world.controller.select([1, 3])
  await until(() => world.status('c') !== undefined)
  t.strictSame(world.forgotten, ['b'])
  t.strictSame(world.looks, ['a', 'b', 'c'])
})

void t.test('nothing is looked at or written without the right to act', async (t) => {
  const world = await start(t)
  world.owned = new Set()
  world.api.put(path, observation('a'))
  await sleep(50)
  t.strictSame(world.looks, [])
  world.owned = new Set([1])
  world.look = () => {
    world.owned = new Set() // lost while looking
    return {}
  }
  world.controller.wake('bySize', '1')
  await until(() => world.looks.length === 1)
  await sleep(30)
  t.strictSame(world.writes, [])
})

void t.test('a kind of observation that this version does not know is said so', async (t) => {
  const world = await start(t)
  world.api.put(path, observation('a', { spec: { rocket: {} } }))
  await until(() => world.writes.length === 1)
  t.match(world.status('a')?.conditions, [
    { type: 'Reporting', status: 'False', reason: 'Unsupported', message: 'This version cannot observe: rocket' },
  ])
})

void t.test('nextStatus: times move only with what they are about', (t) => {
  const base = observation('a')
  const report = { report: { seen: 1 }, condition }
  const noon = new Date('2030-01-01T12:00:00.900Z')
  const later = new Date('2030-01-01T13:00:00Z')
  const first = nextStatus(base, 'thing', report, noon)
  t.strictSame(first, {
    observedGeneration: 1,
    conditions: [
      { type: 'Reporting', ...condition, lastTransitionTime: '2030-01-01T12:00:00Z', observedGeneration: 1 },
    ],
    thing: { seen: 1 },
    lastObservedTime: '2030-01-01T12:00:00Z',
  })
  const observed = { ...base, status: first }
  t.equal(nextStatus(observed, 'thing', report, later), first, 'nothing new: the very same')
  t.match(nextStatus(observed, 'thing', { ...report, report: { seen: 2 } }, later), {
    thing: { seen: 2 },
    lastObservedTime: '2030-01-01T13:00:00Z',
    conditions: [{ lastTransitionTime: '2030-01-01T12:00:00Z' }],
  })
  const failed = { status: 'False', reason: 'Broken', message: 'no' } as const
  t.match(nextStatus(observed, 'thing', { ...report, condition: failed }, later), {
    conditions: [{ reason: 'Broken', lastTransitionTime: '2030-01-01T13:00:00Z' }],
  })
  const reworded = { ...condition, message: 'still fine' }
  t.match(nextStatus(observed, 'thing', { ...report, condition: reworded }, later), {
    lastObservedTime: '2030-01-01T13:00:00Z',
    conditions: [{ message: 'still fine', lastTransitionTime: '2030-01-01T12:00:00Z' }],
  })
  const newGeneration = { ...observed, metadata: { ...observed.metadata, generation: 2 } }
  t.match(nextStatus(newGeneration, 'thing', report, later), {
    observedGeneration: 2,
    lastObservedTime: '2030-01-01T13:00:00Z',
  })
  t.end()
})
