import type { RolloutModel, Section } from './model.ts'
import { sectionCounts } from './sections.ts'

/** The model as `--json` prints it. The names are a contract with scripts; absent values are null. */
export function modelJson(model: RolloutModel): object {
  const { counts, recorded } = model
  return {
    namespace: model.namespace,
    name: model.name,
    replicas: model.replicas,
    enrolled: model.enrolled,
    ui_state: model.uiState,
    operator_state: model.operatorState,
    target: model.target ?? null,
    new_ready: counts.newReady,
    new_not_ready: counts.newNotReady,
    old_ready: counts.oldReady,
    old_not_ready: counts.oldNotReady,
    missing: counts.missing,
    work_remaining: model.workRemaining,
    idle: model.uiState === 'Idle',
    paused: model.paused,
    planned_at: recorded.plannedAt ?? null,
    starts_in_seconds: model.startsInSeconds ?? null,
    started_at: recorded.startedAt ?? null,
    updated_at: recorded.updatedAt ?? null,
    stalled_at: recorded.stalledAt ?? null,
    max_unavailable: recorded.maxUnavailable ?? null,
    half_split: recorded.halfSplit ?? null,
    range_name: recorded.rangeName ?? null,
    range_index: recorded.rangeIndex ?? null,
    range_total: recorded.rangeTotal ?? null,
    batch_index: recorded.batchIndex ?? null,
    batch_total: recorded.batchTotal ?? null,
    current_batch_ordinals: recorded.batch,
    message: recorded.message ?? null,
    sections: model.sections.map(sectionJson),
  }
}

function sectionJson({ title, status, pods }: Section): object {
  const counts = sectionCounts({ pods })
  return {
    title,
    status,
    new_and_ready: counts.newAndReady,
    total: counts.total,
    new: counts.new,
    old: counts.old,
    revision_unknown: counts.unknown,
    ready: counts.ready,
    not_ready: counts.notReady,
    missing: counts.missing,
    pods: pods.map(({ ordinal, revision, ready, inBatch }) => ({ ordinal, revision, ready, in_batch: inBatch })),
  }
}
