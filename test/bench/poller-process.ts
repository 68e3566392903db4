import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { packagePath } from '../../webhooks/package-root.ts'

/** A poller in a process of its own, as its image starts it. */
export interface PollerProcess {
  metrics(): Promise<PollerMetrics>
  /** The most memory it ever had. */
  peakRssMb(): Promise<number>
  /** Ends it in order; throws if it ended by itself before. */
  stop(): Promise<void>
}

/** What it says of itself; seconds since its start. */
export interface PollerMetrics {
  cpuSeconds: number
  rssMb: number
  /** Observations that waited for a worker, and how long altogether. */
  waits: number
  waitSeconds: number
}

/**
 * Heap that Node.js takes in a container with a memory limit of 768 MiB, as in deploy/kustomize/base. On a large machine without a limit it would let
 * garbage pile up to gigabytes, which says nothing of what the poller needs.
 */
const heapMb = 396

/** Starts the poller and waits for its port. Options of Node.js (`--cpu-prof`, …) win over ours. */
export async function startPoller(
  kubeconfig: string,
  intervalSeconds: number,
  nodeOptions: readonly string[],
): Promise<PollerProcess> {
  const options = [`--max-old-space-size=${heapMb}`, '--enable-source-maps', ...nodeOptions]
  const child = spawn(process.execPath, [...options, packagePath('dist', 'cli', 'main.js'), 'poll'], {
    env: {
      KUBECONFIG: kubeconfig,
      METRICS_PORT: '0',
      POD_NAME: 'bench',
      LOG_LEVEL: 'info',
      POLL_INTERVAL_SECONDS: String(intervalSeconds),
      POLL_FAST_INTERVAL_SECONDS: (intervalSeconds / 3).toFixed(3),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.removeListener('exit', kill))
  let log = ''
  const port = await new Promise<string>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', () => reject(new Error(`the poller has ended: ${log}`)))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-10_000)
      const found = /"port":(\d+)/.exec(log)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  return {
    async metrics() {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
      const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN)
      return {
        cpuSeconds: value('process_cpu_seconds_total'),
        rssMb: value('process_resident_memory_bytes') / 1e6,
        waits: value('kasprop_poller_queue_wait_seconds_count'),
        waitSeconds: value('kasprop_poller_queue_wait_seconds_sum'),
      }
    },
    async peakRssMb() {
      const status = await readFile(`/proc/${child.pid ?? 0}/status`, 'utf8')
      return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6
    },
    async stop() {
      if (child.exitCode !== null) throw new Error(`the poller has ended by itself: ${log}`)
      child.kill('SIGTERM')
      await ended
    },
  }
}
