import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { EnrolmentSettings } from '../../webhooks/rollout/enrolled.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { Clock } from '../clock.ts'
import { ApiError } from '../kube/client.ts'
import type { KubeClient } from '../kube/client.ts'
import { type LivePod, type LiveSubject, liveFacts } from './live-facts.ts'
import { permission } from './permission.ts'
import type { RolloutPod } from './pods.ts'

export interface DeletionOptions {
  client: KubeClient
  settings: EnrolmentSettings
  /** For each request. */
  timeoutMs: number
  /** Check everything and delete nothing. */
  dryRun: boolean
  clock: Pick<Clock, 'date' | 'now'>
}

/** Pods whose deletion is announced. */
export interface Target extends LiveSubject {
  order: RolloutOrder
  podUIDs: readonly string[]
  /** Whether this replica may still act; asked last. */
  mayAct: () => boolean
}

/** What came of the attempt to delete pods. */
export interface Outcome {
  /** Pods that are on their way out by now, by us or by somebody else, as far as the watch has not shown them so. */
  leaving: KubeObject[]
  /** Pods that were deleted by us. */
  deleted: number
  /** Why not all of them are on their way out, if so. */
  failure?: Failure
}

/** Pods are not deleted: something has changed, a PodDisruptionBudget refuses it, or something went wrong. */
export interface Failure {
  state: 'withheld' | 'refused' | 'failed'
  reason: string
}

/** Tries after conflicts: the kubelet writes the status of a pod now and then. */
const triesMax = 3
/** Pods that are deleted upon one check: so few that it does not grow old. */
const deletionsPerCheck = 8
/** Age at which a check has grown old, milliseconds: it is made once more, and then good for one pod. */
const checkAgeMs = 2_000

/**
 * Deletes pods of the batch, ascending, if everything agrees that they may be deleted: reads the set, its group and its pods anew, works
 * out the batch from them once more, and names uid and version of each pod that it has seen. So of two pollers only one
 * deletes, and never a successor. What one check allows may be down at once, so it is deleted upon that check.
 */
export async function deletePods(options: DeletionOptions, target: Target, signal: AbortSignal): Promise<Outcome> {
  const outcome: Outcome = { leaving: [], deleted: 0 }
  const isOld = (checkedAt: number): boolean => options.clock.now() - checkedAt > checkAgeMs
  const left = new Set(target.podUIDs)
  let wasOld = false
  try {
    for (let conflicts = 0; conflicts < triesMax;) {
      const checkedAt = options.clock.now()
      const { failure, gone, pods } = await allowed(options, target, left, signal)
      for (const { fact, whole } of gone) {
        left.delete(fact.uid)
        if (whole !== undefined) outcome.leaving.push(whole)
      }
      if (failure !== undefined) return { ...outcome, failure }
      if (pods.length === 0 || left.size === 0) return outcome
      if (!wasOld && isOld(checkedAt)) {
        // This process may have been frozen meanwhile. If the next check takes as long, it is the API server that is slow.
        wasOld = true
        continue
      }
      const end = await deleteChecked(options, target, { pods, left, isOld: () => isOld(checkedAt) }, outcome, signal)
      if (end === 'takenOver') return { ...outcome, failure: takenOver }
      if (end === 'conflict') conflicts += 1
      if (left.size === 0) return outcome
    }
    return { ...outcome, failure: { state: 'withheld', reason: 'the pods change all the time' } }
  } catch (error) {
    signal.throwIfAborted()
    return { ...outcome, failure: failureOf(error, target.order) }
  }
}

/** Deletes the pods that a check has allowed, until one has changed since, or the check has grown old; takes them out of `left`. */
async function deleteChecked(
  options: DeletionOptions,
  target: Target,
  { pods, left, isOld }: { pods: readonly LivePod[]; left: Set<string>; isOld: () => boolean },
  outcome: Outcome,
  signal: AbortSignal,
): Promise<'takenOver' | 'conflict' | undefined> {
  for (const [index, pod] of pods.entries()) {
    if (index > 0 && isOld()) return undefined
    if (!target.mayAct()) return 'takenOver'
    const answer = await sendDeletion(options, pod, target.order, signal)
    if (answer === undefined) return 'conflict'
    left.delete(pod.fact.uid)
    outcome.deleted += 1
    if (isPod(answer)) outcome.leaving.push(answer)
  }
  return undefined
}

const takenOver: Failure = { state: 'withheld', reason: 'another replica may have taken over' }

function failureOf(error: unknown, { useEviction }: RolloutOrder): Failure {
  // Evictions are refused so while a PodDisruptionBudget has no room.
  if (error instanceof ApiError && error.status === 429 && useEviction) {
    return { state: 'refused', reason: `The eviction was refused: ${error.message}` }
  }
  return { state: 'failed', reason: textOf(error) }
}

interface Allowed {
  pods: LivePod[]
  /** On their way out already. */
  gone: LivePod[]
  failure?: Failure
}

/** Of the pods that are left those that may be deleted now, and those that somebody has deleted already. */
async function allowed(
  options: DeletionOptions,
  target: Target,
  left: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Allowed> {
  const { order } = target
  const { pods, ...facts } = await liveFacts(options, target, signal)
  const present = pods.filter(({ fact }) => left.has(fact.uid))
  const gone = present.filter(({ fact }) => fact.terminating === true)
  const due = present.filter(({ fact }) => fact.terminating !== true)
  const [first] = due
  if (first === undefined) return { pods: [], gone }
  const withheld = (reason: string): Allowed => ({ pods: [], gone, failure: { state: 'withheld', reason } })
  const seconds = Math.floor(options.clock.date().getTime() / 1000)
  const reported = pods.map(({ fact }) => fact)
  const { ordinals, obstacle } = permission({ ...facts, pods: reported }, order, options.settings, seconds)
  if (obstacle !== undefined) return withheld(obstacle)
  const free = due.filter(({ fact }) => fact.ordinal !== undefined && ordinals.includes(fact.ordinal))
  if (free.length === 0) return withheld(`the budget leaves no room for ${first.metadata.name}`)
  if (options.dryRun) return withheld('this is a dry run')
  return { pods: free.slice(0, deletionsPerCheck), gone }
}

/** The answer of the API server; undefined if the pod is not any more what was read. */
async function sendDeletion(
  { client, timeoutMs }: DeletionOptions,
  { metadata }: RolloutPod,
  { gracePeriodSeconds, useEviction }: RolloutOrder,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const { namespace = '', name, uid, resourceVersion } = metadata
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`
  const preconditions = { uid, resourceVersion }
  const deleteOptions = { ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }), preconditions }
  try {
    if (!useEviction) {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...deleteOptions }
      return await client.request<KubeObject>({ method: 'DELETE', path, body, timeoutMs, retry: false, signal })
    }
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions }
    return await client.request<KubeObject>({
      method: 'POST',
      path: `${path}/eviction`,
      body,
      timeoutMs,
      retry: false,
      signal,
    })
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return undefined
    throw error
  }
}

function isPod({ kind }: KubeObject): boolean {
  return kind === 'Pod'
}

function textOf(error: unknown): string {
  if (error instanceof ApiError) return `HTTP ${error.status}: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}
