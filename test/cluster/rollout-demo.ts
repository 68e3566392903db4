/**
 * `npm run demo:rollout`: an OnDelete StatefulSet of 32 pods on a control plane of its own is given another template, and its
 * rollout is watched to the end: on a terminal in the live view of `kaspr-metacontroller rollout`, else line by line.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { packagePath } from '../../webhooks/package-root.ts'
import { Fleet } from './rollout-fleet.ts'
import { startStack } from './stack.ts'

const namespace = 'demo'
/** Four at a time, so that nobody has to wait long. */
const size = { sets: 1, replicas: 32, maxUnavailable: 4 }
const name = 'web-0'
/** Long enough to see the countdown. */
const delaySeconds = 3
/** Long enough to see how it ends. */
const lookMs = 1500

console.log('Starting a control plane with hooks, poller and Metacontroller …')
const stack = await startStack({ name: 'demo', nodes: 2, env: { RO_DELAY_SECONDS: String(delaySeconds) } })
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => void end(130))
let code = 1
try {
  code = await show()
} catch (error) {
  console.error(error)
}
await end(code)

/** Leaves nothing running. */
async function end(code: number): Promise<void> {
  await stack.stop({ failed: false })
  process.exit(code)
}

async function show(): Promise<number> {
  const fleet = new Fleet(stack.plane, namespace, size)
  console.log(`Waiting for ${size.replicas} pods …`)
  await fleet.create()
  await fleet.change('web:1')
  console.log('The template has changed.')
  const started = performance.now()
  const live = view()
  const closed = once(live, 'exit').then(() => false)
  const isDone = await Promise.race([fleet.until(name, () => fleet.state(name) === 'done').then(() => true), closed])
  await fleet.stop()
  // Whoever closes the view has seen enough.
  if (!isDone) return 0
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  await sleep(lookMs)
  live.kill('SIGTERM')
  await closed
  await once(view('--once'), 'exit')
  console.log(`All ${size.replicas} pods were replaced in ${seconds} s, ${delaySeconds} s of delay included.`)
  return 0
}

/** The command that users call, in a process of its own: it takes the terminal over and gives it back. */
function view(...options: string[]): ChildProcess {
  const args = ['rollout', '-n', namespace, name, '--kubeconfig', stack.plane.adminKubeconfig, ...options]
  const program = packagePath('dist', 'cli', 'main.js')
  return spawn(process.execPath, [program, ...args, '--delay-seconds', String(delaySeconds)], { stdio: 'inherit' })
}
