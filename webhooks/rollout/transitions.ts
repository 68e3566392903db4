import { batchChanges, frozenPlan, newBatch, podsDeleted, revisions } from './changes.ts'
import { heldBack, nextAvailable, secondsToStall, secondsToStart, stallMessage, unfit } from './holds.ts'
import type { RecordChanges, RolloutRecord, RolloutState } from './record.ts'
import { knownView } from './view.ts'
import type { KnownView, RolloutView } from './view.ts'

/** What one sync does about a rollout. */
export interface Step {
  /** The row of the table that matched. */
  row: string
  changes: RecordChanges
  /** Seconds until the answer may be another one although nothing has changed; absent for never. */
  again: number | undefined
  /** Whether the facts are such that a recorded batch may be acted on. */
  certain: boolean
}

/** One row: the first whose state and condition match decides. */
interface Row<View> {
  id: string
  /** Recorded states that it is for; all if absent. */
  from?: readonly RolloutState[]
  when(view: View): boolean
  /** What is to be recorded; only what differs is written. */
  changes?(view: View): RecordChanges
  /** Seconds until the next look; undefined ones do not count. */
  again?(view: View): (number | undefined)[]
}

/** Rows for as long as something needed for a decision is not known. Nothing may be deleted in any of them. */
const preconditions: readonly Row<RolloutView>[] = [
  {
    id: 'T2',
    from: ['planned', 'rolling'],
    when: ({ set }) => !set.onDelete,
    changes: (view) => ({
      state: 'none',
      'current-batch-ordinals': [],
      'stalled-at': null,
      message: 'aborted: the update strategy is no longer OnDelete',
      ...podsDeleted(view, view.record.targetRevision),
    }),
  },
  { id: 'T2b', from: ['none', 'done'], when: ({ set }) => !set.onDelete },
  { id: 'T3', when: ({ set }) => set.target === undefined, again: () => [2] },
  {
    id: 'T4',
    when: ({ set, report, record }) =>
      report?.pods === undefined || (report.pods.length === 0 && set.replicas > 0 && record.state !== 'rolling'),
    again: () => [5],
  },
  {
    id: 'T5',
    when: ({ set, report }) => unfit(set, report?.pods ?? []) !== undefined,
    changes: ({ set, report }) => ({ 'stalled-at': null, message: unfit(set, report?.pods ?? []) ?? null }),
  },
]

/** Rows for a set whose target and pods are known. */
const transitions: readonly Row<KnownView>[] = [
  {
    id: 'T6b',
    from: ['done'],
    when: ({ pods, record, target }) => pods.old.size === 0 && record.lastRevision !== target,
    changes: ({ target, record }) => ({ ...revisions(target), ...nothingUnderWay(record) }),
  },
  {
    id: 'T6',
    from: ['none', 'done'],
    when: ({ pods }) => pods.old.size === 0,
    changes: ({ record }) => nothingUnderWay(record),
  },
  {
    id: 'T7',
    from: ['none', 'done'],
    when: () => true,
    changes: (view) => ({
      state: 'planned',
      'planned-at': view.now,
      ...revisions(view.target),
      ...frozenPlan(view),
      'pods-to-update': view.pods.old.size,
      'pods-deleted': 0,
      ...(view.record.batch.length === 0 ? {} : { 'current-batch-ordinals': [] }),
      'started-at': null,
      'range-name': null,
      'range-index': null,
      'range-total': null,
      'batch-index': null,
      'batch-total': null,
      'batch-started-at': null,
      'stalled-at': null,
      message: null,
    }),
  },
  {
    id: 'T8',
    from: ['planned'],
    when: ({ record, target }) => record.targetRevision !== target,
    changes: ({ target, pods }) => ({ ...revisions(target), 'pods-to-update': pods.old.size }),
  },
  {
    id: 'T9',
    from: ['planned'],
    when: ({ pods }) => pods.unfinished.size === 0,
    changes: ({ target }) => ({
      state: 'done',
      ...revisions(target),
      'current-batch-ordinals': [],
      message: null,
    }),
  },
  {
    id: 'T10',
    from: ['planned'],
    when: ({ record }) => record.plannedAt === undefined,
    changes: ({ now }) => ({ 'planned-at': now }),
  },
  {
    id: 'T11',
    from: ['planned'],
    when: (view) => heldBack(view) !== undefined,
    changes: (view) => ({ message: heldBack(view) ?? null }),
    again: (view) => [nextAvailable(view)],
  },
  {
    id: 'T12',
    from: ['planned'],
    when: (view) => secondsToStart(view) > 0,
    changes: () => ({ message: null }),
    again: (view) => [secondsToStart(view), nextAvailable(view)],
  },
  {
    id: 'T13',
    from: ['planned'],
    when: () => true,
    changes: (view) => ({
      state: 'rolling',
      'started-at': view.now,
      ...frozenPlan(view),
      'pods-to-update': view.pods.old.size,
      message: null,
      // Whoever wrote one while nothing was rolling: it is no batch of this rollout.
      ...(view.record.batch.length === 0 ? {} : { 'current-batch-ordinals': [] }),
    }),
  },
  {
    id: 'T14',
    from: ['rolling'],
    when: ({ record, target }) => record.targetRevision !== target,
    changes: (view) => ({
      ...revisions(view.target),
      ...frozenPlan(view),
      'pods-to-update': view.pods.old.size,
      'pods-deleted': 0,
      'current-batch-ordinals': [],
      'stalled-at': null,
      message: null,
    }),
  },
  {
    id: 'T15',
    from: ['rolling'],
    when: ({ pods }) => pods.unfinished.size === 0 && pods.terminating === 0 && pods.outside === 0,
    changes: (view) => ({
      state: 'done',
      ...revisions(view.target),
      'current-batch-ordinals': [],
      'stalled-at': null,
      message: null,
      ...podsDeleted(view, view.target),
    }),
  },
  {
    id: 'T16',
    from: ['rolling'],
    when: (view) => heldBack(view) !== undefined,
    changes: (view) => ({ 'current-batch-ordinals': [], 'stalled-at': null, message: heldBack(view) ?? null }),
    again: (view) => [nextAvailable(view)],
  },
  {
    id: 'T17',
    from: ['rolling'],
    when: (view) => newBatch(view) !== undefined,
    changes: (view) => {
      const batch = newBatch(view)
      return batch === undefined ? {} : { ...batchChanges(view, batch), ...podsDeleted(view, view.target) }
    },
  },
  {
    id: 'T18',
    from: ['rolling'],
    when: (view) => view.record.stalledAt === undefined && secondsToStall(view) <= 0,
    changes: (view) => ({ 'stalled-at': view.now, message: stallMessage(view) }),
    again: (view) => [nextAvailable(view)],
  },
  {
    id: 'T19',
    from: ['rolling'],
    when: () => true,
    changes: ({ record, plan }) => ({
      // The poller goes by the record alone: with another order than the hook's the two would never agree on a pod.
      'half-split': plan.halfSplit,
      ...(record.stalledAt === undefined ? { message: null } : {}),
    }),
    again: (view) => [view.record.stalledAt === undefined ? secondsToStall(view) : undefined, nextAvailable(view)],
  },
]

/** Removes what only a rollout under way has; between rollouts it is there when somebody has written it. */
function nothingUnderWay({ batch }: RolloutRecord): RecordChanges {
  return { ...(batch.length === 0 ? {} : { 'current-batch-ordinals': [] }), 'stalled-at': null, message: null }
}

/** Names of all rows, in the order in which they are tried. */
export const rowIds: readonly string[] = [...preconditions, ...transitions].map(({ id }) => id)

/** What is to be done about a set that is enrolled and lives. */
export function step(view: RolloutView): Step {
  const row = matching(preconditions, view)
  if (row !== undefined) return stepOf(row, view, false)
  const known = knownView(view)
  if (known === undefined) throw new Error('a set without known pods has passed the preconditions')
  const transition = matching(transitions, known)
  if (transition === undefined) throw new Error('the table of transitions has a gap')
  return stepOf(transition, known, true)
}

function matching<View extends RolloutView>(rows: readonly Row<View>[], view: View): Row<View> | undefined {
  return rows.find((row) => (row.from?.includes(view.record.state) ?? true) && row.when(view))
}

function stepOf<View extends RolloutView>(row: Row<View>, view: View, certain: boolean): Step {
  const waits = (row.again?.(view) ?? []).filter((wait) => wait !== undefined && wait < Infinity)
  const again = waits.length === 0 ? undefined : Math.min(...(waits as number[]))
  return { row: row.id, changes: row.changes?.(view) ?? {}, again, certain }
}
