/** One StatefulSet by name, its pods by eviction: everything else is left alone, and PodDisruptionBudgets are obeyed. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { nothingGoes, rolledInBatches } from './rollout-checks.ts'
import { RolloutWorld } from './rollout-world.ts'
import { type Stack, startStack } from './stack.ts'

t.setTimeout(900_000)

interface Controller extends KubeObject {
  spec: { hooks: { sync: { webhook: { url?: string } } } }
}

let stack: Stack
let world: RolloutWorld
t.before(async () => {
  const env = {
    RO_TARGET_NAMESPACE: 'shop',
    RO_TARGET_STATEFUL_SET: 'web',
    RO_USE_EVICTION: 'true',
    RO_DELAY_SECONDS: '1',
    RO_POLL_SECONDS: '1',
    LEASE_DURATION_SECONDS: '3',
  }
  stack = await startStack({ name: 'rollout-single', env })
  const controller = parse(readFileSync(packagePath('metacontroller', 'rollouts-single.yaml'), 'utf8')) as Controller
  controller.spec.hooks.sync.webhook.url = `${stack.hooks.url}/rollouts/sync`
  await stack.plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(controller) })
  world = await RolloutWorld.open(stack, 'shop')
})
t.after(async () => {
  await world.close()
  await stack.stop({ failed: !t.passing() })
})

void t.test('only the set that is named is rolled, whatever the labels', async (t) => {
  const elsewhere = await RolloutWorld.open(stack, 'elsewhere')
  t.teardown(() => elsewhere.close())
  await world.deploy({ labels: {} })
  await world.deploy({ name: 'other' })
  await elsewhere.running()
  await world.settled('other')
  await world.settled()
  await world.mark()
  await world.deploy({ labels: {}, image: 'web:2' })
  await world.deploy({ name: 'other', image: 'web:2' })
  await elsewhere.deploy({ image: 'web:2' })
  await world.rolled()
  await rolledInBatches(t, world, [[2, 3], [0, 1]], { most: 2 }) // prettier-ignore
  const evictions = (await world.requests()).filter(({ subresource }) => subresource === 'eviction')
  t.equal(evictions.length, 4, 'by eviction')
  t.equal(
    await world.kubectl('get', 'obs', '-A', '--no-headers', '-o', 'name'),
    'observation.metacontroller.kaspr.io/rollout-web\n',
  )
  for (const [there, name] of [
    [world, 'other'],
    [elsewhere, 'web'],
  ] as const) {
    // prettier-ignore
    const keys = Object.keys((await there.set(name))?.metadata.annotations ?? {})
    t.strictSame(
      keys.filter((key) => !key.startsWith('kubectl.')),
      [],
      `${name} in ${there.namespace}`,
    )
  }
  t.strictSame(elsewhere.journal.endings, [])
  t.strictSame(
    world.journal.endings.filter(({ set }) => set === 'other'),
    [],
  )
})

void t.test('a PodDisruptionBudget without room holds the rollout up, and it says so', async (t) => {
  const budget = (maxUnavailable: number): KubeObject => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { maxUnavailable, selector: { matchLabels: { app: 'web' } } },
  })
  const allowed = async (): Promise<string> =>
    world.kubectl('get', 'pdb/web', '-o', 'jsonpath={.status.disruptionsAllowed}/{.status.expectedPods}')
  await world.apply(budget(0))
  await world.until('the budget to be counted', async () => (await allowed()) === '0/4')
  await world.mark()
  await world.deploy({ labels: {}, image: 'web:3' })
  await world.until('it to say so', async () => (await world.condition('Progressing')) === 'False/DeletionFailed')
  const { status } = (await world.observation()) ?? {}
  t.match(status?.conditions?.find(({ type }) => type === 'Progressing')?.message, /disruption budget/)
  await nothingGoes(t, world, 3)
  t.strictSame(await world.deletions(), [])
  t.strictSame(world.journal.endings, [])
  // One at a time, fewer than the rollout would take.
  await world.apply(budget(1))
  await world.rolled()
  t.strictSame(await world.deletions(), ['web-2', 'web-3', 'web-0', 'web-1'])
  t.equal(world.journal.mostDown(), 1, 'not even the pods of one batch go together')
})

t.end()
