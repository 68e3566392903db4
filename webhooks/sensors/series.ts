import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { definitions, type MetricDefinition, type MetricName } from './definitions.ts'
import type { Streamed } from './exposition.ts'
import { type Labels, type RowMetric, Rows } from './rows.ts'

/** How much of METRICS_DETAIL shows: everything; no members and resources; namespaces only. */
export type MetricsDetail = 'full' | 'app' | 'namespace'

/** Labels that read `*` at a level of detail. They stay, so that queries go on working. */
const collapsed: Readonly<Record<MetricsDetail, readonly string[]>> = {
  full: [],
  app: ['member_id', 'resource_name'],
  namespace: ['member_id', 'resource_name', 'app_name', 'component_name'],
}

/** Labels that name an object, of which there may be very many. */
const objectLabels = ['namespace', 'app_name', 'component_name', 'resource_name', 'resource_type', 'member_id']

/**
 * Series of the metrics of one process. They go with their app: otherwise every app, member and resource there has ever
 * been would stay in memory and in every scrape. At the detail `namespace` they stay: there are as many as namespaces.
 */
export class Series {
  readonly #metrics = new Map<string, RowMetric & Pick<MetricDefinition, 'type'>>()
  readonly #collapsed: readonly string[]
  readonly #rows = new Rows()

  constructor(registry: Registry, process: 'serve' | 'poll', detail: MetricsDetail) {
    this.#collapsed = collapsed[detail]
    for (const [name, definition] of Object.entries<MetricDefinition>(definitions)) {
      if (!definition.in.includes(process)) continue
      const { type, help, labels, buckets } = definition
      const metric = {
        name: `kasprop_${name}`,
        type,
        objectLabels: labels.filter((label) => objectLabels.includes(label)),
        otherLabels: labels.filter((label) => !objectLabels.includes(label)),
        buckets,
      }
      this.#metrics.set(name, metric)
      register(registry, metric, { help, labels }, this.#rows)
    }
  }

  /** Number of series that there are. */
  get size(): number {
    return this.#rows.size
  }

  /** Adds to a counter. */
  add(name: MetricName, labels: Labels, by = 1): void {
    const { numbers, at } = this.#rows.cells(this.#metric(name, 'counter'), this.#shown(labels))
    numbers[at] = (numbers[at] ?? 0) + by
  }

  /** Sets a gauge. */
  set(name: MetricName, labels: Labels, value: number): void {
    const { numbers, at } = this.#rows.cells(this.#metric(name, 'gauge'), this.#shown(labels))
    numbers[at] = value
  }

  /** Adds a duration to a histogram and, if one is named, 1 to a counter with the same labels. */
  observe(name: MetricName, labels: Labels, seconds: number, counted?: MetricName): void {
    const metric = this.#metric(name, 'histogram')
    const { buckets = [] } = metric
    const { numbers, at } = this.#rows.cells(metric, this.#shown(labels))
    const bucket = buckets.findIndex((bound) => seconds <= bound)
    if (bucket >= 0) numbers[at + bucket] = (numbers[at + bucket] ?? 0) + 1
    const sum = at + buckets.length
    numbers[sum] = (numbers[sum] ?? 0) + seconds
    numbers[sum + 1] = (numbers[sum + 1] ?? 0) + 1
    if (counted !== undefined) this.add(counted, labels)
  }

  /** Removes the series of an app: all, or those with this one label value. */
  remove(namespace: string, app: string, only?: { label: string; value: string }): void {
    this.#rows.remove(namespace, app, only)
  }

  #shown(given: Labels): Labels {
    if (this.#collapsed.length === 0) return given
    const labels = { ...given }
    for (const label of this.#collapsed) if (label in labels) labels[label] = '*'
    return labels
  }

  #metric(name: MetricName, type: MetricDefinition['type']): RowMetric {
    const metric = this.#metrics.get(name)
    if (metric?.type === type) return metric
    throw new Error(`this process has no ${type} ${name}`)
  }
}

/** Puts a metric in the registry that holds no samples itself: they are read from the rows. */
function register(
  registry: Registry,
  metric: RowMetric & Pick<MetricDefinition, 'type'>,
  { help, labels }: Pick<MetricDefinition, 'help' | 'labels'>,
  rows: Rows,
): void {
  const { name, type, buckets = [] } = metric
  const options = { name, help, labelNames: [...labels], registers: [registry] }
  const shell =
    type === 'histogram'
      ? new Histogram({ ...options, buckets: [...buckets] })
      : new (type === 'counter' ? Counter : Gauge)(options)
  const get = (): Promise<object> =>
    Promise.resolve({ name, help, type, aggregator: 'sum', values: [...rows.samples(metric)] })
  const streamed: Streamed = {
    *lines() {
      yield `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
      yield* rows.lines(metric)
    },
  }
  Object.assign(shell, streamed, { get, getForPromString: get })
}
