import { isMap, own } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { enabledLabel } from '../../webhooks/rollout/names.ts'
import { readSet } from '../../webhooks/rollout/stateful-set.ts'
import { wishes } from './annotations.ts'
import { activeBatch, activeRange, localTime } from './header.ts'
import { notOnDelete, rolloutModel } from './model.ts'
import type { Live, RolloutModel } from './model.ts'

/**
 * How a rollout stands, for whoever waits for its end. `complete` and `aborted` are ends; `stalled` waits for somebody to
 * repair something; `progressing` and `paused` go on.
 */
export interface Verdict {
  state: 'complete' | 'progressing' | 'paused' | 'stalled' | 'aborted'
  /** One line; it changes only when something has moved. */
  text: string
}

/**
 * Judges a rollout from live objects. It is complete only for the template that the set has now, whatever annotations say:
 * a change that somebody has not seen yet, be it Kubernetes or the operator, is a rollout in progress.
 *
 * @param live undefined if there is no such set any more
 * @param before the set as it was when somebody began to wait
 */
export function verdict(live: Live | undefined, before: KubeObject): Verdict {
  const title = `statefulset "${before.metadata.name}"`
  const aborted = (reason: string): Verdict => ({ state: 'aborted', text: `${title} rollout aborted: ${reason}` })
  if (live === undefined) return aborted('it is gone')
  const { set } = live
  const unfit = lost(set, before) ?? notOnDelete(set)
  if (unfit !== undefined) return aborted(unfit)
  const { target } = readSet(set)
  if (target === undefined) {
    return { state: 'progressing', text: `Waiting for ${title} spec update to be observed` }
  }
  const model = rolloutModel(live, 0)
  const available = availablePods(model, set)
  const progress = `${updatedPods(model)} of ${model.replicas} pods updated, ${available} available`
  const isEnrolled = model.enrolled && !hasLeft(set, before)
  const isUpdated = model.workRemaining === 0 && available >= model.replicas
  if (isUpdated && (!isEnrolled || isRecorded(model, target))) {
    return { state: 'complete', text: `${title} successfully rolled out: ${progress}, revision ${target}` }
  }
  if (!isEnrolled) return aborted(`not enrolled: label ${enabledLabel} is not "true"; ${progress}`)
  const isStalled = stalled(model, target)
  const head = isStalled ? `${title} rollout stalled: ` : `Waiting for ${title} rollout to finish: `
  const state = isStalled ? 'stalled' : model.paused ? 'paused' : 'progressing'
  return { state, text: head + [progress, ...reasons(model, set, target)].join('; ') }
}

/** Whether the set is no longer the one that somebody waits for. */
function lost({ metadata }: KubeObject, before: KubeObject): string | undefined {
  if (metadata.uid !== before.metadata.uid) return 'it was deleted and made anew'
  return metadata.deletionTimestamp === undefined ? undefined : 'it is being deleted'
}

/** Whether the label that enrols the set was taken away: what is recorded then stays as it was. */
function hasLeft(set: KubeObject, before: KubeObject): boolean {
  const hasLabel = ({ metadata }: KubeObject): boolean => own(metadata.labels, enabledLabel) === 'true'
  return hasLabel(before) && !hasLabel(set)
}

/** Whether the operator has nothing left to do for this revision. Where it never rolled anything, it records nothing. */
function isRecorded({ recorded: { state, targetRevision } }: RolloutModel, target: string): boolean {
  if (state === 'planned' || state === 'rolling') return false
  return state !== 'done' || targetRevision === target
}

/** What was recorded as stalled for another revision, or is held on purpose, is not stalled any more. */
function stalled({ recorded, paused }: RolloutModel, target: string): boolean {
  const { state, stalledAt, targetRevision } = recorded
  return state === 'rolling' && typeof stalledAt === 'number' && targetRevision === target && !paused
}

/** Where the rollout is, and what it waits for. */
function reasons(model: RolloutModel, set: KubeObject, target: string): string[] {
  const { recorded, paused, counts } = model
  const isTaken = recorded.targetRevision === target
  // The operator's message for it is the same word.
  if (paused) return ['paused']
  const message = recorded.message === undefined ? [] : [recorded.message]
  if (recorded.state === 'planned' && isTaken) return [start(model, set, target), ...message]
  if (recorded.state === 'rolling' && isTaken)
    return [...batch(model), ...(message.length > 0 ? message : [pods(model, set)])]
  const isOutdated = counts.oldReady + counts.oldNotReady > 0
  return [isOutdated ? `waits for the operator to take up revision ${target}` : pods(model, set), ...message]
}

function start({ recorded: { plannedAt } }: RolloutModel, set: KubeObject, target: string): string {
  const { startNow, delaySeconds } = wishes(set)
  if (startNow === target) return 'starts now'
  if (typeof plannedAt !== 'number') return 'planned'
  return delaySeconds === undefined
    ? `planned at ${localTime(plannedAt)}`
    : `starts at ${localTime(plannedAt + delaySeconds)}`
}

function batch(model: RolloutModel): string[] {
  const [range, index] = [activeRange(model), activeBatch(model)]
  return range === undefined || index === undefined ? [] : [`batch ${index} of ${range}`]
}

const shownPods = 5

/** What the rollout waits for: pods that are down or not available yet, else the operator's next step. */
function pods(model: RolloutModel, set: KubeObject): string {
  const { name, sections } = model
  const down = sections.flatMap(({ pods: members }) => members).filter(({ ready }) => !ready)
  const names = down.slice(0, shownPods).map(({ ordinal }) => `${name}-${ordinal}`)
  if (down.length > shownPods) names.push('...')
  if (names.length > 0) return `waits for ${names.join(', ')}`
  const { minReadySeconds } = readSet(set)
  const isYoung = minReadySeconds > 0 && availablePods(model, set) < model.replicas
  return isYoung ? `waits until all pods have been ready for ${minReadySeconds} s` : 'waits for the next step'
}

function updatedPods({ counts: { newReady, newNotReady } }: RolloutModel): number {
  return newReady + newNotReady
}

/** Pods that have been ready for `minReadySeconds`: Kubernetes counts them, but a little later than pods change. */
function availablePods({ sections }: RolloutModel, { status }: KubeObject): number {
  const count = isMap(status) ? status['availableReplicas'] : undefined
  const ready = sections.flatMap(({ pods: members }) => members).filter((pod) => pod.ready)
  return typeof count === 'number' ? Math.min(count, ready.length) : 0
}
