import { isPaused, startNow } from '../../webhooks/rollout/config.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { RolloutReport } from '../../webhooks/rollout/pods.ts'
import { readRecord } from '../../webhooks/rollout/record.ts'
import { readSet } from '../../webhooks/rollout/stateful-set.ts'
import { step } from '../../webhooks/rollout/transitions.ts'
import type { RolloutView } from '../../webhooks/rollout/view.ts'

/**
 * What the hook would decide from with a report. The configuration is what it has put into the Observation, so that the
 * poller needs none of its settings.
 */
export function viewOf(
  set: KubeObject,
  order: RolloutOrder,
  report: RolloutReport | undefined,
  now: number,
): RolloutView {
  const record = readRecord(set.metadata.annotations)
  const halfSplit = record.halfSplit ?? true
  const { maxUnavailable, delaySeconds, gracePeriodSeconds, readyTimeoutSeconds, useEviction, group } = order
  return {
    set: readSet(set),
    config: {
      delaySeconds,
      maxUnavailable: { pods: maxUnavailable },
      halfSplit,
      gracePeriodSeconds,
      readyTimeoutSeconds,
      useEviction,
      paused: isPaused(set),
      startNow: startNow(set),
      group,
      warnings: [],
    },
    record,
    plan: { maxUnavailable, halfSplit },
    report,
    now,
  }
}

/**
 * Whether the hook would do the same with either report. While a rollout is planned, its first batch counts too: the hook
 * names it right after the start, before a report could follow.
 */
export function sameStep(view: RolloutView, report: RolloutReport): boolean {
  const next = { ...view, report }
  return decision(view) === decision(next) && (view.record.state !== 'planned' || firstBatch(view) === firstBatch(next))
}

function decision(view: RolloutView): string {
  const { row, changes, certain } = step(view)
  return JSON.stringify([row, changes, certain])
}

/** The batch that the hook would name if the rollout had just started. */
function firstBatch(view: RolloutView): string {
  const record = { ...view.record, state: 'rolling' as const, batch: [] }
  return JSON.stringify(step({ ...view, record }).changes['current-batch-ordinals'])
}
