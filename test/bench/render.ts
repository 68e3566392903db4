/** `render` of fleets: time and memory must grow with their size, and no faster. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { packagePath } from '../../webhooks/package-root.ts'
import { benchApp, benchComponents } from './resources.ts'

const componentsPerApp = 3

/** Renders fleets of these sizes, each in a process of its own, and prints a table. */
export async function benchRender(sizes: readonly number[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kaspr-bench-'))
  const rows: Record<string, Record<string, string>> = {}
  try {
    for (const apps of sizes) {
      const file = join(folder, `${apps}.yaml`)
      writeFileSync(file, manifests(apps))
      const { seconds, peakMiB } = await rendered(file)
      rows[`${apps} apps`] = {
        seconds: seconds.toFixed(1),
        'ms per app': ((seconds * 1000) / apps).toFixed(1),
        'peak RSS MiB': peakMiB.toFixed(0),
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  console.table(rows)
}

function manifests(apps: number): string {
  const names = Array.from({ length: apps }, (_, index) => `orders-${index}`)
  return names
    .flatMap((name) => [benchApp(name), ...benchComponents(name, componentsPerApp)])
    .map((object) => stringify(object))
    .join('---\n')
}

async function rendered(file: string): Promise<{ seconds: number; peakMiB: number }> {
  const started = performance.now()
  const child = spawn(process.execPath, [packagePath('dist', 'cli', 'main.js'), 'render', '-f', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let peakMiB = NaN
  const watch = setInterval(() => (peakMiB = highWater(child.pid) ?? peakMiB), 20)
  const [code] = (await once(child, 'exit')) as [number | null]
  clearInterval(watch)
  if (code !== 0) throw new Error(`render ended with code ${code ?? 'unknown'}`)
  return { seconds: (performance.now() - started) / 1000, peakMiB }
}

/** The most memory that a process has had, as Linux tells; `undefined` elsewhere, and when it is gone. */
function highWater(pid: number | undefined): number | undefined {
  try {
    const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1]
    return kib === undefined ? undefined : Number(kib) / 1024
  } catch {
    return undefined
  }
}
