import type { Act } from '../controller.ts'
import type { ObjectEvent } from '../kube/events.ts'
import type { AppPart, KasprAppReport, Look, PartReport } from './part.ts'

/** What the parts of an app's poller come to in one look. */
export interface AppLook {
  report: KasprAppReport
  events: ObjectEvent[]
  acts: Act[]
  /** Milliseconds until the next look, at most. */
  againMs: number
  /** What a part has thrown; the others have looked all the same. */
  failure?: Error
}

/**
 * The report of a look, each part adding its share, and what the parts want to be done. A part that throws does nothing and
 * tells nothing: what it reported last stands, so that it goes on from there, and so that hooks do not take its silence for
 * an answer.
 */
export function appReport(parts: readonly AppPart[], look: Look): AppLook {
  const all: AppLook = { report: ownReport(look), events: [], acts: [], againMs: Infinity }
  const failures: Error[] = []
  for (const part of parts) {
    let seen: PartReport
    try {
      seen = part.look({ ...look, members: all.report.members })
    } catch (error) {
      failures.push(error instanceof Error ? error : new Error(String(error)))
      seen = { report: lastReport(part, look.previous) }
    }
    const { report, events = [], acts = [], againMs = Infinity } = seen
    // Every part may have problems.
    const problems = [...(all.report.problems ?? []), ...(report.problems ?? [])]
    all.report = { ...all.report, ...report, ...(problems.length > 0 && { problems }) }
    all.events.push(...events)
    all.acts.push(...acts)
    all.againMs = Math.min(all.againMs, againMs)
  }
  const [failure, ...more] = failures
  if (failure === undefined) return all
  return { ...all, failure: more.length === 0 ? failure : new AggregateError(failures, 'Several parts have failed') }
}

/** What is reported without any part. */
function ownReport({ spec, set, previous, running, members }: Look): KasprAppReport {
  // Remembered when the set is gone: it comes back with as many.
  const lastReplicas = set?.replicas ?? previous?.lastReplicas
  return {
    appUid: spec.app.uid,
    reachable: `${members.filter(({ reachable }) => reachable).length}/${running.length}`,
    ...(lastReplicas !== undefined && { lastReplicas }),
    members,
  }
}

/**
 * What a part has reported last. Strikes are not in it: what a member has said since then is not judged, and strikes that it
 * may have lost must not lead to a deletion.
 */
function lastReport({ fields, problemsOf }: AppPart, previous: KasprAppReport | undefined): Partial<KasprAppReport> {
  if (previous === undefined) return {}
  const kept = fields.flatMap((field) => (previous[field] === undefined ? [] : [[field, previous[field]]]))
  const problems = previous.problems?.filter(({ of }) => of === problemsOf) ?? []
  return { ...(Object.fromEntries(kept) as Partial<KasprAppReport>), ...(problems.length > 0 && { problems }) }
}
