import type { KubeObject } from '../../webhooks/contract/types.ts'
import { ApiError } from '../kube/client.ts'
import type { KubeClient } from '../kube/client.ts'
import { read } from '../kube/read.ts'
import { appObstacle } from './live.ts'
import type { KasprAppSpec } from './part.ts'
import { trimSet, unsettled } from './statefulsets.ts'
import { asIfBack } from './terminations.ts'
import type { Outcome } from './terminations.ts'

export interface TerminateOptions {
  client: KubeClient
  /** For the process to end by itself, whole seconds. */
  graceSeconds: number
  /** For each request. */
  timeoutMs: number
  /** Check everything and delete nothing. */
  dryRun: boolean
}

/** A pod that is to be deleted. */
export interface Target {
  namespace: string
  spec: KasprAppSpec
  id: number
  podUID: string
  /** Members that may be missing because of us: this batch, and those of the last minutes. */
  missing: number
  /** It was announced in an earlier look, too: if it is gone, that was us. */
  again: boolean
}

/** Tries after conflicts: the kubelet writes the status of a pod now and then. */
const triesMax = 3

/**
 * Deletes the pod of a hung member, if everything is still as it was when that was decided: reads app, set and pod anew,
 * and names uid and version of the pod it has seen. So of two pollers only one deletes, and never a successor.
 *
 * @returns undefined if it cannot be known what came of it; the pod will tell
 */
export async function terminate(
  options: TerminateOptions,
  target: Target,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  try {
    const obstacle = await obstacleTo(options, target, signal)
    if (obstacle !== undefined) return { state: 'Withdrawn', message: obstacle }
    return await deletePod(options, target, signal)
  } catch (error) {
    if (signal.aborted) return undefined
    return { state: 'Failed', message: textOf(error) }
  }
}

/** What has changed since it was decided. */
async function obstacleTo(options: TerminateOptions, target: Target, signal: AbortSignal): Promise<string | undefined> {
  const { namespace, spec, missing } = target
  const { app, statefulSet, replicas } = spec
  const obstacle = await appObstacle(options, target, signal)
  if (obstacle !== undefined) return obstacle
  const object = await read(options, `/apis/apps/v1/namespaces/${namespace}/statefulsets/${statefulSet}`, signal)
  const set = object && trimSet(object)
  if (set !== undefined && set.owner !== app.uid) return 'the StatefulSet belongs to somebody else'
  const [reason] = unsettled(set && asIfBack(set, missing), replicas)
  return reason
}

async function deletePod(options: TerminateOptions, target: Target, signal: AbortSignal): Promise<Outcome | undefined> {
  const { client, graceSeconds, timeoutMs } = options
  const { namespace, spec, id, podUID, again } = target
  const path = `/api/v1/namespaces/${namespace}/pods/${spec.statefulSet}-${id}`
  for (let attempt = 0; attempt < triesMax; attempt++) {
    const pod = await read(options, path, signal)
    if (hasEnded(pod, podUID)) return { state: again ? 'Terminated' : 'Gone' }
    if (options.dryRun) return { state: 'DryRun' }
    const preconditions = { uid: podUID, resourceVersion: pod?.metadata.resourceVersion }
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: graceSeconds, preconditions }
    try {
      await client.request({ method: 'DELETE', path, body, timeoutMs, signal })
      return { state: 'Terminated' }
    } catch (error) {
      if (!(error instanceof ApiError)) return lookAfter(error, options, path, podUID, signal)
      // Changed since it was read (look again) or gone (the same).
      if (error.status !== 409 && error.status !== 404) throw error
    }
  }
  return { state: 'Withdrawn', message: 'the pod changes all the time' }
}

/** After a deletion without an answer: whether it has been carried out. */
async function lookAfter(
  error: unknown,
  options: TerminateOptions,
  path: string,
  podUID: string,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  try {
    const pod = await read(options, path, signal)
    return hasEnded(pod, podUID) ? { state: 'Terminated' } : { state: 'Failed', message: textOf(error) }
  } catch {
    return undefined
  }
}

function hasEnded(pod: KubeObject | undefined, podUID: string): boolean {
  return pod?.metadata.uid !== podUID || pod.metadata.deletionTimestamp !== undefined
}

function textOf(error: unknown): string {
  if (error instanceof ApiError) return `HTTP ${error.status}: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}
