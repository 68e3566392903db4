/**
 * Kills hooks, poller and Metacontroller in the middle of what users do. The end must be the same as without: same
 * objects, and the same number of creates and deletes for each (a right end can hide a needless deletion).
 */
import t from 'tap'
import { KasprWorld, kasprAgent, kasprApp } from './kaspr-world.ts'
import { type Stack, startStack } from './stack.ts'
import { until } from './until.ts'

// The runner has no limit of its own; tap's default of 30 s is for the whole file.
t.setTimeout(900_000)

let stack: Stack
t.before(async () => {
  const env = { POLL_INTERVAL_SECONDS: '1', POLL_FAST_INTERVAL_SECONDS: '0.5' }
  stack = await startStack({ name: 'restarts', env, members: { timeFactor: 0.01 } })
})
t.after(() => stack.stop({ failed: !t.passing() }))

/** Something a user does, from its first request to the rest after it. */
interface Deed {
  name: string
  /** What is there before. */
  prepare(world: KasprWorld): Promise<void>
  /** What the user asks for; returns at once. */
  ask(world: KasprWorld): Promise<unknown>
  /** Resolves when it is done. */
  done(world: KasprWorld): Promise<unknown>
}

async function threeMembers(world: KasprWorld): Promise<void> {
  await world.create(kasprApp('orders', { replicas: 3 }), kasprAgent('enrich', 'orders', 'orders-raw'))
  await until('the StatefulSet', () => world.get('sts', 'orders-app'))
  await world.kubectl('scale', 'sts/orders-app', '--replicas=3')
  await world.settled('orders')
  const seen = (): Promise<string> =>
    world.kubectl('get', 'obs', 'kasprapp-orders', '-o', 'jsonpath={.status.kasprApp.lastReplicas}')
  await until('the report', async () => (await seen()) === '3')
}

const deeds: Deed[] = [
  {
    name: 'create',
    // The agent is there: an app that comes before its components are seen rolls once more.
    prepare: (world) => world.ready(kasprAgent('enrich', 'orders', 'orders-raw')),
    ask: (world) => world.apply(kasprApp('orders')),
    done: (world) => world.settled('orders'),
  },
  {
    name: 'edit-config',
    prepare: threeMembers,
    ask: (world) =>
      world.kubectl('patch', 'kapp', 'orders', '--type=merge', '-p', '{"spec":{"config":{"topicPartitions":7}}}'),
    done: async (world) => {
      await until('the second revision', async () => (await world.revisions('orders')) === 2)
      await world.settled('orders')
    },
  },
  {
    name: 'edit-agent',
    prepare: threeMembers,
    ask: (world) => world.apply(kasprAgent('enrich', 'orders', 'orders-other')),
    done: async (world) => {
      await until('the second revision', async () => (await world.revisions('orders')) === 2)
      await world.settled('orders')
    },
  },
  {
    name: 'lose-set',
    prepare: threeMembers,
    ask: (world) => world.kubectl('delete', 'sts/orders-app'),
    done: async (world) => {
      await until('the new set', () => world.get('sts', 'orders-app'))
      // The old status says Ready for as long as nobody writes a new one.
      await until(
        'its pods',
        async () =>
          (await world.kubectl('get', 'sts/orders-app', '-o', 'jsonpath={.status.availableReplicas}')) === '3',
      )
      await world.settled('orders')
    },
  },
  {
    name: 'delete',
    prepare: threeMembers,
    ask: (world) => world.kubectl('delete', 'kapp', 'orders', '--wait=false'),
    done: (world) =>
      until(
        'all to be gone',
        async () => (await world.kubectl('get', 'kapp,sts,svc,hpa,obs,pods', '-o', 'name')) === '',
      ),
  },
]

/** Who is killed (SIGKILL) just after the user asked, and comes back a second later. */
const victims: Record<string, { kill: () => Promise<unknown>; restart: () => Promise<unknown> }> = {
  hooks: { kill: () => stack.hooks.kill(), restart: () => stack.hooks.restart() },
  poller: {
    kill: () => Promise.all(stack.pollers.map((poller) => poller.kill())),
    restart: () => Promise.all(stack.pollers.map((poller) => poller.restart())),
  },
  metacontroller: { kill: () => stack.metacontroller.kill(), restart: () => stack.restartMetacontroller() },
}

interface Outcome {
  counts: Record<string, number>
  objects: string
}

for (const deed of deeds) {
  void t.test(`${deed.name}: whoever is killed meanwhile, the end is the same`, async (t) => {
    const reference = await play(deed, `${deed.name}-ref`)
    for (const [victim, { kill, restart }] of Object.entries(victims)) {
      const outcome = await play(deed, `${deed.name}-${victim}`, async () => {
        await kill()
        await restart()
      })
      t.same(outcome.counts, reference.counts, `${victim}: creates and deletes`)
      t.equal(outcome.objects, reference.objects, `${victim}: objects`)
    }
  })
}

async function play(deed: Deed, namespace: string, meanwhile?: () => Promise<unknown>): Promise<Outcome> {
  const world = await KasprWorld.open(stack, namespace)
  await deed.prepare(world)
  await world.mark()
  await deed.ask(world)
  await meanwhile?.()
  await deed.done(world)
  return { counts: await world.createsAndDeletes(), objects: await objects(world) }
}

/** What is there at the end, without what differs from run to run (the namespace is in the hash of a revision, too). */
async function objects(world: KasprWorld): Promise<string> {
  const kinds = 'kapp,kagent,sts,svc,sa,hpa,cm,pods'
  const { items } = JSON.parse(await world.kubectl('get', kinds, '-o', 'json')) as { items: Record<string, unknown>[] }
  const text = items
    .map((item) => {
      const { kind, metadata, spec, data } = item as {
        kind: string
        metadata: { name: string; labels?: object }
        spec?: object
        data?: object
      }
      return JSON.stringify({ kind, name: metadata.name, labels: metadata.labels, spec, data })
    })
    .sort()
    .join('\n')
  return text
    .replaceAll(world.namespace, 'NAMESPACE')
    .replace(/"(controller-uid|controller-revision-hash|clusterIP|nodeName)":"[^"]*"/g, '"$1":""')
    .replace(/"clusterIPs":\["\d[^\]]*\]/g, '"clusterIPs":[]')
    .replace(/kube-api-access-\w{5}/g, 'kube-api-access')
    .replace(/-----BEGIN CERTIFICATE-----[^"]*/g, 'CERTIFICATE')
}

// With processes still running, the end has to be said; it stops them.
t.end()
