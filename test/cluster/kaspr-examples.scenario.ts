/**
 * The files of examples/kaspr, applied as a user applies them, all into one namespace: they converge, pods start once, and
 * afterwards nothing is written any more, not even when Metacontroller starts anew and asks for everything again.
 */
import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { kasprHooks } from '../../webhooks/kaspr/index.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { type AppObject, KasprWorld } from './kaspr-world.ts'
import { ourWrites, quiet } from './quiet.ts'
import { type Stack, startStack, syncCalls } from './stack.ts'
import { storageClass } from './storage.ts'
import { until } from './until.ts'

t.setTimeout(900_000)

const folder = packagePath('examples', 'kaspr')
const files = readdirSync(folder).sort()

/** What the scenario reads of a document. */
interface App extends KubeObject {
  spec: {
    replicas?: number
    storage?: { class?: string }
    pythonPackages?: { cache?: { storageClass?: string } }
  }
}

const objects = files.flatMap((file) =>
  parseAllDocuments(readFileSync(`${folder}/${file}`, 'utf8')).map((document) => document.toJS() as App),
)
const apps = objects.filter(({ kind }) => kind === 'KasprApp')
const components = objects.filter(({ kind }) => kind !== 'KasprApp')

let stack: Stack
t.before(async () => {
  const env = { POLL_INTERVAL_SECONDS: '1', POLL_FAST_INTERVAL_SECONDS: '0.5' }
  stack = await startStack({ name: 'kaspr-examples', nodes: 2, env, members: { timeFactor: 0.01 } })
})
t.after(() => stack.stop({ failed: !t.passing() }))

void t.test('all examples converge, start their pods once, and are a fixed point', async (t) => {
  const { plane } = stack
  const world = await KasprWorld.open(stack, 'shop')
  await createStorageClasses()
  for (const file of files) await plane.kubectl(['apply', '-f', `${folder}/${file}`])
  t.same(await paused(world), ['reviews'])
  await world.waitFor('reviews', 'Paused')
  t.notOk(await world.get('sts', 'reviews-app'), 'of an app that is created paused there is nothing')
  await world.kubectl('annotate', 'kapp', 'reviews', 'kaspr.io/pause-reconciliation-')

  for (const { metadata, spec } of apps) await scaleAsAutoscaler(world, metadata.name, spec.replicas ?? 1)
  const wait = (condition: string, ...what: string[]): Promise<string> =>
    world.kubectl('wait', `--for=condition=${condition}`, ...what, '--all', '--timeout=120s')
  for (const { kind } of kasprHooks) await wait('Ready', kind)
  for (const { kind } of kasprHooks) await wait('Valid', kind)
  await wait('Progressing=False', 'kapp')
  const installing = apps.filter(({ spec }) => spec.pythonPackages !== undefined)
  for (const { metadata } of installing) await world.waitFor(metadata.name, 'PythonPackagesReady')

  for (const { metadata, spec } of apps) {
    const { status } = (await world.get<AppObject>('kapp', metadata.name)) ?? {}
    const replicas = spec.replicas ?? 1
    t.equal(status?.availableMembers, `${replicas}/${replicas}`, metadata.name)
    // Whoever applies components and app at once may be faster than a watch: then the app rolls once more.
    if (components.some(({ metadata: { labels } }) => labels?.['kaspr.io/app'] === metadata.name)) continue
    t.equal(await world.revisions(metadata.name), 1, `pods of ${metadata.name} start once`)
  }
  const linked = JSON.parse(await world.kubectl('get', 'kapp', '-o', 'json')) as { items: AppObject[] }
  t.equal(linked.items.flatMap(linkedNames).length, components.length, 'all components are mounted')

  await quiet(plane, 5)
  const mark = await plane.audit().mark()
  const before = await syncCalls(stack)
  await stack.metacontroller.stop()
  await stack.restartMetacontroller()
  await until('all objects to be synced again', async () => (await syncCalls(stack)) >= before + objects.length, {
    limitMs: 60_000,
  })
  await quiet(plane, 5)
  // What Metacontroller says of its own start is in another namespace.
  const writes = (await ourWrites(plane, mark)).filter(({ namespace }) => namespace === world.namespace)
  t.same(writes, [], 'asked again, the hooks want what is there')
})

/** The storage classes that the examples name, as a cluster has them; the plane has `standard`. */
async function createStorageClasses(): Promise<void> {
  const names = apps.flatMap(({ spec }) => [spec.storage?.class, spec.pythonPackages?.cache?.storageClass])
  const missing = new Set(names.filter((name) => name !== undefined && name !== storageClass.metadata.name))
  for (const name of missing) {
    const body = { ...storageClass, metadata: { name } }
    await stack.plane.client.request({ method: 'POST', path: '/apis/storage.k8s.io/v1/storageclasses', body })
  }
}

async function paused(world: KasprWorld): Promise<string[]> {
  const { items } = JSON.parse(await world.kubectl('get', 'kapp', '-o', 'json')) as { items: KubeObject[] }
  return items
    .filter(({ metadata }) => metadata.annotations?.['kaspr.io/pause-reconciliation'] === 'true')
    .map(({ metadata }) => metadata.name)
}

/** There is no metrics API here: the set gets the members that its autoscaler would add. */
async function scaleAsAutoscaler(world: KasprWorld, app: string, replicas: number): Promise<void> {
  await until(`the StatefulSet of ${app}`, () => world.get('sts', `${app}-app`))
  if (replicas > 1) await world.kubectl('scale', `sts/${app}-app`, `--replicas=${replicas}`)
}

function linkedNames({ status }: AppObject): unknown[] {
  const { linkedResources = {} } = status as { linkedResources?: Record<string, unknown[]> }
  return Object.values(linkedResources).flat()
}

// With processes still running, the end has to be said; it stops them.
t.end()
