/** What a case of the table of transitions says, and records that many of them start from. */
import { noon, reportOf } from './rollout-world.ts'
import type { SetChanges } from './rollout-world.ts'

/** The time of every case, as an annotation has it. */
export const now = String(noon)

/** The record of a rollout planned now. */
export const planned = { state: 'planned', 'target-revision': 'web-new', 'last-revision': 'web-new', 'planned-at': now }

/** What is frozen when it is planned. */
export const plan = { replicas: '4', 'max-unavailable': '2', 'half-split': 'true' }

/** What T13 writes. */
export const started = { state: 'rolling', 'started-at': now, ...plan }

/** The record of one under way, without a batch. */
export const rolling = {
  state: 'rolling',
  'target-revision': 'web-new',
  'last-revision': 'web-new',
  'planned-at': String(noon - 700),
  'started-at': String(noon - 100),
  'updated-at': String(noon - 100),
  ...plan,
}

/** The same while pods 2 and 3 are replaced. */
export const inBatch = {
  ...rolling,
  'current-batch-ordinals': '[2, 3]',
  'batch-started-at': String(noon - 90),
  'updated-at': String(noon - 90),
}

/** A sync: what there is, the row that matches, what the answer is. */
export interface Case {
  name: string
  row: string
  set: SetChanges
  /** Words of {@link pods}; undefined for no list. */
  pods?: string
  report?: Parameters<typeof reportOf>[1]
  env?: Record<string, string>
  /** All keys written but `updated-at`. */
  writes?: Record<string, string | null>
  again?: number
  batch?: number[]
}
