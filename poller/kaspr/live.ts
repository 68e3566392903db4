import { isPaused } from '../../webhooks/kaspr/annotations.ts'
import { read } from '../kube/read.ts'
import type { Reading } from '../kube/read.ts'
import type { Look } from './part.ts'

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
