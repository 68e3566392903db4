/**
 * examples/rollout/web.yaml, applied as it is and rolled as its head and docs/rollout.md say: what a user types, and what must be
 * true of it.
 */
import t from 'tap'
import { packagePath } from '../../webhooks/package-root.ts'
import { installPlugin } from './plugin.ts'
import { rolledInBatches } from './rollout-checks.ts'
import { rolloutScenarios } from './rollout-scenario.ts'
import type { RolloutWorld } from './rollout-world.ts'

/** What the file says. */
const example = { replicas: 8, mostDown: 2, minReadySeconds: 10, gracePeriodSeconds: 20, delaySeconds: 60 }

const scenario = rolloutScenarios(t, 'rollout-example')

scenario('the example is rolled out as its file says', 'shop', async (t, world) => {
  await installPlugin(world.stack.plane)
  await world.stack.plane.kubectl(['apply', '-f', packagePath('examples', 'rollout', 'web.yaml')])
  await world.settled()
  await world.kubectl('wait', '--for=condition=Complete', 'observation/rollout-web', '--timeout=60s')
  t.match(await world.kubectl('get', 'obs', 'rollout-web'), /^rollout-web +none +8\/8 +True /m)
  const before = await pods(world)
  await world.mark()

  await world.kubectl('set', 'env', 'statefulset/web', 'GREETING=hello')
  // The last rollout is over, and says so until the change is seen.
  await world.kubectl('wait', '--for=condition=Complete=false', 'observation/rollout-web', '--timeout=60s')
  await world.reached('planned')
  t.match(await world.kubectl('get', 'obs', 'rollout-web'), /^rollout-web +planned +0\/8 +8\/8 +True /m)
  t.strictSame(await world.deletions(), [], 'the delay is waited for')
  const announced = await world.kubectl('describe', 'statefulset/web')
  t.match(announced, new RegExp(`RolloutScheduled .* is due ${example.delaySeconds} s after its detection`))
  await rollouts(world, 'start')
  await world.kubectl('wait', '--for=condition=Complete', 'observation/rollout-web', '--timeout=120s')

  const { mostDown, minReadySeconds, gracePeriodSeconds } = example
  await rolledInBatches(t, world, [[4, 5], [6, 7], [0, 1], [2, 3]], { most: mostDown }) // prettier-ignore
  t.strictSame(world.journal.states.get('web'), ['planned', 'rolling', 'done'])
  t.equal(await world.record('pods-deleted'), String(example.replicas))
  const { endings } = world.journal
  t.ok(
    endings.every((pod) => pod.gracePeriodSeconds === gracePeriodSeconds),
    'each pod got its grace period',
  )
  for (const [index, { pod, ms }] of endings.entries()) {
    const earlier = index % mostDown === 0 ? endings[index - 1] : undefined
    if (earlier === undefined) continue
    const waited = ms - earlier.ms
    // The time since when a pod is ready is written in whole seconds.
    t.ok(
      waited >= (minReadySeconds - 1) * 1000,
      `${pod} went ${waited} ms after ${earlier.pod}, which had to be available`,
    )
  }
  const after = await pods(world)
  const target = (await world.set())?.status?.updateRevision
  t.equal(after.size, example.replicas)
  t.strictSame([...new Set(after.values())], [target], 'every pod is of the new revision')
  t.strictSame(
    [...after.keys()].filter((uid) => before.has(uid)),
    [],
    'and another one than before',
  )
  t.match(
    await rollouts(world, 'status'),
    /^statefulset "web" successfully rolled out: 8 of 8 pods updated, 8 available/,
  )
  t.match(await world.kubectl('describe', 'statefulset/web'), /RolloutCompleted /)
})

t.end()

/** What the plugin prints. */
async function rollouts({ stack, namespace }: RolloutWorld, verb: string): Promise<string> {
  return (await stack.plane.kubectl(['rollouts', verb, '-n', namespace, 'web'])).stdout
}

/** Revisions of all pods, by uid. */
async function pods(world: RolloutWorld): Promise<Map<string, string>> {
  const columns = '{range .items[*]}{.metadata.uid} {.metadata.labels.controller-revision-hash}{"\\n"}{end}'
  const lines = (await world.kubectl('get', 'pods', '-o', `jsonpath=${columns}`)).trim().split('\n')
  return new Map(lines.map((line) => line.split(' ') as [uid: string, revision: string]))
}
