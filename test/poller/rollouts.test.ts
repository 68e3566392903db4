/** The poller's part of rollouts: what it watches, writes and tidies up. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import t from 'tap'
import { observationsPath } from '../../poller/observation.ts'
import type { FakeApi } from '../fakes/api-server.ts'
import { noon, rfc3339 } from '../webhooks/rollout-world.ts'
import { orderOf } from './rollout-orders.ts'
import { kubePod, kubeSet, observationOf, podsPath, rolloutsWorld, setsPath } from './rollouts-world.ts'

t.setTimeout(120_000)

const idle = { record: { state: 'done', 'last-revision': 'web-new', 'current-batch-ordinals': '[]' } }

/** Collections that are listed or watched. */
function collections({ requests }: FakeApi): Set<string> {
  return new Set(requests.map(({ path }) => path).filter((path) => path.split('/').length < 6))
}

void t.test('nothing but Observations is watched until there is a rollout', async (t) => {
  const world = await rolloutsWorld(t)
  const { observation } = world
  world.api.remove(observationsPath, 'shop', 'rollout-web')
  const { rollouts } = world.poller(t)
  await world.until(() => world.api.watches.size === 1)
  await sleep(50)
  t.strictSame(collections(world.api), new Set([observationsPath]))
  t.equal(rollouts.pods.health().synced, false)
  if (observation !== undefined) world.put(observation)
  await world.until(() => world.report !== undefined)
  t.strictSame(collections(world.api), new Set([observationsPath, podsPath, setsPath]))
  const list = world.api.requests.find(({ path, watch }) => path === podsPath && !watch)
  t.equal(list?.query.get('labelSelector'), 'statefulset.kubernetes.io/pod-name', 'pods of StatefulSets alone')
})

void t.test('a single target is watched in its namespace', async (t) => {
  const world = await rolloutsWorld(t)
  const settings = { RO_TARGET_NAMESPACE: 'shop', RO_TARGET_STATEFUL_SET: 'web', RO_WATCH_NAMESPACES: '' }
  world.poller(t, { settings })
  await world.until(() => world.deletions().length === 2)
  const watched = world.api.requests.filter(({ watch }) => watch).map(({ path }) => path)
  t.strictSame(
    new Set(watched),
    new Set([observationsPath, '/api/v1/namespaces/shop/pods', '/apis/apps/v1/namespaces/shop/statefulsets']),
  )
})

void t.test('the first report: facts, columns, conditions', async (t) => {
  const world = await rolloutsWorld(t, { set: kubeSet([], idle), order: orderOf(), pods: 'new NEW gone' })
  world.poller(t)
  await world.until(() => world.report !== undefined)
  t.match(world.report, {
    setUid: 'uid-web',
    specGeneration: 7,
    pods: [
      { uid: 'uid-0-new', ordinal: 0, revision: 'web-new', readySince: rfc3339(noon - 3000) },
      { uid: 'uid-1-new', ordinal: 1, reason: 'Running' },
      { uid: 'uid-2-gone', ordinal: 2, terminating: true },
    ],
    deleting: undefined,
    progress: { state: 'done', updated: '2/4' },
    announced: { state: 'done' },
  })
  t.equal(world.condition('Reporting'), 'True Watching: The pods of the StatefulSet are watched')
  t.match(world.condition('Complete'), 'True UpToDate')
})

void t.test('facts that decide nothing are written every 5 s', async (t) => {
  const pods = 'new new NEW NEW'
  const set = kubeSet([2, 3])
  const world = await rolloutsWorld(t, { set, order: orderOf([2, 3]), pods })
  world.poller(t)
  await world.until(() => world.report !== undefined)
  const written = world.clock.now()
  world.put(kubePod(2, 'new'))
  await sleep(100)
  t.equal(world.log().length, 1, 'one of two is ready: not at once')
  await world.until(() => world.log().length === 2, 50)
  // Times are written in whole seconds, so it can be one less.
  t.ok(world.clock.now() - written >= 4000)
  t.match(world.report?.pods?.[2], { readySince: rfc3339(noon - 3000) })
  world.put(kubePod(3, 'new'))
  await world.until(() => world.log().length === 3)
  t.equal(world.report?.progress?.available, '4/4', 'the last one ends the rollout: at once')
})

void t.test('while nothing is rolled out, only new pods are written', async (t) => {
  const world = await rolloutsWorld(t, { set: kubeSet([], idle), order: orderOf(), pods: 'new new new new' })
  world.poller(t)
  await world.until(() => world.report !== undefined)
  world.put(kubePod(2, 'NEW'))
  await sleep(50)
  world.clock.jump(60_000)
  await sleep(100)
  t.strictSame(world.log(), ['write'], 'readiness is none of it')
  world.put(kubePod(2, 'new', { uid: 'uid-2-other' }))
  await world.until(() => world.log().length === 2, 100)
  world.put(kubePod(2, 'old', { uid: 'uid-2-third' }))
  await world.until(() => world.log().length === 3)
  t.match(world.condition('Complete'), 'False Outdated', 'an old one is told at once')
})

void t.test('what tells nothing new about a set or its pods is not looked at', async (t) => {
  const world = await rolloutsWorld(t, { order: orderOf(), set: kubeSet([], idle), pods: 'new new new new' })
  let looks = 0
  const metrics = { observe: () => (looks += 1), onPodsDeleted: () => undefined, forget: () => undefined }
  const { rollouts } = world.poller(t, { metrics })
  await world.until(() => world.report !== undefined && looks > 0)
  await sleep(300) // the queue rests
  const before = looks
  const set = kubeSet([], idle)
  world.put({ ...set, status: { ...(set['status'] as object), availableReplicas: 3, readyReplicas: 3 } })
  world.put(kubePod(2, 'new', { annotations: { touched: 'yes' } }))
  const latest = world.pod(2)?.metadata.resourceVersion
  await world.until(() => rollouts.pods.get('shop', 'web-2')?.metadata.resourceVersion === latest)
  await sleep(300)
  t.equal(looks, before)
  world.put(kubePod(2, 'NEW'))
  await world.until(() => looks > before)
  const middle = looks
  await sleep(300)
  world.put(kubeSet([], { ...idle, replicas: 5 }))
  await world.until(() => looks > middle)
})

void t.test('while the status is about an earlier template nothing is said', async (t) => {
  const world = await rolloutsWorld(t, { set: kubeSet([2, 3], { generation: 9, observedGeneration: 8 }) })
  world.poller(t)
  await world.until(() => world.api.watches.size === 3)
  await sleep(50)
  t.strictSame(world.log(), [])
  world.put(kubeSet([2, 3]))
  await world.until(() => world.deletions().length === 2)
})

void t.test('a dry run says what would be done', async (t) => {
  const world = await rolloutsWorld(t)
  world.poller(t, { dryRun: true })
  await world.until(() => world.report !== undefined)
  world.clock.jump(60_000)
  await sleep(50)
  t.strictSame(world.deletions(), [])
  t.equal(world.report?.deleting, undefined)
  t.match(world.condition('Progressing'), 'False DeletionFailed: Dry run: 2, 3 would be deleted')
})

/** Deletions of the Observation. */
function tidied({ requests }: FakeApi): unknown[] {
  return requests
    .filter(({ method, path }) => method === 'DELETE' && path.endsWith('/rollout-web'))
    .map(({ body }) => body)
}

const leftovers: [why: string, set: Parameters<typeof kubeSet>[1] | undefined][] = [
  ['the set is gone', undefined],
  ['the set is another one', { uid: 'uid-other' }],
  ['the set is not enrolled any more', { labels: {} }],
]

void t.test('an Observation that belongs to nobody is deleted, by its uid, once it is 10 s old', async (t) => {
  for (const [why, set] of leftovers) {
    const world = await rolloutsWorld(t)
    if (set === undefined) world.api.remove(setsPath, 'shop', 'web')
    else world.put(kubeSet([2, 3], set))
    world.api.remove(observationsPath, 'shop', 'rollout-web')
    const created = world.clock.now()
    world.put(observationOf(orderOf([2, 3]), { creationTimestamp: world.clock.date().toISOString() }))
    const uid = world.observation?.metadata.uid
    const { rollouts } = world.poller(t)
    await world.until(() => rollouts.sets.health().synced)
    await sleep(50)
    t.strictSame(tidied(world.api), [], `${why}: it may be younger than what the watches know`)
    await world.until(() => world.observation === undefined, 100)
    t.ok(world.clock.now() - created >= 10_000, why)
    t.strictSame(tidied(world.api), [{ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } }], why)
    const own = world.api.requests.map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`)
    const at = own.indexOf('DELETE observations/rollout-web')
    t.equal(own[at - 1], 'GET statefulsets/web', `${why}: read just before`)
    t.strictSame([world.log(), world.deletions()], [[], []], why)
  }
})

void t.test('it stays if the set is there after all, and is asked about every 10 s only', async (t) => {
  const world = await rolloutsWorld(t, { pods: '- - - -' })
  const set = world.api.objects(setsPath)[0]
  world.api.remove(setsPath, 'shop', 'web')
  const { rollouts } = world.poller(t)
  const read = (): number => world.api.requests.filter(({ path }) => path.endsWith('/statefulsets/web')).length
  world.onRequest = ({ path }) => {
    if (path.endsWith('/statefulsets/web')) return { status: 200, body: set }
    return undefined
  }
  await world.until(() => rollouts.sets.health().synced && read() === 1)
  await sleep(600)
  t.equal(read(), 1)
  await world.until(() => read() === 2, 500)
  t.ok(world.clock.now() >= 10_000)
  t.strictSame(tidied(world.api), [])
})

void t.test('an Observation that cannot be deleted is tried again after a pause', async (t) => {
  const world = await rolloutsWorld(t)
  world.api.remove(setsPath, 'shop', 'web')
  world.onRequest = ({ method }) => (method === 'DELETE' ? { status: 403 } : undefined)
  world.poller(t)
  await world.until(() => tidied(world.api).length === 1)
  await sleep(600)
  t.equal(tidied(world.api).length, 1)
  await world.until(() => tidied(world.api).length === 2, 500)
  t.ok(world.clock.now() >= 10_000)
})

void t.test('an Observation that is gone already is no failure', async (t) => {
  const warnings: unknown[] = []
  const silent = (): void => undefined
  const logger = { info: silent, error: silent, warn: (of: unknown) => warnings.push(of) } as unknown as BaseLogger
  const world = await rolloutsWorld(t)
  world.api.remove(setsPath, 'shop', 'web')
  let status = 404
  world.onRequest = ({ method }) => (method === 'DELETE' ? { status } : undefined)
  world.poller(t, { logger })
  await world.until(() => tidied(world.api).length === 1)
  await sleep(100)
  t.strictSame(warnings, [])
  status = 500
  await world.until(() => warnings.length > 0, 500)
})
