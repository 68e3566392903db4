import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'
import { readSettings, withEnvFile } from '../webhooks/environment.ts'
import type { Environment } from '../webhooks/environment.ts'
import { createLogger } from '../webhooks/logging.ts'
import { serveOperations } from './operations.ts'
import { assemble } from './parts.ts'
import type { Parts } from './parts.ts'
import { pollerSettings } from './settings.ts'
import type { PollerSettings } from './settings.ts'

/** A watch whose loop makes no step for so long (failed attempts are steps) hangs for good. */
const hangingMs = 300_000

export interface RunningPoller {
  /** Port of metrics and health. */
  readonly port: number
  /** Comes to an orderly end within SHUTDOWN_SECONDS: work under way, Lease, Events, connections. */
  stop(): Promise<void>
}

/**
 * Runs the poller until SIGTERM or SIGINT, then ends in order with code 0. An error that nobody caught ends it the same
 * way with code 1, for the container to be restarted.
 *
 * @returns when its port is open
 * @throws SettingsError for wrong settings or a port in use
 */
export async function poll(env: Environment): Promise<void> {
  const settings = readSettings(pollerSettings, withEnvFile(env))
  const logger = createLogger(settings.LOG_LEVEL)
  const poller = await runPoller(settings, { logger })
  closeWithGrace({ delay: settings.SHUTDOWN_SECONDS * 1000 + 1000, logger }, async ({ signal, err }) => {
    if (err === undefined) logger.info({ signal }, 'shutting down')
    else logger.fatal({ err }, 'shutting down after an error that nobody caught')
    await poller.stop()
  })
}

/**
 * Starts a poller. It fills its caches and joins the other replicas in the background; `/readyz` tells how far it is.
 *
 * @param kubeconfig path of a kubeconfig; default as `createClient` says
 * @throws SettingsError for a port in use
 */
export async function runPoller(
  settings: PollerSettings,
  { logger, kubeconfig }: { logger: Logger; kubeconfig?: string },
): Promise<RunningPoller> {
  const member = memberName(settings.POD_NAME ?? hostname())
  const parts = assemble({ settings, logger, member, ...(kubeconfig !== undefined && { kubeconfig }) })
  let stopped: Promise<void> | undefined
  const operations = await serveOperations({
    port: settings.METRICS_PORT,
    registry: parts.metrics.registry,
    unhealthy: () => unhealthy(parts),
    unready: () => (stopped === undefined ? unready(parts) : 'stopping'),
  })
  logger.info({ port: operations.port, member }, 'poller started')
  start(parts)
  const stop = async (): Promise<void> => {
    await end(parts, settings.SHUTDOWN_SECONDS * 1000)
    await operations.close()
  }
  return { port: operations.port, stop: () => (stopped ??= stop()) }
}

function start({ facts, watches, shards }: Parts): void {
  for (const [, watch] of facts) watch.start()
  // No shard is taken before what reports are made of is known: an empty cache would look like an app without members.
  Promise.all(facts.map(([, watch]) => watch.synced)).then(
    () => {
      for (const [, watch] of watches) watch.start()
      shards.start()
    },
    () => undefined, // stopped before
  )
}

async function end(parts: Parts, limitMs: number): Promise<void> {
  const { controller, shards, events, watches, lazyWatches } = parts
  const deadline = performance.now() + limitMs
  const remaining = (): number => Math.max(0, deadline - performance.now())
  // What runs gets half of the time, so that the rest is left for handing over; only then is the Lease given up.
  await controller.queue.stop(Math.max(0, remaining() / 2 - 1000))
  await within(remaining() / 2, shards.stop())
  await within(remaining() / 2, events.flush())
  await within(remaining(), Promise.all([...watches, ...lazyWatches].map(([, watch]) => watch.stop())))
  await parts.close()
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([work, expired]).finally(() => clearTimeout(timer))
}

function unready({ watches }: Parts): string | undefined {
  const missing = watches.filter(([, watch]) => !watch.health().synced).map(([resource]) => resource)
  return missing.length === 0 ? undefined : `not yet listed: ${missing.join(', ')}`
}

function unhealthy({ watches, lazyWatches, controller }: Parts): string | undefined {
  const hanging = [...watches, ...lazyWatches].find(([, watch]) => watch.health().idleMs > hangingMs)
  return hanging === undefined ? controller.queue.stuck() : `the watch of ${hanging[0]} hangs`
}

/** A name that no replica had before, for its Lease: a restarted process is a new member. */
function memberName(podName: string): string {
  const name = podName.toLowerCase().replace(/[^a-z0-9.-]/g, '-')
  return `${name.slice(0, 200)}-${randomBytes(3).toString('hex')}`
}
