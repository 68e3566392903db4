import { listed } from '../../webhooks/rollout/listed.ts'
import { unnumbered } from '../../webhooks/rollout/pods.ts'
import { isOpen } from '../../webhooks/rollout/record.ts'
import { readyBatches } from './batch-course.ts'
import { batchMilestones, rangeMilestones, readyMilestone } from './batch-milestones.ts'
import { countdown, secondsToCountdown } from './countdown.ts'
import { stepText } from './event-texts.ts'
import { type Milestone, milestone, type MilestoneFields, type MilestoneLevel } from './milestone.ts'
import { type Moment, targetOf } from './moment.ts'
import { standingOf, type Step, story } from './story.ts'

export interface MilestoneOptions {
  /** RO_COUNTDOWN_LOG_INTERVAL. */
  countdownSeconds: number
}

/** What a look at a rollout leads to in the log. */
export interface Milestones {
  /** In the order in which they happened. */
  records: Milestone[]
  /** Seconds until the next line of the countdown; absent for none. */
  againSeconds?: number
}

/**
 * The lines of the log that a look at a rollout leads to, from the look before.
 *
 * @param previous absent for the first look of this process, which logs nothing: another may have done it
 */
export function milestones(previous: Moment | undefined, now: Moment, options: MilestoneOptions): Milestones {
  const againSeconds = secondsToCountdown(now, options.countdownSeconds)
  const again = againSeconds === undefined ? {} : { againSeconds }
  if (previous?.set.uid !== now.set.uid) return { records: [], ...again }
  const steps = story(standingOf(previous), now)
  const ready = readyBatches(previous, now)
  const isAfresh = steps.some(({ kind }) => kind === 'started' || kind === 'interrupted')
  const isPlanned = steps.some(({ kind }) => kind === 'scheduled')
  const records = [
    ...states.filter(({ when }) => when(now, previous)).map((row) => stateMilestone(row, now)),
    ...ready.filter(({ of }) => of === previous).map((batch) => readyMilestone(batch, now)),
    ...steps.flatMap((step) => stepMilestones(step, now, options)),
    ...countdown(previous, now, { isPlanned, intervalSeconds: options.countdownSeconds }),
    ...batchMilestones(previous, now, isAfresh),
    ...ready.filter(({ of }) => of === now).map((batch) => readyMilestone(batch, now)),
  ]
  return { records, ...again }
}

interface StateRow {
  level: MilestoneLevel
  event: string
  when: (now: Moment, previous: Moment) => boolean
  text: (now: Moment) => string
  fields?: (now: Moment) => MilestoneFields
}

/** How things stand, told when they come to stand so. */
const states: readonly StateRow[] = [
  {
    level: 'debug',
    event: 'statefulset_update_detected',
    when: ({ set }, previous) => set.target !== undefined && set.target !== (previous.set.target ?? set.target),
    text: ({ set }) => `the update revision is ${set.target ?? 'unknown'}`,
  },
  {
    level: 'debug',
    event: 'no_update_revision',
    when: ({ set }, previous) => set.target === undefined && previous.set.target !== undefined,
    text: () => 'the status does not tell the update revision of this template yet',
  },
  {
    level: 'debug',
    event: 'no_pods_found',
    when: (now, previous) => isWithoutPods(now) && !isWithoutPods(previous),
    text: ({ set }) => `none of ${set.replicas} pods is there`,
  },
  {
    level: 'info',
    event: 'skip_wrong_strategy',
    when: ({ set }, previous) => !set.onDelete && previous.set.onDelete,
    text: () => 'the update strategy is RollingUpdate: nothing is rolled out',
    // There are two strategies.
    fields: () => ({ strategy_type: 'RollingUpdate' }),
  },
  {
    level: 'error',
    event: 'missing_pod_index_label',
    when: (now, previous) => unnumbered(now.reported).length > 0 && unnumbered(previous.reported).length === 0,
    text: (now) => `pods without a certain ordinal: ${listed(unnumbered(now.reported), 5)}`,
    fields: (now) => ({ missing_pods: unnumbered(now.reported) }),
  },
  {
    level: 'info',
    event: 'rollout_paused',
    when: (now, previous) => isPaused(now) && !isPaused(previous),
    text: (now) => `rollout to ${targetOf(now)} is paused`,
  },
  {
    level: 'info',
    event: 'rollout_resumed',
    when: (now, previous) => isPaused(previous) && !isPaused(now) && isOpen(now.record.state),
    text: (now) => `rollout to ${targetOf(now)} is resumed`,
  },
  {
    level: 'info',
    event: 'rollout_planned',
    when: ({ record }, previous) =>
      record.plannedAt !== undefined && previous.record.state === 'planned' && previous.record.plannedAt === undefined,
    text: () => 'the time of the plan was missing: the delay begins now',
    fields: ({ order }) => ({ delay_seconds: order.delaySeconds }),
  },
  {
    level: 'warn',
    event: 'rollout_stalled',
    when: (now, previous) => isStalled(now) && now.record.stalledAt !== previous.record.stalledAt,
    text: (now) => `rollout to ${targetOf(now)} is stalled: ${now.record.message ?? 'no reason is known'}`,
    fields: ({ record, pods, now }) => ({
      batch_ordinals: record.batch,
      waited_seconds: Math.max(0, now - (record.batchStartedAt ?? record.startedAt ?? now)),
      not_available: [...(pods?.unavailable ?? [])].sort((a, b) => a - b).slice(0, 10),
    }),
  },
  {
    level: 'debug',
    event: 'revision_complete',
    when: (now, previous) => isComplete(now) && !(isComplete(previous) && previous.set.target === now.set.target),
    text: ({ set }) => `all pods are of revision ${set.target ?? 'unknown'}`,
    fields: ({ set }) => ({ update_revision: set.target }),
  },
]

function stateMilestone({ level, event, text, fields }: StateRow, now: Moment): Milestone {
  return milestone(now, [level, event], text(now), fields?.(now))
}

function isWithoutPods({ set, reported }: Moment): boolean {
  return set.replicas > 0 && reported.length === 0
}

function isPaused({ record, order }: Moment): boolean {
  return isOpen(record.state) && order.paused
}

function isStalled({ record }: Moment): boolean {
  return record.state === 'rolling' && record.stalledAt !== undefined
}

function isComplete(now: Moment): boolean {
  const isKnown = !isWithoutPods(now) && unnumbered(now.reported).length === 0
  return isKnown && !isOpen(now.record.state) && now.set.onDelete && now.pods?.old.size === 0
}

const stepEvents: Record<Step['kind'], readonly [level: MilestoneLevel, event: string]> = {
  'new-revision': ['info', 'revision_detected'],
  scheduled: ['info', 'rollout_scheduled'],
  'delay-elapsed': ['info', 'rollout_delay_elapsed'],
  started: ['info', 'rollout_started'],
  interrupted: ['info', 'rollout_interrupted'],
  'already-complete': ['info', 'rollout_already_complete'],
  completed: ['info', 'rollout_completed'],
  aborted: ['warn', 'rollout_aborted'],
}

function stepMilestones(step: Step, now: Moment, options: MilestoneOptions): Milestone[] {
  const own = milestone(now, stepEvents[step.kind], stepText(step, now), stepFields(step, now, options))
  const isCourse = now.record.state === 'rolling' && (step.kind === 'started' || step.kind === 'interrupted')
  return isCourse ? [own, rangeMilestones(now)] : [own]
}

function stepFields(
  { kind, revision, from }: Step,
  { record, order, set, currentRevision }: Moment,
  { countdownSeconds }: MilestoneOptions,
): MilestoneFields {
  switch (kind) {
    case 'new-revision':
      return { current_revision: currentRevision, update_revision: revision }
    case 'scheduled':
      return { delay_seconds: order.delaySeconds, countdown_interval: countdownSeconds }
    case 'delay-elapsed':
      return {}
    case 'started':
      return {
        update_revision: revision,
        pods_to_update: record.podsToUpdate,
        total_replicas: set.replicas,
        max_unavailable: record.maxUnavailable,
        half_split_enabled: record.halfSplit,
      }
    case 'interrupted':
      return { old_revision: from, new_revision: revision }
    case 'already-complete':
    case 'aborted':
      return { update_revision: revision }
    case 'completed':
      return { update_revision: revision, total_replicas: set.replicas }
  }
}
