import { chunks, nextBatch } from './batches.ts'
import type { Batch } from './batches.ts'
import { resolvedBudget } from './config.ts'
import type { RecordChanges } from './record.ts'
import type { KnownView, RolloutView } from './view.ts'

/** The batch to record, if pods may be deleted that the recorded one does not have. */
export function newBatch({ set, plan, pods, record }: KnownView): Batch | undefined {
  const batch = nextBatch(chunks(set, plan), pods, plan.maxUnavailable)
  const recorded = new Set(record.batch)
  if (batch?.ordinals.every((ordinal) => recorded.has(ordinal)) ?? true) return undefined
  const going = record.batch.filter((ordinal) => pods.unfinished.has(ordinal))
  const ordinals = [...new Set([...(batch?.ordinals ?? []), ...going])].sort((a, b) => a - b)
  return batch === undefined ? undefined : { ...batch, ordinals }
}

/** Records a batch, which also ends a stall. */
export function batchChanges({ set, plan, now }: KnownView, { chunk, ordinals }: Batch): RecordChanges {
  return {
    'range-name': chunk.range.name,
    'range-index': chunk.range.index,
    'range-total': chunk.range.total,
    'batch-index': chunk.index,
    'batch-total': chunk.total,
    'current-batch-ordinals': ordinals,
    'batch-started-at': now,
    replicas: set.replicas,
    'max-unavailable': plan.maxUnavailable,
    'half-split': plan.halfSplit,
    'stalled-at': null,
    message: null,
  }
}

/** What the poller has deleted on the way to this revision. */
export function podsDeleted({ report, record }: RolloutView, target: string | undefined): RecordChanges {
  const { targetRevision, startedAt = record.startedAt, count } = report?.deleted ?? {}
  if (count === undefined || targetRevision !== target || startedAt !== record.startedAt) return {}
  return { 'pods-deleted': count }
}

/** Records the revision that the set is on its way to. */
export function revisions(target: string): RecordChanges {
  return { 'last-revision': target, 'target-revision': target }
}

/** What holds for a rollout from now to its end. */
export function frozenPlan({ set, config }: KnownView): RecordChanges {
  return {
    replicas: set.replicas,
    'max-unavailable': resolvedBudget(config.maxUnavailable, set.replicas),
    'half-split': config.halfSplit,
  }
}
