import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { PodFacts, ReportedPod } from '../../webhooks/rollout/pods.ts'
import type { RolloutRecord } from '../../webhooks/rollout/record.ts'
import type { RolloutSet } from '../../webhooks/rollout/stateful-set.ts'

/** A rollout as one look of the poller finds it: what is told of it follows from two of these. */
export interface Moment {
  namespace: string
  set: RolloutSet
  /** `status.currentRevision`: with OnDelete it never moves, so it is good for printing only. */
  currentRevision: string | undefined
  /** What the annotations of the StatefulSet say. */
  record: RolloutRecord
  /** What the hook asks for. */
  order: RolloutOrder
  /** All pods that the set controls. */
  reported: readonly ReportedPod[]
  /** The same, judged against the target revision; absent while that is not known. */
  pods: PodFacts | undefined
  /** Whole Unix seconds. */
  now: number
}

/** The revision that a rollout is to. */
export function targetOf({ record, set }: Moment): string {
  return record.targetRevision ?? set.target ?? 'unknown'
}
