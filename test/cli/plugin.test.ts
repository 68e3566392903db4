import t from 'tap'
import type { Test } from 'tap'
import { duration } from '../../cli/duration.ts'
import { plugin } from '../../cli/plugin.ts'
import { statusArguments } from '../../cli/rollout-status.ts'
import type { Live } from '../../cli/rollout/model.ts'
import { startFakeApi } from '../fakes/api-server.ts'
import type { FakeApi } from '../fakes/api-server.ts'
import { until } from '../webhooks/until.ts'
import { called } from './called.ts'
import { startNode } from './process.ts'
import type { Running } from './process.ts'
import { many, newRevision, states, world } from './rollout-world.ts'

const sets = '/apis/apps/v1/statefulsets'
const pods = '/api/v1/pods'

async function served(t: Test, live: Live): Promise<FakeApi> {
  const api = await startFakeApi()
  t.teardown(() => api.close())
  put(api, live)
  return api
}

function put(api: FakeApi, { set, pods: members }: Live): void {
  for (const member of members) api.put(pods, member)
  api.put(sets, set)
}

const kubectl = (args: string[]): ReturnType<typeof called> => called(args, {}, '', plugin)

void t.test('arguments: help on standard output, errors on the other; exit codes 0, 1, 2', async (t) => {
  const table: [args: string[], code: number, out: RegExp, err: RegExp][] = [
    [['--help'], 0, /^Usage: kubectl rollouts <command>[^]*\n {2}view {4}[^]*\n {2}start {3}/, /^$/],
    [['--version'], 0, /^\d+\.\d+\.\d+\S*\n$/, /^$/],
    [['view', '--help'], 0, /^Usage: kubectl rollouts view \[-n NAMESPACE\] NAME\n/, /^$/],
    [['status', '-h'], 0, /^Usage: kubectl rollouts status \[-n NAMESPACE\] NAME \[--watch/, /^$/],
    [['pause', '--help'], 0, /^Usage: kubectl rollouts pause \[-n [^]*config\.rollout-operator\/paused/, /^$/],
    [['resume', '--help'], 0, /^Usage: kubectl rollouts resume \[-n [^]*\n {6}--context /, /^$/],
    [['start', '--help'], 0, /^Usage: kubectl rollouts start \[-n [^]*config\.rollout-operator\/start-now/, /^$/],
    [[], 2, /^$/, /^kubectl rollouts: no command given\nSee kubectl rollouts --help\.\n$/],
    [['restart'], 2, /^$/, /no command "restart"/],
    [['view'], 2, /^$/, /no StatefulSet given: accepted is \[-n NAMESPACE\] NAME/],
    [['pause', '-n', '', 'web'], 2, /^$/, /no namespace given/],
    [['start', '--context', '', 'web'], 2, /^$/, /--context ""/],
    [['status', '-n', 'shop'], 2, /^$/, /no StatefulSet given/],
    [['status', '-n', 'shop', 'web', '--timeout', '1m'], 2, /^$/, /--timeout is for --watch/],
    [['status', '-n', 'shop', 'web', '-w', '--timeout', '10'], 2, /^$/, /--timeout "10": accepted is a duration/],
    [['pause', '-n', 'shop', 'web', 'api'], 2, /^$/, /more than one StatefulSet given \(web, api\)/],
    [['start', '-n', 'shop', 'web', '--now'], 2, /^$/, /Unknown option '--now'/],
  ]
  for (const [args, code, out, err] of table) t.match(await kubectl(args), { code, out, err }, args.join(' ') || 'none')
  const status = (...args: string[]): unknown =>
    statusArguments(['-n', 'shop', 'sts/web', ...args], { KUBECONFIG: 'k' })
  const cluster = { kubeconfig: undefined, context: undefined, env: { KUBECONFIG: 'k' } }
  t.match(status(), { namespace: 'shop', name: 'web', cluster, watch: false, timeoutMs: undefined })
  t.match(status('-w', '--timeout', '90s'), { watch: true, timeout: '90s', timeoutMs: 90_000 })
  t.match(status('--watch=true', '--timeout=0s'), { watch: true, timeoutMs: undefined })
  t.match(status('--watch=false'), { watch: false })
})

void t.test('durations as kubectl writes them', async (t) => {
  const table: [text: string, ms: number | undefined][] = [
    ['0', 0],
    ['0s', 0],
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    ['10', undefined],
    ['', undefined],
    ['m', undefined],
    ['10 m', undefined],
    ['-1m', undefined],
    ['1d', undefined],
    ['600h', undefined],
  ]
  for (const [text, ms] of table) {
    if (ms === undefined) t.throws(() => duration('--timeout', text), { message: /^--timeout "/ }, text)
    else t.equal(duration('--timeout', text), ms, text)
  }
})

void t.test('status without --watch: one line, read once; 1 only for what will not come to its end', async (t) => {
  const { rolling, idle } = states(4)
  const stalled = world({
    pods: ['old', 'new-unready'],
    annotations: { state: 'rolling', 'target-revision': newRevision, 'stalled-at': '1' },
  })
  const table: [name: string, live: Live, code: number, out: RegExp, err: RegExp][] = [
    ['complete', idle, 0, /^statefulset "web" successfully rolled out: 4 of 4 .*\n$/, /^$/],
    ['under way', rolling, 0, /^Waiting for statefulset "web" rollout to finish: .*waits for web-2, web-3\n$/, /^$/],
    ['stalled', stalled, 1, /^$/, /^kubectl rollouts: statefulset "web" rollout stalled: 1 of 2 .*\n$/],
    ['not ours', world({ strategy: 'RollingUpdate' }), 1, /^$/, /aborted: .* works with OnDelete only\n$/],
  ]
  for (const [name, live, code, out, err] of table) {
    const api = await served(t, live)
    t.match(await kubectl(['status', '-n', 'shop', 'web', '--kubeconfig', api.kubeconfig]), { code, out, err }, name)
    t.notOk(
      api.requests.some(({ watch, method }) => watch || method !== 'GET'),
      'nothing is watched, nothing is written',
    )
  }
  const api = await served(t, idle)
  t.match(await kubectl(['status', '-n', 'shop', 'api', '--kubeconfig', api.kubeconfig]), {
    code: 1,
    err: /^kubectl rollouts: no StatefulSet shop\/api\n$/,
  })
})

/** `status --watch` as a process, once it watches. */
async function waiting(t: Test, api: FakeApi, ...args: string[]): Promise<Running> {
  const all = ['status', '-n', 'shop', 'web', '--watch', '--kubeconfig', api.kubeconfig, ...args]
  const command = startNode(t, 'cli/kubectl-rollouts.js', all)
  await until(() => api.watches.size === 2, 20_000)
  return command
}

void t.test('status --watch: a line for each change, the end when the operator has said so', async (t) => {
  const { scheduled, rolling, idle } = states(4)
  const api = await served(t, scheduled)
  const command = await waiting(t, api, '--timeout', '10m')
  const lines = (): string[] => command.stdout().trimEnd().split('\n')
  await until(() => lines().length === 1)
  put(api, rolling)
  api.remove(pods, 'shop', 'web-3')
  await until(() => lines().some((line) => line.endsWith('waits for web-2, web-3')), 10_000)
  // All pods are there, and nobody has said that this is the end: still no end.
  put(api, { set: api.objects(sets)[0] ?? idle.set, pods: idle.pods })
  await until(() => lines().at(-1)?.includes('4 of 4 pods updated') ?? false, 10_000)
  api.put(sets, idle.set)
  t.equal(await command.exited, 0)
  t.match(lines()[0], /^Waiting for .* 0 of 4 pods updated, 4 available; starts at /)
  t.match(lines().at(-2), /^Waiting for .* 4 of 4 pods updated.*; waits for the next step$/)
  t.match(lines().at(-1), /^statefulset "web" successfully rolled out: 4 of 4/)
  t.equal(new Set(lines()).size, lines().length, 'no line twice')
  t.equal(command.stderr(), '')
})

void t.test('status --watch ends with 1: stalled, strategy, opted out, gone, made anew, time over', async (t) => {
  const { rolling } = states(4)
  const { set } = rolling
  const { metadata } = set
  const annotations = { ...metadata.annotations, 'rollout-operator/stalled-at': '1' }
  const table: [name: string, change: (api: FakeApi) => void, err: RegExp][] = [
    ['stalled', (api) => api.put(sets, { ...set, metadata: { ...metadata, annotations } }), /rollout stalled: /],
    [
      'strategy',
      (api) =>
        api.put(sets, { ...set, spec: { ...(set['spec'] as object), updateStrategy: { type: 'RollingUpdate' } } }),
      /aborted: .*is RollingUpdate/,
    ],
    ['opted out', (api) => api.put(sets, { ...set, metadata: { ...metadata, labels: {} } }), /aborted: not enrolled/],
    ['gone', (api) => api.remove(sets, 'shop', 'web'), /aborted: it is gone/],
    ['anew', (api) => api.put(sets, { ...set, metadata: { ...metadata, uid: 'another' } }), /deleted and made anew/],
  ]
  await Promise.all(
    table.map(async ([name, change, err]) => {
      const api = await served(t, rolling)
      const command = await waiting(t, api)
      change(api)
      t.equal(await command.exited, 1, name)
      t.match(command.stderr(), err, name)
      t.match(command.stderr(), /^kubectl rollouts: statefulset "web" rollout [^\n]*\n$/, `${name}: one line`)
    }),
  )
  const api = await served(t, rolling)
  const late = startNode(t, 'cli/kubectl-rollouts.js', [
    ...['status', '-n', 'shop', 'web', '-w', '--timeout', '500ms', '--kubeconfig', api.kubeconfig],
  ])
  t.equal(await late.exited, 1)
  t.match(late.stderr(), /^kubectl rollouts: timed out after 500ms: Waiting for statefulset "web" [^\n]*\n$/)
})

void t.test('status --watch through a lost connection says so, and goes on', async (t) => {
  const { rolling, idle } = states(4)
  const api = await served(t, rolling)
  const command = await waiting(t, api)
  await until(() => api.watches.size === 2)
  api.fault = () => ({ status: 503, body: 'down' })
  for (const watch of api.watches) watch.cut()
  await until(() => command.stderr().includes('Not up to date (HTTP 503)'), 10_000)
  put(api, idle)
  api.fault = undefined
  t.equal(await command.exited, 0)
  t.equal(command.stderr().split('Not up to date (HTTP 503)').length, 2, 'said once')
})

void t.test('pause, resume and start write one annotation, once', async (t) => {
  const api = await served(t, states(4).scheduled)
  const on = (verb: string): ReturnType<typeof called> =>
    kubectl([verb, '-n', 'shop', 'statefulset/web', '--kubeconfig', api.kubeconfig])
  const writes = (): unknown[] => api.requests.filter(({ method }) => method !== 'GET').map(({ body }) => body)
  const table: [verb: string, code: number, out: string | RegExp, err: RegExp, written: object | undefined][] = [
    ['resume', 0, 'statefulset.apps/web not paused\n', /^$/, undefined],
    ['pause', 0, 'statefulset.apps/web paused\n', /^$/, { 'config.rollout-operator/paused': 'true' }],
    ['pause', 0, 'statefulset.apps/web already paused\n', /^$/, undefined],
    ['start', 1, '', /^kubectl rollouts: statefulset\.apps\/web: the rollout is paused/, undefined],
    ['resume', 0, 'statefulset.apps/web resumed\n', /^$/, { 'config.rollout-operator/paused': null }],
    [
      'start',
      0,
      `statefulset.apps/web starts revision ${newRevision}\n`,
      /^$/,
      { 'config.rollout-operator/start-now': newRevision },
    ],
    ['start', 0, /already starts revision/, /^$/, undefined],
  ]
  for (const [verb, code, out, err, written] of table) {
    const before = writes().length
    t.match(await on(verb), { code, out, err }, verb)
    t.same(writes().slice(before), written === undefined ? [] : [{ metadata: { annotations: written } }], verb)
  }
  const patch = api.requests.find(({ method }) => method === 'PATCH')
  t.match(patch?.headers, { 'content-type': 'application/merge-patch+json' })
  t.equal(patch?.query.get('fieldManager'), 'kubectl-rollouts')
  t.match(api.objects(sets)[0]?.metadata, {
    annotations: { 'config.rollout-operator/delay-seconds': '600' },
    labels: { 'rollout-operator/enabled': 'true' },
  })
  api.fault = ({ method }) =>
    method === 'PATCH' ? { status: 403, body: { kind: 'Status', code: 403, message: 'no' } } : undefined
  t.match(await on('pause'), { code: 1, err: /no access: patch of statefulsets in shop are needed: no\n$/ })
})

void t.test('start waits until Kubernetes has given the template its revision', async (t) => {
  const changed = world({
    pods: many(2, 'old'),
    target: 'web-earlier',
    metadata: { generation: 2 },
    status: { observedGeneration: 1 },
  })
  const api = await served(t, changed)
  const args = ['start', '-n', 'shop', 'web', '--kubeconfig', api.kubeconfig]
  const command = startNode(t, 'cli/kubectl-rollouts.js', args)
  await until(() => api.watches.size === 2, 20_000)
  put(api, world({ pods: many(2, 'old'), metadata: { generation: 2 }, status: { observedGeneration: 2 } }))
  t.equal(await command.exited, 0)
  t.equal(command.stdout(), `statefulset.apps/web starts revision ${newRevision}\n`)
})
