/** What users change while a rollout is planned or runs: the template, and the number of replicas. */
import t from 'tap'
import { nothingGoes, rolledInBatches } from './rollout-checks.ts'
import { rolloutScenarios } from './rollout-scenario.ts'
import { type RolloutWorld } from './rollout-world.ts'

const scenario = rolloutScenarios(t, 'rollout-changes')

/** Spec of pods that no node takes, until one has the label. */
function homeless({ namespace }: RolloutWorld): Record<string, unknown> {
  return { nodeSelector: { [`home-of/${namespace}`]: 'yes' } }
}

/** Lets pods start that no node took. */
async function giveHome(world: RolloutWorld): Promise<void> {
  await world.kubectl('label', 'node', 'node-0', `home-of/${world.namespace}=yes`)
}

/** Longer than the 5 s by which the facts about pods may be late: the message of the stall tells them. */
const stallSoon = { 'ready-timeout-seconds': '7' }

/** A rollout whose first batch, 2 of 4 pods, does not get ready. */
async function stuck(world: RolloutWorld, choices: Parameters<RolloutWorld['deploy']>[0] = {}): Promise<void> {
  await world.running({ config: stallSoon, ...choices })
  await world.deploy({ config: stallSoon, ...choices, image: 'web:2', podSpec: homeless(world) })
  await world.deleted(2)
}

scenario(
  'a template that changes while planned: one rollout, to the newest, and no new delay',
  'newest',
  async (t, world) => {
    const config = { 'delay-seconds': '5' }
    await world.running({ config })
    await world.deploy({ config, image: 'web:2' })
    await world.reached('planned')
    const [planned, first] = [await world.record('planned-at'), await world.record('target-revision')]
    await world.deploy({ config, image: 'web:3' })
    await world.until('the newest', async () => (await world.record('target-revision')) !== first)
    t.equal(await world.record('state'), 'planned')
    await world.rolled()
    t.equal(await world.record('planned-at'), planned)
    await rolledInBatches(t, world, [[2, 3], [0, 1]], { most: 2 }) // prettier-ignore
    t.strictSame([...new Set(Object.values(await world.images()))], ['web:3'])
  },
)

scenario('a template that is taken back while planned: done at once, and nothing goes', 'back', async (t, world) => {
  const config = { 'delay-seconds': '3600' }
  await world.running({ config })
  await world.deploy({ config, image: 'web:2' })
  await world.reached('planned')
  await world.deploy({ config })
  await world.rolled()
  await nothingGoes(t, world, 2)
  t.strictSame(world.journal.states.get('web'), ['planned', 'done'])
  t.strictSame(await world.deletions(), [])

  await world.deploy({ config, image: 'web:3' })
  await world.reached('planned')
  const { status } = (await world.set()) ?? {}
  await world.kubectl('annotate', 'sts/web', `config.rollout-operator/start-now=${status?.updateRevision}`)
  await world.rolled()
  t.equal((await world.deletions()).length, 4, 'a revision that is named does not wait for the delay')
})

scenario('a template that changes while rolling: planned anew at once', 'again', async (t, world) => {
  const config = { 'max-unavailable': '1' }
  await world.running({ config })
  await world.deploy({ config, image: 'web:2' })
  await world.deleted(1)
  await world.deploy({ config, image: 'web:3' })
  await world.rolled()
  const deletions = await world.deletions()
  t.strictSame(deletions.slice(-4), ['web-2', 'web-3', 'web-0', 'web-1'], 'from the upper half on')
  t.ok(deletions.length <= 6, `${deletions.length - 4} had gone before`)
  t.equal(world.journal.mostDown(), 1)
  t.strictSame(world.journal.states.get('web'), ['planned', 'rolling', 'done'])
  t.strictSame([...new Set(Object.values(await world.images()))], ['web:3'])
})

scenario('pods that do not get ready stop a rollout, and the next template repairs it', 'repair', async (t, world) => {
  await stuck(world)
  await world.until('the stall', async () => (await world.condition('Stalled')) === 'True/ReadyTimeout')
  t.ok(await world.record('stalled-at'))
  t.match(await world.record('message'), /2 \(Pending\/Unschedulable\), 3 \(Pending\/Unschedulable\)/)
  t.match(await world.kubectl('get', 'obs', 'rollout-web'), / stalled +2\/4|stalled +4\/4 +2\/4/)
  await world.kubectl('wait', '--for=condition=Stalled', 'obs/rollout-web', '--timeout=60s')
  await nothingGoes(t, world, 3)
  t.equal((await world.deletions()).length, 2)
  // With the delay of a new plan this would not end.
  await world.deploy({ config: { ...stallSoon, 'delay-seconds': '3600' }, image: 'web:3' })
  await world.rolled()
  await rolledInBatches(t, world, [[2, 3], [2, 3], [0, 1]], { most: 2 }) // prettier-ignore
  t.strictSame(world.journal.states.get('web'), ['planned', 'rolling', 'done'])
  t.equal(await world.record('stalled-at'), undefined)
  await world.until('no stall', async () => (await world.condition('Stalled')) === 'False/NotStalled')
})

scenario('pods that get ready late: the rollout goes on where it stood', 'late', async (t, world) => {
  await stuck(world)
  await world.until('the stall', async () => (await world.record('stalled-at')) !== undefined)
  await giveHome(world)
  await world.rolled()
  await rolledInBatches(t, world, [[2, 3], [0, 1]], { most: 2 }) // prettier-ignore
  t.equal(await world.record('stalled-at'), undefined)
})

scenario('scaled down inside of the batch: what has gone is not waited for', 'down', async (t, world) => {
  await stuck(world, { replicas: 6 })
  t.strictSame(await world.deletions(), ['web-3', 'web-4'])
  await world.kubectl('scale', 'sts/web', '--replicas=4')
  // 3 is down still, so there is room for one of the new upper half.
  await world.recorded('current-batch-ordinals', '[2, 3]')
  await world.until('pod 2 to go', async () => (await world.deletions()).length === 3)
  await giveHome(world)
  await world.rolled()
  t.strictSame(await world.deletions(), ['web-3', 'web-4', 'web-2', 'web-0', 'web-1'])
  t.equal(await world.record('replicas'), '4')
})

scenario('scaled up midway: new pods are born new, and waited for', 'up', async (t, world) => {
  const config = { 'max-unavailable': '1' }
  await world.running({ replicas: 2, config })
  await world.deploy({ replicas: 2, config, image: 'web:2' })
  await world.deleted(1)
  await world.kubectl('scale', 'sts/web', '--replicas=4')
  await world.rolled()
  t.strictSame(await world.deletions(), ['web-1', 'web-0'])
  t.equal((await world.set())?.status?.readyReplicas, 4)
  t.strictSame([...new Set(Object.values(await world.images()))], ['web:2'])
})

scenario('scaled to nothing midway: done', 'none', async (t, world) => {
  await stuck(world)
  await world.kubectl('scale', 'sts/web', '--replicas=0')
  await world.rolled()
  t.strictSame(await world.deletions(), ['web-2', 'web-3'])
})

t.end()
