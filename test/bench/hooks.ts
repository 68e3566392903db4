/**
 * The sync hook of a KasprApp against its floor. Our service, as it is deployed, and the bare server take turns under the
 * same load, for apps of three sizes in the state that costs most in the long run: settled.
 */
import { load, quantile, type Load } from './load.ts'
import { startServer } from './server-process.ts'
import { settledRequest } from './settled.ts'

/** How long a bench takes. */
export interface HookBenchOptions {
  /** Turns of each server for each size; figures are medians over them. */
  rounds: number
  /** Length of a turn. */
  seconds: number
}

/** Components of the apps. */
const sizes = { small: 1, medium: 20, large: 200 }

/** What has run for a minute is compiled; a bench must not measure compilers. */
const warmUpSeconds = 6

/** One turn of each server. */
interface Round {
  ours: Load
  bare: Load
}

/** Runs the bench and prints its table. */
export async function benchHooks({ rounds, seconds }: HookBenchOptions): Promise<void> {
  const ours = await startServer('cli/main.js', ['serve'])
  const bare = await startServer('test/bench/bare-server.js')
  const rows: Record<string, Record<string, string>> = {}
  try {
    for (const [size, components] of Object.entries(sizes)) {
      const body = JSON.stringify(settledRequest(components))
      const hook = `${ours.url}/kasprapps/sync`
      const bytes = await answerBytes(hook, body)
      const floor = `${bare.url}/${bytes}`
      await load(hook, body, warmUpSeconds)
      await load(floor, body, warmUpSeconds)
      const measured: Round[] = []
      for (let round = 0; round < rounds; round++) {
        measured.push({ ours: await load(hook, body, seconds), bare: await load(floor, body, seconds) })
      }
      rows[`${size} (${components})`] = { request: kib(body.length), answer: kib(bytes), ...figures(measured) }
    }
  } finally {
    ours.stop()
    bare.stop()
  }
  console.table(rows)
}

async function answerBytes(url: string, body: string): Promise<number> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const answer = await response.text()
  if (!response.ok) throw new Error(`${url}: ${response.status} ${answer}`)
  return answer.length
}

function figures(rounds: readonly Round[]): Record<string, string> {
  const rate = (of: (round: Round) => number): number => quantile(rounds.map(of), 0.5)
  const ms = (server: keyof Round, share: number): string =>
    quantile(
      rounds.flatMap((round) => round[server].latencies),
      share,
    ).toFixed(1)
  return {
    'ours/s': rate(({ ours }) => ours.requestsPerSecond).toFixed(0),
    'bare/s': rate(({ bare }) => bare.requestsPerSecond).toFixed(0),
    ratio: rate(({ ours, bare }) => ours.requestsPerSecond / bare.requestsPerSecond).toFixed(2),
    'ours p50 ms': ms('ours', 0.5),
    'bare p50 ms': ms('bare', 0.5),
    'ours p99 ms': ms('ours', 0.99),
    'bare p99 ms': ms('bare', 0.99),
  }
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KiB`
}
