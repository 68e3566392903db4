import type { Condition } from './types.ts'

/** A condition as a hook decides it; times and generation are added by {@link conditions}. */
export type ConditionDraft = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

/** RFC 3339 in UTC with whole seconds: fractions would only make equal states look different. */
export function timestamp(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`
}

/** Whether a value is a time as the API server takes it. A time that it refuses would hold up the whole status for ever. */
function isTimestamp(value: unknown): boolean {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)
}

/**
 * The conditions of a status, in the order of the drafts. `lastTransitionTime` is carried over from the observed
 * condition of that type unless its `status` differs (Kubernetes API conventions, "Typical status properties"), so that
 * an unchanged state gives an unchanged answer.
 *
 * @param observed `status.conditions` as it came in; anything malformed counts as absent
 * @param generation `metadata.generation` of the object that the conditions describe
 */
export function conditions(observed: unknown, drafts: ConditionDraft[], generation: number, now: Date): Condition[] {
  return drafts.map((draft) => {
    const before = conditionOf(observed, draft.type)
    const kept = before?.status === draft.status && isTimestamp(before.lastTransitionTime)
    const lastTransitionTime = kept ? (before.lastTransitionTime as string) : timestamp(now)
    return { ...draft, lastTransitionTime, observedGeneration: generation }
  })
}

/** The condition of a type in an observed `status.conditions`, or `undefined`. */
export function conditionOf(observed: unknown, type: string): Partial<Condition> | undefined {
  if (!Array.isArray(observed)) return undefined
  return observed.find(
    (item): item is Partial<Condition> =>
      typeof item === 'object' && item !== null && (item as Condition).type === type,
  )
}
