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

/** Reason of what a dry run has left undone, in conditions and Events. */
export const dryRunReason = 'DryRun'

/** What an act throws in a dry run in place of its first write, once it has looked at everything: what it would do. */
export class WouldDo extends Obstacle {
  constructor(what: string) {
    super(dryRunReason, `${what} (POLLER_DRY_RUN)`)
  }
}

/** Whether a claim asks for less than this quantity. */
export function isSmaller({ spec }: Claim, size: string): boolean {
  return (quantityValue(spec.resources?.requests?.storage) ?? 0n) < (quantityValue(size) ?? 0n)
}

/**
 * Lets these claims ask for more; those that ask for enough are left alone.
 *
 * @throws Obstacle when their class does not allow it, and WouldDo in a dry run; before any of them is changed: all or none
 */
export async function grow(
  { client, dryRun }: { client: KubeClient; dryRun: boolean },
  claims: readonly Claim[],
  size: string,
  signal: AbortSignal,
): Promise<void> {
  const small = claims.filter((claim) => isSmaller(claim, size))
  for (const name of new Set(small.map(({ spec }) => spec.storageClassName ?? ''))) {
    await checkClass(client, name, signal)
  }
  if (dryRun && small.length > 0) {
    throw new WouldDo(`Claims that would ask for ${size}: ${small.map(({ metadata }) => metadata.name).join(', ')}`)
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
