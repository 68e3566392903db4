/**
 * `npm run bench:poller`: what the poller costs with 1,000, 5,000 and 10,000 apps of three members, while nothing changes
 * and while 1 % of the apps do in each interval. `-- --apps 200` runs one size, --interval and --intervals set
 * POLL_INTERVAL_SECONDS and the length of a measurement, --node-option=--cpu-prof profiles the poller;
 * `-- --clients 10000` compares HTTP clients with so many members, `-- --objects 5000` weighs what is kept of so many apps.
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { start } from './poller-fork.ts'
import type { Loop } from './poller-loop.ts'
import type { Members } from './poller-members.ts'
import { objectSizes } from './poller-memory.ts'
import { runLoop, runPoller } from './poller-run.ts'
import type { RunResult, Stretch } from './poller-run.ts'
import { membersPerApp } from './poller-world.ts'

const { values } = parseArgs({
  options: {
    apps: { type: 'string', default: '1000,5000,10000' },
    interval: { type: 'string', default: '30' },
    intervals: { type: 'string', default: '2' },
    clients: { type: 'string' },
    objects: { type: 'string' },
    'node-option': { type: 'string', multiple: true, default: [] },
  },
})
// So that the exit ends the poller too.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
if (values.clients !== undefined) await benchClients(whole(values.clients))
else if (values.objects !== undefined) weighObjects(whole(values.objects))
else await benchPoller(values.apps.split(',').map(whole))

async function benchPoller(sizes: number[]): Promise<void> {
  const intervalSeconds = whole(values.interval)
  const results: RunResult[] = []
  for (const apps of sizes) {
    results.push(
      await runPoller({
        apps,
        intervalSeconds,
        intervals: whole(values.intervals),
        nodeOptions: values['node-option'],
      }),
    )
    console.error(`${apps} apps done; load of the machine: ${loadavg().map(Math.round).join(' ')}`)
  }
  const rows: [title: string, cell: (result: RunResult) => string][] = [
    ['apps', ({ apps }) => String(apps)],
    ['members', ({ apps }) => String(apps * membersPerApp)],
    ['all reported after start, s', ({ startSeconds }) => startSeconds.toFixed(1)],
    ['  CPU of that, s', ({ startCpuSeconds }) => startCpuSeconds.toFixed(1)],
    ['nothing changes', () => ''],
    ...stretchRows(({ unchanged }) => unchanged),
    ['1 % of apps change per interval', () => ''],
    ...stretchRows(({ changing }) => changing),
    ['largest RSS, MB', ({ peakRssMb }) => peakRssMb.toFixed(0)],
    ['bare undici loop, ms CPU a request', ({ bareCpuMs }) => bareCpuMs.toFixed(3)],
    ['poller to bare loop', ({ unchanged, bareCpuMs }) => (cpuMs(unchanged) / bareCpuMs).toFixed(2)],
  ]
  print(rows.map(([title, cell]) => [title, ...results.map(cell)]))

  function stretchRows(of: (result: RunResult) => Stretch): typeof rows {
    const row = (title: string, cell: (stretch: Stretch) => string): (typeof rows)[number] => [
      `  ${title}`,
      (result) => cell(of(result)),
    ]
    return [
      row('every member asked within, s', ({ allAfterSeconds }) => allAfterSeconds?.toFixed(1) ?? 'not all'),
      row('between two polls, median, s', ({ medianGapSeconds }) => medianGapSeconds.toFixed(1)),
      row('between two polls, longest, s', ({ longestGapSeconds }) => longestGapSeconds.toFixed(1)),
      row('poll lag, mean, ms', ({ lagSeconds }) => (lagSeconds * 1000).toFixed(1)),
      row('requests/s', ({ requests, seconds }) => (requests / seconds).toFixed(0)),
      row('CPU per interval, s', (s) => ((s.cpuSeconds / s.seconds) * intervalSeconds).toFixed(2)),
      row('CPU, % of a core', (s) => ((100 * s.cpuSeconds) / s.seconds).toFixed(1)),
      row('CPU per request, ms', (s) => cpuMs(s).toFixed(3)),
      row('RSS, MB', ({ rssMb }) => rssMb.toFixed(0)),
      row('report writes/min', (s) => perMinute(s, 'observations')),
      row('Events/min', (s) => perMinute(s, 'events')),
    ]
  }
}

/** The same requests by other means: four rounds, so that kept connections pay. */
async function benchClients(count: number): Promise<void> {
  const members = start<Members>('poller-members.js')
  const loop = start<Loop>('poller-loop.js')
  const names = await loop.call('names')
  await loop.stop()
  const port = await members.call('play', Math.ceil(count / membersPerApp))
  const rows: string[][] = []
  for (const name of names) {
    const rounds = await runLoop(name, count, port, 4)
    const [first, last] = [rounds[0], rounds.at(-1)]
    if (first === undefined || last === undefined) continue
    const numbers = [first.cpuMs.toFixed(3), last.cpuMs.toFixed(3), last.rssMb.toFixed(0), String(last.sockets)]
    rows.push([name, ...numbers])
  }
  await members.stop()
  print([['client', 'first, ms CPU', 'fourth, ms CPU', 'RSS, MB', 'descriptors'], ...rows])
}

function weighObjects(apps: number): void {
  const rows = objectSizes(apps).map((size) => [size.kind, size.jsonBytes.toFixed(0), size.heapBytes.toFixed(0)])
  print([['bytes of one of the', 'JSON', 'in memory'], ...rows])
}

function cpuMs({ cpuSeconds, requests }: Stretch): number {
  return (cpuSeconds * 1000) / requests
}

function perMinute({ writes, seconds }: Stretch, resource: string): string {
  return (((writes[resource] ?? 0) / seconds) * 60).toFixed(1)
}

function print(rows: string[][]): void {
  for (const [title = '', ...cells] of rows) {
    console.log(title.padEnd(36) + cells.map((cell) => cell.padStart(15)).join(''))
  }
}

function whole(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  console.error(`${text} is not accepted; accepted: a whole number above 0`)
  process.exit(2)
}
