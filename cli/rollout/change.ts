import { own } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { configPrefix, enabledLabel, grafanaPaused } from '../../webhooks/rollout/names.ts'
import { readSet } from '../../webhooks/rollout/stateful-set.ts'
import { looksEnrolled, wishes } from './annotations.ts'
import { notOnDelete, rolloutModel } from './model.ts'
import type { Live } from './model.ts'

/**
 * What is to be done about a wish of a user: annotations to write (null removes one), nothing because it is so already, a
 * refusal with its reason, or to look again once the set's status is about its template.
 */
export type Change =
  | { kind: 'write'; annotations: Record<string, string | null>; done: string }
  | { kind: 'nothing'; because: string }
  | { kind: 'refuse'; because: string }
  | { kind: 'later' }

const pausedKey = `${configPrefix}paused`

/** Holds a rollout: no further pod is deleted, and a planned one does not start. */
export function pause(set: KubeObject): Change {
  const unfit = notOnDelete(set)
  if (unfit !== undefined) return { kind: 'refuse', because: unfit }
  if (wishes(set).paused) return { kind: 'nothing', because: 'already paused' }
  const done = looksEnrolled(set) ? 'paused' : `paused; ${notEnrolled}`
  return { kind: 'write', annotations: { [pausedKey]: 'true' }, done }
}

/** Lets a rollout go on. */
export function resume(set: KubeObject): Change {
  if (!wishes(set).paused) return { kind: 'nothing', because: 'not paused' }
  const other = own(set.metadata.annotations, grafanaPaused)
  if (other?.toLowerCase() === 'true') {
    return {
      kind: 'refuse',
      because: `paused by the annotation ${grafanaPaused}, which somebody else has set: remove it`,
    }
  }
  return { kind: 'write', annotations: { [pausedKey]: null }, done: 'resumed' }
}

/** Lets the rollout to the revision of this moment start without its delay. A later revision waits again. */
export function start(live: Live): Change {
  const { set } = live
  const unfit = notOnDelete(set) ?? (looksEnrolled(set) ? undefined : notEnrolled)
  if (unfit !== undefined) return { kind: 'refuse', because: unfit }
  const { target } = readSet(set)
  if (target === undefined) return { kind: 'later' }
  const { recorded, counts, paused, sections } = rolloutModel(live, 0)
  if (recorded.state === 'rolling') return { kind: 'nothing', because: 'already rolling' }
  // As the operator sees it, a pod that does not tell its revision has to be replaced.
  const isUnknown = sections.some(({ pods }) => pods.some(({ revision }) => revision === 'unknown'))
  if (recorded.state !== 'planned' && counts.oldReady + counts.oldNotReady === 0 && !isUnknown) {
    return { kind: 'refuse', because: `no rollout is pending: no pod is on another revision than ${target}` }
  }
  if (paused) return { kind: 'refuse', because: 'the rollout is paused: resume it first' }
  if (wishes(set).startNow === target) return { kind: 'nothing', because: `already starts revision ${target}` }
  return { kind: 'write', annotations: { [`${configPrefix}start-now`]: target }, done: `starts revision ${target}` }
}

const notEnrolled = `not enrolled: label ${enabledLabel} is not "true"`
