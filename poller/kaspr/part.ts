import type { ObservationSpec, ObservationStatus } from '../../crds/types/observation.ts'
import type { Act } from '../controller.ts'
import type { EventTarget, ObjectEvent } from '../kube/events.ts'
import type { Observation } from '../observation.ts'
import type { PackagesClaim } from './claims.ts'
import type { Member } from './members.ts'
import type { MemberPod, RunningMember } from './pods.ts'
import type { Answer } from './poll.ts'
import type { TrimmedSet } from './statefulsets.ts'

/** `spec.kasprApp` of an Observation. */
export type KasprAppSpec = NonNullable<ObservationSpec['kasprApp']>

/** `status.kasprApp` of an Observation. */
export type KasprAppReport = Omit<NonNullable<ObservationStatus['kasprApp']>, 'members'> & { members: Member[] }

/** Fields of a report that belong to one part each. */
export type PartField = Exclude<keyof KasprAppReport, 'appUid' | 'reachable' | 'lastReplicas' | 'members' | 'problems'>

/** One look at an app: what is asked for, what was reported before, and what is seen now. */
export interface Look {
  observation: Observation
  namespace: string
  spec: KasprAppSpec
  /** The last report about this very app. */
  previous: KasprAppReport | undefined
  now: Date
  /** The app, as the target of Events. */
  target: EventTarget
  /** The set of this app; one of that name that belongs to somebody else is none. */
  set: TrimmedSet | undefined
  /** All pods of the app, in whatever state. */
  pods: MemberPod[]
  /** Claims of the app's packages volume, whoever owns them. */
  claims: PackagesClaim[]
  /** Pods that can be asked. */
  running: RunningMember[]
  /** What those said that were asked this time, by pod uid. */
  answers: ReadonlyMap<string, Answer>
  /** Members as the report will have them, with what earlier parts added. */
  members: Member[]
}

/** What a part adds to a report. */
export interface PartReport {
  /** Its fields of the report; what it leaves out is not in the report. Deterministic, so that an unchanged world is not written. */
  report: Partial<KasprAppReport>
  events?: ObjectEvent[]
  /** The next look is to come no later than this. */
  againMs?: number
  acts?: Act[]
}

/**
 * One concern of an app's poller: it decides from a look, and acts through what it returns. What must survive a restart is
 * in its part of the report, which is written before its acts run. In memory it keeps at most what came of them, until
 * the next look reports it.
 */
export interface AppPart {
  /** Its fields of the report. While it fails, they stay as they were. */
  readonly fields: readonly PartField[]
  /** What its problems are about; it reports none if absent. */
  readonly problemsOf?: NonNullable<KasprAppReport['problems']>[number]['of']
  look(look: Look): PartReport
  /** The Observation of this uid is gone, or now somebody else's. */
  forget?(uid: string): void
}
