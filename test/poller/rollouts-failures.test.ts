/** Deletions of a rollout that fail, are refused, or are interrupted by a crash or another poller. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { SeenRequest } from '../fakes/api-server.ts'
import { pods as podsOf, reportOf } from '../webhooks/rollout-world.ts'
import { orderOf } from './rollout-orders.ts'
import { kubePod, observationOf, podsPath, type RolloutsWorld, rolloutsWorld } from './rollouts-world.ts'

t.setTimeout(120_000)

const isDelete = ({ method, path }: SeenRequest): boolean => method === 'DELETE' && path.includes('/pods/')
const isEviction = ({ method, path }: SeenRequest): boolean => method === 'POST' && path.endsWith('/eviction')

void t.test('after an error it is tried again after 1 s, doubled up to 60 s', async (t) => {
  const world = await rolloutsWorld(t)
  world.onRequest = (request) => (isDelete(request) ? { status: 500, body: 'broken' } : undefined)
  const { failures } = world.poller(t)
  await world.until(() => failures.length === 8, 250)
  t.strictSame(
    failures.map(({ pauseMs }) => pauseMs / 1000),
    [1, 2, 4, 8, 16, 32, 60, 60],
  )
  t.match(failures[0], { state: 'failed', reason: 'HTTP 500: broken' })
  for (const [index, { pauseMs }] of failures.slice(0, -1).entries()) {
    const waited = (world.attempts[index + 1] ?? 0) - (world.attempts[index] ?? 0)
    t.ok(waited >= pauseMs, `${Math.round(waited)} ms`)
  }
  t.equal(world.attempts.length, 8, 'one pod each time: the first that fails ends the attempt')
  t.equal(world.condition('Progressing'), 'False DeletionFailed: HTTP 500: broken')
})

void t.test('in between the announcement is withdrawn, and made again before the next attempt', async (t) => {
  const world = await rolloutsWorld(t, { order: orderOf([2]) })
  let left = 1
  world.onRequest = (request) => (isDelete(request) && left-- > 0 ? { status: 500 } : undefined)
  world.poller(t)
  await world.until(() => world.report?.deleted?.count === 1, 100)
  t.strictSame(world.log().slice(0, 6), ['announce 2', 'delete 2', 'read 2', 'write', 'announce 2', 'delete 2'])
  await world.until(() => world.condition('Progressing').startsWith('True Rolling'), 100)
})

void t.test('another batch does not wait for the failures of the last one', async (t) => {
  const world = await rolloutsWorld(t)
  world.onRequest = (request) => (isDelete(request) ? { status: 500 } : undefined)
  const { failures } = world.poller(t)
  await world.until(() => failures.length === 5, 250)
  const batch = { id: 'batch-2', targetRevision: 'web-new', ordinals: [2] }
  world.put(observationOf(orderOf(undefined, { batch }), { generation: 2 }))
  await world.until(() => failures.length === 6)
  t.equal(failures[5]?.pauseMs, 1000)
})

void t.test('an answer that got lost: what became of the pod is found out, and counted', async (t) => {
  const world = await rolloutsWorld(t, { order: orderOf([2]) })
  world.silence(podsPath)
  world.onRequest = (request) => {
    if (!isDelete(request)) return undefined
    world.api.remove(podsPath, 'shop', 'web-2')
    return 'reset'
  }
  const { failures } = world.poller(t)
  await world.until(() => failures.length === 1)
  await world.until(() => world.report?.deleted?.count === 1, 100)
  t.strictSame(world.log(), ['announce 2', 'delete 2', 'read 2', 'write'])
  t.match(world.report?.pods?.[2], { uid: 'uid-2-old', terminating: true })
})

void t.test('an eviction names uid and version, and its pod counts once it leaves', async (t) => {
  const order = orderOf([2, 3], { useEviction: true, gracePeriodSeconds: 5 })
  const world = await rolloutsWorld(t, { order })
  const resourceVersion = world.pod(2)?.metadata.resourceVersion
  world.poller(t)
  await world.until(() => world.report?.deleted?.count === 2, 100)
  t.strictSame(world.deletions()[0], {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: 'web-2', namespace: 'shop' },
    deleteOptions: { gracePeriodSeconds: 5, preconditions: { uid: 'uid-2-old', resourceVersion } },
  })
  t.strictSame(
    world.log().filter((line) => line.startsWith('evict') || line.startsWith('delete')),
    ['evict 2', 'evict 3'],
  )
})

void t.test('an eviction that is refused is tried again later, and not announced meanwhile', async (t) => {
  const world = await rolloutsWorld(t, { order: orderOf([2, 3], { useEviction: true }) })
  const message = 'Cannot evict pod as it would violate the budget.'
  const body = { kind: 'Status', reason: 'TooManyRequests', message }
  world.onRequest = (request) =>
    isEviction(request) ? { status: 429, headers: { 'retry-after': '0' }, body } : undefined
  const { failures } = world.poller(t)
  await world.until(() => world.condition('Progressing').startsWith('False DeletionFailed'))
  t.strictSame(failures, [
    { ...failures[0], state: 'refused', reason: `The eviction was refused: ${message}`, pauseMs: 1000 },
  ])
  t.equal(world.report?.deleting, undefined)
  t.strictSame(
    world.log().filter((line) => line.startsWith('evict')),
    ['evict 2'],
    'once, whatever Retry-After says',
  )
  await world.until(() => failures.length === 3, 250)
  t.strictSame(
    failures.map(({ pauseMs }) => pauseMs),
    [1000, 2000, 4000],
  )
  world.onRequest = () => undefined
  await world.until(() => world.report?.deleted?.count === 2, 250)
})

void t.test('a 429 of the API server itself is no budget', async (t) => {
  const world = await rolloutsWorld(t)
  world.onRequest = (request) => (isDelete(request) ? { status: 429, headers: { 'retry-after': '0' } } : undefined)
  const { failures } = world.poller(t)
  await world.until(() => failures.length === 1)
  t.match(failures[0], { state: 'failed', reason: /HTTP 429/ })
  t.equal(world.attempts.length, 1)
})

void t.test('nothing is deleted without the right to act, lost at whatever moment', async (t) => {
  const moments: [why: string, like: (request: SeenRequest) => boolean, deleted: number][] = [
    ['while it is announced', ({ method }) => method === 'PUT', 0],
    ['while it is checked', ({ query }) => query.get('labelSelector') === 'app=web', 0],
    ['after the first pod', isDelete, 1],
  ]
  for (const [why, like, deleted] of moments) {
    const world = await rolloutsWorld(t)
    const poller = world.poller(t)
    let isOver = false
    world.onRequest = (request) => {
      if (like(request)) {
        isOver = true
        poller.shards.clear()
      }
      return undefined
    }
    await world.until(() => isOver)
    await world.until(() => poller.controller.queue.stats().running === 0)
    t.equal(world.deletions().length, deleted, why)
  }
})

void t.test('of two pollers that both believe to own the shard, one deletes', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const world = await rolloutsWorld(t)
    const pollers = [world.poller(t), world.poller(t)]
    await world.until(() => world.report?.deleted?.count === 2, 100)
    await world.until(() => pollers.every(({ controller }) => controller.queue.stats().running === 0))
    t.strictSame([...world.deleted].sort(), ['uid-2-old', 'uid-3-old'], 'each pod once, and no other')
    t.equal(world.report?.deleted?.count, 2, 'counted once')
  }
})

/** The Observation that a poller has left behind which crashed after it had announced pod 2. */
function leftBehind(order: RolloutOrder): KubeObject {
  const deleting = { batchId: 'batch-1', uids: ['uid-2-old'] }
  const deleted = { targetRevision: 'web-new', startedAt: 1000, count: 5 }
  const announced = { state: 'rolling', targetRevision: 'web-new' } as const
  const rollout = reportOf(podsOf('old old old old'), { deleting, deleted, announced })
  return { ...observationOf(order), status: { rollout } }
}

const crashes: [what: string, happens: (world: RolloutsWorld) => void, deletions: string[], count: number][] = [
  ['lives', () => undefined, ['delete 2'], 6],
  ['is on its way out', (world) => world.put(kubePod(2, 'gone', { uid: 'uid-2-old' })), [], 6],
  ['is gone', (world) => world.api.remove(podsPath, 'shop', 'web-2'), [], 6],
  ['has a successor', (world) => world.replace(2, 'NEW'), [], 6],
  ['lives and is not to be deleted any more', (world) => world.put(leftBehind(orderOf())), [], 5],
]

void t.test('a poller that crashed after an announcement: the next one carries on', async (t) => {
  for (const [what, happens, deletions, count] of crashes) {
    const world = await rolloutsWorld(t)
    world.put(leftBehind(orderOf([2])))
    happens(world)
    world.poller(t)
    await world.until(() => world.report !== undefined && world.report.deleting === undefined, 100)
    await sleep(20)
    t.strictSame(
      world.log().filter((line) => line.startsWith('delete')),
      deletions,
      `pod 2 ${what}`,
    )
    t.equal(world.report?.deleted?.count, count, `pod 2 ${what}`)
  }
})
