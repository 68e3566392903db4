import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { ReportedPod, RolloutReport } from '../../webhooks/rollout/pods.ts'
import { type RolloutRecord, isOpen, readRecord } from '../../webhooks/rollout/record.ts'
import { blockedBy, groupOf } from './groups.ts'
import { sameStep, viewOf } from './view.ts'

/** What a report is made of. */
export interface Sight {
  set: KubeObject
  /** All pods that the set controls, by ordinal. */
  pods: readonly ReportedPod[]
  /** The other StatefulSets of its rollout group. */
  others: readonly KubeObject[]
  order: RolloutOrder
  /** The last report about this very set. */
  previous: RolloutReport | undefined
  /** uids of the pods whose deletion is announced with this report. */
  announced: readonly string[]
}

/**
 * The facts about a set, and what was done to it. Pods whose deletion was announced and that are on their way out, or gone, count as
 * deleted: that needs no memory, so no crash can lose it.
 */
export function factsReport({ set, pods, others, order, previous, announced }: Sight): RolloutReport {
  const { uid = '', generation } = set.metadata
  const record = readRecord(set.metadata.annotations)
  // Told of a set that rolls or is about to only: the plan that comes next must not be judged by what was true in between.
  const group = isOpen(record.state) ? groupOf(set) : undefined
  const other = blockedBy(set, others)
  const deleted = deletedCount({ record, pods, order, previous, announced })
  const { batch } = order
  return {
    setUid: uid,
    ...(generation !== undefined && { specGeneration: generation }),
    pods: [...pods],
    ...(batch !== undefined && announced.length > 0 && { deleting: { batchId: batch.id, uids: [...announced] } }),
    ...(deleted && { deleted }),
    ...(group !== undefined && { group: { name: group, ...(other !== undefined && { blockedBy: other }) } }),
  }
}

function deletedCount({
  record: { startedAt, targetRevision, podsDeleted = 0 },
  pods,
  order,
  previous,
  announced,
}: Omit<Sight, 'set' | 'others'> & { record: RolloutRecord }): RolloutReport['deleted'] {
  const living = new Set(pods.filter(({ terminating }) => terminating !== true).map((pod) => pod.uid))
  const ended = (previous?.deleting?.uids ?? []).filter((uid) => !living.has(uid)).length
  const counted = previous?.deleted && { ...previous.deleted, count: previous.deleted.count + ended }
  const { batch } = order
  if (batch === undefined || announced.length === 0) return counted
  if (counted?.targetRevision === batch.targetRevision && counted.startedAt === startedAt) return counted
  // What is on record was counted in an Observation that is gone by now.
  const count = targetRevision === batch.targetRevision ? podsDeleted : 0
  return { targetRevision: batch.targetRevision, ...(startedAt !== undefined && { startedAt }), count }
}

/** How soon a report is to be written. */
export type Urgency = 'now' | 'soon' | 'never'

/**
 * How soon the facts of a report are to be written: now if the hook would decide otherwise with them, soon if they have
 * changed during a rollout, and never if they do not matter: while nothing is rolled out, only which pods there are and
 * of which revision does.
 *
 * @param now whole Unix seconds
 */
export function urgency(
  set: KubeObject,
  order: RolloutOrder,
  previous: RolloutReport | undefined,
  next: RolloutReport,
  now: number,
): Urgency {
  if (previous?.pods === undefined || !isDeepStrictEqual(previous.announced, next.announced)) return 'now'
  // A deletion is announced before it is done.
  if (next.deleting !== undefined && !isDeepStrictEqual(previous.deleting, next.deleting)) return 'now'
  if (isDeepStrictEqual(comparable(previous), comparable(next))) return 'never'
  if (!sameStep(viewOf(set, order, previous, now), next)) return 'now'
  if (isOpen(readRecord(set.metadata.annotations).state)) return 'soon'
  return isDeepStrictEqual(identities(previous), identities(next)) ? 'never' : 'soon'
}

/** A pod becomes available by the passing of time, which changes no fact; people want to see it. */
function comparable({ setUid, specGeneration, pods, deleting, deleted, group, progress }: RolloutReport): object {
  return { setUid, specGeneration, pods, deleting, deleted, group, available: progress?.available }
}

function identities({ pods = [] }: RolloutReport): [uid: string, revision: string | undefined][] {
  return pods.map(({ uid, revision }) => [uid, revision])
}
