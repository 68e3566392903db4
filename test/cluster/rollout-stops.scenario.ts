/** What ends or holds up a rollout: another update strategy, a pause, no enrolment any more, no set any more. */
import t from 'tap'
import { nothingGoes, rolledInBatches } from './rollout-checks.ts'
import { rolloutScenarios } from './rollout-scenario.ts'
import { type RolloutWorld, isDeletion } from './rollout-world.ts'

const scenario = rolloutScenarios(t, 'rollout-stops')

const singly = { replicas: 6, config: { 'max-unavailable': '1' } }

/** A rollout of six pods, one by one, of which some have gone. */
async function midway(world: RolloutWorld, gone = 1): Promise<void> {
  await world.running(singly)
  await world.deploy({ ...singly, image: 'web:2' })
  await world.deleted(gone)
}

async function flip(world: RolloutWorld): Promise<void> {
  const patch = '{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}'
  await world.kubectl('patch', 'sts/web', '--type=merge', '-p', patch)
}

/** Pods that the pollers have deleted after the last edit. */
async function lateDeletions(world: RolloutWorld): Promise<string[]> {
  const requests = await world.requests()
  const edit = requests.findLast(
    ({ user, verb, resource }) => user === 'admin' && verb === 'patch' && resource === 'statefulsets',
  )
  const late = requests.filter(({ time }) => edit !== undefined && time > edit.time)
  return late.filter(isDeletion).map(({ name }) => name)
}

scenario('RollingUpdate while planned: no plan any more, and Kubernetes rolls', 'flip-planned', async (t, world) => {
  const config = { 'delay-seconds': '3600' }
  await world.running({ config })
  await world.deploy({ config, image: 'web:2' })
  await world.reached('planned')
  await flip(world)
  await world.reached('none')
  t.match(await world.record('message'), /OnDelete/)
  await world.until('Kubernetes to roll', async () => (await world.images())['web-0'] === 'web:2')
  t.strictSame(await world.deletions(), [])
})

scenario('RollingUpdate while rolling: not one pod more by us', 'flip-rolling', async (t, world) => {
  await midway(world, 2)
  await flip(world)
  await world.reached('none')
  t.equal(await world.record('current-batch-ordinals'), '[]')
  await world.until('Kubernetes to roll', async () => (await world.images())['web-0'] === 'web:2')
  await nothingGoes(t, world, 2)
  t.ok((await lateDeletions(world)).length <= 1, 'but for one whose request was under way')
  t.ok(Number(await world.record('pods-deleted')) >= 1, 'what was done is told')
})

scenario('a pause lets the batch finish and nothing more go, until it ends', 'paused', async (t, world) => {
  await midway(world)
  await world.kubectl('annotate', 'sts/web', 'config.rollout-operator/paused=true')
  await world.recorded('message', 'paused')
  t.equal(await world.record('current-batch-ordinals'), '[]')
  await world.settled()
  await nothingGoes(t, world, 3)
  const gone = (await world.deletions()).length
  t.ok(gone < 6, `${gone} had gone`)
  t.match(await world.kubectl('get', 'obs', 'rollout-web'), / paused /)
  t.equal(await world.condition('Progressing'), 'False/Paused')
  await world.kubectl('annotate', 'sts/web', 'config.rollout-operator/paused-')
  await world.rolled()
  await rolledInBatches(t, world, [[3], [4], [5], [0], [1], [2]], { most: 1 })
})

scenario('a set that is deleted midway is not held up', 'deleted', async (t, world) => {
  await midway(world)
  t.equal((await world.set())?.metadata.finalizers, undefined)
  await world.kubectl('delete', 'sts/web', '--timeout=20s')
  await world.until('all to go', async () => (await world.kubectl('get', 'sts,obs,pods', '-o', 'name')) === '')
  const before = await world.deletions()
  await world.running({ ...singly, image: 'web:3' })
  t.equal(await world.record('state'), undefined, 'its successor begins clean')
  t.ok(before.length < 6, `${before.length} had gone`)
})

scenario('a set that is deleted without its pods, and made anew, is rolled again', 'orphans', async (t, world) => {
  await world.running()
  await world.deploy({ image: 'web:2' })
  await world.rolled()
  const [set, observation] = [await world.set(), await world.observation()]
  await world.kubectl('delete', 'sts/web', '--cascade=orphan')
  await world.running({ image: 'web:2' })
  const pods = await world.images()
  t.not((await world.set())?.metadata.uid, set?.metadata.uid)
  await world.until('an Observation of its own', async () => {
    const { metadata, spec } = (await world.observation()) ?? {}
    const uid = (await world.set())?.metadata.uid
    return metadata?.uid !== observation?.metadata.uid && spec?.rollout.statefulSet.uid === uid
  })
  t.strictSame(await world.images(), pods)
  t.strictSame(await world.hookErrors(), [], 'hooks have an answer for a set that is being deleted')
  await world.mark()
  await world.deploy({ image: 'web:3' })
  await world.rolled()
  await rolledInBatches(t, world, [[2, 3], [0, 1]], { most: 2 }) // prettier-ignore
})

for (const [namespace, label] of [
  ['label-false', '=false'],
  ['no-label', '-'],
] as const) {
  // prettier-ignore
  scenario(`midway, the label is ${label}: no Observation, and no pod more`, namespace, async (t, world) => {
    await midway(world)
    await world.kubectl('label', '--overwrite', 'sts/web', `rollout-operator/enabled${label}`)
    await world.until('the Observation to go', async () => (await world.observation()) === undefined)
    if (label === '=false') t.equal(await world.record('state'), 'none', 'and the record says so')
    await nothingGoes(t, world, 3)
    t.ok((await lateDeletions(world)).length <= 1, 'but for one whose request was under way')

    await world.kubectl('label', '--overwrite', 'sts/web', 'rollout-operator/enabled=true')
    await world.rolled()
    t.equal((await world.deletions()).length, 6, 'enrolled again, the rest is rolled, and each pod once')
    t.equal(world.journal.mostDown(), 1)
  })
}

t.end()
