import { own } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { certainOrdinal, revisionLabel } from '../../webhooks/rollout/pod-facts.ts'
import type { ReportedPod } from '../../webhooks/rollout/pods.ts'
import { trimMetadata } from '../kube/trim.ts'

/** A pod of a StatefulSet as far as it is used: some 800 bytes in memory. */
export interface RolloutPod extends KubeObject {
  /** The StatefulSet that controls it. */
  owner: { name: string; uid: string } | undefined
  fact: ReportedPod
}

/** Every pod that the StatefulSet controller has made. */
export const podSelector = 'statefulset.kubernetes.io/pod-name'

interface ContainerStatus {
  ready?: boolean
  state?: { waiting?: { reason?: string }; terminated?: { reason?: string } }
}

interface PodStatus {
  phase?: string
  reason?: string
  conditions?: { type: string; status: string; reason?: string; lastTransitionTime?: string | null }[]
  initContainerStatuses?: ContainerStatus[]
  containerStatuses?: ContainerStatus[]
}

/** Longest reason that a report takes. */
const reasonLength = 128

/** Keeps of a pod what is used. */
export function trimPod(pod: KubeObject): RolloutPod {
  const { apiVersion, kind, metadata } = pod
  const owner = metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === 'StatefulSet')
  return {
    apiVersion,
    kind,
    metadata: trimMetadata(metadata, []),
    owner: owner && { name: owner.name, uid: owner.uid },
    fact: factOf(pod, owner?.name ?? ''),
  }
}

/** What a report says of a pod. */
function factOf(pod: KubeObject, setName: string): ReportedPod {
  const { metadata } = pod
  const status = (pod['status'] ?? {}) as PodStatus
  const ordinal = certainOrdinal(pod, setName)
  const revision = own(metadata.labels, revisionLabel)
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const readySince = ready?.lastTransitionTime ?? metadata.creationTimestamp
  return {
    uid: metadata.uid ?? '',
    ...(ordinal === undefined ? { name: metadata.name } : { ordinal }),
    ...(revision !== undefined && { revision }),
    ...(metadata.deletionTimestamp !== undefined && { terminating: true }),
    ...(ready?.status === 'True' && readySince !== undefined ? { readySince } : { reason: reasonOf(status) }),
  }
}

/** Why a pod is not ready: its phase, and what a container, the scheduler or the kubelet says. */
function reasonOf(status: PodStatus): string {
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
  const states = containers.filter(({ ready }) => ready !== true).map(({ state }) => state)
  const detail =
    states.map((state) => state?.waiting?.reason).find((reason) => reason !== undefined) ??
    status.reason ??
    status.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')?.reason ??
    states.map((state) => state?.terminated?.reason).find((reason) => reason !== undefined && reason !== 'Completed')
  return [status.phase ?? 'Unknown', ...(detail === undefined ? [] : [detail])].join('/').slice(0, reasonLength)
}
