/**
 * Kills hooks, pollers and Metacontroller at every step of a rollout. The deletions must be the same as without: each
 * pod once, batch by batch, and never more down than allowed. Within a batch any order is right: with the pollers dead, the
 * hook may take pods for unavailable that have become ready since the last report, and name those alone at first.
 */
import t from 'tap'
import { packagePath } from '../../webhooks/package-root.ts'
import { freePort } from './addresses.ts'
import { rolledInBatches } from './rollout-checks.ts'
import { RolloutWorld } from './rollout-world.ts'
import { type Stack, startStack } from './stack.ts'

t.setTimeout(900_000)

const env = { RO_DELAY_SECONDS: '1', RO_POLL_SECONDS: '1', LEASE_DURATION_SECONDS: '2' }
let stack: Stack
t.before(async () => {
  stack = await startStack({ name: 'rollout-crashes', env, pollers: 2 })
})
t.after(async () => stack.stop({ failed: !t.passing() }))

/** Who is killed (SIGKILL), and comes back. */
const victims: Record<string, () => Promise<unknown>> = {
  hooks: async () => {
    await stack.hooks.kill()
    await stack.hooks.restart()
  },
  pollers: async () => {
    await Promise.all(stack.pollers.map((poller) => poller.kill()))
    await Promise.all(stack.pollers.map((poller) => poller.restart()))
  },
  metacontroller: async () => {
    await stack.metacontroller.kill()
    await stack.restartMetacontroller()
  },
}

void t.test('two pollers: each pod goes once', async (t) => {
  const world = await RolloutWorld.open(stack, 'two')
  t.teardown(() => world.close())
  await world.running({ replicas: 8 })
  await world.deploy({ replicas: 8, image: 'web:2' })
  await world.rolled()
  await rolledInBatches(t, world, [[4, 5], [6, 7], [0, 1], [2, 3]], { most: 2 }) // prettier-ignore
})

void t.test('two pollers that know nothing of each other: each pod goes once all the same', async (t) => {
  const world = await RolloutWorld.open(stack, 'split')
  t.teardown(() => world.close())
  const { plane } = stack
  // Its Leases are in another namespace, so both believe that they alone act.
  const rival = plane.spawn('rival', process.execPath, [packagePath('dist', 'cli', 'main.js'), 'poll'], {
    ...env,
    KUBECONFIG: plane.adminKubeconfig,
    POD_NAME: 'rival',
    POD_NAMESPACE: world.namespace,
    METRICS_PORT: String(await freePort()),
  })
  t.teardown(() => rival.stop())
  await world.running({ replicas: 8 })
  await world.deploy({ replicas: 8, image: 'web:2' })
  await world.rolled()
  const deletions = (await world.requests()).filter(({ verb, resource }) => verb === 'delete' && resource === 'pods')
  const ours = deletions.filter(({ user }) => user === 'admin' || user.endsWith('-poller')).map(({ name }) => name)
  t.strictSame(ours.sort(), [0, 1, 2, 3, 4, 5, 6, 7].map((ordinal) => `web-${ordinal}`), 'each once') // prettier-ignore
  const pairs = world.journal.endings.map(({ pod }) => Math.floor(Number(pod.slice('web-'.length)) / 2))
  t.strictSame(pairs, [2, 2, 3, 3, 0, 0, 1, 1], 'batch by batch')
  t.ok(world.journal.mostDown() <= 2, `at most ${world.journal.mostDown()} down at once`)
})

for (const [victim, kill] of Object.entries(victims)) {
  void t.test(`${victim} killed at every step: the same deletions`, async (t) => {
    const world = await RolloutWorld.open(stack, `kill-${victim}`)
    t.teardown(() => world.close())
    await world.running()
    let steps = 0
    world.journal.onStep = () => steps++
    await world.deploy({ image: 'web:2' })
    let killed = 0
    let seen = 0
    await world.until('the end', async () => {
      if ((await world.record('state')) === 'done') return true
      if (steps === seen) return false
      seen = steps
      await kill()
      killed++
      return false
    })
    await world.rolled()
    t.ok(killed >= 3, `killed ${killed} times, in ${steps} steps`)
    await rolledInBatches(t, world, [[2, 3], [0, 1]], { most: 2, anyOrder: true }) // prettier-ignore
    t.equal(await world.record('pods-deleted'), '4', 'none is forgotten, and none counted twice')
  })
}

t.end()
