/** `kubectl rollouts` as users call it: kubectl finds the plugin on the PATH and runs it against a real control plane. */
import { copyFile, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import t from 'tap'
import type { KubectlResult } from './plane.ts'
import { PlayedRollouts, webSet } from './played-rollouts.ts'
import { installPlugin } from './plugin.ts'
import { startStack } from './stack.ts'
import { until } from './until.ts'

t.setTimeout(900_000)

const stack = await startStack({ name: 'rollouts-plugin', pollers: 0, env: { RO_DELAY_SECONDS: '600' } })
const { plane } = stack
const rollouts = await PlayedRollouts.begin(stack)

await installPlugin(plane)

const kubectl = (args: string[], kubeconfig?: string): Promise<KubectlResult> =>
  plane.kubectl(args, { allowFailure: true, ...(kubeconfig !== undefined && { kubeconfig }) })
const call = (verb: string, ...args: string[]): Promise<KubectlResult> =>
  kubectl(['rollouts', verb, '-n', 'default', 'statefulset/web', ...args])

void t.test('a rollout from its plan to its end, with what kubectl says and when it exits', async (t) => {
  const state = (wanted: string): Promise<boolean> =>
    until(`state ${wanted}`, async () => (await rollouts.record('state')) === wanted, { limitMs: 60_000 })

  t.match(await kubectl(['plugin', 'list']), { code: 0, stdout: /kubectl-rollouts\n/ })
  t.match(await kubectl(['-n', 'default', 'rollout', 'status', 'sts/web']), { code: 1 }, 'why there is another one')
  t.match(await call('status'), { code: 0, stdout: /^statefulset "web" successfully rolled out: 4 of 4 pods updated/ })
  t.match(await call('start'), { code: 1, stdout: '', stderr: /web: no rollout is pending/ })

  await rollouts.apply(webSet('web:2'))
  const gate = call('status', '--watch', '--timeout', '5m')
  t.match(await call('status'), { code: 0, stdout: /^Waiting for statefulset "web" / }, 'at once, whoever has seen it')
  await state('planned')
  t.match(await call('status'), { code: 0, stdout: /: 0 of 4 pods updated, 4 available; planned at \d{4}-/ })
  t.match(await call('pause'), { code: 0, stdout: 'statefulset.apps/web paused\n' })
  t.match(await call('pause'), { code: 0, stdout: 'statefulset.apps/web already paused\n' })
  t.match(await call('status'), { code: 0, stdout: /; paused\n$/ })
  t.match(await call('start'), { code: 1, stderr: /the rollout is paused: resume it first/ })
  t.match(await call('resume'), { code: 0, stdout: 'statefulset.apps/web resumed\n' })
  t.match(await call('resume'), { code: 0, stdout: 'statefulset.apps/web not paused\n' })
  t.match(await call('start'), { code: 0, stdout: /^statefulset\.apps\/web starts revision web-\w+\n$/ })
  await state('rolling')
  t.match(await call('start'), { code: 0, stdout: 'statefulset.apps/web already rolling\n' })
  t.match(await call('view', '--once'), { code: 0, stdout: /Status: +Rolling [^]*upper_range \(1\/2\)/ })
  const managers = (await rollouts.get('statefulset/web', '--show-managed-fields'))?.metadata as object
  t.match(JSON.stringify(managers), /"manager":"kubectl-rollouts"/)

  t.strictSame(await rollouts.finish(), [
    [2, 3],
    [0, 1],
  ])
  const { code, stdout, stderr } = await gate
  t.equal(code, 0)
  t.equal(stderr, '')
  const lines = stdout.trimEnd().split('\n')
  t.match(lines.at(-1), /^statefulset "web" successfully rolled out: 4 of 4 pods updated, 4 available, revision web-/)
  t.equal(lines.filter((line) => line.startsWith('statefulset "web" successfully')).length, 1)
  for (const part of ['; paused', '; batch 1/1 of upper_range (1/2)', '; batch 1/1 of lower_range (2/2)']) {
    t.ok(stdout.includes(part), part)
  }
})

void t.test('a rollout that comes to nothing: 1, with the reason on standard error', async (t) => {
  const soon = { 'config.rollout-operator/delay-seconds': '0', 'config.rollout-operator/ready-timeout-seconds': '2' }
  await rollouts.apply(webSet('web:3', soon))
  const stalled = await call('status', '--watch', '--timeout', '2m')
  t.match(stalled, { code: 1, stderr: /^kubectl rollouts: statefulset "web" rollout stalled: 0 of 4 pods updated/ })
  t.match(await call('status'), { code: 1, stdout: '', stderr: /rollout stalled: / })

  // A stall of the revision before is none of the next one.
  await rollouts.apply(webSet('web:4', { ...soon, 'config.rollout-operator/ready-timeout-seconds': '0' }))
  const late = await call('status', '--watch', '--timeout', '3s')
  t.match(late, { code: 1, stderr: /^kubectl rollouts: timed out after 3s: Waiting for statefulset "web" / })
  t.notMatch(late.stdout, 'stalled')

  const whileWaiting = async (change: string[], reason: RegExp): Promise<void> => {
    const args = ['rollouts', 'status', '-n', 'default', 'web', '--watch']
    const gate = plane.spawn(`gate-${change[0] ?? ''}`, plane.binary('kubectl'), args, {
      KUBECONFIG: plane.adminKubeconfig,
    })
    const log = (): Promise<string> => readFile(gate.logFile, 'utf8')
    await until('the gate to wait', async () => (await log()).includes('Waiting for'), { limitMs: 60_000 })
    await plane.kubectl(['-n', 'default', ...change])
    t.match(await gate.exited, { code: 1 })
    t.match(await log(), reason)
  }
  await whileWaiting(
    ['label', '--overwrite', 'statefulset/web', 'rollout-operator/enabled=false'],
    /rollout aborted: not enrolled: /,
  )
  await rollouts.apply(webSet('web:4', soon))
  await whileWaiting(['delete', 'statefulset/web', '--cascade=orphan'], /rollout aborted: it is (gone|being deleted)\n/)
  t.match(await call('status'), { code: 1, stderr: /^kubectl rollouts: no StatefulSet default\/web\n/ })
})

void t.test('without -n and --context: the set that kubectl itself would take', async (t) => {
  const shop = join(plane.dir, 'shop.kubeconfig')
  await copyFile(plane.adminKubeconfig, shop)
  const inShop = ['config', 'set-context', 'in-shop', '--cluster=plane', '--user=user', '--namespace=shop']
  await plane.kubectl(inShop, { kubeconfig: shop })
  await plane.kubectl(['config', 'use-context', 'in-shop'], { kubeconfig: shop })
  await plane.kubectl(['create', 'namespace', 'shop'])
  const web = webSet('web:1')
  await rollouts.apply({ ...web, metadata: { ...web.metadata, namespace: 'shop' } })

  t.match(await kubectl(['rollouts', 'pause', 'web'], shop), { code: 0, stdout: 'statefulset.apps/web paused\n' })
  const paused = ['get', 'statefulset/web', '-o', 'jsonpath={.metadata.annotations.config\\.rollout-operator/paused}']
  t.equal((await kubectl(['-n', 'shop', ...paused])).stdout, 'true')
  t.equal((await kubectl(['-n', 'default', ...paused])).stdout, '')
  t.match(await kubectl(['rollouts', 'resume', 'web', '--context', 'in-shop'], shop), { stdout: /web resumed\n$/ })
  t.match(await kubectl(['rollouts', 'resume', 'web', '--context', 'prod'], shop), {
    code: 1,
    stderr: /^kubectl rollouts: kubeconfig \S+: no context "prod", known are: in-shop, plane\n$/,
  })

  const missing = join(plane.dir, 'missing.kubeconfig')
  for (const files of [
    [plane.adminKubeconfig],
    [shop],
    [missing, shop, plane.adminKubeconfig],
    [plane.adminKubeconfig, shop],
  ]) {
    const kubeconfig = files.join(delimiter)
    const { stdout } = await kubectl(['config', 'view', '--minify', '-o', 'jsonpath={..namespace}'], kubeconfig)
    const stderr = `kubectl rollouts: no StatefulSet ${stdout}/none\n`
    t.match(await kubectl(['rollouts', 'status', 'none'], kubeconfig), { code: 1, stderr })
  }
})

void t.test('who may only look can look, and nothing else', async (t) => {
  await plane.kubectl(['-n', 'default', 'create', 'serviceaccount', 'pipeline'])
  const rights = ['--verb=get,list,watch', '--resource=statefulsets.apps,pods']
  await plane.kubectl(['-n', 'default', 'create', 'role', 'pipeline', ...rights])
  const binding = ['create', 'rolebinding', 'pipeline', '--role=pipeline', '--serviceaccount=default:pipeline']
  await plane.kubectl(['-n', 'default', ...binding])
  await rollouts.apply(webSet('web:5'))
  const kubeconfig = await plane.serviceAccountKubeconfig('default', 'pipeline')
  const looking = await kubectl(['rollouts', 'status', '-n', 'default', 'web'], kubeconfig)
  t.match(looking, { code: 0, stdout: /^Waiting for/ })
  const pausing = await kubectl(['rollouts', 'pause', '-n', 'default', 'web'], kubeconfig)
  t.match(pausing, { code: 1, stderr: /no access: patch of statefulsets in default are needed: .*pipeline/ })
})

t.teardown(() => stack.stop({ failed: !t.passing() }))
t.end()
