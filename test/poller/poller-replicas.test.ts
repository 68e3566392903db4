/** Several pollers: how they share the work and hand it over, and how one stops. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import type { RunningPoller } from '../../poller/main.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { until } from '../webhooks/until.ts'
import { World, get, leases } from './poller-world.ts'

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
