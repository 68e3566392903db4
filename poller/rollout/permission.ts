import type { KubeObject } from '../../webhooks/contract/types.ts'
import { chunks, nextBatch } from '../../webhooks/rollout/batches.ts'
import { isPaused } from '../../webhooks/rollout/config.ts'
import { type EnrolmentSettings, enrolled } from '../../webhooks/rollout/enrolled.ts'
import { unfit } from '../../webhooks/rollout/holds.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import { type ReportedPod, podFacts } from '../../webhooks/rollout/pods.ts'
import { readRecord } from '../../webhooks/rollout/record.ts'
import { readSet } from '../../webhooks/rollout/stateful-set.ts'
import { blockedBy } from './groups.ts'

/** What a permission is judged by; all of it from watches, or all of it read just now. */
export interface Facts {
  set: KubeObject | undefined
  /** All pods that the set controls. */
  pods: readonly ReportedPod[]
  /** The other StatefulSets of its rollout group. */
  others: readonly KubeObject[]
}

/** Pods that may be deleted, or why there is none. */
export interface Permission {
  /** Ascending. */
  ordinals: number[]
  obstacle?: string
}

/**
 * The pods of a batch that may be deleted at this moment: those that the Observation orders, the StatefulSet has on record, and the
 * budget allows. Order and record may each be behind the other, and both behind the world; what all three agree on
 * is safe.
 *
 * @param now whole Unix seconds
 */
export function permission(facts: Facts, order: RolloutOrder, settings: EnrolmentSettings, now: number): Permission {
  const { batch } = order
  const { set } = facts
  if (batch === undefined) return { ordinals: [] }
  if (set === undefined) return { ordinals: [], obstacle: gone }
  const obstacle = obstacleTo(set, facts, order, settings)
  if (obstacle !== undefined) return { ordinals: [], obstacle }
  const rolled = readSet(set)
  const record = readRecord(set.metadata.annotations)
  const pods = podFacts({ setUid: rolled.uid }, facts.pods, rolled, batch.targetRevision, now)
  const { maxUnavailable } = order
  const plan = chunks(rolled, { halfSplit: record.halfSplit ?? true, maxUnavailable })
  const ordered = new Set(batch.ordinals)
  const recorded = new Set(record.batch)
  const { ordinals = [] } = nextBatch(plan, pods, maxUnavailable) ?? {}
  return { ordinals: ordinals.filter((ordinal) => ordered.has(ordinal) && recorded.has(ordinal)) }
}

const gone = 'the StatefulSet is gone'

/** Why no pod of the set may be deleted at all. */
function obstacleTo(
  set: KubeObject,
  { pods, others }: Facts,
  { statefulSet, batch }: RolloutOrder,
  settings: EnrolmentSettings,
): string | undefined {
  if (set.metadata.uid !== statefulSet.uid) return gone
  if (set.metadata.deletionTimestamp !== undefined) return 'the StatefulSet is being deleted'
  if (!enrolled(set, settings)) return 'the StatefulSet is not rolled out any more'
  const rolled = readSet(set)
  const { onDelete, target } = rolled
  if (!onDelete) return 'the update strategy is no longer OnDelete'
  if (target === undefined) return 'the StatefulSet controller has not seen the template yet'
  if (target !== batch?.targetRevision) return 'the template has changed'
  const { state, targetRevision } = readRecord(set.metadata.annotations)
  if (state !== 'rolling' || targetRevision !== target) return 'the rollout is not under way'
  if (isPaused(set)) return 'the rollout is paused'
  const unfitness = unfit(rolled, pods)
  if (unfitness !== undefined) return unfitness
  const other = blockedBy(set, others)
  return other && `${other} of the rollout group goes first`
}
