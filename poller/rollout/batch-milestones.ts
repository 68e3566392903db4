import { listed } from '../../webhooks/rollout/listed.ts'
import { type PodFacts, notDeletedYet } from '../../webhooks/rollout/pods.ts'
import { hasBatch, isSameBatch, isWaiting, rangeOrdinals, rangesOf, type ReadyBatch } from './batch-course.ts'
import { type Milestone, milestone, type MilestoneFields } from './milestone.ts'
import type { Moment } from './moment.ts'

/** Least time between two lines about the progress of a batch. */
const progressSeconds = 10

/** How a rollout that has started, or starts again, is cut into ranges. */
export function rangeMilestones(now: Moment): Milestone {
  const { set } = now
  const of = (name: string): number[] => rangesOf(now).find((range) => range.name === name)?.ordinals ?? []
  const [upper, lower] = [of('upper_range'), of('lower_range')]
  if (upper.length === 0) {
    const fields = { total_replicas: set.replicas }
    return milestone(now, ['info', 'rollout_single_range'], `one range of ${set.replicas} pods`, fields)
  }
  const text = `first the upper ${upper.length} pods (${listed(upper, 10)}), then the lower ${lower.length} (${listed(lower, 10)})`
  return milestone(now, ['info', 'rollout_split'], text, {
    upper_range_ordinals: upper,
    lower_range_ordinals: lower,
    upper_range_count: upper.length,
    lower_range_count: lower.length,
  })
}

/**
 * What happens to the range and the batch of a rollout, but for a batch that gets ready.
 *
 * @param isAfresh whether the rollout has started, or started again, since the look before
 */
export function batchMilestones(previous: Moment, now: Moment, isAfresh: boolean): Milestone[] {
  if (!hasBatch(now)) return []
  const isSame = isSameBatch(previous, now)
  const isNewRange = isAfresh || now.record.rangeName !== previous.record.rangeName
  return [
    ...(isNewRange ? rangeStarted(now) : []),
    ...(isSame ? [] : [deleting(now)]),
    ...(isWaiting(now) && !(isSame && isWaiting(previous)) ? [waiting(now)] : []),
    ...(isSame ? progress(previous, now) : []),
  ]
}

/** A batch has become ready. */
export function readyMilestone({ of, seconds }: ReadyBatch, now: Moment): Milestone {
  const inRange = rangeOrdinals(of)
  const completed = inRange.filter((ordinal) => !now.pods?.unfinished.has(ordinal)).length
  const text = `batch ${batchText(of)} is ready after ${seconds} s; ${completed} of ${inRange.length} pods of the range are`
  const counts = { completed_in_range: completed, total_in_range: inRange.length }
  return milestone(now, ['info', 'rollout_batch_ready'], text, { ...batchFields(of), ...counts })
}

function rangeStarted(now: Moment): Milestone[] {
  const { rangeIndex, rangeTotal, rangeName, batchTotal, maxUnavailable } = now.record
  const ordinals = rangeOrdinals(now)
  const started = milestone(
    now,
    ['info', 'rollout_range_started'],
    `range ${rangeName ?? 'unknown'} (${rangeIndex ?? '?'} of ${rangeTotal ?? '?'}): ${listed(ordinals, 10)}`,
    {
      range_index: rangeIndex,
      total_ranges: rangeTotal,
      range_name: rangeName,
      range_ordinals: ordinals,
      range_count: ordinals.length,
    },
  )
  const created = milestone(
    now,
    ['info', 'rollout_batches_created'],
    `batches: ${batchTotal ?? '?'}, each of up to ${maxUnavailable ?? '?'} pods`,
    { range_name: rangeName, total_batches: batchTotal, max_unavailable: maxUnavailable },
  )
  return [started, created]
}

function deleting(now: Moment): Milestone {
  const { record, pods, set } = now
  const names = record.batch
    .filter((ordinal) => pods === undefined || pods.old.has(ordinal))
    .map((ordinal) => `${set.name}-${ordinal}`)
  const text = `batch ${batchText(now)}: to be deleted ${names.length === 0 ? 'none' : listed(names, 5)}`
  const fields = { ...batchFields(now), pod_names: names, pod_count: names.length }
  return milestone(now, ['info', 'rollout_batch_deleting'], text, fields)
}

function waiting(now: Moment): Milestone {
  const text = `batch ${batchText(now)}: waiting until its pods are available`
  return milestone(now, ['info', 'rollout_batch_waiting'], text, batchFields(now))
}

/** How far the batch is, whenever ten more seconds have passed; a stalled one has said all there is to say. */
function progress(previous: Moment, now: Moment): Milestone[] {
  const { batchStartedAt, stalledAt } = now.record
  if (batchStartedAt === undefined || stalledAt !== undefined || now.pods === undefined) return []
  const parts = (at: number): number => Math.floor(Math.max(0, at - batchStartedAt) / progressSeconds)
  if (parts(now.now) <= parts(previous.now)) return []
  const unfinished = now.record.batch.filter((ordinal) => now.pods?.unfinished.has(ordinal))
  return unfinished.length === 0 ? [] : [progressMilestone(now, now.pods, unfinished)]
}

function progressMilestone(now: Moment, pods: PodFacts, unfinished: number[]): Milestone {
  const { set, record } = now
  const reason = (ordinal: number): string => {
    return pods.old.has(ordinal) ? notDeletedYet : (pods.reasons.get(ordinal) ?? 'unknown')
  }
  const kind = ['info', 'rollout_batch_progress'] as const
  const missing = unfinished.filter((ordinal) => pods.absent.has(ordinal))
  if (missing.length > 0) {
    const fields = { ...batchFields(now), not_created: missing.slice(0, 5) }
    return milestone(now, kind, `batch ${batchText(now)}: not created yet: ${listed(missing, 5)}`, fields)
  }
  const total = record.batch.length
  const ready = total - unfinished.length
  const names = unfinished.map((ordinal) => `${set.name}-${ordinal}(${reason(ordinal)})`)
  const text = `batch ${batchText(now)}: ${ready} of ${total} pods are ready, not ${listed(names, 3)}`
  return milestone(now, kind, text, { ...batchFields(now), ready_count: ready, not_ready: names.slice(0, 3) })
}

function batchFields({ record }: Moment): MilestoneFields {
  const { rangeName, batchIndex, batchTotal, batch } = record
  return { range_name: rangeName, batch_index: batchIndex, total_batches: batchTotal, batch_ordinals: batch }
}

function batchText({ record }: Moment): string {
  const { rangeName, batchIndex, batchTotal, batch } = record
  return `${batchIndex ?? '?'} of ${batchTotal ?? '?'} in ${rangeName ?? 'unknown'} (${listed(batch, 10)})`
}
