/** How the poller deletes pods of a rollout, over HTTP: what it announces, checks and sends. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { SeenRequest } from '../fakes/api-server.ts'
import { rfc3339, noon } from '../webhooks/rollout-world.ts'
import { orderOf } from './rollout-orders.ts'
import { kubePod, kubeSet, podsPath, type RolloutsWorld, rolloutsWorld, setsPath } from './rollouts-world.ts'

t.setTimeout(120_000)

const isDelete = ({ method, path }: SeenRequest): boolean => method === 'DELETE' && path.includes('/pods/')
const announces = ({ method, body }: SeenRequest): boolean =>
  method === 'PUT' && JSON.stringify(body).includes('"deleting"')

/** Calls once, before the first request like this is served. */
function before(world: RolloutsWorld, like: (request: SeenRequest) => boolean, act: () => void): void {
  let isDone = false
  world.onRequest = (request) => {
    if (!isDone && like(request)) {
      isDone = true
      act()
    }
    return undefined
  }
}

void t.test('a deletion is announced before, and names uid, version and nothing else', async (t) => {
  const world = await rolloutsWorld(t)
  const versions = [2, 3].map((ordinal) => world.pod(ordinal)?.metadata.resourceVersion)
  world.poller(t)
  await world.until(() => world.report?.deleted?.count === 2, 100)
  t.strictSame(world.log().slice(0, 3), ['announce 2,3', 'delete 2', 'delete 3'])
  t.strictSame(
    world.deletions(),
    [2, 3].map((ordinal, index) => ({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: `uid-${ordinal}-old`, resourceVersion: versions[index] },
    })),
  )
  t.equal(world.report?.deleting, undefined, 'what has happened is not announced any more')
  t.strictSame(world.report?.deleted, { targetRevision: 'web-new', startedAt: 1000, count: 2 })
})

void t.test('a grace period is sent if it is ordered', async (t) => {
  const world = await rolloutsWorld(t, { order: orderOf([2, 3], { gracePeriodSeconds: 0 }) })
  world.poller(t)
  await world.until(() => world.deletions().length === 2)
  t.match(world.deletions(), [{ gracePeriodSeconds: 0 }, { gracePeriodSeconds: 0 }])
})

void t.test('pods go in the order of ordinals, of many not all upon one check', async (t) => {
  const batch = Array.from({ length: 12 }, (_, index) => index)
  const set = kubeSet(batch, { replicas: 12, record: { 'half-split': 'false' } })
  const order = orderOf(batch, { maxUnavailable: 12 })
  const world = await rolloutsWorld(t, { set, order, pods: 'old '.repeat(12).trim() })
  world.poller(t)
  await world.until(() => world.deletions().length === 12)
  const seen = world.api.requests.filter(
    (request) => isDelete(request) || request.query.get('labelSelector') === 'app=web',
  )
  const kinds = seen.map((request) => (isDelete(request) ? /web-(\d+)/.exec(request.path)?.[1] : 'check'))
  t.strictSame(kinds.slice(0, 14).join(' '), 'check 0 1 2 3 4 5 6 7 check 8 9 10 11')
})

void t.test('a check that has grown old is good for one pod only', async (t) => {
  const world = await rolloutsWorld(t)
  world.onRequest = (request) => {
    if (isDelete(request)) world.clock.jump(2_500)
    return undefined
  }
  world.poller(t)
  await world.until(() => world.deletions().length === 2)
  const seen = world.api.requests.filter(
    (request) => isDelete(request) || request.query.get('labelSelector') === 'app=web',
  )
  t.strictSame(seen.map(isDelete).slice(0, 4), [false, true, false, true])
})

void t.test('an announcement that meets a conflict deletes nothing', async (t) => {
  const world = await rolloutsWorld(t)
  // The hook has taken the batch back, and no watch has told so yet.
  before(world, announces, () => {
    const { observation } = world
    if (observation !== undefined) world.put({ ...observation, spec: { rollout: orderOf() } })
  })
  world.poller(t)
  await world.until(() => world.report?.pods !== undefined)
  await sleep(50)
  t.strictSame(world.deletions(), [])
  t.strictSame(
    world.log().filter((line) => line !== 'write'),
    ['announce 2,3'],
  )
})

/** What somebody does just before a pod is deleted, and what comes of it. */
const surprises: [why: string, change: (world: RolloutsWorld) => void, log: string[]][] = [
  [
    'a pod was touched: checked again, and deleted in its new version',
    (world) => world.put(kubePod(2, 'old', { annotations: { touched: 'yes' } })),
    ['delete 2', 'delete 2', 'delete 3'],
  ],
  ['a pod is gone already', (world) => world.api.remove(podsPath, 'shop', 'web-2'), ['delete 2', 'delete 3']],
  ['a pod has a successor, which is left alone', (world) => world.replace(2, 'NEW'), ['delete 2', 'delete 3']],
  [
    'a pod has an old successor, which was not announced',
    (world) => world.put(kubePod(2, 'old', { uid: 'uid-2-other' })),
    ['delete 2', 'delete 3'],
  ],
]

void t.test('a pod that is not what it was when it was checked', async (t) => {
  for (const [why, change, log] of surprises) {
    const world = await rolloutsWorld(t)
    before(world, isDelete, () => change(world))
    const { failures } = world.poller(t)
    await world.until(() => world.deletions().length >= log.length)
    await world.until(() => (world.report?.deleted?.count ?? 0) > 0, 100)
    t.strictSame(
      world
        .log()
        .filter((line) => line.startsWith('delete'))
        .slice(0, log.length),
      log,
      why,
    )
    t.strictSame(failures, [], why)
  }
})

void t.test('a pod that changes all the time is left for later', async (t) => {
  const world = await rolloutsWorld(t, { order: orderOf([2]), set: kubeSet([2]) })
  world.onRequest = (request) => {
    if (isDelete(request)) world.put(kubePod(2, 'old', { annotations: { at: String(world.attempts.length) } }))
    return undefined
  }
  const { failures } = world.poller(t)
  await world.until(() => failures.length > 0)
  t.match(failures[0], { state: 'withheld', reason: /change all the time/, pauseMs: 1000 })
  t.equal(world.deletions().length, 3)
})

/** What changes between the announcement and the deletion, unseen by the watches; nothing may be deleted then. `pods` are those that change. */
const changes: [why: string, change: (world: RolloutsWorld) => void, reason: RegExp, pods?: number[]][] = [
  ['paused', (w) => w.put(kubeSet([2, 3], { annotations: { 'config.rollout-operator/paused': 'true' } })), /paused/],
  ['another strategy', (w) => w.put(kubeSet([2, 3], { strategy: 'RollingUpdate' })), /no longer OnDelete/],
  ['another template', (w) => w.put(kubeSet([2, 3], { target: 'web-newer' })), /template has changed/],
  ['a template not seen yet', (w) => w.put(kubeSet([2, 3], { generation: 9, observedGeneration: 8 })), /has not seen/],
  ['another set', (w) => w.put(kubeSet([2, 3], { uid: 'uid-other' })), /is gone/],
  ['no set', (w) => w.api.remove(setsPath, 'shop', 'web'), /is gone/],
  [
    'a set on its way out',
    (w) => w.put(kubeSet([2, 3], { metadata: { deletionTimestamp: rfc3339(noon) } })),
    /being deleted/,
  ],
  ['opted out', (w) => w.put(kubeSet([2, 3], { labels: {} })), /not rolled out any more/],
  ['another batch on record', (w) => w.put(kubeSet([0])), /no room for web-2/],
  ['two other pods are down', (w) => w.put(kubePod(0, 'NEW'), kubePod(1, 'NEW')), /no room for web-2/, [0, 1]],
  [
    'a pod without ordinal',
    (w) => w.put(kubePod(1, 'old', { labels: { app: 'web' } })),
    /pods without a label apps.kubernetes.io\/pod-index/,
    [1],
  ],
]

void t.test('what changes unseen is found by the check, and the announcement is withdrawn', async (t) => {
  for (const [why, change, reason, pods = []] of changes) {
    const world = await rolloutsWorld(t)
    before(world, announces, () => {
      world.silence(setsPath)
      world.silence(podsPath)
      change(world)
    })
    const { failures } = world.poller(t)
    await world.until(() => failures.length > 0)
    await world.until(() => world.report?.deleting === undefined)
    t.match(failures[0], { state: 'withheld', reason, pauseMs: 1000 }, why)
    t.strictSame(world.deletions(), [], why)
    t.match(world.condition('Progressing'), /^False DeletionFailed/, why)
    const log = world.log()
    const end = log.indexOf('write')
    const read = [...pods, 2, 3].map((ordinal) => `read ${ordinal}`)
    t.strictSame(log.slice(0, end).sort(), ['announce 2,3', ...read], `${why}: read before it is withdrawn`)
    t.equal(world.report?.deleted?.count, 0, why)
  }
})

void t.test('of a pod that is down for others as well, as many go as there is room for', async (t) => {
  const world = await rolloutsWorld(t)
  before(world, announces, () => {
    world.silence(podsPath)
    world.put(kubePod(0, 'NEW'))
  })
  const { failures } = world.poller(t)
  await world.until(() => failures.length > 0)
  t.strictSame(
    world.log().filter((line) => line.startsWith('delete')),
    ['delete 2'],
  )
  t.match(failures[0], { state: 'withheld', reason: /no room for web-3/ })
})

void t.test('pods of other owners are left alone, whatever their labels', async (t) => {
  const world = await rolloutsWorld(t)
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-other', controller: true }
  world.put(kubePod(3, 'old', { ownerReferences: [owner] }), kubePod(2, 'old', { ownerReferences: [] }))
  world.poller(t)
  await world.until(() => world.report?.pods !== undefined)
  await sleep(50)
  t.strictSame([world.deletions(), world.report?.pods?.map(({ ordinal }) => ordinal)], [[], [0, 1]])
})

void t.test('in a group the others are read live', async (t) => {
  const labels = { 'rollout-operator/enabled': 'true', 'rollout-group': 'g' }
  const world = await rolloutsWorld(t, { set: kubeSet([2, 3], { labels }), order: orderOf([2, 3], { group: 'g' }) })
  before(world, announces, () => {
    world.silence(setsPath)
    world.put(kubeSet([], { name: 'api', uid: 'api', labels, record: { 'started-at': '999' } }))
  })
  const { failures } = world.poller(t)
  await world.until(() => failures.length > 0)
  t.match(failures[0], { state: 'withheld', reason: 'api of the rollout group goes first' })
  t.strictSame(world.deletions(), [])
})
