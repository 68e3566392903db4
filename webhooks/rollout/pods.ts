import type { ObservationStatus } from '../../crds/types/observation.ts'
import { ordinalsOf } from './batches.ts'
import type { RolloutSet } from './stateful-set.ts'

/** The poller's facts about a StatefulSet, `Observation.status.rollout`. */
export type RolloutReport = NonNullable<ObservationStatus['rollout']>

/** One pod of a report. */
export type ReportedPod = NonNullable<RolloutReport['pods']>[number]

/**
 * What the pods of a StatefulSet are, measured against its target revision. OLD and NEW are living pods of another and of
 * the target revision; available is ready for `minReadySeconds`. All lists are of ordinals, ascending.
 */
export interface PodFacts {
  /** Ordinals that the set should have. */
  ordinals: number[]
  old: ReadonlySet<number>
  /** Ordinals without an available pod. */
  unavailable: ReadonlySet<number>
  /** Ordinals without a pod that stays: it is missing, on its way out, or its deletion is announced. */
  absent: ReadonlySet<number>
  /** Ordinals that are not NEW and available: what is left to do. */
  unfinished: ReadonlySet<number>
  /** Pods that are on their way out, also above the range. */
  terminating: number
  /** Pods outside of the range, left by a set that was made smaller. */
  outside: number
  /** Why an ordinal is unavailable. */
  reasons: ReadonlyMap<number, string>
  /** Unix seconds since when the available pods are available. */
  availableSince: ReadonlyMap<number, number>
  /** Unix seconds at which the next ready pod has been ready for long enough. */
  nextAvailable: number | undefined
}

/** What holds up an ordinal whose pod is still to go. */
export const notDeletedYet = 'not deleted yet'

/** Most replicas of a set that is rolled: a report about more would not fit into an object. */
export const maxReplicas = 5000

/**
 * Judges the pods of a report.
 *
 * @param target the revision that pods should have
 * @param now Unix seconds
 */
export function podFacts(
  report: RolloutReport,
  pods: readonly ReportedPod[],
  set: RolloutSet,
  target: string,
  now: number,
): PodFacts {
  const ordinals = set.replicas > maxReplicas ? [] : ordinalsOf(set)
  const inRange = new Set(ordinals)
  const announced = new Set(report.deleting?.uids)
  const old = new Set<number>()
  const absent = new Set(ordinals)
  const available = new Map<number, number>()
  const reasons = new Map(ordinals.map((ordinal) => [ordinal, 'missing']))
  const expiries: number[] = []
  let terminating = 0
  for (const pod of pods) {
    // A deletion that is announced may have taken place after the list.
    const isLeaving = pod.terminating === true || announced.has(pod.uid)
    if (isLeaving) terminating += 1
    const { ordinal } = pod
    if (ordinal === undefined || !inRange.has(ordinal)) continue
    if (isLeaving) {
      reasons.set(ordinal, pod.terminating === true ? 'terminating' : notDeletedYet)
      continue
    }
    absent.delete(ordinal)
    if (pod.revision !== target) old.add(ordinal)
    const availableAt = readySeconds(pod) + set.minReadySeconds
    if (availableAt <= now) available.set(ordinal, availableAt)
    else if (availableAt < Infinity) expiries.push(availableAt)
    reasons.set(ordinal, pod.reason ?? 'not available yet')
  }
  const unavailable = new Set(ordinals.filter((ordinal) => !available.has(ordinal)))
  return {
    ordinals,
    old,
    unavailable,
    absent,
    unfinished: new Set(ordinals.filter((ordinal) => old.has(ordinal) || unavailable.has(ordinal))),
    terminating,
    outside: pods.filter(({ ordinal }) => ordinal !== undefined && !inRange.has(ordinal)).length,
    reasons,
    availableSince: available,
    nextAvailable: expiries.length === 0 ? undefined : Math.min(...expiries),
  }
}

/** Names of the pods that have no certain ordinal. */
export function unnumbered(pods: readonly ReportedPod[]): string[] {
  return pods.filter(({ ordinal }) => ordinal === undefined).map(({ name, uid }) => name ?? uid)
}

/** Ordinals without an available pod, ascending, each with its reason, as `3 (Running/CrashLoopBackOff)`. */
export function downPods({ unavailable, reasons }: PodFacts): string[] {
  const down = [...unavailable].sort((a, b) => a - b)
  return down.map((ordinal) => `${ordinal} (${reasons.get(ordinal) ?? 'unknown'})`)
}

/** Unix seconds since when a pod is ready; infinite for one that is not. A fraction waits for the next whole second. */
function readySeconds({ readySince }: ReportedPod): number {
  const ms = readySince === undefined ? NaN : Date.parse(readySince)
  return Number.isNaN(ms) ? Infinity : Math.ceil(ms / 1000)
}
