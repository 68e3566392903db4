import type { KubeObject } from '../../webhooks/contract/types.ts'
import { isPaused } from '../../webhooks/kaspr/annotations.ts'
import { ApiError } from '../kube/client.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Look } from './part.ts'

/** How an object is read: with which client, and within which time. */
export interface Reading {
  client: KubeClient
  timeoutMs?: number
}

/** An object as the API server has it now, `undefined` without one. */
export async function read(
  { client, timeoutMs }: Reading,
  path: string,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  try {
    return await client.request<KubeObject>({ path, signal, ...(timeoutMs !== undefined && { timeoutMs }) })
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  }
}

/** Path of the app. */
export function appPath({ namespace, spec: { app } }: Pick<Look, 'namespace' | 'spec'>): string {
  return `/apis/kaspr.io/v1alpha1/namespaces/${namespace}/kasprapps/${app.name}`
}

/** Why nothing may be done for an app, as it is now; `undefined` when it may. To be asked just before an act. */
export async function appObstacle(
  reading: Reading,
  look: Pick<Look, 'namespace' | 'spec'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const live = await read(reading, appPath(look), signal)
  if (live?.metadata.uid !== look.spec.app.uid) return 'the app is gone'
  if (live.metadata.deletionTimestamp !== undefined) return 'the app is being deleted'
  return isPaused(live) ? 'the app is paused' : undefined
}
