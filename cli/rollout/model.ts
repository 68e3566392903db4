import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { type Range, ordinalsOf, ranges } from '../../webhooks/rollout/batches.ts'
import { readSet } from '../../webhooks/rollout/stateful-set.ts'
import { looksEnrolled, recorded, wishes } from './annotations.ts'
import type { Recorded, Wishes } from './annotations.ts'
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
  /** Whether its owner has asked to hold the rollout. */
  paused: boolean
  /** Seconds until the planned start, 0 when it is due; undefined if nothing waits for a time that is known. */
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
  const wanted = wishes(set)
  const target = revisionOf(set)
  const size = readSet(set)
  const found = podsByOrdinal(live, target ?? record.targetRevision, new Set(record.batch))
  const pods = ordinalsOf(size).map(
    (ordinal): PodView => found.get(ordinal) ?? { ordinal, revision: 'missing', ready: false, inBatch: false },
  )
  const counts = countsOf(pods)
  const workRemaining = size.replicas - counts.newReady
  const uiState = uiStateOf(record, workRemaining)
  return {
    namespace: set.metadata.namespace ?? '',
    name: set.metadata.name,
    replicas: size.replicas,
    enrolled: looksEnrolled(set),
    uiState,
    operatorState: record.state ?? 'unknown',
    target,
    counts,
    workRemaining,
    recorded: record,
    paused: wanted.paused,
    startsInSeconds: uiState === 'Scheduled' ? secondsToStart(record, wanted, target, now, delaySeconds) : undefined,
    sections: sectionsOf(pods, ranges(size, record.halfSplit === true), record),
  }
}

/** What is wrong with the update strategy of a set that is to be rolled by the operator; undefined if nothing is. */
export function notOnDelete(set: KubeObject): string | undefined {
  if (readSet(set).onDelete) return undefined
  const { spec } = set
  const strategy = (isMap(spec) ? textAt(spec['updateStrategy'], 'type') : undefined) ?? 'RollingUpdate'
  return `spec.updateStrategy.type is ${strategy}; the rollout operator works with OnDelete only`
}

/**
 * `status.updateRevision`, unlike the operator's target also while the status is about an earlier template: for as long as
 * nothing newer is known, pods are told apart by it.
 */
function revisionOf({ status }: KubeObject): string | undefined {
  return textAt(status, 'updateRevision')
}

/** That all pods are new and ready weighs more than any annotation: those may be left over. */
function uiStateOf({ state, batch }: Recorded, workRemaining: number): UiState {
  if (workRemaining === 0) return 'Idle'
  if (state === 'rolling' || batch.length > 0) return 'Rolling'
  return state === 'planned' ? 'Scheduled' : 'NeedsAction'
}

function secondsToStart(
  { plannedAt }: Recorded,
  { paused, startNow, delaySeconds }: Wishes,
  target: string | undefined,
  now: number,
  given: number | undefined,
): number | undefined {
  const delay = given ?? delaySeconds
  // Neither of the two waits for the time: one for somebody, the other for nothing.
  if (paused || (startNow !== undefined && startNow === target)) return undefined
  if (typeof plannedAt !== 'number' || delay === undefined) return undefined
  return Math.max(0, Math.ceil(plannedAt + delay - now))
}

const titles: Record<Range['name'], Section['title']> = {
  upper_range: 'Upper',
  lower_range: 'Lower',
  all: 'All pods',
}

function sectionsOf(pods: PodView[], parts: Pick<Range, 'name' | 'ordinals'>[], record: Recorded): Section[] {
  const none = { name: 'all' as const, ordinals: [] }
  return (parts.length === 0 ? [none] : parts).map(({ name, ordinals }) => {
    const members = new Set(ordinals)
    const own = pods.filter(({ ordinal }) => members.has(ordinal))
    return { title: titles[name], status: sectionStatus(own, record, name), pods: own }
  })
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
