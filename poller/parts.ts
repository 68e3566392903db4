import type { Logger } from 'pino'
import { createSensors } from '../webhooks/sensors/prometheus.ts'
import type { AppEvent } from '../webhooks/sensors/sensor.ts'
import { systemClock } from './clock.ts'
import { Controller } from './controller.ts'
import { Attempts } from './kaspr/attempts.ts'
import { KeptClaims } from './kaspr/claims.ts'
import { HungMembers } from './kaspr/hung-members.ts'
import { KasprApps } from './kaspr/index.ts'
import { packages } from './kaspr/packages.ts'
import type { AppPart, KasprAppSpec } from './kaspr/part.ts'
import { ReportSensing } from './kaspr/report-sensing.ts'
import { MemberPoller } from './kaspr/poll.ts'
import { Rebalances } from './kaspr/rebalance-part.ts'
import { warnings } from './kaspr/warnings.ts'
import { StorageGrowth } from './kaspr/storage.ts'
import { createClient } from './kube/client.ts'
import { EventRecorder } from './kube/events.ts'
import type { Informer } from './kube/informer.ts'
import { Leases } from './kube/leases.ts'
import { PollerMetrics } from './metrics.ts'
import { QueueSensing } from './queue-sensing.ts'
import { Rollouts, setsAtOnce } from './rollout/index.ts'
import { RolloutMetrics } from './rollout/metrics.ts'
import { milestoneLog } from './rollout/milestone-log.ts'
import type { PollerSettings } from './settings.ts'
import { Shards } from './shards.ts'

export interface PartsOptions {
  settings: PollerSettings
  logger: Logger
  /** Name of this replica, never used before. */
  member: string
  kubeconfig?: string
}

/** What a poller is made of, wired and not yet started. */
export interface Parts {
  metrics: PollerMetrics
  controller: Controller
  shards: Shards
  events: EventRecorder
  /** Watches that reports are made from; they come first. */
  facts: [resource: string, watch: Watch][]
  /** Watches that run from the start. */
  watches: [resource: string, watch: Watch][]
  /** Watches that run once they are needed. */
  lazyWatches: [resource: string, watch: Watch][]
  /** Ends all connections. */
  close(): Promise<void>
}

type Watch = Pick<Informer, 'start' | 'stop' | 'synced' | 'health'>

/** Makes the parts of a poller and connects them. Nothing runs yet. */
export function assemble({ settings, logger, member, kubeconfig }: PartsOptions): Parts {
  const clock = systemClock
  const metrics: PollerMetrics = new PollerMetrics({
    queue: () => controller.queue.stats(),
    shards: () => shards.owned().length,
    watches: () => [...watches, ...rollouts.watches()].map(([resource, watch]) => [resource, watch.health()]),
    members: () => kasprApps.countMembers(controller.observations.list()),
  })
  const sensor = createSensors({
    registry: metrics.registry,
    process: 'poll',
    detail: settings.METRICS_DETAIL,
    logger,
    ticks: () => clock.now(),
  })
  const queueSensing = new QueueSensing({
    sensor,
    clock,
    appOf: (key) => appOf(controller, key),
    onLag: metrics.onLag.bind(metrics),
  })
  const access = {
    logger,
    onRequest: metrics.onRequest.bind(metrics),
    ...(kubeconfig !== undefined && { kubeconfig }),
  }
  // Two for each StatefulSet that is rolled at a time: a check must not grow old while the deletion waits for its turn.
  const client = createClient({ ...access, connections: 2 * setsAtOnce })
  // The Lease must not wait behind a burst of other requests.
  const leaseClient = createClient({ ...access, connections: 2 })

  const events = new EventRecorder({ client, clock, logger, instance: member, onEvent: metrics.onEvent.bind(metrics) })
  const memberPoller = new MemberPoller({
    connectTimeoutMs: settings.MEMBER_CONNECT_TIMEOUT_SECONDS * 1000,
    timeoutMs: settings.MEMBER_TIMEOUT_SECONDS * 1000,
    concurrency: settings.POLL_CONCURRENCY,
    concurrencyPerApp: settings.POLL_CONCURRENCY_PER_APP,
    onPoll: ({ result }, seconds) => metrics.onPoll(result, seconds),
  })
  const hungMembers = new HungMembers({
    client,
    clock,
    sensor,
    fleet: () => kasprApps.countMembers(controller.observations.list()),
    intervalMs: settings.POLL_INTERVAL_SECONDS * 1000,
    max: settings.HUNG_TERMINATIONS_MAX,
    perMinute: settings.HUNG_TERMINATIONS_PER_MINUTE,
    graceSeconds: settings.HUNG_GRACE_SECONDS,
    timeoutMs: settings.HUNG_TIMEOUT_SECONDS * 1000,
    dryRun: settings.POLLER_DRY_RUN,
  })
  const rebalances = new Rebalances({
    client,
    clock,
    sensor,
    connectTimeoutMs: settings.MEMBER_CONNECT_TIMEOUT_SECONDS * 1000,
    timeoutMs: settings.MEMBER_TIMEOUT_SECONDS * 1000,
    confirmMs: settings.REBALANCE_CONFIRM_SECONDS * 1000,
    minIntervalMs: settings.REBALANCE_MIN_INTERVAL_SECONDS * 1000,
    backoffMs: settings.REBALANCE_BACKOFF_SECONDS * 1000,
    dryRun: settings.POLLER_DRY_RUN,
  })
  const parts: AppPart[] = [
    hungMembers,
    packages,
    new KeptClaims(client, new Attempts(clock), settings.POLLER_DRY_RUN),
    new StorageGrowth(client, new Attempts(clock), settings.POLLER_DRY_RUN),
    rebalances,
    warnings,
    new ReportSensing(sensor),
  ]
  const kasprApps: KasprApps = new KasprApps({
    client,
    clock,
    logger,
    poller: memberPoller,
    parts,
    wake: (index, key) => controller.wake(index, key),
    intervalMs: settings.POLL_INTERVAL_SECONDS * 1000,
    fastIntervalMs: settings.POLL_FAST_INTERVAL_SECONDS * 1000,
    roundTimeoutMs: settings.CLIENT_STATUS_CHECK_TIMEOUT_SECONDS * 1000,
  })
  const rollouts: Rollouts = new Rollouts({
    client,
    clock,
    logger,
    settings,
    wake: (index, key) => controller.wake(index, key),
    mayAct: (shard) => shards.mayAct(shard),
    intervalMs: settings.RO_POLL_SECONDS * 1000,
    timeoutMs: settings.HUNG_TIMEOUT_SECONDS * 1000,
    dryRun: settings.POLLER_DRY_RUN,
    log: milestoneLog({ level: settings.LOG_LEVEL, json: settings.RO_JSON_LOGS }),
    countdownSeconds: settings.RO_COUNTDOWN_LOG_INTERVAL,
    metrics: new RolloutMetrics(metrics.registry, settings.METRICS_DETAIL),
  })
  const leases = new Leases(leaseClient, settings.POD_NAMESPACE, logger)
  const shards: Shards = new Shards({
    store: leases,
    clock,
    logger,
    member,
    durationMs: settings.LEASE_DURATION_SECONDS * 1000,
    onChange: (owned) => controller.select(owned),
  })
  const controller: Controller = new Controller({
    client,
    clock,
    logger,
    reporters: [kasprApps, rollouts],
    mayAct: (shard) => shards.mayAct(shard),
    record: (event) => events.record(event),
    onWrite: metrics.onWrite.bind(metrics),
    queue: {
      // Pods come and go in bursts. Each report wakes the app's hook, so the steps of a second or two are told together.
      minIntervalMs: Math.min(2000, settings.POLL_FAST_INTERVAL_SECONDS * 1000),
      // A run mostly waits for members, and each of them counts against POLL_CONCURRENCY.
      workers: settings.POLL_CONCURRENCY,
      logger,
      onDue: queueSensing.due.bind(queueSensing),
      onWait: (seconds, key) => {
        metrics.onWait(seconds)
        queueSensing.begun(key, seconds)
      },
      onRun: (seconds, succeeded, key, error) => {
        metrics.onLook(seconds, succeeded)
        queueSensing.ended(key, error)
      },
      onForget: queueSensing.forget.bind(queueSensing),
    },
  })
  const facts: Parts['facts'] = [
    ['pods', kasprApps.pods],
    ['statefulsets', kasprApps.sets],
    ['persistentvolumeclaims', kasprApps.claims],
  ]
  const watches: Parts['watches'] = [
    ...facts,
    ['observations', controller.observations],
    ['leases', leases.watch((lease, deleted) => shards.observe(lease, deleted))],
  ]
  const close = async (): Promise<void> => {
    await Promise.all([client.close(), leaseClient.close()])
  }
  return { metrics, controller, shards, events, facts, watches, lazyWatches: rollouts.watches(), close }
}

/** The app of a key of the queue, if it is one. */
function appOf(controller: Controller, key: string): AppEvent | undefined {
  const [namespace = '', name = ''] = key.split('/')
  const spec = controller.observations.get(namespace, name)?.spec['kasprApp'] as KasprAppSpec | undefined
  return spec === undefined ? undefined : { app: spec.app.name, namespace }
}
