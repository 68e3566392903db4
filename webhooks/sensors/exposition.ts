import { setImmediate } from 'node:timers/promises'
import type { Registry } from 'prom-client'

/** A metric of a registry that can be told line by line. */
export interface Streamed {
  /** Its lines, head included, each with its line feed. */
  lines(): Iterable<string>
}

/** Some milliseconds of work. Each chunk waits for a turn of the event loop, which can be long when all is busy. */
const chunkLength = 1024 * 1024

/**
 * The metrics of a registry in the Prometheus text format, in chunks between which other work is done: with thousands of
 * apps they are tens of megabytes.
 */
export async function* exposition(registry: Registry): AsyncGenerator<string> {
  let chunk = ''
  let separator = ''
  for (const metric of registry.getMetricsAsArray()) {
    const texts = isStreamed(metric) ? metric.lines() : [`${await registry.getSingleMetricAsString(metric.name)}\n`]
    chunk += separator
    separator = '\n'
    for (const text of texts) {
      chunk += text
      if (chunk.length < chunkLength) continue
      yield chunk
      chunk = ''
      await setImmediate()
    }
  }
  yield chunk
}

function isStreamed(metric: object): metric is Streamed {
  return 'lines' in metric
}
