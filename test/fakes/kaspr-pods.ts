import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import { Informer } from '../../poller/kube/informer.ts'
import type { MemberIdentity } from './kaspr-members.ts'

/** Where members start and end. */
interface Members {
  add(ip: string, port: number, identity: MemberIdentity): Promise<void>
  remove(ip: string): Promise<void>
}

export interface PodFollower {
  /** Rejects if a member could not be started since. */
  stop(): Promise<void>
}

interface Pod extends KubeObject {
  spec: { containers: { name: string; ports?: { name?: string; containerPort: number }[] }[] }
  status?: { phase?: string; podIP?: string }
}

/** The operator's default for `spec.config.webPort`, for pods that name no port. */
const defaultPort = 6065

/**
 * Starts a member for each pod of a KasprApp when it runs, at exactly its address, and ends it when the pod begins to
 * stop. Its port is the container's port `http` (the pod has `K_WEB_PORT` from a ConfigMap).
 */
export function followPods(client: KubeClient, members: Members): PodFollower {
  /** Address played for each pod, by uid. */
  const played = new Map<string, string>()
  /** Changes happen one after the other: an address may go from one pod to the next. */
  let changes = Promise.resolve()
  const failures: unknown[] = []
  const change = (action: () => Promise<void>): void => {
    changes = changes.then(action).catch((error: unknown) => void failures.push(error))
  }
  const informer = new Informer<Pod>({
    client,
    path: '/api/v1/pods',
    labelSelector: 'kaspr.io/kind=KasprApp',
    trim: (object) => object as Pod,
    onEvent({ type, object, old }) {
      for (const pod of old !== undefined && old.metadata.uid !== object.metadata.uid ? [old] : []) end(pod)
      if (type === 'deleted' || object.metadata.deletionTimestamp !== undefined) end(object)
      else start(object)
    },
  })

  function start(pod: Pod): void {
    const { uid = '' } = pod.metadata
    const { phase, podIP } = pod.status ?? {}
    const identity = identityOf(pod)
    if (phase !== 'Running' || podIP === undefined || identity === undefined || played.has(uid)) return
    played.set(uid, podIP)
    change(() => members.add(podIP, portOf(pod), identity))
  }

  function end({ metadata: { uid = '' } }: Pod): void {
    const ip = played.get(uid)
    if (ip === undefined) return
    played.delete(uid)
    change(() => members.remove(ip))
  }

  informer.start()
  return {
    async stop() {
      await informer.stop()
      await changes
      if (failures.length > 0) throw new AggregateError(failures, `members could not be played: ${String(failures[0])}`)
    },
  }
}

function identityOf({ metadata }: Pod): MemberIdentity | undefined {
  const app = metadata.labels?.['kaspr.io/cluster']
  const ordinal = /-(\d+)$/.exec(metadata.name)?.[1]
  if (app === undefined || ordinal === undefined) return undefined
  return { app: `${metadata.namespace}/${app}`, id: Number(ordinal) }
}

function portOf({ spec }: Pod): number {
  const ports = spec.containers.flatMap(({ ports = [] }) => ports)
  return ports.find(({ name }) => name === 'http')?.containerPort ?? defaultPort
}
