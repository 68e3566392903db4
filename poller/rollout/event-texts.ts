import { listed } from '../../webhooks/rollout/listed.ts'
import { downPods, unnumbered } from '../../webhooks/rollout/pods.ts'
import { timestamp } from '../observation.ts'
import { type Moment, targetOf } from './moment.ts'
import type { Step } from './story.ts'

/** An Event about a StatefulSet. */
export interface Announcement {
  type: 'Normal' | 'Warning'
  /** One of those that docs/rollout.md lists. */
  reason: string
  message: string
}

/** The Event of a step of a rollout. */
export function stepEvent(step: Step, moment: Moment): Announcement {
  const { type = 'Normal', reason } = stepTexts[step.kind]
  return eventOf(moment, type, reason, stepText(step, moment))
}

/** A step of a rollout in words, without the name of the set. */
export function stepText(step: Step, moment: Moment): string {
  return stepTexts[step.kind].text(step, moment)
}

const stepTexts: Record<
  Step['kind'],
  { type?: Announcement['type']; reason: string; text: (step: Step, moment: Moment) => string }
> = {
  'new-revision': {
    reason: 'NewRevision',
    text: ({ revision }, moment) => `${revision} is a new revision: ${toUpdate(moment)}`,
  },
  scheduled: {
    reason: 'RolloutScheduled',
    text: ({ revision }, { record: { plannedAt }, order: { delaySeconds } }) => {
      const start = plannedAt === undefined ? '' : `, at ${shownTime(plannedAt + delaySeconds)}`
      return `rollout to ${revision} is due ${delaySeconds} s after its detection${start}`
    },
  },
  'delay-elapsed': {
    reason: 'RolloutDelayElapsed',
    text: ({ revision }) => `the delay before the rollout to ${revision} is over`,
  },
  started: {
    reason: 'RolloutStarted',
    text: ({ revision }, moment) => {
      const { record, order, set } = moment
      const halves = record.halfSplit === true && set.replicas > 1 ? ', upper half first' : ''
      const most = record.maxUnavailable ?? order.maxUnavailable
      return `rollout to ${revision} has started: ${toUpdate(moment)}, at most ${most} unavailable at once${halves}`
    },
  },
  interrupted: {
    reason: 'RolloutInterrupted',
    text: ({ revision, from = 'unknown' }, moment) =>
      `rollout to ${from} has given way to one to ${revision}: ${toUpdate(moment)}`,
  },
  'already-complete': {
    reason: 'RolloutAlreadyComplete',
    text: ({ revision }) => `nothing is left to roll out: all pods are of revision ${revision}`,
  },
  completed: {
    reason: 'RolloutCompleted',
    text: ({ revision }) => `rollout to ${revision} is complete: all pods are updated and available`,
  },
  aborted: {
    type: 'Warning',
    reason: 'RolloutAborted',
    text: ({ revision }, { record: { message = '' } }) => {
      const why = message.startsWith('aborted') ? message : 'aborted: the StatefulSet is not enrolled any more'
      return `rollout to ${revision} ${why}`
    },
  },
}

/** The user has paused the rollout. */
export function pausedEvent(moment: Moment): Announcement {
  const text = `rollout to ${targetOf(moment)} is paused: no pod is deleted until it is resumed`
  return eventOf(moment, 'Normal', 'RolloutPaused', text)
}

/** It is not paused any more. */
export function resumedEvent(moment: Moment): Announcement {
  return eventOf(moment, 'Normal', 'RolloutResumed', `rollout to ${targetOf(moment)} is resumed`)
}

/** The rollout does not get on. */
export function stalledEvent(moment: Moment): Announcement {
  const { stalledAt, batch, message = 'no reason is known' } = moment.record
  const since = stalledAt === undefined ? '' : ` since ${shownTime(stalledAt)}`
  const ordinals = batch.length === 0 ? 'no batch' : `batch ${listed(batch, 10)}`
  const down = moment.pods === undefined ? [] : downPods(moment.pods)
  const why = down.length === 0 ? message : `not available: ${listed(down, 10)}`
  const text = `rollout to ${targetOf(moment)} is stalled${since}: ${ordinals}; ${why}`
  return eventOf(moment, 'Warning', 'RolloutStalled', text)
}

/** There are pods whose ordinal is not certain. */
export function missingPodIndexEvent(moment: Moment): Announcement {
  const names = listed(unnumbered(moment.reported), 5)
  const text = `nothing can be rolled out: pods without a label apps.kubernetes.io/pod-index that agrees with their name: ${names}`
  return eventOf(moment, 'Warning', 'MissingPodIndex', text)
}

/** A warning of the hook. */
export function warningEvent(moment: Moment, warning: { reason: string; message: string }): Announcement {
  return eventOf(moment, 'Warning', warning.reason, warning.message)
}

function eventOf({ namespace, set }: Moment, type: Announcement['type'], reason: string, text: string): Announcement {
  return { type, reason, message: `[${namespace}/${set.name}] ${text}` }
}

function toUpdate({ record, set }: Moment): string {
  return `${record.podsToUpdate ?? 'some'} of ${set.replicas} pods to update`
}

function shownTime(seconds: number): string {
  return timestamp(new Date(seconds * 1000))
}
