import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** One finished hook call. */
export interface CallMeasure {
  /** First segment of the hook's path. */
  resource: string
  hook: string
  kind: string
  /** HTTP status as text; `499` for a caller that left before the answer. */
  code: string
  seconds: number
  /** Absent if the caller did not say. */
  requestBytes?: number
  /** Absent if nothing was sent. */
  responseBytes?: number
}

/** Metrics of the hook service. Labels never name objects, so their number is bounded by kinds and codes. */
export interface HookMetrics {
  readonly registry: Registry
  observe(call: CallMeasure): void
}

const callBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const bytes = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536].map((kib) => kib * 1024)

/**
 * Metrics in a registry of their own: several servers can live in one process.
 *
 * @param running tells how many calls are in progress
 */
export function createMetrics(running: () => number): HookMetrics {
  const registry = new Registry()
  // The default precision of 10 ms would wake an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  const registers = [registry]
  const seconds = new Histogram({
    name: 'kasprop_hook_request_seconds',
    help: 'Time from the arrival of a hook call to the end of its answer. code 499: the caller left before.',
    labelNames: ['hook', 'kind', 'code'],
    buckets: callBuckets,
    registers,
  })
  // By this name dashboards of rollouts look for it; of their hook alone.
  const rolloutSeconds = new Histogram({
    name: 'rollout_operator_sync_duration_seconds',
    help: 'Time from the arrival of a call of the rollouts hook to the end of its answer.',
    labelNames: ['hook', 'result'],
    buckets: callBuckets,
    registers,
  })
  const requestBytes = new Histogram({
    name: 'kasprop_hook_request_bytes',
    help: 'Size of the bodies of hook calls; compare with BODY_LIMIT_BYTES.',
    labelNames: ['hook', 'kind'],
    buckets: bytes,
    registers,
  })
  const responseBytes = new Histogram({
    name: 'kasprop_hook_response_bytes',
    help: 'Size of the bodies of answers to hook calls.',
    labelNames: ['hook', 'kind'],
    buckets: bytes,
    registers,
  })
  new Gauge({
    name: 'kasprop_hook_requests_in_flight',
    help: 'Hook calls in progress; at HOOK_CALLS_MAX further ones get 429.',
    registers,
    collect() {
      this.set(running())
    },
  })
  return {
    registry,
    observe({ resource, hook, kind, code, ...call }) {
      seconds.observe({ hook, kind, code }, call.seconds)
      if (resource === 'rollouts') {
        rolloutSeconds.observe({ hook, result: Number(code) < 400 ? 'success' : 'failure' }, call.seconds)
      }
      if (call.requestBytes !== undefined) requestBytes.observe({ hook, kind }, call.requestBytes)
      if (call.responseBytes !== undefined) responseBytes.observe({ hook, kind }, call.responseBytes)
    },
  }
}
