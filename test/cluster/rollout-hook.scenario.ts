/** The hook of rollouts on a real control plane, with the poller's part played by hand. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { startStack, syncCalls } from './stack.ts'
import { until } from './until.ts'

t.setTimeout(900_000)

const stack = await startStack({ name: 'rollout-hook', pollers: 0, env: { RO_DELAY_SECONDS: '1' } })
const { plane } = stack

interface Controller extends KubeObject {
  spec: { hooks: { sync: { webhook: { url?: string } } } }
}

async function get<T = KubeObject>(...args: string[]): Promise<T | undefined> {
  const { code, stdout } = await plane.kubectl(['-n', 'default', 'get', ...args, '-o', 'json'], { allowFailure: true })
  return code === 0 ? (JSON.parse(stdout) as T) : undefined
}

const apply = (object: unknown): Promise<unknown> =>
  plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })

/** All that the operator has written on a set. */
function recorded(set: KubeObject | undefined): [string, string][] {
  return Object.entries(set?.metadata.annotations ?? {}).filter(([key]) => key.startsWith('rollout-operator/'))
}

async function record(key: string): Promise<string | undefined> {
  return (await get('statefulset/web'))?.metadata.annotations?.[`rollout-operator/${key}`]
}

/** The facts, as a poller would report them. */
async function report(): Promise<void> {
  const set = await get('statefulset/web')
  const list = await get<{ items: KubeObject[] }>('pods', '-l', 'app=web')
  const pods = (list?.items ?? []).map(({ metadata, status }) => {
    const conditions = (status as { conditions?: { type: string; status: string; lastTransitionTime: string }[] })
      .conditions
    const ready = conditions?.find(({ type }) => type === 'Ready')
    return {
      uid: metadata.uid,
      ordinal: Number(metadata.labels?.['apps.kubernetes.io/pod-index']),
      revision: metadata.labels?.['controller-revision-hash'],
      ...(ready?.status === 'True' ? { readySince: ready.lastTransitionTime } : { reason: 'Pending' }),
      ...(metadata.deletionTimestamp === undefined ? {} : { terminating: true }),
    }
  })
  const status = { rollout: { setUid: set?.metadata.uid, pods } }
  const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]
  await plane.kubectl(['-n', 'default', 'patch', 'observation/rollout-web', ...patch])
}

function template(image: string): KubeObject {
  const labels = { app: 'web' }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web', namespace: 'default', labels: { 'rollout-operator/enabled': 'true' } },
    spec: {
      replicas: 4,
      serviceName: 'web',
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } },
    },
  }
}

void t.test('a rollout goes through its states, and then nothing is written any more', async (t) => {
  const controller = parse(readFileSync(packagePath('metacontroller', 'rollouts.yaml'), 'utf8')) as Controller
  controller.spec.hooks.sync.webhook.url = `${stack.hooks.url}/rollouts/sync`
  await apply(controller)
  await apply(template('web:1'))
  await until('the Observation', async () => (await get('observation/rollout-web')) !== undefined, { limitMs: 60_000 })
  const allReady = async (): Promise<boolean> =>
    (await get('statefulset/web', '--ignore-not-found'))?.['status'] !== undefined &&
    ((await get('statefulset/web'))?.['status'] as { readyReplicas?: number }).readyReplicas === 4
  await until('pods', allReady, { limitMs: 60_000 })
  await report()
  await apply(template('web:2'))
  await until('a rollout', async () => (await record('state')) === 'rolling', { limitMs: 60_000 })

  const deleted: number[][] = []
  const next = async (): Promise<boolean> => {
    await report()
    if ((await record('state')) === 'done') return true
    const observation = await get('observation/rollout-web')
    const batch =
      (observation?.['spec'] as { rollout: { batch?: { ordinals: number[] } } }).rollout.batch?.ordinals ?? []
    if (batch.length === 0 || JSON.stringify(batch) === JSON.stringify(deleted.at(-1))) return false
    deleted.push(batch)
    await plane.kubectl(['-n', 'default', 'delete', 'pod', '--wait=false', ...batch.map((ordinal) => `web-${ordinal}`)])
    return false
  }
  await until('the end', next, { limitMs: 120_000 })
  t.strictSame(deleted, [
    [2, 3],
    [0, 1],
  ])
  const isWithoutBatch = async (): Promise<boolean> =>
    !JSON.stringify((await get('observation/rollout-web'))?.['spec']).includes('batch')
  await until('an Observation without batch', isWithoutBatch, { limitMs: 60_000 })
  const observation = await get('observation/rollout-web')
  const calls = await syncCalls(stack, 'StatefulSet')
  await plane.kubectl(['-n', 'default', 'annotate', 'statefulset/web', 'example.com/poke=1'])
  const poked = await get('statefulset/web')
  const isCalled = async (): Promise<boolean> => (await syncCalls(stack, 'StatefulSet')) > calls
  await until('a sync', isCalled, { limitMs: 60_000 })
  await plane.kubectl(['-n', 'default', 'annotate', 'statefulset/web', 'example.com/poke-'])
  await until('another', async () => (await syncCalls(stack, 'StatefulSet')) > calls + 1, { limitMs: 60_000 })
  t.equal((await get('observation/rollout-web'))?.metadata.resourceVersion, observation?.metadata.resourceVersion)
  const rest = await get('statefulset/web')
  t.strictSame(recorded(rest), recorded(poked), 'not even the time of the last change')
  const changes = Object.entries(rest?.metadata.annotations ?? {}).filter(([key]) => key.startsWith('example.com'))
  t.strictSame(changes, [], 'nobody writes back what was removed')

  await plane.kubectl(['-n', 'default', 'label', '--overwrite', 'statefulset/web', 'rollout-operator/enabled=false'])
  await until('the Observation to go', async () => (await get('observation/rollout-web')) === undefined, {
    limitMs: 60_000,
  })
  t.equal(await record('state'), 'none', 'an opted out set says so')
  t.equal((await get('statefulset/web'))?.metadata.finalizers, undefined, 'and was never held up')
})

t.teardown(() => stack.stop({ failed: !t.passing() }))
t.end()
