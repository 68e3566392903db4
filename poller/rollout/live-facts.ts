import type { KubeObject } from '../../webhooks/contract/types.ts'
import { groupLabel } from '../../webhooks/rollout/names.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { KubeClient } from '../kube/client.ts'
import { listObjects } from '../kube/list.ts'
import { read } from '../kube/read.ts'
import { groupOf } from './groups.ts'
import type { Facts } from './permission.ts'
import { type RolloutPod, trimPod } from './pods.ts'

/** Where facts are read. */
export interface LiveSource {
  client: KubeClient
  /** For each request. */
  timeoutMs: number
}

/** What the facts are about. */
export interface LiveSubject {
  namespace: string
  order: Pick<RolloutOrder, 'statefulSet' | 'group'>
  /** What the set selects its pods by, which never changes. */
  selector: string
  /** The pod as a watch has shown it last. */
  watched: (name: string) => RolloutPod | undefined
}

/** A pod as it is now. */
export interface LivePod extends RolloutPod {
  /** The whole pod, if the watch does not know it as it is. */
  whole?: KubeObject
}

/** Pods that the watch does not know as they are and that are read one by one; of more, the list is read whole. */
const readsMax = 8

/**
 * Set, pods and group as the API server has them now. Pods are listed by their metadata, a fraction of their size: one that has
 * the very version that the watch has shown is what it has shown.
 */
export async function liveFacts(
  source: LiveSource,
  subject: LiveSubject,
  signal: AbortSignal,
): Promise<Omit<Facts, 'pods'> & { pods: LivePod[] }> {
  const { namespace, order } = subject
  const sets = `/apis/apps/v1/namespaces/${namespace}/statefulsets`
  const [set, pods] = await Promise.all([
    read(source, `${sets}/${order.statefulSet.name}`, signal),
    livePods(source, subject, signal),
  ])
  const inGroup = (set && groupOf(set)) ?? order.group
  const query = { labelSelector: `${groupLabel}=${inGroup}` }
  const others = inGroup === undefined ? [] : await listObjects({ client: source.client, path: sets, query, signal })
  const own = pods.filter(({ owner }) => owner?.uid === order.statefulSet.uid)
  // A list is in the order of names, in which 10 is before 9.
  own.sort((a, b) => (a.fact.ordinal ?? 0) - (b.fact.ordinal ?? 0))
  return { set, pods: own, others }
}

async function livePods(
  source: LiveSource,
  { namespace, selector, watched }: LiveSubject,
  signal: AbortSignal,
): Promise<LivePod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods`
  const options = { client: source.client, path, query: { labelSelector: selector }, signal }
  const listed = await listObjects({ ...options, metadataOnly: true })
  const known = listed.map(({ metadata }) => {
    const pod = watched(metadata.name)
    const isCurrent = pod?.metadata.uid === metadata.uid && pod?.metadata.resourceVersion === metadata.resourceVersion
    return isCurrent ? pod : undefined
  })
  const unknown = listed.filter((_, index) => known[index] === undefined)
  const whole =
    unknown.length > readsMax
      ? await listObjects(options)
      : await Promise.all(unknown.map(({ metadata }) => read(source, `${path}/${metadata.name}`, signal)))
  const others: LivePod[] = whole.flatMap((pod) => (pod === undefined ? [] : [{ ...trimPod(pod), whole: pod }]))
  if (unknown.length > readsMax) return others
  return [...known.filter((pod) => pod !== undefined), ...others]
}
