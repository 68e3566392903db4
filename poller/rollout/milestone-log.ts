import type { Milestone, MilestoneLevel } from './milestone.ts'

export interface MilestoneLogOptions {
  /** LOG_LEVEL. */
  level: string
  /** RO_JSON_LOGS: one JSON object per line instead of text. */
  json: boolean
  /** Takes one line with its end; default: standard output. */
  write?: (line: string) => void
  /** Time of day; default: the system's. */
  date?: () => Date
}

const severities: Record<MilestoneLevel, number> = { debug: 1, info: 2, warn: 3, error: 4 }

/** Severity from which on lines are written; a level that is not here writes none. */
const thresholds: Readonly<Record<string, number>> = { trace: 0, ...severities }

/**
 * Writes milestones of rollouts: as JSON with time and level for machines, or as `[namespace/name] text` for people.
 */
export function milestoneLog({ level, json, write, date }: MilestoneLogOptions): (milestone: Milestone) => void {
  const threshold = thresholds[level] ?? Infinity
  const print = write ?? ((line: string) => void process.stdout.write(line))
  const now = date ?? (() => new Date())
  return ({ level: severity, ...milestone }) => {
    if (severities[severity] < threshold) return
    const { namespace, statefulset, message } = milestone
    const text = json
      ? JSON.stringify({ level: severity, time: now().toISOString(), ...milestone })
      : // Annotations that were written by hand may have line breaks.
        `[${namespace}/${statefulset}] ${message}`.replaceAll(/[\r\n]+/g, ' ')
    print(`${text}\n`)
  }
}
