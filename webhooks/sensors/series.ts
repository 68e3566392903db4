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

type Metric = Counter | Gauge | Histogram

/** Series with the same labels, to be taken away together. */
interface Entry {
  labels: Labels
  metrics: readonly Metric[]
}

/**
 * Series of the metrics of one process. Remembers for each app which there are, so that they go with it: otherwise every
 * app, member and resource there has ever been would stay in memory and in every scrape. At the detail `namespace` they
 * stay: there are as many as namespaces.
 */
export class Series {
  readonly #metrics = new Map<string, Metric>()
  readonly #collapsed: readonly string[]
  /** By namespace, app, and the rest of what tells series apart. */
  readonly #entries = new Map<string, Map<string, Map<string, Entry>>>()

  constructor(registry: Registry, process: 'serve' | 'poll', detail: MetricsDetail) {
    this.#collapsed = collapsed[detail]
    for (const [name, definition] of Object.entries<MetricDefinition>(definitions)) {
      if (definition.in.includes(process)) this.#metrics.set(name, metricOf(name, definition, registry))
    }
  }

  /** Number of label sets that are remembered. */
  get size(): number {
    const apps = [...this.#entries.values()].flatMap((byApp) => [...byApp.values()])
    return apps.reduce((sum, entries) => sum + entries.size, 0)
  }

  /** Adds to a counter. */
  add(name: MetricName, labels: Labels, by = 1): void {
    const metric = this.#counter(name)
    metric.inc(this.#known([metric], name, labels), by)
  }

  /** Sets a gauge. */
  set(name: MetricName, labels: Labels, value: number): void {
    const metric = this.#gauge(name)
    metric.set(this.#known([metric], name, labels), value)
  }

  /** Adds a duration to a histogram and, if one is named, 1 to a counter with the same labels. */
  observe(name: MetricName, labels: Labels, seconds: number, counted?: MetricName): void {
    const histogram = this.#histogram(name)
    if (counted === undefined) {
      histogram.observe(this.#known([histogram], name, labels), seconds)
      return
    }
    const counter = this.#counter(counted)
    const shown = this.#known([histogram, counter], name, labels)
    histogram.observe(shown, seconds)
    counter.inc(shown)
  }

  /** Removes the series of an app: all, or those with this one label value. */
  remove(namespace: string, app: string, only?: { label: string; value: string }): void {
    const byApp = this.#entries.get(namespace)
    const entries = byApp?.get(app)
    if (byApp === undefined || entries === undefined) return
    for (const [id, { labels, metrics }] of entries) {
      if (only !== undefined && labels[only.label] !== only.value) continue
      for (const metric of metrics) metric.remove(labels)
      entries.delete(id)
    }
    if (entries.size === 0) byApp.delete(app)
    if (byApp.size === 0) this.#entries.delete(namespace)
  }

  /** The labels as they show, remembered for their removal. Called for every event: it makes one text, not more. */
  #known(metrics: readonly Metric[], name: MetricName, given: Labels): Labels {
    const labels = this.#collapsed.length === 0 ? given : this.#collapse(given)
    const { namespace = '', app_name: app = '' } = labels
    let byApp = this.#entries.get(namespace)
    if (byApp === undefined) this.#entries.set(namespace, (byApp = new Map<string, Map<string, Entry>>()))
    let entries = byApp.get(app)
    if (entries === undefined) byApp.set(app, (entries = new Map<string, Entry>()))
    let id: string = name
    for (const label of ownLabels.get(name) ?? []) id += `\n${labels[label]}`
    if (!entries.has(id)) entries.set(id, { labels, metrics })
    return labels
  }

  #collapse(given: Labels): Labels {
    const labels = { ...given }
    for (const label of this.#collapsed) if (label in labels) labels[label] = '*'
    return labels
  }

  #counter(name: MetricName): Counter {
    const metric = this.#metrics.get(name)
    if (metric instanceof Counter) return metric
    throw notHere(name, 'counter')
  }

  #gauge(name: MetricName): Gauge {
    const metric = this.#metrics.get(name)
    if (metric instanceof Gauge) return metric
    throw notHere(name, 'gauge')
  }

  #histogram(name: MetricName): Histogram {
    const metric = this.#metrics.get(name)
    if (metric instanceof Histogram) return metric
    throw notHere(name, 'histogram')
  }
}

/** Labels that tell the series of one app apart. */
const ownLabels = new Map(
  Object.entries<MetricDefinition>(definitions).map(([name, { labels }]) => [
    name,
    labels.filter((label) => label !== 'namespace' && label !== 'app_name'),
  ]),
)

function notHere(name: MetricName, type: string): Error {
  return new Error(`this process has no ${type} ${name}`)
}

function metricOf(name: string, { type, help, labels, buckets = [] }: MetricDefinition, registry: Registry): Metric {
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
