/**
 * Members rebalance when the topics of their app change, and when somebody asks for it: exactly once, after the rollout
 * that carries the change, whatever happens in between.
 */
import t from 'tap'
import type { Observation } from '../../poller/observation.ts'
import type { KasprAppReport } from '../../poller/kaspr/part.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { type AppObject, KasprWorld, kasprAgent, kasprApp } from './kaspr-world.ts'
import { type Stack, startStack } from './stack.ts'
import { until } from './until.ts'

// The runner has no limit of its own; tap's default of 30 s is for the whole file.
t.setTimeout(900_000)

let stack: Stack
t.before(async () => {
  const env = {
    POLL_INTERVAL_SECONDS: '1',
    POLL_FAST_INTERVAL_SECONDS: '0.5',
    REBALANCE_CONFIRM_SECONDS: '8',
    REBALANCE_MIN_INTERVAL_SECONDS: '1',
    REBALANCE_BACKOFF_SECONDS: '2',
    LEASE_DURATION_SECONDS: '3',
  }
  // A rebalance of the group lasts 13 s of the members, 4 s here: several looks see it.
  stack = await startStack({ name: 'rebalance', env, members: { timeFactor: 0.3 } })
})
t.after(() => stack.stop({ failed: !t.passing() }))

interface App extends AppObject {
  status?: AppObject['status'] & { rebalanceRequired?: boolean }
}

/** An app of three members that read one topic and have come to rest. */
async function restingApp(namespace: string, annotations: Record<string, string> = {}): Promise<KasprWorld> {
  const world = await KasprWorld.open(stack, namespace)
  const app = kasprApp('orders', { replicas: 3 })
  await world.create({ ...app, metadata: { ...app.metadata, annotations } }, kasprAgent('enrich', 'orders', 'raw'))
  await until('the StatefulSet', () => world.get('sts', 'orders-app'))
  await world.kubectl('scale', 'sts/orders-app', '--replicas=3')
  await rested(world)
  return world
}

/** Waits until the app is settled, and all members rest. */
async function rested(world: KasprWorld): Promise<void> {
  await world.settled('orders')
  await until(
    'members at rest',
    async () => {
      const { members = [] } = (await report(world)) ?? {}
      const pods = new Set([...(await world.pods('orders')).values()].map(({ uid }) => uid))
      const isCurrent = members.every(({ podUID }) => pods.has(podUID))
      return members.length === 3 && isCurrent && members.every(({ rebalancing }) => rebalancing === false)
    },
    { limitMs: 60_000, everyMs: 200 },
  )
}

async function report(world: KasprWorld): Promise<KasprAppReport | undefined> {
  const path = `/apis/metacontroller.kaspr.io/v1alpha1/namespaces/${world.namespace}/observations/kasprapp-orders`
  const { status } = await stack.plane.client.request<Observation>({ path })
  return status?.['kasprApp'] as KasprAppReport | undefined
}

interface RunningPod extends KubeObject {
  status: { podIP: string }
}

async function addresses(world: KasprWorld): Promise<string[]> {
  const { items } = JSON.parse(await world.kubectl('get', 'pods', '-o', 'json')) as { items: RunningPod[] }
  return items.map(({ status }) => status.podIP)
}

/** Signals that the members that run now have got, by number. */
async function signals(world: KasprWorld): Promise<number[]> {
  return (await addresses(world)).map((ip) => stack.members.counts(ip).rebalance)
}

/** How often each Event on the app was recorded. */
async function events(world: KasprWorld): Promise<Record<string, number>> {
  const text = await world.kubectl('get', 'events', '--field-selector=involvedObject.kind=KasprApp', '-o', 'json')
  const { items } = JSON.parse(text) as { items: { reason: string; count?: number }[] }
  const counts = new Map<string, number>()
  for (const { reason, count = 1 } of items.filter(({ reason }) => reason.startsWith('Rebalance'))) {
    counts.set(reason, (counts.get(reason) ?? 0) + count)
  }
  return Object.fromEntries([...counts].sort())
}

/** Whether a rebalance is due by the status, and the condition that tells about it. */
async function due(world: KasprWorld): Promise<[required: boolean | undefined, reason: string | undefined]> {
  const app = await world.get<App>('kapp', 'orders')
  const condition = app?.status?.conditions?.find(({ type }) => type === 'Rebalanced')
  return [app?.status?.rebalanceRequired, condition?.reason]
}

async function untilDone(world: KasprWorld): Promise<void> {
  await until('the rebalance', async () => (await due(world)).join() === 'false,UpToDate', { limitMs: 60_000 })
}

/** Several looks in which nothing may happen: the members are asked some more times. */
async function someLooks(world: KasprWorld, count = 5): Promise<void> {
  const [ip = ''] = await addresses(world)
  const before = stack.members.counts(ip).status
  await until('more looks', () => stack.members.counts(ip).status >= before + count, { limitMs: 60_000 })
}

const once = { RebalanceCompleted: 1, RebalanceRequested: 1 }

/** The topics change and the pods roll, but nobody is asked yet. */
async function changedApp(namespace: string): Promise<KasprWorld> {
  const world = await restingApp(namespace, { 'kaspr.io/auto-rebalance': 'no' })
  await world.apply(kasprAgent('enrich', 'orders', 'raw,more'))
  await until('the second revision', async () => (await world.revisions('orders')) === 2)
  await rested(world)
  t.same(await due(world), [true, 'AutomaticRebalanceOff'])
  t.same(await signals(world), [0, 0, 0])
  return world
}

void t.test(
  'given a running app, when its agent reads one more topic, then the leader is asked once, last',
  async (t) => {
    const world = await restingApp('topic-added')
    t.same(await due(world), [false, 'UpToDate'], 'the first sight asks for nothing')
    await world.apply(kasprAgent('enrich', 'orders', 'raw,more'))
    await until('it to be due', async () => (await due(world))[0] === true)
    await until('the second revision', async () => (await world.revisions('orders')) === 2)
    await untilDone(world)
    await someLooks(world)
    t.same(await signals(world), [1, 0, 0], 'the leader rolls last, and it is the new one that was asked')
    t.same(await events(world), once)
    t.equal(await world.revisions('orders'), 2)
  },
)

void t.test('given a change that leaves the topics, or one that is taken back, then nobody is asked', async (t) => {
  const world = await restingApp('back', { 'kaspr.io/auto-rebalance': 'no' })
  const agent = kasprAgent('enrich', 'orders', 'raw')
  await world.apply({ ...agent, spec: { ...(agent['spec'] as object), isolatedPartitions: true } })
  await until('the second revision', async () => (await world.revisions('orders')) === 2)
  await rested(world)
  t.same(await due(world), [false, 'UpToDate'])
  await world.apply(kasprAgent('enrich', 'orders', 'other'))
  await until('it to be due', async () => (await due(world))[0] === true)
  await rested(world)
  await world.apply(agent)
  await until('it to be taken back', async () => (await due(world))[0] === false)
  await world.kubectl('annotate', 'kapp', 'orders', 'kaspr.io/auto-rebalance-')
  await rested(world)
  await someLooks(world)
  t.same(await events(world), {})
  t.same(await signals(world), [0, 0, 0])
})

void t.test('given no static membership, when topics change, then nobody is asked', async (t) => {
  const world = await restingApp('dynamic', { 'kaspr.io/disable-static-group-membership': 'true' })
  await world.apply(kasprAgent('enrich', 'orders', 'raw,more'))
  await until('the second revision', async () => (await world.revisions('orders')) === 2)
  await rested(world)
  await someLooks(world)
  t.same(await due(world), [false, undefined])
  t.same(await signals(world), [0, 0, 0])
  t.same(await events(world), {})
})

void t.test('given a leader that is gone, then it is waited for, and the status says so', async (t) => {
  const world = await changedApp('leader-gone')
  const [leader = ''] = await addresses(world)
  await stack.members.fault(leader, { kind: 'refuse' })
  await world.kubectl('annotate', '--overwrite', 'kapp', 'orders', 'kaspr.io/auto-rebalance=yes')
  await until('the wait', async () => (await due(world)).join() === 'true,Waiting')
  await until('its reason', async () =>
    ((await report(world))?.rebalance?.deferred ?? '').includes('members that do not answer: 0'),
  )
  t.same(await signals(world), [0, 0, 0])
  await stack.members.fault(leader, undefined)
  await untilDone(world)
  t.same(await signals(world), [1, 0, 0])
})

void t.test(
  'given a leader that refuses the signal, then it is asked three times, and then another member',
  async (t) => {
    const world = await changedApp('refused')
    const [leader = ''] = await addresses(world)
    await stack.members.fault(leader, { kind: 'no-signal', code: 422 })
    await world.kubectl('annotate', '--overwrite', 'kapp', 'orders', 'kaspr.io/auto-rebalance=yes')
    await until('the next member to be asked', async () => ((await signals(world))[1] ?? 0) > 0, { limitMs: 60_000 })
    t.equal((await signals(world))[0], 3, 'a refusal is no success')
    // A follower alone moves nothing; the leader is asked again in the next pass.
    await stack.members.fault(leader, undefined)
    const isAskedAgain = async (): Promise<boolean> => ((await signals(world))[0] ?? 0) > 3
    await until('the leader to be asked again', isAskedAgain, { limitMs: 120_000 })
    await untilDone(world)
  },
)

void t.test(
  'given a rebalance under way, when the poller is killed, then the next one sees it to its end',
  async (t) => {
    const world = await changedApp('killed')
    const [poller] = stack.pollers
    await world.kubectl('annotate', '--overwrite', 'kapp', 'orders', 'kaspr.io/auto-rebalance=yes')
    await until('the signal', async () => (await signals(world))[0] === 1)
    await poller?.kill()
    // The next poller comes when the rebalance is over; what tells of it is that a member holds the new topic.
    const [leader = ''] = await addresses(world)
    const actives = { raw: [0], more: [0], 'orders-app-assignor-leader': [0] }
    stack.members.override(leader, { assignment: { actives, standbys: {} } })
    const { rebalance, subscriptions } = (await report(world)) ?? {}
    t.ok(rebalance?.signal, 'killed in the middle')
    await poller?.restart()
    await untilDone(world)
    await someLooks(world)
    t.same(await signals(world), [1, 0, 0], 'and asks nobody again')
    t.not((await report(world))?.subscriptions?.applied, subscriptions?.applied)
  },
)

void t.test('given the annotation, then one rebalance follows and it goes, also while the app is paused', async (t) => {
  const world = await restingApp('manual')
  const annotated = async (): Promise<boolean> =>
    (await world.get('kapp', 'orders'))?.metadata.annotations?.['kaspr.io/rebalance'] !== undefined
  await world.kubectl('annotate', 'kapp', 'orders', 'kaspr.io/rebalance=false')
  await until('the annotation to go', async () => !(await annotated()))
  const told = async (): Promise<boolean> =>
    Object.keys(await events(world)).some((reason) => reason !== 'RebalanceRequested')
  await until('the end to be told', told, { limitMs: 60_000 })
  t.same(await events(world), once)
  t.same(await signals(world), [1, 0, 0])

  await world.kubectl('annotate', 'kapp', 'orders', 'kaspr.io/pause-reconciliation=true')
  await world.waitFor('orders', 'Paused')
  await until('the request to be forgotten', async () => (await report(world))?.rebalance?.manual === undefined)
  await world.kubectl('annotate', 'kapp', 'orders', 'kaspr.io/rebalance=now')
  await until('the annotation to go', async () => !(await annotated()))
  await until('the second signal', async () => (await signals(world))[0] === 2)
  await until('its end', async () => (await report(world))?.rebalance === undefined, { limitMs: 60_000 })
  await someLooks(world)
  t.same(await signals(world), [2, 0, 0])
  t.equal(await world.revisions('orders'), 1)
})

// With processes still running, the end has to be said; it stops them.
t.end()
