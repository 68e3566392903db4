import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { RolloutState } from '../../webhooks/rollout/record.ts'
import type { MetricsDetail } from '../../webhooks/sensors/series.ts'
import { readyBatches } from './batch-course.ts'
import type { Moment } from './moment.ts'
import { countPods } from './pod-classes.ts'
import { standingOf, type Step, story } from './story.ts'

const prefix = 'rollout_operator_'

const states: readonly RolloutState[] = ['none', 'planned', 'rolling', 'done']

/** What counts as the end of a rollout; one that had nothing to do was none. */
const results: Partial<Record<Step['kind'], string>> = {
  completed: 'completed',
  aborted: 'aborted',
  interrupted: 'interrupted',
}

interface SetLabels extends Record<string, string> {
  namespace: string
  statefulset: string
}

/**
 * Metrics of the rollouts that this replica looks after. With METRICS_DETAIL `namespace` the sets of a
 * namespace share their series: what is counted and measured adds up, and so do the gauges.
 */
export class RolloutMetrics {
  readonly #detail: MetricsDetail
  readonly #registers: Registry[]
  /** The last look at each set, by namespace and name: what gauges show is counted when they are scraped. */
  readonly #sets = new Map<string, Moment>()
  readonly #rollouts: Counter
  readonly #deleted: Counter
  readonly #batchSeconds: Histogram

  constructor(registry: Registry, detail: MetricsDetail = 'full') {
    this.#detail = detail
    this.#registers = [registry]
    this.#rollouts = this.#counter('rollouts_total', 'Rollouts that came to an end or gave way to another.', ['result'])
    this.#deleted = this.#counter('pods_deleted_total', 'Pods that were deleted or evicted for rollouts.')
    this.#batchSeconds = new Histogram({
      name: `${prefix}batch_duration_seconds`,
      help: 'Time from the record of a batch until all its pods are available.',
      labelNames: ['namespace', 'statefulset'],
      buckets: [5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600],
      registers: this.#registers,
    })
    this.#gauge('state', 'State of the rollout: 1 for the present one.', ['state'], (moment, set) => {
      for (const state of states) set({ state }, moment.record.state === state ? 1 : 0)
    })
    this.#gauge('pods', 'Pods by revision and readiness.', ['class'], (moment, set) => {
      for (const [name, count] of Object.entries(countPods(moment))) set({ class: name }, count)
    })
    this.#gauge('stalled', '1 while the rollout does not get on.', [], ({ record }, set) =>
      set({}, record.state === 'rolling' && record.stalledAt !== undefined ? 1 : 0),
    )
  }

  /**
   * Takes in a look at a set.
   *
   * @param previous the look before; absent for the first of this process, which counts nothing
   */
  observe(previous: Moment | undefined, now: Moment): void {
    const labels = this.#labels(now.namespace, now.set.name)
    const key = keyOf(now.namespace, now.set.name)
    // Counters begin at 0 and not with their first event: from one value alone no increase can be told.
    if (!this.#sets.has(key)) this.#countFromZero(labels)
    this.#sets.set(key, now)
    if (previous?.set.uid !== now.set.uid) return
    for (const { kind } of story(standingOf(previous), now)) {
      const result = results[kind]
      if (result !== undefined) this.#rollouts.inc({ ...labels, result })
    }
    for (const { seconds } of readyBatches(previous, now)) this.#batchSeconds.observe(labels, seconds)
  }

  /** So many pods of the set were deleted for its rollout. */
  onPodsDeleted(namespace: string, name: string, count: number): void {
    this.#deleted.inc(this.#labels(namespace, name), count)
  }

  /** The set is gone, or another replica's: its series go, but for those that it shares. */
  forget(namespace: string, name: string): void {
    if (!this.#sets.delete(keyOf(namespace, name)) || this.#detail === 'namespace') return
    const labels = this.#labels(namespace, name)
    for (const result of Object.values(results)) this.#rollouts.remove({ ...labels, result })
    this.#deleted.remove(labels)
    this.#batchSeconds.remove(labels)
  }

  #countFromZero(labels: SetLabels): void {
    for (const result of Object.values(results)) this.#rollouts.inc({ ...labels, result }, 0)
    this.#deleted.inc(labels, 0)
  }

  #labels(namespace: string, name: string): SetLabels {
    return { namespace, statefulset: this.#detail === 'namespace' ? '*' : name }
  }

  #counter(name: string, help: string, labels: string[] = []): Counter {
    const labelNames = ['namespace', 'statefulset', ...labels]
    return new Counter({ name: prefix + name, help, labelNames, registers: this.#registers })
  }

  #gauge(
    name: string,
    help: string,
    labels: string[],
    fill: (moment: Moment, add: (labels: Record<string, string>, value: number) => void) => void,
  ): void {
    const collect = (gauge: Gauge): void => {
      gauge.reset()
      for (const moment of this.#sets.values()) {
        const shared = this.#labels(moment.namespace, moment.set.name)
        fill(moment, (own, value) => gauge.inc({ ...shared, ...own }, value))
      }
    }
    new Gauge({
      name: prefix + name,
      help,
      labelNames: ['namespace', 'statefulset', ...labels],
      registers: this.#registers,
      collect() {
        collect(this)
      },
    })
  }
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}
