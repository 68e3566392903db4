import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { EnrolmentSettings } from '../../webhooks/rollout/enrolled.ts'
import { groupLabel } from '../../webhooks/rollout/names.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { Clock } from '../clock.ts'
import { ApiError } from '../kube/client.ts'
import type { KubeClient } from '../kube/client.ts'
import { listAll } from '../kube/list.ts'
import { read } from '../kube/read.ts'
import { selectorText } from '../kube/selector.ts'
import { groupOf } from './groups.ts'
import { type Facts, permission } from './permission.ts'
import { type RolloutPod, trimPod } from './pods.ts'

export interface DeletionOptions {
  client: KubeClient
  settings: EnrolmentSettings
  /** For each request. */
  timeoutMs: number
  /** Check everything and delete nothing. */
  dryRun: boolean
  clock: Pick<Clock, 'date'>
}

/** A pod whose deletion is announced. */
export interface Target {
  namespace: string
  order: RolloutOrder
  podUID: string
  /** Whether this replica may still act; asked last. */
  mayAct: () => boolean
}

/** What came of the attempt to delete a pod. */
export type Outcome =
  /** Deleted, by us or by somebody else; the object as it was last seen, if there still is one. */
  { state: 'deleted'; byUs: boolean; pod?: KubeObject } | Failure

/** A pod is not deleted: something has changed, a PodDisruptionBudget refuses it, or something went wrong. */
export interface Failure {
  state: 'withheld' | 'refused' | 'failed'
  reason: string
}

/** Tries after conflicts: the kubelet writes the status of a pod now and then. */
const triesMax = 3

/**
 * Deletes a pod of the batch, if everything agrees that it may be deleted: reads the set, its group and its pods anew, works out the
 * batch from them once more, and names uid and version of the pod that it has seen. So of two pollers only one deletes,
 * and never a successor.
 */
export async function deletePod(options: DeletionOptions, target: Target, signal: AbortSignal): Promise<Outcome> {
  const { namespace, order, podUID, mayAct } = target
  try {
    for (let tries = 0; tries < triesMax; tries++) {
      const { pods, ...facts } = await liveFacts(options, namespace, order, signal)
      const pod = pods.find(({ metadata }) => metadata.uid === podUID)
      if (pod === undefined) return { state: 'deleted', byUs: false }
      if (pod.fact.terminating === true) return { state: 'deleted', byUs: false, pod: pod.live }
      const reported = pods.map(({ fact }) => fact)
      const seconds = Math.floor(options.clock.date().getTime() / 1000)
      const { ordinals, obstacle } = permission({ ...facts, pods: reported }, order, options.settings, seconds)
      if (obstacle !== undefined) return { state: 'withheld', reason: obstacle }
      if (!ordinals.includes(pod.fact.ordinal ?? -1)) {
        return { state: 'withheld', reason: `the budget leaves no room for ${pod.metadata.name}` }
      }
      if (!mayAct()) return { state: 'withheld', reason: 'another replica may have taken over' }
      if (options.dryRun) return { state: 'withheld', reason: 'this is a dry run' }
      const deleted = await sendDeletion(options, pod, order, signal)
      if (deleted !== undefined) return { state: 'deleted', byUs: true, ...(isPod(deleted) && { pod: deleted }) }
    }
    return { state: 'withheld', reason: 'the pod changes all the time' }
  } catch (error) {
    signal.throwIfAborted()
    // Evictions are refused so while a PodDisruptionBudget has no room.
    if (error instanceof ApiError && error.status === 429 && order.useEviction) {
      return { state: 'refused', reason: `The eviction was refused: ${error.message}` }
    }
    return { state: 'failed', reason: textOf(error) }
  }
}

type LivePod = RolloutPod & { live: KubeObject }

/** Set, pods and group as the API server has them now. */
async function liveFacts(
  { client, timeoutMs }: DeletionOptions,
  namespace: string,
  { statefulSet, group }: RolloutOrder,
  signal: AbortSignal,
): Promise<Omit<Facts, 'pods'> & { pods: LivePod[] }> {
  const sets = `/apis/apps/v1/namespaces/${namespace}/statefulsets`
  const set = await read({ client, timeoutMs }, `${sets}/${statefulSet.name}`, signal)
  if (set === undefined) return { set, pods: [], others: [] }
  const inGroup = groupOf(set) ?? group
  const list = async (path: string, labelSelector: string): Promise<KubeObject[]> => {
    const objects: KubeObject[] = []
    const onPage = (page: KubeObject[], isFirst: boolean): void => {
      if (isFirst) objects.length = 0
      objects.push(...page)
    }
    await listAll({ client, path, query: { labelSelector }, signal, onPage })
    return objects
  }
  const [pods, others] = await Promise.all([
    list(`/api/v1/namespaces/${namespace}/pods`, selectorText(set)),
    inGroup === undefined ? [] : list(sets, `${groupLabel}=${inGroup}`),
  ])
  const own = pods.map((live) => ({ ...trimPod(live), live })).filter(({ owner }) => owner?.uid === statefulSet.uid)
  return { set, pods: own, others }
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
