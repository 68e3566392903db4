/**
 * `npm run bench:cluster -- --apps 50`: creates apps with two agents each on a fresh local plane and prints how long it
 * takes until every StatefulSet mounts both, what it costs the API server, and what our processes use. Then it watches a
 * while what is written when nothing happens.
 */
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { Informer } from '../../poller/kube/informer.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { Running } from './processes.ts'
import { counted, isOurs, isWrite } from './requests.ts'
import { startStack } from './stack.ts'
import type { Stack } from './stack.ts'
import { until } from './until.ts'
import { usageOf } from './usage.ts'

const { values } = parseArgs({
  options: { apps: { type: 'string', default: '50' }, idle: { type: 'string', default: '60' } },
})
const apps = positive('--apps', values.apps)
const idleSeconds = positive('--idle', values.idle)

const stack = await startStack({ name: 'bench', nodes: 4, members: { timeFactor: 0.01 } })
try {
  await measure(stack)
} finally {
  await stack.stop()
}

async function measure(stack: Stack): Promise<void> {
  const { plane, hooks, pollers, metacontroller } = stack
  const sets = new Informer({ client: plane.client, path: '/apis/apps/v1/statefulsets' })
  sets.start()
  await sets.synced
  const mark = await plane.audit().mark()
  const started = performance.now()
  const items = Array.from({ length: apps }, (_, index) => objectsOfApp(`app-${index}`)).flat()
  await plane.kubectl(['create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
  const created = performance.now()
  await until('all StatefulSets to mount both agents', () => sets.list().filter(mountsBoth).length === apps, {
    limitMs: 600_000,
  })
  const mounted = performance.now()
  await plane.kubectl(['wait', '--for=condition=Ready', 'kasprapps', '--all', '--timeout=600s'])
  await until('all reports', async () => (await reported(stack)) === apps, { limitMs: 120_000, everyMs: 500 })
  const ready = performance.now()
  await quiet(stack)
  const ours = (await plane.audit().since(mark)).filter(isOurs)
  await sets.stop()

  const seconds = (from: number, to: number): string => ((to - from) / 1000).toFixed(1)
  console.log(
    `Metacontroller: ${metacontroller.kind}; ${apps} apps with 2 agents each, 1 replica wanted, members polled`,
  )
  console.log(`created by kubectl in            ${seconds(started, created)} s`)
  console.log(`all sets mount both agents after ${seconds(started, mounted)} s`)
  console.log(`all apps Ready and reported after ${seconds(started, ready)} s`)
  console.log(`requests of ours                 ${ours.length}, ${(ours.length / apps).toFixed(1)} per app`)
  console.table(counted(ours))
  console.table(
    Object.fromEntries(
      await Promise.all([hooks.running, ...pollers.map(({ running }) => running), metacontroller.running].map(row)),
    ),
  )

  const idleMark = await plane.audit().mark()
  await sleep(idleSeconds * 1000)
  const idle = (await plane.audit().since(idleMark)).filter(isOurs)
  const writes = idle.filter(isWrite)
  console.log(
    `idle for ${idleSeconds} s: ${idle.length} requests of ours, ${writes.length} of them writes (Leases apart)`,
  )
  if (idle.length > 0) console.table(counted(idle))
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  console.error(`${option}: ${text} is not accepted; accepted: a whole number above 0`)
  process.exit(2)
}

function objectsOfApp(name: string): KubeObject[] {
  const agent = (suffix: string): KubeObject => ({
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprAgent',
    metadata: { name: `${name}-${suffix}`, namespace: 'default', labels: { 'kaspr.io/app': name } },
    spec: {
      input: { topic: { name: `${name}-${suffix}` } },
      processors: {
        pipeline: ['f'],
        operations: [{ name: 'f', map: { python: 'def f(value):\n    return value\n' } }],
      },
    },
  })
  const app: KubeObject = {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas: 1,
      bootstrapServers: 'kafka:9092',
      authentication: { type: 'plain' },
      storage: { type: 'persistent-claim', class: 'standard', size: '1Gi' },
    },
  }
  return [app, agent('one'), agent('two')]
}

function mountsBoth(set: KubeObject): boolean {
  return JSON.stringify(set).includes('one-agent.yaml') && JSON.stringify(set).includes('two-agent.yaml')
}

/** Apps whose status shows a member that answers. */
async function reported({ plane }: Stack): Promise<number> {
  const { items } = await plane.client.request<{ items: { status?: { members?: { reachable: boolean }[] } }[] }>({
    path: '/apis/kaspr.io/v1alpha1/kasprapps',
  })
  return items.filter(({ status }) => status?.members?.some(({ reachable }) => reachable)).length
}

/** Waits for the first five seconds without a write of ours. */
async function quiet({ plane }: Stack): Promise<void> {
  for (;;) {
    const mark = await plane.audit().mark()
    await sleep(5000)
    if (!(await plane.audit().since(mark)).some((entry) => isOurs(entry) && isWrite(entry))) return
  }
}

async function row(process: Running): Promise<[string, Record<string, string>]> {
  const { cpuSeconds, peakMiB } = await usageOf(process)
  return [process.name, { 'CPU s': cpuSeconds.toFixed(1), 'peak RSS MiB': peakMiB.toFixed(0) }]
}
