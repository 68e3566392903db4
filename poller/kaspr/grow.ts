import { quantityValue } from '../../webhooks/contract/quantity.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { KubeClient } from '../kube/client.ts'

/** A PersistentVolumeClaim as far as it is read. */
export interface Claim extends KubeObject {
  spec: { storageClassName?: string; resources?: { requests?: { storage?: string } } }
}

/** Something that stands in the way until somebody changes it; the message is for the app's user. */
export class Obstacle extends Error {
  readonly reason: string
  /** @param reason one CamelCase word */
  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Whether a claim asks for less than this quantity. */
export function isSmaller({ spec }: Claim, size: string): boolean {
  return (quantityValue(spec.resources?.requests?.storage) ?? 0n) < (quantityValue(size) ?? 0n)
}

/**
 * Lets these claims ask for more; those that ask for enough are left alone.
 *
 * @throws Obstacle when their class does not allow it, before any of them is changed: all or none
 */
export async function grow(
  client: KubeClient,
  claims: readonly Claim[],
  size: string,
  signal: AbortSignal,
): Promise<void> {
  const small = claims.filter((claim) => isSmaller(claim, size))
  for (const name of new Set(small.map(({ spec }) => spec.storageClassName ?? ''))) {
    await checkClass(client, name, signal)
  }
  for (const { metadata } of small) {
    await client.request({
      method: 'PATCH',
      path: `${claimsPath(metadata.namespace ?? '')}/${metadata.name}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { uid: metadata.uid }, spec: { resources: { requests: { storage: size } } } },
      signal,
    })
  }
}

async function checkClass(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  if (name === '') throw new Obstacle('ExpansionNotAllowed', 'claims without a StorageClass cannot grow')
  const path = `/apis/storage.k8s.io/v1/storageclasses/${name}`
  const { allowVolumeExpansion } = await client.request<{ allowVolumeExpansion?: boolean }>({ path, signal })
  if (allowVolumeExpansion === true) return
  throw new Obstacle('ExpansionNotAllowed', `StorageClass ${name} does not allow claims to grow (allowVolumeExpansion)`)
}

/** Path of the claims of a namespace. */
export function claimsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/persistentvolumeclaims`
}
