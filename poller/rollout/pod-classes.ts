import { ordinalsOf } from '../../webhooks/rollout/batches.ts'
import { maxReplicas } from '../../webhooks/rollout/pods.ts'
import type { Moment } from './moment.ts'

/** What an ordinal can be: its pod of the target revision or another, Ready or not, or no living pod of a known revision. */
export const podClasses = ['new_ready', 'new_not_ready', 'old_ready', 'old_not_ready', 'missing'] as const

export type PodClass = (typeof podClasses)[number]

/** Number of ordinals of each class. */
export function countPods({ set, record, reported }: Moment): Record<PodClass, number> {
  const counts = { new_ready: 0, new_not_ready: 0, old_ready: 0, old_not_ready: 0, missing: 0 }
  const target = set.target ?? record.targetRevision
  const living = reported.filter(({ terminating }) => terminating !== true)
  const byOrdinal = new Map(living.map((pod) => [pod.ordinal, pod]))
  for (const ordinal of set.replicas > maxReplicas ? [] : ordinalsOf(set)) {
    const pod = byOrdinal.get(ordinal)
    if (pod?.revision === undefined || target === undefined) {
      counts.missing += 1
      continue
    }
    const age = pod.revision === target ? 'new' : 'old'
    counts[`${age}_${pod.readySince === undefined ? 'not_ready' : 'ready'}`] += 1
  }
  return counts
}
