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

/**
 * What is asked for: one app again and again, as while its pods roll; or more apps in turn than the service remembers
 * components of, as when Metacontroller goes through all its parents.
 */
const cases = [
  { name: 'small: 1 component', components: 1, apps: 1 },
  { name: 'medium: 20', components: 20, apps: 1 },
  { name: 'medium, 600 apps in turn', components: 20, apps: 600 },
  { name: 'large: 200', components: 200, apps: 1 },
]

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
    for (const { name, components, apps } of cases) {
      const bodies = Array.from({ length: apps }, (_, index) =>
        JSON.stringify(settledRequest(components, `orders-${index}`)),
      )
      const [body = ''] = bodies
      const hook = `${ours.url}/kasprapps/sync`
      const bytes = await answerBytes(hook, body)
      const floor = `${bare.url}/${bytes}`
      // Both compilers and memories are warm in a service that has run for a minute.
      await load(hook, bodies, warmUpSeconds)
      await load(floor, bodies, warmUpSeconds)
      const measured: Round[] = []
      for (let round = 0; round < rounds; round++) {
        measured.push({ ours: await load(hook, bodies, seconds), bare: await load(floor, bodies, seconds) })
      }
      rows[name] = { request: kib(body.length), answer: kib(bytes), ...figures(measured) }
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
