import { setMaxListeners } from 'node:events'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import { Informer } from '../../poller/kube/informer.ts'
import { persist } from './player.ts'
import type { Player } from './player.ts'

/** Provisioner of a StorageClass whose claims this player serves. */
export const provisioner = 'kaspr.io/plane'
/** Set on a claim by kube-controller-manager when it is an external provisioner's turn. */
const provisionerAnnotation = 'volume.kubernetes.io/storage-provisioner'

/** The default class of every plane. */
export const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner,
  reclaimPolicy: 'Delete',
  allowVolumeExpansion: true,
  volumeBindingMode: 'Immediate',
}

interface Claim extends KubeObject {
  spec: {
    storageClassName?: string
    volumeName?: string
    accessModes: string[]
    volumeMode?: string
    resources: { requests: { storage: string } }
  }
  status?: { phase?: string; capacity?: { storage?: string } }
}

interface Volume extends KubeObject {
  spec: { capacity: { storage: string } }
  status?: { phase?: string }
}

/**
 * Plays the storage vendor's controllers: makes a volume for a claim, grows it with the claim, and deletes it once its
 * claim is gone. Binding, protection and phases are kube-controller-manager's own.
 */
export function playStorage(client: KubeClient): Player {
  const stopped = new AbortController()
  setMaxListeners(0, stopped.signal) // one for each claim that is served
  const { signal } = stopped
  const claims = new Informer<Claim>({
    client,
    path: '/api/v1/persistentvolumeclaims',
    trim: (object) => object as Claim,
    onEvent: ({ type, object }) => {
      if (type !== 'deleted') void persist(() => serveClaim(client, object, signal), signal)
    },
  })
  const volumes = new Informer<Volume>({
    client,
    path: '/api/v1/persistentvolumes',
    trim: (object) => object as Volume,
    onEvent: ({ type, object }) => {
      if (type !== 'deleted') void persist(() => deleteReleased(client, object, signal), signal)
    },
  })
  claims.start()
  volumes.start()
  return {
    async stop() {
      stopped.abort()
      await Promise.all([claims.stop(), volumes.stop()])
    },
  }
}

async function serveClaim(client: KubeClient, claim: Claim, signal: AbortSignal): Promise<void> {
  const { namespace, name, annotations, deletionTimestamp } = claim.metadata
  if (annotations?.[provisionerAnnotation] !== provisioner || deletionTimestamp !== undefined) return
  if (claim.spec.volumeName === undefined) {
    await client.request({ method: 'POST', path: '/api/v1/persistentvolumes', body: volumeFor(claim), signal })
    return
  }
  const storage = claim.spec.resources.requests.storage
  const capacity = claim.status?.capacity?.storage
  if (claim.status?.phase !== 'Bound' || capacity === undefined || capacity === storage) return
  await merge(client, `/api/v1/persistentvolumes/${claim.spec.volumeName}`, { spec: { capacity: { storage } } }, signal)
  await merge(
    client,
    `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}/status`,
    { status: { capacity: { storage } } },
    signal,
  )
}

function volumeFor({ metadata, spec }: Claim): KubeObject {
  const name = `pvc-${metadata.uid}`
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
    spec: {
      accessModes: spec.accessModes,
      capacity: spec.resources.requests,
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: metadata.namespace,
        name: metadata.name,
        uid: metadata.uid,
      },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: spec.storageClassName,
      volumeMode: spec.volumeMode,
      hostPath: { path: `/var/lib/plane/${name}` }, // never touched: no container runs
    },
  }
}

async function deleteReleased(client: KubeClient, { metadata, status }: Volume, signal: AbortSignal): Promise<void> {
  const ours = metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === provisioner
  if (!ours || status?.phase !== 'Released' || metadata.deletionTimestamp !== undefined) return
  await client.request({
    method: 'DELETE',
    path: `/api/v1/persistentvolumes/${metadata.name}`,
    body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: metadata.uid } },
    signal,
  })
}

async function merge(client: KubeClient, path: string, body: unknown, signal: AbortSignal): Promise<void> {
  await client.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json', signal })
}
