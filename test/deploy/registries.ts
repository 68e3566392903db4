import type { Registry } from 'prom-client'
import { PollerMetrics } from '../../poller/metrics.ts'
import { RolloutMetrics } from '../../poller/rollout/metrics.ts'
import { createMetrics } from '../../webhooks/metrics.ts'
import { CallSensing } from '../../webhooks/sensors/call-sensing.ts'
import { createSensors } from '../../webhooks/sensors/prometheus.ts'

/** The registries of both processes with everything that is registered in them, made from the same parts. */
export async function registries(): Promise<[serve: Registry, poll: Registry]> {
  const serve = createMetrics(() => 0).registry
  const ticks = (): number => 0
  new CallSensing({
    sensor: createSensors({ registry: serve, process: 'serve', detail: 'full' }),
    registry: serve,
    ticks,
  })
  const poll = new PollerMetrics({
    queue: () => ({ depth: 0, running: 0, delayed: 0, oldestMs: 0, longestRunMs: 0 }),
    shards: () => 0,
    watches: () => [],
    members: () => ({ reachable: 0, unreachable: 0 }),
  }).registry
  createSensors({ registry: poll, process: 'poll', detail: 'full' })
  new RolloutMetrics(poll)
  return [serve, poll]
}
