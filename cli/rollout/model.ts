import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { delayOverride, looksEnrolled, recorded } from './annotations.ts'
import type { Recorded } from './annotations.ts'
import { podsByOrdinal } from './pods.ts'
import type { PodView } from './pods.ts'

/** A StatefulSet and the pods that its selector finds, as they are now. */
export interface Live {
  set: KubeObject
  pods: readonly KubeObject[]
}

/** What a person has to know first. `NeedsAction`: pods are not up to date and no rollout is under way. */
export type UiState = 'Idle' | 'Rolling' | 'Scheduled' | 'NeedsAction'

export type SectionStatus = 'Done' | 'Active' | 'Queued' | 'Idle'

/** A range of ordinals that is rolled as a whole before the next one. */
export interface Section {
  title: 'Upper' | 'Lower' | 'All pods'
  status: SectionStatus
  /** By ordinal, ascending; one for each ordinal. */
  pods: PodView[]
}

/** Everything that a frame shows. */
export interface RolloutModel {
  namespace: string
  name: string
  /** `spec.replicas`. */
  replicas: number
  enrolled: boolean
  uiState: UiState
  /** The recorded state, `unknown` if there is none. */
  operatorState: string
  /** Revision that pods shall have: `status.updateRevision`; undefined while the set has none. */
  target: string | undefined
  counts: PodCounts
  /** Pods that are not NEW and Ready. */
  workRemaining: number
  recorded: Recorded
  /** Seconds until the planned start, 0 when it is due; undefined if nothing is planned or the delay is not known. */
  startsInSeconds: number | undefined
  /** In the order they are rolled. */
  sections: Section[]
}

/** Pods in each class; `missing` has ordinals without a pod or with a pod of unknown revision. */
export interface PodCounts {
  newReady: number
  newNotReady: number
  oldReady: number
  oldNotReady: number
  missing: number
}

/**
 * Derives what is shown from live objects; annotations decide only what pods cannot tell.
 *
 * @param now Unix time in seconds
 * @param delaySeconds from plan to start, if known; an override on the set counts if it is not given
 */
export function rolloutModel(live: Live, now: number, delaySeconds?: number): RolloutModel {
  const { set } = live
  const record = recorded(set)
  const target = textAt(set['status'], 'updateRevision')
  const { start, replicas } = range(set)
  const found = podsByOrdinal(live, target ?? record.targetRevision, new Set(record.batchOrdinals))
  const pods = Array.from({ length: replicas }, (_, i): PodView => {
    const ordinal = start + i
    return found.get(ordinal) ?? { ordinal, revision: 'missing', ready: false, inBatch: false }
  })
  const counts = countsOf(pods)
  const workRemaining = replicas - counts.newReady
  const uiState = uiStateOf(record, workRemaining)
  return {
    namespace: set.metadata.namespace ?? '',
    name: set.metadata.name,
    replicas,
    enrolled: looksEnrolled(set),
    uiState,
    operatorState: record.state ?? 'unknown',
    target,
    counts,
    workRemaining,
    recorded: record,
    startsInSeconds: uiState === 'Scheduled' ? rest(record, now, delaySeconds ?? delayOverride(set)) : undefined,
    sections: sectionsOf(pods, record),
  }
}

/** `spec.updateStrategy.type` of a set. */
export function updateStrategy({ spec }: KubeObject): string {
  return (isMap(spec) ? textAt(spec['updateStrategy'], 'type') : undefined) ?? 'RollingUpdate'
}

function range({ spec }: KubeObject): { start: number; replicas: number } {
  if (!isMap(spec)) return { start: 0, replicas: 1 }
  const { replicas, ordinals } = spec
  const start = isMap(ordinals) ? ordinals['start'] : undefined
  return { start: typeof start === 'number' ? start : 0, replicas: typeof replicas === 'number' ? replicas : 1 }
}

/** That all pods are new and ready weighs more than any annotation: those may be left over. */
function uiStateOf({ state, batchOrdinals }: Recorded, workRemaining: number): UiState {
  if (workRemaining === 0) return 'Idle'
  if (state === 'rolling' || batchOrdinals.length > 0) return 'Rolling'
  return state === 'planned' ? 'Scheduled' : 'NeedsAction'
}

function rest({ plannedAt }: Recorded, now: number, delaySeconds: number | undefined): number | undefined {
  if (typeof plannedAt !== 'number' || delaySeconds === undefined) return undefined
  return Math.max(0, Math.ceil(plannedAt + delaySeconds - now))
}

function sectionsOf(pods: PodView[], record: Recorded): Section[] {
  const section = (title: Section['title'], rangeName: string, members: PodView[]): Section => ({
    title,
    status: sectionStatus(members, record, rangeName),
    pods: members,
  })
  if (record.halfSplit !== true || pods.length <= 1) return [section('All pods', 'all', pods)]
  const middle = Math.floor(pods.length / 2)
  return [section('Upper', 'upper_range', pods.slice(middle)), section('Lower', 'lower_range', pods.slice(0, middle))]
}

function sectionStatus(pods: PodView[], { state, rangeName }: Recorded, ownName: string): SectionStatus {
  if (pods.every(({ revision, ready }) => revision === 'new' && ready)) return 'Done'
  if (state === 'rolling' && rangeName === ownName) return 'Active'
  return state === 'planned' || state === 'rolling' ? 'Queued' : 'Idle'
}

function countsOf(pods: PodView[]): PodCounts {
  const count = (revision: PodView['revision'], ready: boolean): number =>
    pods.filter((pod) => pod.revision === revision && pod.ready === ready).length
  return {
    newReady: count('new', true),
    newNotReady: count('new', false),
    oldReady: count('old', true),
    oldNotReady: count('old', false),
    missing: pods.filter(({ revision }) => revision === 'missing' || revision === 'unknown').length,
  }
}

function textAt(map: unknown, field: string): string | undefined {
  const value = isMap(map) ? map[field] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}
