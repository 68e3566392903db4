/**
 * `npm run bench:rollout -- --sets 100 --replicas 32`: rolls all sets at once on a fresh local plane, two pods of each at a
 * time and without delay: first by a bare driver with nothing of ours running, then by hooks, Metacontroller and poller,
 * then by the bare driver again. Prints times, requests and CPU seconds.
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { AuditEntry } from './audit.ts'
import { rollBare } from './bare-rollout.ts'
import { startPlane } from './plane.ts'
import type { Running } from './processes.ts'
import { quiet } from './quiet.ts'
import { counted, isOurs, isWrite } from './requests.ts'
import { Fleet } from './rollout-fleet.ts'
import { type Stack, startStackOn } from './stack.ts'
import { usageOf } from './usage.ts'

const { values } = parseArgs({
  options: { sets: { type: 'string', default: '100' }, replicas: { type: 'string', default: '32' } },
})
const size = {
  sets: positive('--sets', values.sets),
  replicas: positive('--replicas', values.replicas),
  maxUnavailable: 2,
}
const podCount = size.sets * size.replicas

const plane = await startPlane({ name: 'bench', nodes: 4 })
const fleet = new Fleet(plane, 'rollouts', size)
try {
  await measure()
} finally {
  await fleet.stop()
  await plane.stop()
}

async function measure(): Promise<void> {
  print('created and ready', await timed(() => fleet.create()))
  // A plane on which pods are killed that have just been made again would measure anything but a rollout.
  print('two pods of each deleted and back, nobody rolling', await timed(recovery))
  const before = await rolled('bare driver, before', 'web:1', [], () => rollBare(fleet))
  const ours = await withStack(rolledByUs)
  const after = await rolled('bare driver, after', 'web:3', [], () => rollBare(fleet))
  console.log(`ours to the mean of both bare runs: ${((2 * ours) / (before + after)).toFixed(2)}`)
}

async function recovery(): Promise<void> {
  const ordinals = [0, 1].filter((ordinal) => ordinal < size.replicas)
  await Promise.all(
    fleet.names.map(async (name) => {
      const uids = fleet.uids(name)
      await fleet.delete(name, ordinals)
      await fleet.until(
        name,
        () => fleet.isReady(name) && [...fleet.uids(name)].filter((uid) => !uids.has(uid)).length === ordinals.length,
      )
    }),
  )
}

/** Seconds from the change of the template until all pods are of it and ready. CPU seconds count until then, too. */
async function rolled(
  who: string,
  image: string,
  processes: readonly Running[],
  roll: () => Promise<void>,
): Promise<number> {
  const mark = await plane.audit().mark()
  const all = [...plane.components(), ...processes]
  const before = await Promise.all(all.map(usageOf))
  const own = process.cpuUsage()
  const seconds = await timed(async () => {
    await fleet.change(image)
    await roll()
    await updated()
  })
  const after = await Promise.all(all.map(usageOf))
  print(who, seconds)
  const used = all.map(({ name }, index): [string, number] => [
    name,
    (after[index]?.cpuSeconds ?? 0) - (before[index]?.cpuSeconds ?? 0),
  ])
  const { user, system } = process.cpuUsage(own)
  used.push(['this process', (user + system) / 1e6])
  const sum = used.reduce((total, [, cpuSeconds]) => total + cpuSeconds, 0)
  const parts = used.map(([name, cpuSeconds]) => `${name} ${cpuSeconds.toFixed(1)}`)
  console.log(`  CPU ${sum.toFixed(1)} s: ${parts.join(', ')}`)
  const entries = (await plane.audit().since(mark)).filter(({ resource }) => resource !== 'leases')
  console.log(`  requests of all: ${entries.length}, ${perPod(entries)} per pod`)
  const deletions = entries.filter(isDeletion)
  if (deletions.length !== podCount) console.log(`  pods deleted: ${deletions.length}, for ${podCount} pods`)
  return seconds
}

async function updated(): Promise<void> {
  await Promise.all(fleet.names.map((name) => fleet.until(name, () => fleet.isUpdated(name))))
}

/** Each pod once; the kubelet's deletions come after. */
function isDeletion({ verb, resource, user, code }: AuditEntry): boolean {
  return verb === 'delete' && resource === 'pods' && user !== 'kubelet' && code < 400
}

async function withStack(work: (stack: Stack) => Promise<number>): Promise<number> {
  const stack = await startStackOn(plane, { env: { RO_DELAY_SECONDS: '0', LOG_LEVEL: 'warn' } })
  await quiet(plane, 3)
  const result = await work(stack)
  await Promise.all([stack.members.close(), stack.pods.stop(), ...processesOf(stack).map((process) => process.stop())])
  return result
}

async function rolledByUs(stack: Stack): Promise<number> {
  const mark = await plane.audit().mark()
  const who = `hooks, poller, Metacontroller (${stack.metacontroller.kind})`
  const seconds = await rolled(who, 'web:2', processesOf(stack), updated)
  await Promise.all(fleet.names.map((name) => fleet.until(name, () => fleet.state(name) === 'done')))
  await quiet(plane, 3)
  const ours = (await plane.audit().since(mark)).filter(isOurs)
  const writes = ours.filter(isWrite)
  console.log(
    `  requests of ours: ${ours.length}, ${perPod(ours)} per pod; writes: ${writes.length}, ${perPod(writes)} per pod`,
  )
  console.table(counted(ours))
  return seconds
}

function processesOf({ hooks, pollers, metacontroller }: Stack): Running[] {
  return [hooks.running, ...pollers.map(({ running }) => running), metacontroller.running]
}

function perPod({ length }: readonly unknown[]): string {
  return (length / podCount).toFixed(1)
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

function print(what: string, seconds: number): void {
  console.log(`${what.padEnd(60)} ${seconds.toFixed(1).padStart(7)} s   (load ${loadavg()[0]?.toFixed(0)})`)
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  console.error(`${option}: ${text} is not accepted; accepted: a whole number above 0`)
  process.exit(2)
}
