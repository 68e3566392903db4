/** Rollout groups: StatefulSets of a namespace that are rolled one after the other. */
import t from 'tap'
import { nothingGoes, rolledInBatches } from './rollout-checks.ts'
import { rolloutScenarios } from './rollout-scenario.ts'
import { type RolloutWorld, type SetChoices } from './rollout-world.ts'

const scenario = rolloutScenarios(t, 'rollout-group')

/** A member of the group. */
function member(name: string, choices: SetChoices = {}): SetChoices {
  const labels = { 'rollout-operator/enabled': 'true', 'rollout-group': 'zones' }
  return { name, labels, ...choices }
}

async function settled(world: RolloutWorld, names: readonly string[]): Promise<void> {
  for (const name of names) await world.settled(name)
  await world.mark()
}

async function deploy(world: RolloutWorld, names: readonly string[], choices: SetChoices = {}): Promise<void> {
  for (const name of names) await world.deploy(member(name, choices))
}

scenario('three members: one after the other, never two of them down', 'three', async (t, world) => {
  const zones = ['zone-a', 'zone-b', 'zone-c']
  await deploy(world, zones)
  await settled(world, zones)
  await deploy(world, zones, { image: 'web:2' })
  for (const name of zones) await world.rolled(name)
  for (const name of zones) await rolledInBatches(t, world, [[2, 3], [0, 1]], { name, most: 2 }) // prettier-ignore
  t.strictSame(world.journal.downTogether(), [])
  const order = world.journal.endings.map(({ set }) => set).filter((set, index, all) => set !== all[index - 1])
  t.equal(order.length, 3, order.join(', '))
})

scenario('a member with pods that are down goes first, since its rollout may repair it', 'broken', async (t, world) => {
  const zones = ['zone-a', 'zone-b']
  const config = { 'delay-seconds': '4' }
  await deploy(world, zones, { config })
  await settled(world, zones)
  await world.breakPod('zone-b-0')
  await world.mark()
  await deploy(world, zones, { config, image: 'web:2' })
  for (const name of zones) await world.rolled(name)
  await rolledInBatches(t, world, [[2, 0], [3], [1]], { name: 'zone-b', most: 2, broken: [0] })
  await rolledInBatches(t, world, [[2, 3], [0, 1]], { name: 'zone-a', most: 2 }) // prettier-ignore
  t.strictSame(world.journal.downTogether(), [])
  const order = world.journal.endings.map(({ set }) => set).filter((set, index, all) => set !== all[index - 1])
  t.strictSame(order, ['zone-b', 'zone-a'])
})

scenario('a member that is not rolled out by us is waited for all the same', 'stranger', async (t, world) => {
  // No time between plan and start, and little until a stall: neither may be mistaken for the way being free, or for a stall.
  const config = { 'delay-seconds': '0', 'ready-timeout-seconds': '2' }
  const waits = 'waits for zone-b of the rollout group zones'
  await world.deploy({ name: 'zone-b', replicas: 2, labels: { 'rollout-group': 'zones' } })
  await deploy(world, ['zone-a'], { config })
  await settled(world, ['zone-a', 'zone-b'])
  await world.breakPod('zone-b-0')
  await deploy(world, ['zone-a'], { config, image: 'web:2' })
  await world.recorded('message', waits, 'zone-a')
  t.equal(await world.condition('Progressing', 'zone-a'), 'False/WaitsForGroup')
  await nothingGoes(t, world, 3)
  t.strictSame(world.journal.states.get('zone-a'), ['planned'])
  await world.mendPod('zone-b-0')
  await world.deleted(2)
  await world.breakPod('zone-b-1')
  await world.until('the batch to be ready', async () => (await world.set('zone-a'))?.status?.readyReplicas === 4)
  await nothingGoes(t, world, 3)
  t.strictSame(await world.deletions(), ['zone-a-2', 'zone-a-3'], 'midway, too')
  t.equal(await world.record('message', 'zone-a'), waits)
  t.equal(await world.record('stalled-at', 'zone-a'), undefined, 'which is no stall')
  await world.mendPod('zone-b-1')
  await world.rolled('zone-a')
  await rolledInBatches(t, world, [[2, 3], [0, 1]], { name: 'zone-a', most: 2 }) // prettier-ignore
})

t.end()
