import { own } from '../../webhooks/contract/objects.ts'
import { isPaused } from '../../webhooks/kaspr/annotations.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { KubeClient } from '../kube/client.ts'
import { read } from '../kube/read.ts'
import { appPath } from './live.ts'
import type { Look } from './part.ts'
import type { Outcomes, Signal } from './rebalance-draft.ts'
import { signalRebalance } from './signal.ts'
import type { SignalOptions } from './signal.ts'
import { trimSet, unsettled } from './statefulsets.ts'

/** Annotation that asks for a rebalance by its presence. */
export const rebalanceAnnotation = 'kaspr.io/rebalance'

/** For one request to the API server. */
const apiTimeoutMs = 10_000

type SignalOutcome = NonNullable<Outcomes['signal']>['outcome']

/** A KasprApp as far as it is read. */
interface App extends KubeObject {
  spec?: { replicas?: number }
  status?: { observedGeneration?: number; rebalanceRequired?: boolean }
}

/**
 * Looks at the app and its StatefulSet as they are now, and sends the signal if nothing has come in between.
 *
 * @param needsAnnotation the signal is only right while the app carries the annotation
 * @returns what came of it, and the value of the annotation that was served
 */
export async function sendSignal(
  { client, dryRun = false, ...options }: SignalOptions & { client: KubeClient; dryRun?: boolean },
  look: Look,
  { signal, needsAnnotation }: { signal: Signal; needsAnnotation: boolean },
  abort: AbortSignal,
): Promise<{ outcome: SignalOutcome; annotation: string | undefined }> {
  const { namespace, spec } = look
  const held = (why: string): { outcome: SignalOutcome; annotation: undefined } => ({
    outcome: { result: 'held', why },
    annotation: undefined,
  })
  try {
    const [app, set] = await Promise.all([
      getApp(client, look, abort),
      read(
        { client, timeoutMs: apiTimeoutMs },
        `/apis/apps/v1/namespaces/${namespace}/statefulsets/${spec.statefulSet}`,
        abort,
      ),
    ])
    if (app === undefined) return held('the app is gone')
    const annotation = annotationOf(app)
    if (needsAnnotation && annotation === undefined) return { outcome: { result: 'gone' }, annotation }
    const reasons = obstaclesTo(signal, app, set, spec)
    if (reasons.length > 0) return held(reasons.join(', '))
    const member = look.running.find(({ uid }) => uid === signal.podUID)
    if (member === undefined) return held('the member is gone')
    if (dryRun) return held('the poller only says what it would do (POLLER_DRY_RUN)')
    const host = `${member.name}.${spec.statefulSet}.${namespace}.svc.cluster.local`
    abort.throwIfAborted()
    return { outcome: await signalRebalance({ ip: member.ip, port: spec.port, host }, options, abort), annotation }
  } catch (error) {
    return held(`the API server does not tell (${(error as Error).message})`)
  }
}

/** What has come in between. */
function obstaclesTo({ reason }: Signal, app: App, set: KubeObject | undefined, spec: Look['spec']): string[] {
  const trimmed = set === undefined ? undefined : trimSet(set)
  const own = trimmed?.owner === spec.app.uid ? trimmed : undefined
  const isManual = reason === 'manual'
  return [
    ...(app.metadata.deletionTimestamp === undefined ? [] : ['the app is being deleted']),
    ...(isManual ? [] : changing(app)),
    ...unsettled(own, isManual ? undefined : (app.spec?.replicas ?? 1)),
  ]
}

/** A change that the pods may not have yet, or nothing is to be done at all. */
function changing(app: App): string[] {
  if (isPaused(app)) return ['the app is paused']
  return app.status?.observedGeneration === app.metadata.generation ? [] : ['the spec has just changed']
}

/** Whether a rebalance was pending for the app by its own status. Throws what the client throws. */
export async function isPending(client: KubeClient, look: Look, abort: AbortSignal): Promise<boolean> {
  return (await getApp(client, look, abort))?.status?.rebalanceRequired === true
}

/**
 * Removes the annotation, unless it has another value than the one that was served: that is a new request. Throws what
 * the client throws, also when it changes at this very moment.
 *
 * @param served undefined when that is not known any more
 */
export async function removeAnnotation(
  client: KubeClient,
  look: Look,
  served: string | undefined,
  abort: AbortSignal,
): Promise<void> {
  const app = await getApp(client, look, abort)
  const value = app && annotationOf(app)
  if (app === undefined || value === undefined || value !== (served ?? value)) return
  const path = `/metadata/annotations/${rebalanceAnnotation.replace('/', '~1')}`
  await client.request({
    method: 'PATCH',
    path: appPath(look),
    contentType: 'application/json-patch+json',
    body: [
      { op: 'test', path: '/metadata/uid', value: app.metadata.uid },
      { op: 'test', path, value },
      { op: 'remove', path },
    ],
    timeoutMs: apiTimeoutMs,
    signal: abort,
  })
}

function annotationOf({ metadata }: KubeObject): string | undefined {
  return own(metadata.annotations, rebalanceAnnotation)
}

/** The app itself; another one of that name is none. */
async function getApp(client: KubeClient, look: Look, abort: AbortSignal): Promise<App | undefined> {
  const app = await read({ client, timeoutMs: apiTimeoutMs }, appPath(look), abort)
  return app?.metadata.uid === look.spec.app.uid ? app : undefined
}
