import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { plugin } from '../../cli/plugin.ts'
import { startFakeApi } from '../fakes/api-server.ts'
import type { FakeApi } from '../fakes/api-server.ts'
import { until } from '../webhooks/until.ts'
import { called } from './called.ts'
import { startNode } from './process.ts'
import { states } from './rollout-world.ts'

const sets = '/apis/apps/v1/statefulsets'
const pods = '/api/v1/pods'

/** An API server with the set shop/web in a state. */
async function served(t: Test, { set, pods: members } = states(2).idle): Promise<FakeApi> {
  const api = await startFakeApi()
  t.teardown(() => api.close())
  api.put(sets, set)
  for (const member of members) api.put(pods, member)
  return api
}

interface ContextLine {
  name: string
  api: FakeApi
  namespace?: string
}

/** Writes a kubeconfig with contexts, of which the first is the current one. */
async function kubeconfig(t: Test, contexts: ContextLine[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'context-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'config')
  const clusters = await Promise.all(
    contexts.map(async ({ name, api }) => {
      const { clusters } = JSON.parse(await readFile(api.kubeconfig, 'utf8')) as { clusters: { cluster: object }[] }
      return { name, cluster: clusters[0]?.cluster }
    }),
  )
  const config = {
    clusters,
    users: [{ name: 'u', user: { token: 'secret-token' } }],
    contexts: contexts.map(({ name, namespace }) => ({ name, context: { cluster: name, user: 'u', namespace } })),
    'current-context': contexts[0]?.name,
  }
  await writeFile(file, JSON.stringify(config))
  return file
}

void t.test('kubectl rollouts: namespace and cluster of the context, unless they are named', async (t) => {
  const [here, there] = [await served(t), await served(t, states(2).scheduled)]
  const file = await kubeconfig(t, [
    { name: 'here', api: here, namespace: 'shop' },
    { name: 'there', api: there, namespace: 'shop' },
    { name: 'plain', api: here },
  ])
  const table: [args: string[], code: number, out: RegExp, err: RegExp][] = [
    [['status', 'web'], 0, /^statefulset "web" successfully rolled out/, /^$/],
    [['status', 'web', '--context', 'there'], 0, /^Waiting for statefulset "web"/, /^$/],
    [['view', '--once', '--sts', 'web'], 0, /StatefulSet: +shop\/web /, /^$/],
    [['pause', '--context', 'there', 'sts/web'], 0, /^statefulset\.apps\/web paused\n$/, /^$/],
    [['status', 'web', '-n', 'default'], 1, /^$/, /^kubectl rollouts: no StatefulSet default\/web\n$/],
    [['status', 'web', '--context=plain'], 1, /^$/, /^kubectl rollouts: no StatefulSet default\/web\n$/],
    [['status', '-n', 'shop', 'web', '--context=plain'], 0, /^statefulset "web" successfully/, /^$/],
    [['start', 'web', '--context', 'prod'], 1, /^$/, /: no context "prod", known are: here, there, plain\n$/],
    [['start', '-n', 'shop', 'web', '--context', 'prod'], 1, /^$/, /: no context "prod", known are: /],
    [['resume', 'web', '--kubeconfig', '/none'], 1, /^$/, /^kubectl rollouts: kubeconfig \/none: no such file\n$/],
  ]
  for (const [args, code, out, err] of table) {
    t.match(await called(args, { KUBECONFIG: file }, '', plugin), { code, out, err }, args.join(' '))
  }
  t.match(there.objects(sets)[0]?.metadata.annotations, { 'config.rollout-operator/paused': 'true' })
  t.notOk(here.requests.some(({ method }) => method !== 'GET'))
})

void t.test('kaspr-metacontroller rollout takes a context, and wants a namespace', async (t) => {
  const [here, there] = [await served(t), await served(t, states(2).scheduled)]
  const file = await kubeconfig(t, [
    { name: 'here', api: here, namespace: 'shop' },
    { name: 'there', api: there, namespace: 'shop' },
  ])
  const run = (...args: string[]): ReturnType<typeof called> =>
    called(['rollout', '--once', '--kubeconfig', file, ...args])
  t.match(await run('-n', 'shop', 'web', '--context', 'there'), { code: 0, out: /Status: +Scheduled/ })
  t.match(await run('--context', 'there', 'web'), { code: 2, out: /^$/, err: /no namespace given: accepted is -n / })
})

void t.test('a command stays with the context it began with', async (t) => {
  const { rolling, idle } = states(2)
  const [here, there] = [await served(t, rolling), await served(t, idle)]
  const contexts: ContextLine[] = [
    { name: 'here', api: here, namespace: 'shop' },
    { name: 'there', api: there, namespace: 'shop' },
  ]
  const file = await kubeconfig(t, contexts)
  const gate = startNode(t, 'cli/kubectl-rollouts.js', ['status', 'web', '--watch', '--kubeconfig', file])
  await until(() => here.watches.size === 2, 20_000)
  await writeFile(file, await readFile(await kubeconfig(t, contexts.toReversed())))
  // A list that is refused makes the client read its credentials again, at most once a second.
  here.fault = ({ watch }) => ({ status: watch ? 410 : 401, body: {} })
  for (const watch of here.watches) watch.cut()
  await until(() => gate.stderr().includes('HTTP 401'), 20_000)
  const refused = (): number => here.requests.filter(({ watch }) => !watch).length
  const before = refused()
  await until(() => refused() > before + 4 || there.requests.length > 0, 20_000)
  here.fault = undefined
  here.put(sets, idle.set)
  for (const member of idle.pods) here.put(pods, member)
  t.equal(await gate.exited, 0)
  t.equal(there.requests.length, 0)
})
