import { type Range, ranges } from '../../webhooks/rollout/batches.ts'
import type { Moment } from './moment.ts'

/** A batch that has become ready. */
export interface ReadyBatch {
  /** A moment that has the batch recorded. */
  of: Moment
  /** Time since it was recorded. */
  seconds: number
}

/** Whether a rollout runs and has a batch. */
export function hasBatch({ record }: Moment): boolean {
  return record.state === 'rolling' && record.batch.length > 0
}

/** Whether both moments have the same batch. */
export function isSameBatch(a: Moment, b: Moment): boolean {
  return hasBatch(a) && hasBatch(b) && batchKey(a) === batchKey(b)
}

/** Whether all pods of the batch are made anew, or about to be, and not all of them are available yet. */
export function isWaiting(moment: Moment): boolean {
  const { record, pods } = moment
  if (!hasBatch(moment) || pods === undefined || !isToTarget(moment, moment)) return false
  return record.batch.every((ordinal) => !pods.old.has(ordinal)) && !isReady(moment, moment)
}

/** Batches that all pods have become ready of, from one look to the next, in order. */
export function readyBatches(previous: Moment, now: Moment): ReadyBatch[] {
  const ready = [
    ...(hasBatch(previous) && !isReady(previous, previous) && isReady(previous, now) ? [previous] : []),
    ...(hasBatch(now) && !isSameBatch(previous, now) && isReady(now, now) ? [now] : []),
  ]
  return ready.map((of) => ({ of, seconds: Math.max(0, now.now - (of.record.batchStartedAt ?? now.now)) }))
}

/** The ranges of a rollout that runs. */
export function rangesOf({ set, record }: Moment): Range[] {
  return ranges(set, record.halfSplit ?? false)
}

/** Ordinals of the range that the batch is in. */
export function rangeOrdinals(moment: Moment): number[] {
  return rangesOf(moment).find(({ name }) => name === moment.record.rangeName)?.ordinals ?? []
}

/** Whether all pods of a batch are updated and available at a moment; one that scaling has taken away does not count. */
function isReady(batch: Moment, at: Moment): boolean {
  const { pods } = at
  if (pods === undefined || !isToTarget(batch, at)) return false
  return batch.record.batch.every((ordinal) => !pods.unfinished.has(ordinal))
}

/** Whether pods are judged against the revision that the batch is for. */
function isToTarget(batch: Moment, at: Moment): boolean {
  return at.set.uid === batch.set.uid && at.set.target === batch.record.targetRevision
}

function batchKey({ set, record }: Moment): string {
  return JSON.stringify([set.uid, record.targetRevision, record.batchStartedAt, record.batch])
}
