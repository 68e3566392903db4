import type { Moment } from './moment.ts'

/** Severity, as LOG_LEVEL names it. */
export type MilestoneLevel = 'debug' | 'info' | 'warn' | 'error'

/** A line of the log about a rollout. */
export interface Milestone {
  level: MilestoneLevel
  /** In snake_case; a contract with those who read the log. */
  event: string
  /** For people. */
  message: string
  namespace: string
  statefulset: string
  [field: string]: string | number | boolean | readonly (string | number)[] | undefined
}

/** What a milestone has beside the set and its message. */
export type MilestoneFields = Omit<Milestone, 'level' | 'event' | 'message' | 'namespace' | 'statefulset'>

/** Makes a milestone of the set of a moment. */
export function milestone(
  { namespace, set }: Moment,
  [level, event]: readonly [level: MilestoneLevel, event: string],
  message: string,
  fields: MilestoneFields = {},
): Milestone {
  return { level, event, message, namespace, statefulset: set.name, ...fields }
}
