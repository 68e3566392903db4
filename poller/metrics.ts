import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RequestReport } from './kube/client.ts'
import type { InformerHealth } from './kube/informer.ts'
import type { QueueStats } from './queue.ts'

/** What is asked when metrics are scraped. */
export interface MetricSources {
  queue: () => QueueStats
  shards: () => number
  /** By plural name of the resource. */
  watches: () => [resource: string, health: InformerHealth][]
  /** Members in the reports of this replica's Observations. */
  members: () => { reachable: number; unreachable: number }
}

/** Metrics of the poller. Labels never name objects, so their number is bounded. */
export class PollerMetrics {
  readonly registry = new Registry()
  readonly #registers = [this.registry]
  readonly #requests = this.#counter('api_requests_total', 'Requests to the API server. code 0: no answer came.', [
    'verb',
    'resource',
    'code',
  ])
  readonly #polls = this.#counter('polls_total', 'Members asked for their status.', ['result'])
  readonly #pollSeconds = this.#histogram('poll_duration_seconds', 'Time a member took to answer, or not to.')
  readonly #lag = this.#histogram(
    'poll_lag_seconds',
    'Time between two looks at the members of an app: the age of what is known when they are asked again.',
    [],
    [1, 5, 10, 20, 30, 40, 45, 60, 90, 120, 300],
  )
  readonly #waits = this.#histogram(
    'poller_queue_wait_seconds',
    'Time an Observation that was due waited for a worker.',
  )
  readonly #looks = this.#histogram('poller_reconcile_duration_seconds', 'Time of one look at an Observation.', [
    'result',
  ])
  readonly #writes = this.#counter('report_writes_total', 'Writes of Observation status.', ['result'])
  readonly #events = this.#counter('poller_events_total', 'Kubernetes Events.', ['result'])

  constructor(sources: MetricSources) {
    // The default precision of 10 ms would wake an idle process a hundred times a second.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 100 })
    this.#queueGauges(sources.queue)
    this.#watchGauges(sources.watches)
    this.#watchCounters(sources.watches)
    this.#gauge('poller_shards', 'Shards, of 64, that this replica acts on.', [], (gauge) =>
      gauge.set(sources.shards()),
    )
    this.#gauge('members', 'Members in the reports of this replica.', ['state'], (gauge) => {
      for (const [state, count] of Object.entries(sources.members())) gauge.set({ state }, count)
    })
  }

  onRequest({ method, path, code }: RequestReport): void {
    const { verb, resource } = describeRequest(method, path)
    this.#requests.inc({ verb, resource, code })
  }

  onPoll(result: string, seconds: number): void {
    this.#polls.inc({ result })
    this.#pollSeconds.observe(seconds)
  }

  onLag(seconds: number): void {
    this.#lag.observe(seconds)
  }

  onWait(seconds: number): void {
    this.#waits.observe(seconds)
  }

  onLook(seconds: number, succeeded: boolean): void {
    this.#looks.observe({ result: succeeded ? 'success' : 'failure' }, seconds)
  }

  onWrite(result: string): void {
    this.#writes.inc({ result })
  }

  onEvent(result: string): void {
    this.#events.inc({ result })
  }

  #queueGauges(stats: () => QueueStats): void {
    this.#gauge('poller_queue_depth', 'Observations that are due and wait for a worker.', [], (gauge) =>
      gauge.set(stats().depth),
    )
    this.#gauge('poller_queue_oldest_seconds', 'Longest such wait at this moment.', [], (gauge) =>
      gauge.set(stats().oldestMs / 1000),
    )
    this.#gauge('poller_queue_running', 'Observations that are being looked at.', [], (gauge) =>
      gauge.set(stats().running),
    )
  }

  #watchGauges(watches: MetricSources['watches']): void {
    const each = (name: string, help: string, value: (health: InformerHealth) => number): void =>
      this.#gauge(name, help, ['resource'], (gauge) => {
        for (const [resource, health] of watches()) gauge.set({ resource }, value(health))
      })
    each(
      'poller_watch_silent_seconds',
      'Time since the API server last sent anything.',
      (health) => health.silentMs / 1000,
    )
    each('poller_watch_objects', 'Objects in memory.', (health) => health.objects)
  }

  #watchCounters(watches: MetricSources['watches']): void {
    const each = (name: string, help: string, value: (health: InformerHealth) => number): void => {
      const collect = function (this: Counter<'resource'>): void {
        this.reset()
        for (const [resource, health] of watches()) this.inc({ resource }, value(health))
      }
      const labelNames = ['resource'] as const
      new Counter({ name: `kasprop_${name}`, help, labelNames, registers: this.#registers, collect })
    }
    each('poller_watch_restarts_total', 'Watches begun again.', (health) => health.restarts)
    each('poller_watch_relists_total', 'Lists after the first.', (health) => health.relists)
    each(
      'poller_watch_missed_total',
      'Changes that a list found and no watch had told.',
      (health) => health.differences,
    )
    each('poller_watch_unparsable_total', 'Watch lines that could not be understood.', (health) => health.unparsable)
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name: `kasprop_${name}`, help, labelNames, registers: this.#registers })
  }

  #histogram<L extends string = never>(
    name: string,
    help: string,
    labelNames: L[] = [],
    buckets = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
  ): Histogram<L> {
    return new Histogram({ name: `kasprop_${name}`, help, labelNames, buckets, registers: this.#registers })
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[], fill: (gauge: Gauge<L>) => void): void {
    const collect = function (this: Gauge<L>): void {
      this.reset()
      fill(this)
    }
    new Gauge({ name: `kasprop_${name}`, help, labelNames, registers: this.#registers, collect })
  }
}

/** Verb and resource (with subresource) of a request, as audit logs name them. */
export function describeRequest(method: RequestReport['method'], path: string): { verb: string; resource: string } {
  const match = /^(?:\/api|\/apis\/[^/]+)\/[^/]+(?:\/namespaces\/[^/]+)?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
    path,
  )
  const [, plural = 'other', name, subresource] = match ?? []
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`
  switch (method) {
    case 'GET':
      return { verb: name === undefined ? 'list' : 'get', resource }
    case 'POST':
      return { verb: 'create', resource }
    case 'PUT':
      return { verb: 'update', resource }
    default:
      return { verb: method.toLowerCase(), resource }
  }
}
