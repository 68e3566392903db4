/** The hook of rollouts on a real control plane, with the poller's part played by hand. */
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { PlayedRollouts, webSet } from './played-rollouts.ts'
import { startStack, syncCalls } from './stack.ts'
import { until } from './until.ts'

t.setTimeout(900_000)

const stack = await startStack({ name: 'rollout-hook', pollers: 0, env: { RO_DELAY_SECONDS: '1' } })
const { plane } = stack

/** All that the operator has written on a set. */
function recorded(set: KubeObject | undefined): [string, string][] {
  return Object.entries(set?.metadata.annotations ?? {}).filter(([key]) => key.startsWith('rollout-operator/'))
}

void t.test('a rollout goes through its states, and then nothing is written any more', async (t) => {
  const rollouts = await PlayedRollouts.begin(stack)
  const get = rollouts.get.bind(rollouts)
  await rollouts.apply(webSet('web:2'))
  await until('a rollout', async () => (await rollouts.record('state')) === 'rolling', { limitMs: 60_000 })

  t.strictSame(await rollouts.finish(), [
    [2, 3],
    [0, 1],
  ])
  const isWithoutBatch = async (): Promise<boolean> =>
    !JSON.stringify((await get('observation/rollout-web'))?.['spec']).includes('batch')
  await until('an Observation without batch', isWithoutBatch, { limitMs: 60_000 })
  const observation = await get('observation/rollout-web')
  const calls = await syncCalls(stack, 'StatefulSet')
  await plane.kubectl(['-n', 'default', 'annotate', 'statefulset/web', 'example.com/poke=1'])
  const poked = await get('statefulset/web')
  const isCalled = async (): Promise<boolean> => (await syncCalls(stack, 'StatefulSet')) > calls
  await until('a sync', isCalled, { limitMs: 60_000 })
  await plane.kubectl(['-n', 'default', 'annotate', 'statefulset/web', 'example.com/poke-'])
  await until('another', async () => (await syncCalls(stack, 'StatefulSet')) > calls + 1, { limitMs: 60_000 })
  t.equal((await get('observation/rollout-web'))?.metadata.resourceVersion, observation?.metadata.resourceVersion)
  const rest = await get('statefulset/web')
  t.strictSame(recorded(rest), recorded(poked), 'not even the time of the last change')
  const changes = Object.entries(rest?.metadata.annotations ?? {}).filter(([key]) => key.startsWith('example.com'))
  t.strictSame(changes, [], 'nobody writes back what was removed')

  await plane.kubectl(['-n', 'default', 'label', '--overwrite', 'statefulset/web', 'rollout-operator/enabled=false'])
  await until('the Observation to go', async () => (await get('observation/rollout-web')) === undefined, {
    limitMs: 60_000,
  })
  t.equal(await rollouts.record('state'), 'none', 'an opted out set says so')
  t.equal((await get('statefulset/web'))?.metadata.finalizers, undefined, 'and was never held up')
})

t.teardown(() => stack.stop({ failed: !t.passing() }))
t.end()
