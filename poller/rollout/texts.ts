import type { Moment } from './moment.ts'

/** Names of the pods that have no certain ordinal. */
export function unnumbered({ reported }: Moment): string[] {
  return reported.filter(({ ordinal }) => ordinal === undefined).map(({ name, uid }) => name ?? uid)
}

/** Ordinals without an available pod, each with its reason, as `3 (Running/CrashLoopBackOff)`; none while that is not known. */
export function downPods({ pods }: Moment): string[] {
  if (pods === undefined) return []
  const down = [...pods.unavailable].sort((a, b) => a - b)
  return down.map((ordinal) => `${ordinal} (${pods.reasons.get(ordinal) ?? 'unknown'})`)
}

/** The revision that a rollout is to. */
export function targetOf({ record, set }: Moment): string {
  return record.targetRevision ?? set.target ?? 'unknown'
}
