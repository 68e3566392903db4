import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from './poller-api.ts'
import { start } from './poller-fork.ts'
import type { Forked } from './poller-fork.ts'
import type { Loop, Round } from './poller-loop.ts'
import type { Counts, Members } from './poller-members.ts'
import { startPoller } from './poller-process.ts'
import type { PollerProcess } from './poller-process.ts'
import { membersPerApp } from './poller-world.ts'

export interface RunOptions {
  apps: number
  /** POLL_INTERVAL_SECONDS of the poller; its fast interval is a third. */
  intervalSeconds: number
  /** Length of each of the two measurements, in intervals. */
  intervals: number
  /** For the poller's Node.js, for example `--cpu-prof`. */
  nodeOptions?: string[]
}

/** What the poller did in a stretch of time. */
export interface Stretch extends Counts {
  cpuSeconds: number
  /** At its end. */
  rssMb: number
  /** Time that an app that was due waited for a worker, on average. */
  lagSeconds: number
  /** To the API server, by resource; no Leases. */
  writes: Record<string, number>
}

export interface RunResult {
  apps: number
  /** From its start until every app was reported with all of its members. */
  startSeconds: number
  startCpuSeconds: number
  unchanged: Stretch
  /** While 1 % of the apps begin a rebalance in each interval. */
  changing: Stretch
  peakRssMb: number
  /** CPU per request of a loop of undici that asks the same members, on a connection for each request, and does nothing else. */
  bareCpuMs: number
}

/** Longest time for the first reports. */
const startLimitMs = 600_000

/** Runs a poller as in production; the API server, the members and the bare loop are processes of their own. */
export async function runPoller({
  apps,
  intervalSeconds,
  intervals,
  nodeOptions = [],
}: RunOptions): Promise<RunResult> {
  const api = start<Api>('poller-api.js')
  const members = start<Members>('poller-members.js')
  let poller: PollerProcess | undefined
  try {
    const port = await members.call('play', apps)
    const kubeconfig = await api.call('hold', apps, port)
    const bare = await runLoop('undici, no keep-alive', Math.min(apps * membersPerApp, 5000), port, 3)
    const startedAt = performance.now()
    poller = await startPoller(kubeconfig, intervalSeconds, nodeOptions)
    while ((await api.call('reported')) < apps) {
      if (performance.now() - startedAt > startLimitMs) throw new Error('the first reports take too long')
      await sleep(200)
    }
    const startSeconds = (performance.now() - startedAt) / 1000
    const startCpuSeconds = (await poller.metrics()).cpuSeconds
    // Members are asked again soon after they were first seen; then all is calm.
    await sleep(intervalSeconds * 1000)
    const seconds = intervals * intervalSeconds
    return {
      apps,
      startSeconds,
      startCpuSeconds,
      unchanged: await stretch({ poller, api, members }, seconds, 0),
      changing: await stretch({ poller, api, members }, seconds, apps / 100 / intervalSeconds),
      peakRssMb: await poller.peakRssMb(),
      bareCpuMs: bare.at(-1)?.cpuMs ?? NaN,
    }
  } finally {
    try {
      await poller?.stop()
    } finally {
      await api.call('close')
      await Promise.all([api.stop(), members.stop()])
    }
  }
}

/** Asks so many members with one of the clients of poller-loop.ts, once in each round. */
export async function runLoop(client: string, members: number, port: number, rounds: number): Promise<Round[]> {
  const loop = start<Loop>('poller-loop.js')
  try {
    return await loop.call('run', client, members, port, rounds)
  } finally {
    await loop.stop()
  }
}

async function stretch(
  { poller, api, members }: { poller: PollerProcess; api: Forked<Api>; members: Forked<Members> },
  seconds: number,
  changesPerSecond: number,
): Promise<Stretch> {
  await Promise.all([members.call('begin'), api.call('writes')])
  const before = await poller.metrics()
  const begunAt = performance.now()
  for (let changed = 0, second = 1; second <= seconds; second++) {
    await sleep(Math.max(0, begunAt + second * 1000 - performance.now()))
    const due = Math.floor(second * changesPerSecond) - changed
    await members.call('change', due)
    changed += due
  }
  const after = await poller.metrics()
  return {
    ...(await members.call('counts')),
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    rssMb: after.rssMb,
    lagSeconds: (after.waitSeconds - before.waitSeconds) / (after.waits - before.waits),
    writes: await api.call('writes'),
  }
}
