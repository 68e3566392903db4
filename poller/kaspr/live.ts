import type { KubeObject } from '../../webhooks/contract/types.ts'
import { isPaused } from '../../webhooks/kaspr/annotations.ts'
import { ApiError } from '../kube/client.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Look } from './part.ts'

/**
 * The app as it is now, or `undefined` when nothing may be done for it: it is gone, another one of that name, being deleted,
 * or paused. To be asked just before an act.
 */
export async function liveApp(
  client: KubeClient,
  { namespace, spec: { app } }: Pick<Look, 'namespace' | 'spec'>,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  try {
    const path = `/apis/kaspr.io/v1alpha1/namespaces/${namespace}/kasprapps/${app.name}`
    const live = await client.request<KubeObject>({ path, signal })
    const isActive = live.metadata.uid === app.uid && live.metadata.deletionTimestamp === undefined && !isPaused(live)
    return isActive ? live : undefined
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  }
}
