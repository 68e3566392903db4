import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { definitions, type MetricDefinition, type MetricName } from './definitions.ts'

/** How much of METRICS_DETAIL shows: everything; no members and resources; namespaces only. */
export type MetricsDetail = 'full' | 'app' | 'namespace'

type Labels = Readonly<Record<string, string>>

/** Labels that read `*` at a level of detail. They stay, so that queries go on working. */
const collapsed: Readonly<Record<MetricsDetail, readonly string[]>> = {
  full: [],
  app: ['member_id', 'resource_name'],
  namespace: ['member_id', 'resource_name', 'app_name', 'component_name'],
}

/** A series, and how to take it away. */
interface Entry {
  labels: Labels
  remove: () => void
}

/**
 * Series of the metrics of one process. Remembers for each app which there are, so that they go with it: otherwise every
 * app, member and resource there has ever been would stay in memory and in every scrape.
 */
export class Series {
  readonly #metrics = new Map<string, Counter | Gauge | Histogram>()
  readonly #collapsed: readonly string[]
  readonly #byApp = new Map<string, Map<string, Entry>>()

  constructor(registry: Registry, process: 'serve' | 'poll', detail: MetricsDetail) {
    this.#collapsed = collapsed[detail]
    for (const [name, definition] of Object.entries<MetricDefinition>(definitions)) {
      if (definition.in.includes(process)) this.#metrics.set(name, metricOf(name, definition, registry))
    }
  }

  /** Whether this process has the metric. */
  has(name: MetricName): boolean {
    return this.#metrics.has(name)
  }

  /** Number of series by which a metric can be taken away. */
  get size(): number {
    return [...this.#byApp.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Adds to a counter. */
  add(name: MetricName, labels: Labels, by = 1): void {
    const metric = this.#metrics.get(name)
    if (metric instanceof Counter) metric.inc(this.#known(metric, name, labels), by)
  }

  set(name: MetricName, labels: Labels, value: number): void {
    const metric = this.#metrics.get(name)
    if (metric instanceof Gauge) metric.set(this.#known(metric, name, labels), value)
  }

  /** Adds a duration to a histogram. */
  observe(name: MetricName, labels: Labels, seconds: number): void {
    const metric = this.#metrics.get(name)
    if (metric instanceof Histogram) metric.observe(this.#known(metric, name, labels), seconds)
  }

  /** Removes the series of an app: all, or those with this one label value. */
  remove(namespace: string, app: string, only?: { label: string; value: string }): void {
    const key = keyOf({ namespace, app_name: app })
    const entries = this.#byApp.get(key)
    if (entries === undefined) return
    for (const [id, { labels, remove }] of entries) {
      if (only !== undefined && labels[only.label] !== only.value) continue
      remove()
      entries.delete(id)
    }
    if (entries.size === 0) this.#byApp.delete(key)
  }

  /** The labels as they show, remembered for their removal. */
  #known(metric: Counter | Gauge | Histogram, name: MetricName, given: Labels): Labels {
    const labels = this.#collapsed.length === 0 ? given : this.#collapse(given)
    const key = keyOf(labels)
    let entries = this.#byApp.get(key)
    if (entries === undefined) this.#byApp.set(key, (entries = new Map<string, Entry>()))
    let id: string = name
    for (const label of definitions[name].labels) id += `\n${labels[label]}`
    if (!entries.has(id)) entries.set(id, { labels, remove: () => metric.remove(labels) })
    return labels
  }

  #collapse(given: Labels): Labels {
    const labels = { ...given }
    for (const label of this.#collapsed) if (label in labels) labels[label] = '*'
    return labels
  }
}

function keyOf(labels: Labels): string {
  return `${labels['namespace']}/${labels['app_name']}`
}

function metricOf(
  name: string,
  { type, help, labels, buckets = [] }: MetricDefinition,
  registry: Registry,
): Counter | Gauge | Histogram {
  const common = { name: `kasprop_${name}`, help, labelNames: [...labels], registers: [registry] }
  switch (type) {
    case 'counter':
      return new Counter(common)
    case 'gauge':
      return new Gauge(common)
    case 'histogram':
      return new Histogram({ ...common, buckets: [...buckets] })
  }
}
