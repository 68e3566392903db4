import { own } from '../contract/objects.ts'
import { freeze } from '../contract/freeze.ts'
import type { DecoratorRequest, DecoratorResponse } from '../contract/types.ts'
import type { HookContext } from '../hooks.ts'
import { enrolled, isSingleTarget } from './enrolled.ts'
import { enabledLabel, observationName, recordPrefix } from './names.ts'
import { observation } from './observation.ts'
import { annotationPatch, patched, readRecord } from './record.ts'
import { step } from './transitions.ts'
import { observationOf, rolloutView } from './view.ts'

/** Seconds after which to look again for an Observation that was asked for and is not there. */
const unobservedSeconds = 5

/** Longest wait: a longer one would overflow somewhere, and costs one call an hour. */
const longestSeconds = 3600

/** Longest name that an object can have. */
const nameLength = 253

/**
 * Sync of a StatefulSet: records how far its rollout is in annotations, and tells the poller through the Observation
 * which pods may be deleted. An answer without the Observation deletes it, so every answer about a set that is enrolled
 * has it.
 */
export function syncRollout(request: DecoratorRequest, context: HookContext): DecoratorResponse {
  const { metadata } = request.object
  const observed = observationOf(request)
  if (metadata.deletionTimestamp !== undefined) {
    // Metacontroller leaves the attachments of such an object alone; what was observed is the answer that agrees.
    return { attachments: observed === undefined ? [] : [freeze(observed)] }
  }
  if (!enrolled(request.object, context.settings)) return left(request, context)
  // Not even its pods could be named.
  if (observationName(metadata.name).length > nameLength) return { attachments: [] }

  const view = rolloutView(request, context)
  const { changes, again, certain } = step(view)
  const patch = annotationPatch(metadata.annotations, changes, view.now)
  const record = readRecord(patched(metadata.annotations, patch))
  const waits = [
    ...(again === undefined ? [] : [again]),
    // After an orphaning deletion one of a former owner may be in the way, until the poller has removed it.
    ...(observed === undefined ? [unobservedSeconds] : []),
  ]
  return {
    ...annotations(patch),
    attachments: [observation(view, record, certain, metadata.namespace)],
    ...(waits.length === 0 ? {} : { resyncAfterSeconds: Math.min(longestSeconds, ...waits) }),
  }
}

/**
 * A set that is not enrolled: nothing is attached to it, and what is recorded says so. A set that never was is not
 * touched: with a single target the hook is asked about every set of the cluster.
 */
function left(request: DecoratorRequest, { settings, now }: HookContext): DecoratorResponse {
  const { labels, annotations: present } = request.object.metadata
  const isOptedOut = !isSingleTarget(settings) && own(labels, enabledLabel) !== 'true'
  if (!isOptedOut && observationOf(request) === undefined) return { attachments: [] }
  const has = (key: string): boolean => own(present, recordPrefix + key) !== undefined
  const changes = {
    ...(has('state') ? { state: 'none' as const } : {}),
    ...(has('current-batch-ordinals') ? { 'current-batch-ordinals': [] } : {}),
    'stalled-at': null,
    message: null,
  }
  return { ...annotations(annotationPatch(present, changes, Math.floor(now.getTime() / 1000))), attachments: [] }
}

function annotations(patch: Record<string, string | null>): Pick<DecoratorResponse, 'annotations'> {
  return Object.keys(patch).length === 0 ? {} : { annotations: patch }
}
