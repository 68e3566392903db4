import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { createMetrics, type HookMetrics } from './metrics.ts'
import type { RunningCalls } from './running-calls.ts'
import { exposition } from './sensors/exposition.ts'

/**
 * Serves what is for operators: `GET /healthz`, `/readyz`, `/metrics` and `/openapi.json`. None is guarded (guard.ts says
 * why). The process holds no state and talks to nobody, so it is healthy and ready whenever it answers; during shutdown
 * Fastify answers 503 to everything.
 *
 * @returns the metrics that `/metrics` shows
 */
export function registerOperations(app: FastifyInstance, calls: RunningCalls): HookMetrics {
  const metrics = createMetrics(() => calls.count)
  app.get('/healthz', { config: { docs: { summary: 'The process lives' } } }, () => 'ok')
  app.get('/readyz', { config: { docs: { summary: 'The service takes calls' } } }, () => 'ok')
  app.get('/metrics', { config: { docs: { summary: 'Metrics in the Prometheus text format' } } }, (_request, reply) => {
    reply.type(metrics.registry.contentType)
    return reply.send(Readable.from(exposition(metrics.registry)))
  })
  app.get('/openapi.json', () => app.swagger())
  return metrics
}
