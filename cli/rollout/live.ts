import type { KubeObject } from '../../webhooks/contract/types.ts'
import { ApiError } from '../../poller/kube/client.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import { Informer } from '../../poller/kube/informer.ts'
import { listObjects } from '../../poller/kube/list.ts'
import { selectorText } from '../../poller/kube/selector.ts'
import { InputError } from '../errors.ts'
import type { Live } from './model.ts'
import type { Target } from './target.ts'

/** A view of live objects that keeps itself up to date. */
export interface Watched {
  /** The set as it is now with the pods of its selector; undefined while there is no such set. */
  current(): Live | undefined
  stop(): Promise<void>
}

/** Longest that an answer is waited for. */
const answerMs = 20_000

/**
 * Reads the set.
 *
 * @throws InputError if there is no such set, if it may not be read, or if no API server answers
 */
export async function readStatefulSet(client: KubeClient, target: Target): Promise<KubeObject> {
  return explained('get, list and watch of statefulsets', target, () =>
    client.request<KubeObject>({ path: setPath(target), timeoutMs: answerMs }),
  )
}

/**
 * Reads the set and its pods once.
 *
 * @throws InputError as readStatefulSet does
 */
export async function readLive(client: KubeClient, target: Target): Promise<Live> {
  const set = await readStatefulSet(client, target)
  const pods = await explained('get, list and watch of pods', target, () =>
    listObjects({
      client,
      path: podsPath(target),
      query: { labelSelector: selectorText(set) },
      signal: AbortSignal.timeout(answerMs),
    }),
  )
  return { set, pods }
}

/**
 * Sets annotations of the set, or with null removes them.
 *
 * @throws InputError as readStatefulSet does
 */
export async function annotate(
  client: KubeClient,
  target: Target,
  annotations: Record<string, string | null>,
): Promise<void> {
  await explained('patch of statefulsets', target, () =>
    client.request({
      method: 'PATCH',
      path: setPath(target),
      query: { fieldManager: 'kubectl-rollouts' },
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations } },
      timeoutMs: answerMs,
    }),
  )
}

/**
 * Watches the set and its pods, through whatever errors, until stopped.
 *
 * @param first as they were read just now; they count until both watches have begun
 * @param onChange called after each change
 */
export function watchLive(client: KubeClient, target: Target, first: Live, onChange: () => void): Watched {
  // Somebody waits in front of the screen: look again soon.
  const common = { client, timing: { maxBackoffMs: 5_000 } }
  const pods = new Informer({
    ...common,
    path: podsPath(target),
    labelSelector: selectorText(first.set),
    onEvent: onChange,
  })
  const sets = new Informer({
    ...common,
    path: setsPath(target),
    fieldSelector: `metadata.name=${target.name}`,
    onEvent({ object }) {
      // A set that was made anew may select other pods.
      if (object.metadata.name === target.name) pods.select(selectorText(object))
      onChange()
    },
  })
  sets.start()
  pods.start()
  return {
    current() {
      if (!sets.health().synced || !pods.health().synced) return first
      const set = sets.get(target.namespace, target.name)
      return set && { set, pods: pods.list() }
    },
    async stop() {
      await Promise.all([sets.stop(), pods.stop()])
    },
  }
}

function setPath(target: Target): string {
  return `${setsPath(target)}/${encodeURIComponent(target.name)}`
}

function setsPath({ namespace }: Target): string {
  return `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/statefulsets`
}

function podsPath({ namespace }: Target): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
}

/** Runs requests; what goes wrong is told in words for the person who called. @param rights what they need */
async function explained<T>(rights: string, { namespace, name }: Target, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof ApiError)) throw new InputError(`cannot reach the API server: ${reasonOf(error)}`)
    const { status, message } = error
    if (status === 404) throw new InputError(`no StatefulSet ${namespace}/${name}`)
    if (status === 401) throw new InputError(`no access: the API server does not accept the credentials: ${message}`)
    if (status === 403) throw new InputError(`no access: ${rights} in ${namespace} are needed: ${message}`)
    throw new InputError(`the API server answers ${rights} with ${status}: ${message}`)
  }
}

/** Connection errors hide their reason: Node's AggregateError has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error instanceof Error ? error.message || error.name : String(error)
}
