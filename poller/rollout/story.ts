import { isOpen, type RolloutState } from '../../webhooks/rollout/record.ts'
import type { Announced } from './announcements.ts'
import type { Moment } from './moment.ts'

/** What is remembered of a rollout to tell how it went on. It does not change from one batch to the next. */
export type Standing = Pick<Announced, 'state' | 'plannedAt' | 'targetRevision'>

/** Something that happened to a rollout. */
export interface Step {
  kind:
    | 'new-revision'
    | 'scheduled'
    | 'delay-elapsed'
    | 'started'
    | 'interrupted'
    | 'already-complete'
    | 'completed'
    | 'aborted'
  /** Revision that the rollout is to. */
  revision: string
  /** Revision that it was to before; of an interrupted one only. */
  from?: string
}

/** What a course is told by. */
interface Course {
  /** How far the rollout had come. */
  from: 'nothing' | 'planned' | 'rolling'
  /** Whether it has been rolling by now. */
  isStarted: boolean
  state: RolloutState
  /** Whether it is to another revision than before. */
  isRenamed: boolean
  /** Whether it was planned anew, to the same revision. */
  isRescheduled: boolean
}

/** Longest name of an object; an annotation that was written by hand may be longer. */
const maxRevision = 253

const firstSight: Record<RolloutState, readonly Step['kind'][]> = {
  none: [],
  planned: ['new-revision', 'scheduled'],
  rolling: ['started'],
  done: [],
}

/** Every step that a rollout can have taken, in the order in which it takes them. */
const rows: readonly { kind: Step['kind']; when: (course: Course) => boolean }[] = [
  { kind: 'new-revision', when: ({ from, isRenamed }) => from === 'nothing' || (from === 'planned' && isRenamed) },
  { kind: 'scheduled', when: ({ from, isRescheduled }) => from === 'nothing' || isRescheduled },
  { kind: 'delay-elapsed', when: ({ from, isStarted }) => from !== 'rolling' && isStarted },
  { kind: 'started', when: ({ from, isStarted }) => from !== 'rolling' && isStarted },
  { kind: 'interrupted', when: ({ from, isRenamed }) => from === 'rolling' && isRenamed },
  { kind: 'already-complete', when: ({ state, isStarted }) => state === 'done' && !isStarted },
  { kind: 'completed', when: ({ state, isStarted }) => state === 'done' && isStarted },
  { kind: 'aborted', when: ({ state }) => state === 'none' },
]

/** What is to be remembered of a moment. */
export function standingOf({ record: { state, plannedAt, targetRevision } }: Moment): Standing {
  return {
    state,
    ...(plannedAt === undefined ? {} : { plannedAt }),
    ...(isOpen(state) && targetRevision !== undefined ? { targetRevision: bounded(targetRevision) } : {}),
  }
}

/**
 * What has happened to a rollout, in order, from the state that is remembered of it to a moment. Steps that nobody has
 * looked at are found by their traces: every plan has its time, and a start stays recorded until the next plan. Of
 * several courses that leave the same traces the shortest is told.
 *
 * @param last undefined at first sight: only the present state is told then
 */
export function story(last: Standing | undefined, moment: Moment): Step[] {
  const { record, set } = moment
  const revision = bounded(record.targetRevision ?? set.target ?? 'unknown')
  if (last === undefined) return firstSight[record.state].map((kind) => ({ kind, revision }))
  const isNew = isNewPlan(last, moment)
  if (!isNew && !isOpen(last.state)) return []
  const from = isNew ? 'nothing' : last.state === 'rolling' ? 'rolling' : 'planned'
  const course: Course = {
    from,
    isStarted:
      from === 'rolling' || record.state === 'rolling' || (!isOpen(record.state) && record.startedAt !== undefined),
    state: record.state,
    isRenamed: differ(last.targetRevision, record.targetRevision && bounded(record.targetRevision)),
    isRescheduled: !isNew && differ(last.plannedAt, record.plannedAt),
  }
  const steps = rows
    .filter(({ when }) => when(course))
    .map(({ kind }): Step => (kind === 'interrupted' ? replaced(last, revision) : { kind, revision }))
  return isNew ? [...unseenEnd(last, moment, revision), ...steps] : steps
}

/** Whether the plan of a moment is another one than was remembered. */
function isNewPlan(last: Standing, { record: { state, plannedAt, targetRevision } }: Moment): boolean {
  switch (last.state) {
    case 'none':
    case 'done':
      return isOpen(state) || (plannedAt !== undefined && plannedAt !== last.plannedAt)
    case 'planned':
      // To the same revision it is the same plan with another time, as after an edit of the annotation.
      return differ(last.plannedAt, plannedAt) && differ(last.targetRevision, targetRevision)
    case 'rolling':
      return state === 'planned' || differ(last.plannedAt, plannedAt)
  }
}

/**
 * How a rollout ended that has given way to a new plan while nobody looked. If all pods are of its revision, it has got
 * there; else all that is certain is that it was replaced, and of a mere plan nothing is left to tell.
 */
function unseenEnd(last: Standing, { reported }: Moment, revision: string): Step[] {
  const { state, targetRevision } = last
  if (!isOpen(state)) return []
  if (targetRevision !== undefined && reported.length > 0 && reported.every((pod) => pod.revision === targetRevision)) {
    return [{ kind: state === 'rolling' ? 'completed' : 'already-complete', revision: targetRevision }]
  }
  return state === 'rolling' ? [replaced(last, revision)] : []
}

function replaced({ targetRevision = 'unknown' }: Standing, revision: string): Step {
  return { kind: 'interrupted', revision, from: targetRevision }
}

/** Whether both are known and not the same. */
function differ<Value>(a: Value | undefined, b: Value | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b
}

function bounded(revision: string): string {
  return revision.slice(0, maxRevision)
}
