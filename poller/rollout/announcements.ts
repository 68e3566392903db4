import { hashOf } from '../../webhooks/contract/hash.ts'
import { type RolloutReport, unnumbered } from '../../webhooks/rollout/pods.ts'
import { isOpen } from '../../webhooks/rollout/record.ts'
import {
  type Announcement,
  missingPodIndexEvent,
  pausedEvent,
  resumedEvent,
  stalledEvent,
  stepEvent,
  warningEvent,
} from './event-texts.ts'
import type { Moment } from './moment.ts'
import { standingOf, story } from './story.ts'

/** How far Events have told a rollout, `Observation.status.rollout.announced`. */
export type Announced = NonNullable<RolloutReport['announced']>

/** What a look at a rollout leads to. */
export interface Announcements {
  /** What is told once the Events are; equal to what was given if there is nothing new. */
  announced: Announced
  /** In the order in which they happened. */
  events: Announcement[]
  /** Seconds until there is an Event although nothing changes; absent for never. */
  againSeconds?: number
}

/** Time from one Event about a stalled rollout to the next. */
const stallReminderSeconds = 1800

/** Events about how things stand, in the order in which they are told. */
const stateRows: readonly {
  when: (last: Partial<Announced>, now: Announced) => boolean
  event: (moment: Moment) => Announcement
}[] = [
  { when: (last, now) => !last.paused && now.paused === true, event: pausedEvent },
  { when: (last, now) => last.paused === true && !now.paused && isOpen(now.state), event: resumedEvent },
  { when: (last, now) => now.stalledAt !== undefined && now.stalledAt !== last.stalledAt, event: stalledEvent },
  { when: (last, now) => !last.missingPodIndex && now.missingPodIndex === true, event: missingPodIndexEvent },
]

/**
 * The Events that a look at a rollout leads to, from what was told so far. All that must be remembered is
 * in what it returns, so a poller that starts anew loses none and repeats none.
 *
 * @param last absent at first sight of a set: only its present state is told then
 */
export function announce(last: Announced | undefined, moment: Moment): Announcements {
  const warnings = new Map((moment.order.warnings ?? []).map((warning) => [hashOf(warning), warning]))
  const announced = announcedAt(last, moment, [...warnings.keys()].sort())
  const { stalledAt } = announced
  return {
    announced,
    events: [
      ...story(last, moment).map((step) => stepEvent(step, moment)),
      ...stateRows.filter(({ when }) => when(last ?? {}, announced)).map(({ event }) => event(moment)),
      ...[...warnings]
        .filter(([hash]) => !last?.warned?.includes(hash))
        .map(([, warning]) => warningEvent(moment, warning)),
    ],
    ...(stalledAt === undefined ? {} : { againSeconds: Math.max(1, stalledAt + stallReminderSeconds - moment.now) }),
  }
}

function announcedAt(last: Announced | undefined, moment: Moment, warned: string[]): Announced {
  const { record, order, set, pods } = moment
  const stalledAt = stallTold(last, moment)
  // What is not known, or does not matter, stays as it was told.
  const isJudged = set.onDelete && pods !== undefined
  const isUnnumbered = isJudged ? unnumbered(moment.reported).length > 0 : (last?.missingPodIndex ?? false)
  return {
    ...standingOf(moment),
    ...(isOpen(record.state) && order.paused ? { paused: true } : {}),
    ...(stalledAt === undefined ? {} : { stalledAt }),
    ...(isUnnumbered ? { missingPodIndex: true } : {}),
    ...(warned.length === 0 ? {} : { warned }),
  }
}

/** When it was last told that the rollout is stalled, this look included; undefined while it is not. */
function stallTold(last: Announced | undefined, { record, now }: Moment): number | undefined {
  const { state, stalledAt } = record
  if (state !== 'rolling' || stalledAt === undefined) return undefined
  const told = last?.stalledAt
  const isTold = told !== undefined && stalledAt <= told && now - told < stallReminderSeconds
  // The clock of the hook may be ahead of this one.
  return isTold ? told : Math.max(now, stalledAt)
}
