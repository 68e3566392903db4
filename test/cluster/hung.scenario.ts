/** Members that hang in a rebalance, on a real control plane with two pollers. */
import t from 'tap'
import type { Test } from 'tap'
import { Informer } from '../../poller/kube/informer.ts'
import type { KasprAppReport } from '../../poller/kaspr/part.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { type AppObject, KasprWorld, kasprAgent, kasprApp } from './kaspr-world.ts'
import { type Stack, startStack } from './stack.ts'
import { until } from './until.ts'

const thresholdSeconds = 2
const intervalSeconds = 1

const env = {
  POLL_INTERVAL_SECONDS: String(intervalSeconds),
  POLL_FAST_INTERVAL_SECONDS: '0.5',
  MEMBER_TIMEOUT_SECONDS: '1',
  LEASE_DURATION_SECONDS: '3',
  HUNG_REBALANCING_THRESHOLD_SECONDS: String(thresholdSeconds),
  HUNG_TERMINATIONS_PER_MINUTE: '1000',
}

// The runner has no limit of its own; tap's default of 30 s is for the whole file.
t.setTimeout(900_000)

let stack: Stack
/** Everything the reports and the apps have said, in order. */
const reports: { namespace: string; report: KasprAppReport }[] = []
const readiness: { namespace: string; reason: string; message: string }[] = []
const watches: Informer[] = []
t.before(async () => {
  stack = await startStack({ name: 'hung', env, pollers: 2, members: { timeFactor: 0.01 } })
  const watch = (path: string, onObject: (namespace: string, object: KubeObject) => void): void => {
    const onEvent = ({ object }: { object: KubeObject }): void => onObject(object.metadata.namespace ?? '', object)
    const informer = new Informer({ client: stack.plane.client, path, onEvent })
    informer.start()
    watches.push(informer)
  }
  watch('/apis/metacontroller.kaspr.io/v1alpha1/observations', (namespace, { status }) => {
    const { kasprApp: report } = (status ?? {}) as { kasprApp?: KasprAppReport }
    if (report !== undefined) reports.push({ namespace, report })
  })
  watch('/apis/kaspr.io/v1alpha1/kasprapps', (namespace, app) => {
    const ready = (app as AppObject).status?.conditions?.find(({ type }) => type === 'Ready')
    if (ready !== undefined) readiness.push({ namespace, ...ready })
  })
})
t.after(async () => {
  await Promise.all(watches.map((watch) => watch.stop()))
  await stack.stop({ failed: !t.passing() })
})

/** An app of so many members that work. */
async function livingApp(namespace: string, replicas: number): Promise<KasprWorld> {
  const world = await KasprWorld.open(stack, namespace)
  await world.create(kasprApp('orders', { replicas }), kasprAgent('enrich', 'orders', 'orders-raw'))
  await until('the StatefulSet', () => world.get('sts', 'orders-app'))
  await world.kubectl('scale', 'sts/orders-app', `--replicas=${replicas}`)
  await world.settled('orders')
  await until('members that work', () => {
    const members = lastReport(namespace)?.members ?? []
    return members.length === replicas && members.every(({ rebalancing }) => rebalancing === false)
  })
  await world.mark()
  return world
}

function lastReport(namespace: string): KasprAppReport | undefined {
  return reports.filter((seen) => seen.namespace === namespace).at(-1)?.report
}

/** Strikes of a member, as the reports have told them one after the other, without repetitions. */
function strikesTold(namespace: string, id: number): number[] {
  return reports
    .filter((seen) => seen.namespace === namespace)
    .map(({ report }) => report.members.find((member) => member.id === id)?.hungStrikes ?? 0)
    .filter((strikes, index, all) => strikes !== all[index - 1])
}

function addressOf(namespace: string, id: number): string {
  const pod = stack.pods.get(namespace, `orders-app-${id}`) as { status?: { podIP?: string } } | undefined
  return pod?.status?.podIP ?? ''
}

function hang(namespace: string, id: number): void {
  stack.members.override(addressOf(namespace, id), { rebalancing: true, recovering: false })
}

/** Deletions of pods that the pollers have asked for: name of the pod, and milliseconds. */
async function deletions(world: KasprWorld): Promise<{ pod: string; ms: number }[]> {
  const requests = await world.requests()
  return requests
    .filter(({ user, verb, resource }) => user.endsWith('poller') && verb === 'delete' && resource === 'pods')
    .map(({ name, time }) => ({ pod: name, ms: Date.parse(time) }))
}

async function deleted(world: KasprWorld, count: number): Promise<void> {
  await until(`${count} deletions`, async () => (await deletions(world)).length >= count, { limitMs: 60_000 })
}

/** Waits until a member has been asked so many times more. */
async function asked(namespace: string, id: number, times: number): Promise<void> {
  const address = addressOf(namespace, id)
  const before = stack.members.counts(address).status
  const isDone = (): boolean => stack.members.counts(address).status >= before + times
  await until(`member ${id} to be asked ${times} times`, isDone, { limitMs: 60_000 })
}

/** Comes to rest with new pods in the place of exactly these. */
async function onlyReplaced(
  t: Test,
  world: KasprWorld,
  before: Map<string, { uid: string }>,
  ids: number[],
): Promise<void> {
  const replaced = async (): Promise<string[]> =>
    [...(await world.pods('orders'))].filter(([name, { uid }]) => before.get(name)?.uid !== uid).map(([name]) => name)
  await until('their successors', async () => (await replaced()).length >= ids.length)
  await world.settled('orders')
  t.same((await replaced()).sort(), ids.map((id) => `orders-app-${id}`).sort(), 'replaced')
  const names = (await deletions(world)).map(({ pod }) => pod)
  t.same(names.sort(), ids.map((id) => `orders-app-${id}`).sort(), 'each deleted once')
}

void t.test(
  'given a member that hangs, when it has three strikes and not before, then its pod is replaced',
  async (t) => {
    const world = await livingApp('one', 3)
    const before = await world.pods('orders')
    const since = Date.now()
    hang('one', 1)
    await deleted(world, 1)
    const [first] = await deletions(world)
    const leastMs = (thresholdSeconds + 2 * 0.8 * intervalSeconds) * 1000
    t.ok((first?.ms ?? 0) - since > leastMs - 1000, 'not before (times of reports are whole seconds)')
    await onlyReplaced(t, world, before, [1])
    t.same(strikesTold('one', 1), [0, 1, 2, 3, 0])
    const hung = readiness.find(({ namespace, reason }) => namespace === 'one' && reason === 'HungMembers')
    t.equal(hung?.message, 'Members [1] hung in rebalancing state - terminating pods')
    await until('the Events', async () => {
      const seen = await world.kubectl(
        'get',
        'events',
        '-o',
        'jsonpath={range .items[*]}{.reason} {.involvedObject.kind} {end}',
      )
      return ['HungMemberDetected KasprApp', 'HungMemberTerminated KasprApp', 'HungMemberTerminated Pod'].every(
        (event) => seen.includes(event),
      )
    })
  },
)

void t.test('given seven members that all hang, then five are replaced, and then two', async (t) => {
  const world = await livingApp('all', 7)
  const before = await world.pods('orders')
  for (let id = 0; id < 7; id++) hang('all', id)
  await deleted(world, 7)
  const times = (await deletions(world)).map(({ ms }) => ms).sort((a, b) => a - b)
  t.ok((times[5] ?? 0) - (times[0] ?? 0) >= 0.8 * intervalSeconds * 1000, 'the sixth a poll interval later')
  await onlyReplaced(t, world, before, [0, 1, 2, 3, 4, 5, 6])
})

void t.test('given a rollout that does not end, then no member that hangs is touched', async (t) => {
  const world = await livingApp('rollout', 3)
  const nodes = (await world.kubectl('get', 'nodes', '-o', 'name')).split('\n')
  for (const node of nodes) await world.kubectl('cordon', node)
  await world.kubectl('patch', 'kapp', 'orders', '--type=merge', '-p', '{"spec":{"config":{"topicPartitions":9}}}')
  await until('the rollout to hang', async () => {
    const phase = await world.kubectl('get', 'pod', 'orders-app-2', '-o', 'jsonpath={.status.phase}')
    return phase === 'Pending'
  })
  hang('rollout', 0)
  await asked('rollout', 0, 12)
  t.same(await deletions(world), [])
  t.same(strikesTold('rollout', 0), [0])
  for (const node of nodes) await world.kubectl('uncordon', node)
  await world.settled('orders')
  t.same(await deletions(world), [])
})

void t.test('given strikes, when the pollers are killed, then their successors go on counting', async (t) => {
  const world = await livingApp('killed', 1)
  const before = await world.pods('orders')
  hang('killed', 0)
  await until('a strike', () => strikesTold('killed', 0).includes(1), { everyMs: 10 })
  await Promise.all(stack.pollers.map((poller) => poller.kill()))
  const told = strikesTold('killed', 0).at(-1) ?? 0
  t.ok(told < 3, `killed after strike ${told}`)
  await Promise.all(stack.pollers.map((poller) => poller.restart()))
  await deleted(world, 1)
  await onlyReplaced(t, world, before, [0])
  t.same(strikesTold('killed', 0), [0, 1, 2, 3, 0], 'none is lost and none twice')
})

void t.test('given members that hang and go silent, then nobody is touched, and the status says so', async (t) => {
  const world = await livingApp('silent', 3)
  const before = await world.pods('orders')
  hang('silent', 0)
  await until('a strike', () => strikesTold('silent', 0).includes(1), { everyMs: 10 })
  for (let id = 0; id < 3; id++) await stack.members.fault(addressOf('silent', id), { kind: 'half-open' })
  await world.waitFor('orders', 'Ready=Unknown')
  // The watch that records it may be a moment behind kubectl's.
  const lastReason = (): string | undefined =>
    readiness.filter(({ namespace }) => namespace === 'silent').at(-1)?.reason
  await until('the reason', () => lastReason() === 'MembersUnreachable')
  await asked('silent', 0, 3)
  t.same(await deletions(world), [])
  for (let id = 0; id < 3; id++) await stack.members.fault(addressOf('silent', id), undefined)
  await deleted(world, 1)
  await onlyReplaced(t, world, before, [0])
  t.same(strikesTold('silent', 0), [0, 1, 2, 3, 0], 'what it had before counts')
})

void t.test('given a member that hangs, while its app is paused, then nothing happens', async (t) => {
  const world = await livingApp('paused', 2)
  const before = await world.pods('orders')
  await world.kubectl('annotate', 'kapp', 'orders', 'kaspr.io/pause-reconciliation=true')
  const isPaused = async (): Promise<boolean> =>
    (await world.kubectl('get', 'obs', 'kasprapp-orders', '-o', 'jsonpath={.spec.kasprApp.mayDelete}')) === '[]'
  await until('the poller to be told', isPaused)
  hang('paused', 0)
  await asked('paused', 0, 12)
  t.same(await deletions(world), [])
  t.same(strikesTold('paused', 0), [0])
  await world.kubectl('annotate', 'kapp', 'orders', 'kaspr.io/pause-reconciliation-')
  await deleted(world, 1)
  await onlyReplaced(t, world, before, [0])
})

// With processes still running, the end has to be said; it stops them.
t.end()
