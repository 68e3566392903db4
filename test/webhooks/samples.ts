import type { Registry } from 'prom-client'

/**
 * Samples of a registry by `name{label=value,…}`, without the prefix of the name, buckets and what Node.js itself tells.
 * Metrics without a series are not in it.
 */
export async function samples(registry: Registry): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const metric of await registry.getMetricsAsJSON()) {
    for (const sample of metric.values as { metricName?: string; labels: Record<string, string>; value: number }[]) {
      const name = (sample.metricName ?? metric.name).replace(/^kasprop_/, '')
      if (!metric.name.startsWith('kasprop_') || name.endsWith('_bucket')) continue
      const labels = Object.entries(sample.labels).map(([label, value]) => `${label}=${value}`)
      found[labels.length === 0 ? name : `${name}{${labels.join(',')}}`] = sample.value
    }
  }
  return found
}
