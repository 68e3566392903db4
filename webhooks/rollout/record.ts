import { own } from '../contract/objects.ts'
import { recordPrefix } from './names.ts'
import type { Range } from './batches.ts'

/** States of a rollout; a set that was never rolled is in none. */
export type RolloutState = 'none' | 'planned' | 'rolling' | 'done'

/** Whether a rollout is planned or runs. */
export function isOpen(state: RolloutState): boolean {
  return state === 'planned' || state === 'rolling'
}

/**
 * What is recorded on a StatefulSet, as the annotations `rollout-operator/…`: a public contract, read by dashboards, the
 * terminal view and people. Times are Unix seconds.
 */
export interface RecordValues {
  state: RolloutState
  'last-revision': string
  'target-revision': string
  'planned-at': number
  'started-at': number
  'updated-at': number
  replicas: number
  /** Number of pods, never a percentage. */
  'max-unavailable': number
  'half-split': boolean
  'range-name': Range['name']
  'range-index': number
  'range-total': number
  'batch-index': number
  'batch-total': number
  'current-batch-ordinals': readonly number[]
  'pods-to-update': number
  'pods-deleted': number
  'batch-started-at': number
  'stalled-at': number
  message: string
}

/** Values to write; null removes one, and what is not named stays. */
export type RecordChanges = { [Key in keyof RecordValues]?: RecordValues[Key] | null }

/** What is recorded, as far as it can be read: anything malformed counts as absent. */
export interface RolloutRecord {
  state: RolloutState
  targetRevision: string | undefined
  lastRevision: string | undefined
  plannedAt: number | undefined
  startedAt: number | undefined
  updatedAt: number | undefined
  replicas: number | undefined
  maxUnavailable: number | undefined
  halfSplit: boolean | undefined
  /** Ascending, without doubles. */
  batch: number[]
  batchStartedAt: number | undefined
  rangeName: string | undefined
  /** 1-based, as are all indices. */
  rangeIndex: number | undefined
  rangeTotal: number | undefined
  batchIndex: number | undefined
  batchTotal: number | undefined
  podsToUpdate: number | undefined
  podsDeleted: number | undefined
  stalledAt: number | undefined
  message: string | undefined
}

/** Longest message, in characters. */
const messageLength = 256

/** Reads the recorded annotations of a StatefulSet. */
export function readRecord(annotations: Record<string, string> | undefined): RolloutRecord {
  const text = (key: keyof RecordValues): string | undefined => own(annotations, recordPrefix + key)
  const number = (key: keyof RecordValues): number | undefined => integer(text(key))
  const state = text('state')
  const maxUnavailable = number('max-unavailable')
  return {
    state: state === 'planned' || state === 'rolling' || state === 'done' ? state : 'none',
    targetRevision: text('target-revision'),
    lastRevision: text('last-revision'),
    plannedAt: number('planned-at'),
    startedAt: number('started-at'),
    updatedAt: number('updated-at'),
    replicas: number('replicas'),
    maxUnavailable: maxUnavailable === 0 ? undefined : maxUnavailable,
    halfSplit: boolean(text('half-split')),
    batch: ordinals(text('current-batch-ordinals')),
    batchStartedAt: number('batch-started-at'),
    rangeName: text('range-name'),
    rangeIndex: number('range-index'),
    rangeTotal: number('range-total'),
    batchIndex: number('batch-index'),
    batchTotal: number('batch-total'),
    podsToUpdate: number('pods-to-update'),
    podsDeleted: number('pods-deleted'),
    stalledAt: number('stalled-at'),
    message: text('message'),
  }
}

/**
 * The annotations that carry changes out: only what differs from what is there, null where a key is to go, and the time
 * of the change if there is any. Nothing to change gives an empty map, so that an answer that is carried out already
 * causes no write.
 *
 * @param now Unix seconds
 */
export function annotationPatch(
  annotations: Record<string, string> | undefined,
  changes: RecordChanges,
  now: number,
): Record<string, string | null> {
  const patch: Record<string, string | null> = {}
  for (const [key, value] of Object.entries(changes)) {
    const name = recordPrefix + key
    const wanted = value === null ? null : valueText(value)
    if ((own(annotations, name) ?? null) !== wanted) patch[name] = wanted
  }
  if (Object.keys(patch).length > 0) patch[`${recordPrefix}updated-at`] = String(now)
  return patch
}

/** Annotations as they stand after a patch. */
export function patched(
  annotations: Record<string, string> | undefined,
  patch: Record<string, string | null>,
): Record<string, string> {
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !Object.hasOwn(patch, key))
  const set = Object.entries(patch).filter((entry): entry is [string, string] => entry[1] !== null)
  return Object.fromEntries([...kept, ...set])
}

function valueText(value: NonNullable<RecordChanges[keyof RecordChanges]>): string {
  if (typeof value === 'object') return `[${value.join(', ')}]`
  const text = String(value)
  return text.length <= messageLength ? text : `${text.slice(0, messageLength - 1)}…`
}

/** Fits all that is written here, and what a person may write by hand. */
function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined
}

function boolean(text: string | undefined): boolean | undefined {
  const word = text?.toLowerCase()
  return word === 'true' ? true : word === 'false' ? false : undefined
}

/** A JSON array of ordinals with any spacing; anything else is an empty one. */
function ordinals(text: string | undefined): number[] {
  if (text === undefined || text.length > 100_000) return []
  try {
    const list: unknown = JSON.parse(text)
    if (!Array.isArray(list)) return []
    const isOrdinal = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
    return list.every(isOrdinal) ? [...new Set(list)].sort((a, b) => a - b) : []
  } catch {
    return []
  }
}
