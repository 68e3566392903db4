import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { StoreEvent } from '../kube/store.ts'
import { trimMetadata } from '../kube/trim.ts'
import { installOf } from './packages.ts'
import type { ContainerStatus, Install } from './packages.ts'

/** A member pod as far as it is used: about 1 KB in memory instead of 10. */
export interface MemberPod extends KubeObject {
  ip: string | undefined
  node: string | undefined
  /** The Kaspr container runs. */
  running: boolean
  ready: boolean
  /** Hash of the topics that the pod was started to consume. */
  subscriptions: string | undefined
  /** The install container of Python packages, once the kubelet tells of it. */
  install: Install | undefined
}

/** Pods of Kaspr apps; one watch for all of them. */
export const podSelector = 'kaspr.io/kind=KasprApp'

/** Labels by which an Observation selects its pods. */
const keptLabels = ['kaspr.io/cluster', 'kaspr.io/kind', 'kaspr.io/name']

interface PodBody {
  spec?: { nodeName?: string; initContainers?: { name: string; args?: string[] }[] }
  status?: {
    phase?: string
    podIP?: string
    conditions?: { type: string; status: string }[]
    initContainerStatuses?: ContainerStatus[]
    containerStatuses?: { name: string; state?: { running?: unknown } }[]
  }
}

/** Keeps of a pod what is used. */
export function trimPod(pod: KubeObject): MemberPod {
  const { spec, status } = pod as KubeObject & PodBody
  const container = status?.containerStatuses?.find(({ name }) => name === 'kaspr')
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: trimMetadata(pod.metadata, keptLabels),
    ip: status?.podIP,
    node: spec?.nodeName,
    running: status?.phase === 'Running' && (container === undefined || container.state?.running !== undefined),
    subscriptions: pod.metadata.annotations?.['metacontroller.kaspr.io/subscriptions'],
    install: installOf(spec?.initContainers, status?.initContainerStatuses),
    ready: status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
  }
}

/** Index key of an app's pods: `namespace/app`. */
export function podKeys({ metadata }: MemberPod): string[] {
  const app = metadata.labels?.['kaspr.io/cluster']
  return app === undefined ? [] : [`${metadata.namespace}/${app}`]
}

/** Whether a change of a pod can change a report; most writes to a pod cannot. */
export function changesMembers({ type, object, old }: StoreEvent<MemberPod>): boolean {
  if (type !== 'modified' || old === undefined) return true
  return (
    object.ip !== old.ip ||
    object.running !== old.running ||
    object.ready !== old.ready ||
    !isDeepStrictEqual(object.install, old.install) ||
    object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp
  )
}

/** A pod that can be asked. */
export interface RunningMember {
  /** Ordinal. */
  id: number
  uid: string
  name: string
  ip: string
  creationTime: string | undefined
}

/** The running members of an app, by ordinal: pods of the StatefulSet that have an IP and do not terminate. */
export function runningMembers(
  pods: readonly MemberPod[],
  { statefulSet, selector }: { statefulSet: string; selector: Record<string, string> },
): RunningMember[] {
  return pods
    .flatMap(({ metadata, ip, running }) => {
      const ordinal = metadata.name.startsWith(`${statefulSet}-`) ? metadata.name.slice(statefulSet.length + 1) : ''
      const isSelected = Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value)
      const isTerminating = metadata.deletionTimestamp !== undefined
      if (!/^\d+$/.test(ordinal) || !isSelected || isTerminating || !running || !ip || metadata.uid === undefined) {
        return []
      }
      const { name, uid, creationTimestamp } = metadata
      return [{ id: Number(ordinal), uid, name, ip, creationTime: creationTimestamp }]
    })
    .sort((a, b) => a.id - b.id)
}
