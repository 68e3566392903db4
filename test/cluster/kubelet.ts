import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeObject, ObjectMeta } from '../../webhooks/contract/types.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import { Informer } from '../../poller/kube/informer.ts'
import { persist } from './player.ts'
import type { Player } from './player.ts'

/** Longest time a pod takes to stop, whatever its grace period says: tests have no minutes. */
const maxGraceMs = 1000

/**
 * Plays the last step of a kubelet: a pod that is being deleted goes away for good after its grace period (at most 1 s).
 * The deletion names the uid. kwok's own `pod-delete` stage deletes by name, and when it lags behind it kills the pod
 * that a StatefulSet has just put in the place of the deleted one, for ever.
 */
export function playKubelet(client: KubeClient): Player {
  const stopped = new AbortController()
  setMaxListeners(0, stopped.signal) // one for each pod that stops
  const stopping = new Set<string>()
  const informer = new Informer({
    client,
    path: '/api/v1/pods',
    trim: ({ apiVersion, kind, metadata }) => ({
      apiVersion,
      kind,
      metadata: { ...metadata, labels: {}, annotations: {} },
    }),
    onEvent({ type, object }) {
      const { uid = '', deletionTimestamp } = object.metadata
      if (type === 'deleted') stopping.delete(uid)
      else if (deletionTimestamp !== undefined && !stopping.has(uid)) {
        stopping.add(uid)
        void stopPod(client, object, stopped.signal)
      }
    },
  })
  informer.start()
  return {
    async stop() {
      stopped.abort()
      await informer.stop()
    },
  }
}

async function stopPod(client: KubeClient, pod: KubeObject, signal: AbortSignal): Promise<void> {
  const {
    namespace,
    name,
    uid,
    deletionGracePeriodSeconds = 0,
  } = pod.metadata as ObjectMeta & {
    deletionGracePeriodSeconds?: number
  }
  await sleep(Math.min(deletionGracePeriodSeconds * 1000, maxGraceMs), undefined, { signal }).catch(() => undefined)
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid } }
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`
  await persist(() => client.request({ method: 'DELETE', path, body: options, signal }), signal)
}
