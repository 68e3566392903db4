/** Rollouts of OnDelete StatefulSets on a real control plane: their order, their batches, and what may be down meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { ourWrites } from './quiet.ts'
import { rolledInBatches } from './rollout-checks.ts'
import { rolloutScenarios } from './rollout-scenario.ts'
import { type RolloutWorld, statefulSet } from './rollout-world.ts'

const scenario = rolloutScenarios(t, 'rollout')

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)
const pairs = (ordinals: number[]): number[][] =>
  ordinals.flatMap((ordinal, index) => (index % 2 === 0 ? [[ordinal, ordinal + 1]] : []))

scenario('32 pods are rolled two by two, upper half first, and then nothing is written', 'many', async (t, world) => {
  await world.running({ replicas: 32 })
  await world.deploy({ replicas: 32, image: 'web:2' })
  await world.rolled()
  await rolledInBatches(t, world, [...pairs(range(16, 31)), ...pairs(range(0, 15))], { most: 2 })
  t.strictSame(world.journal.states.get('web'), ['planned', 'rolling', 'done'])
  t.equal(await world.record('pods-deleted'), '32')
  await world.settled()
  await world.kubectl('wait', '--for=condition=Complete', 'obs/rollout-web', '--timeout=60s')
  t.match(await world.kubectl('get', 'obs'), /^rollout-web +done +32\/32 +True /m, 'Available is empty')

  await world.deploy({ replicas: 32, image: 'web:2' })
  await quietly(t, world)
  t.equal(await world.record('state'), 'done', 'the same template again is no change')
})

/** A few seconds pass, with looks of the poller and a resync, and nobody of us writes anything. */
async function quietly(t: Test, world: RolloutWorld): Promise<void> {
  // What the end of a rollout has set off; facts are written 5 s late.
  await sleep(6_000)
  const mark = await world.stack.plane.audit().mark()
  await sleep(5_000)
  const writes = await ourWrites(world.stack.plane, mark)
  t.strictSame(
    writes.filter(({ namespace }) => namespace === world.namespace),
    [],
    'not a write',
  )
}

scenario('a set that is up to date costs nothing', 'idle', async (t, world) => {
  await world.running()
  await quietly(t, world)
  t.equal(await world.record('state'), undefined)
})

scenario('the delay is waited for', 'delay', async (t, world) => {
  const config = { 'delay-seconds': '4' }
  await world.running({ replicas: 2, config })
  await world.deploy({ replicas: 2, config, image: 'web:2' })
  await world.reached('planned')
  t.strictSame(await world.deletions(), [])
  await world.rolled()
  const [planned, started] = [await world.record('planned-at'), await world.record('started-at')].map(Number)
  t.ok(Number(started) - Number(planned) >= 4, `started ${Number(started) - Number(planned)} s after it was planned`)
  await rolledInBatches(t, world, [[1], [0]], { most: 1 })
})

scenario('a pod that is down counts, and goes as soon as nothing else may', 'down', async (t, world) => {
  await world.running({ replicas: 6 })
  await world.breakPod('web-0')
  await world.mark()
  await world.deploy({ replicas: 6, image: 'web:2' })
  await world.rolled()
  await rolledInBatches(t, world, [[3, 0], [4], [5], [1], [2]], { most: 2, broken: [0] })
})

scenario('an updated pod that is down is not deleted, and is waited for', 'new-down', async (t, world) => {
  const paused = { paused: 'true' }
  await world.running({ replicas: 6 })
  await world.deploy({ replicas: 6, config: paused, image: 'web:2' })
  await world.reached('planned')
  await world.kubectl('delete', 'pod', 'web-0')
  await world.settled()
  await world.breakPod('web-0')
  await world.mark()
  await world.deploy({ replicas: 6, image: 'web:2' })
  await world.deleted(4)
  await world.until('the fourth to be ready again', async () => (await world.set())?.status?.readyReplicas === 5)
  await sleep(2_000)
  t.strictSame(await world.deletions(), ['web-3', 'web-4', 'web-5', 'web-1'], 'pod 2 has to wait for pod 0')
  await world.mendPod('web-0')
  await world.rolled()
  await rolledInBatches(t, world, [[3], [4], [5], [1], [2]], { most: 2, broken: [0] })
})

scenario('an old pod that is down goes first when nothing else may', 'heal', async (t, world) => {
  const config = { 'max-unavailable': '1' }
  await world.running({ config })
  await world.breakPod('web-0')
  await world.mark()
  await world.deploy({ config, image: 'web:2' })
  await world.rolled()
  await rolledInBatches(t, world, [[0], [2], [3], [1]], { most: 1 })
})

scenario('without half split, and with ordinals that start at 5', 'ordinals', async (t, world) => {
  const whole = { name: 'whole', replicas: 5, config: { 'half-split': 'false' } }
  const above = { name: 'above', spec: { ordinals: { start: 5 } } }
  await world.deploy(whole)
  await world.running(above)
  await world.settled('whole')
  await world.deploy({ ...whole, image: 'web:2' })
  await world.deploy({ ...above, image: 'web:2' })
  await world.rolled('whole')
  await world.rolled('above')
  await rolledInBatches(t, world, [[0, 1], [2, 3], [4]], { name: 'whole', most: 2 })
  const upperFirst = [[7, 8], [5, 6]] // prettier-ignore
  await rolledInBatches(t, world, upperFirst, { name: 'above', most: 2 })
  t.equal(await world.record('range-name', 'whole'), 'all')
  t.equal(await world.record('batch-total', 'whole'), '3')
  t.equal(await world.record('range-name', 'above'), 'lower_range')
})

scenario('no pod, and one', 'small', async (t, world) => {
  await world.deploy({ name: 'none', replicas: 0 })
  await world.running({ name: 'one', replicas: 1 })
  await world.deploy({ name: 'none', replicas: 0, image: 'web:2' })
  await world.deploy({ name: 'one', replicas: 1, image: 'web:2' })
  await world.rolled('one')
  await rolledInBatches(t, world, [[0]], { name: 'one', most: 1 })
  t.equal(await world.record('range-name', 'one'), 'all')
  await world.until('a look at none', async () => (await world.condition('Complete', 'none')) === 'True/UpToDate')
  t.equal(await world.record('state', 'none'), undefined)
})

scenario('a share of the pods, and what is no number', 'budget', async (t, world) => {
  const share = { name: 'share', replicas: 6, config: { 'max-unavailable': '50%' } }
  const wrong = { name: 'wrong', config: { 'max-unavailable': 'many', 'delay-seconds': 'soon' } }
  await world.deploy(share)
  await world.running(wrong)
  await world.settled('share')
  await world.deploy({ ...share, image: 'web:2' })
  await world.deploy({ ...wrong, image: 'web:2' })
  await world.rolled('share')
  await world.rolled('wrong')
  await rolledInBatches(t, world, [range(3, 5), range(0, 2)], { name: 'share', most: 3 })
  t.equal(await world.record('max-unavailable', 'share'), '3')
  await rolledInBatches(t, world, [[2], [3], [0], [1]], { name: 'wrong', most: 1 })
  const { warnings } = (await world.observation('wrong'))?.spec.rollout ?? {}
  t.strictSame(warnings?.map(({ reason }) => reason).sort(), ['InvalidConfig', 'InvalidConfig'])
})

scenario('a pod is available only after minReadySeconds', 'min-ready', async (t, world) => {
  const spec = { minReadySeconds: 3 }
  await world.running({ replicas: 2, spec })
  await world.deploy({ replicas: 2, spec, image: 'web:2' })
  await world.rolled()
  await rolledInBatches(t, world, [[1], [0]], { most: 1 })
  const [first, second] = world.journal.endings.map(({ ms }) => ms)
  t.ok(Number(second) - Number(first) >= 3000, `${Number(second) - Number(first)} ms between the two`)
})

scenario('pods get their own grace period unless another is set', 'grace', async (t, world) => {
  const podSpec = { terminationGracePeriodSeconds: 7 }
  const short = { name: 'short', replicas: 1, podSpec, config: { 'grace-period-seconds': '3' } }
  await world.deploy(short)
  await world.running({ replicas: 1, podSpec })
  await world.settled('short')
  await world.deploy({ ...short, image: 'web:2' })
  await world.deploy({ replicas: 1, podSpec, image: 'web:2' })
  await world.rolled()
  await world.rolled('short')
  const periods = Object.fromEntries(world.journal.endings.map(({ set, gracePeriodSeconds: s }) => [set, s]))
  t.strictSame(periods, { web: 7, short: 3 })
})

scenario('pods of others are left alone, whatever their labels and names', 'foreign', async (t, world) => {
  const labels = { app: 'web', 'apps.kubernetes.io/pod-index': '1', 'controller-revision-hash': 'web-0' }
  const template = (image: string): object => ({
    metadata: { labels: { app: 'web', tier: 'x' } },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'web', image }] },
  })
  const other = (image: string): object => ({ selector: { matchLabels: { tier: 'x' } }, template: template(image) })
  const native = { name: 'native', spec: { updateStrategy: { type: 'RollingUpdate' } } }
  await world.apply(
    statefulSet(world.namespace, { name: 'web-x', labels: {}, spec: { ...other('x:1') } }),
    statefulSet(world.namespace, native),
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stray', namespace: world.namespace, labels }, spec: { containers: [{ name: 'web', image: 'stray:1' }] } }, // prettier-ignore
  )
  await world.settled('web-x')
  await world.settled('native')
  await world.running()
  await world.breakPod('stray')
  const before = [await world.pod('stray'), await world.pod('web-x-3')].map((pod) => pod?.metadata.uid)
  await world.apply(
    statefulSet(world.namespace, { name: 'web-x', labels: {}, spec: { ...other('x:2') } }),
    statefulSet(world.namespace, { ...native, image: 'web:2' }),
    statefulSet(world.namespace, { image: 'web:2' }),
  )
  await world.rolled()
  await rolledInBatches(t, world, pairs([2, 3, 0, 1]), { most: 2 })
  t.strictSame(
    [await world.pod('stray'), await world.pod('web-x-3')].map((pod) => pod?.metadata.uid),
    before,
  )
  await world.until('Kubernetes to roll the other', async () => (await world.images())['native-0'] === 'web:2')
  t.strictSame(
    (await world.deletions()).filter((pod) => !/^web-\d$/.test(pod)),
    [],
  )
  t.equal(world.journal.states.get('native')?.length, 0, 'RollingUpdate is the business of Kubernetes')
})

t.end()
