import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError } from '../../../poller/kube/client.ts'
import type { KubeClient } from '../../../poller/kube/client.ts'
import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { collectionPath } from './discovery.ts'
import type { Resource } from './discovery.ts'

/** Reads and writes of single objects of any kind. */

/** Pauses between attempts when another writer was faster: client-go's default. */
const conflictPausesMs = [10, 50, 250]

export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 409 && error.reason === 'AlreadyExists'
export const isConflict = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 409 && error.reason !== 'AlreadyExists'

export class ObjectsApi {
  readonly #client: KubeClient

  constructor(client: KubeClient) {
    this.#client = client
  }

  get(resource: Resource, object: KubeObject): Promise<KubeObject> {
    return this.#client.request({ path: pathOf(resource, object) })
  }

  create(resource: Resource, body: KubeObject): Promise<KubeObject> {
    return this.#client.request({ method: 'POST', path: collectionPath(resource, body.metadata.namespace), body })
  }

  /** PUT; the body's resourceVersion guards it. */
  update(resource: Resource, body: KubeObject): Promise<KubeObject> {
    return this.#client.request({ method: 'PUT', path: pathOf(resource, body), body })
  }

  /** PUT of the status subresource, or of the whole object where the kind has none. */
  updateStatus(resource: Resource, body: KubeObject): Promise<KubeObject> {
    const path = `${pathOf(resource, body)}${resource.hasStatus ? '/status' : ''}`
    return this.#client.request({ method: 'PUT', path, body })
  }

  /** Background deletion of exactly this object; one that is gone already is fine. */
  async delete(resource: Resource, object: KubeObject): Promise<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: object.metadata.uid },
      propagationPolicy: 'Background',
    }
    await this.#client.request({ method: 'DELETE', path: pathOf(resource, object), body }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }

  /**
   * Changes an object as it is live, again if another writer was faster. `change` gives the new object, or undefined
   * when nothing is to do. Gives the object as it is then. A namesake with another uid counts as not found.
   */
  async modify(
    resource: Resource,
    object: KubeObject,
    change: (live: KubeObject) => KubeObject | undefined,
    write: 'update' | 'updateStatus' = 'update',
  ): Promise<KubeObject> {
    for (let attempt = 0; ; attempt++) {
      const live = await this.get(resource, object)
      if (live.metadata.uid !== object.metadata.uid) {
        throw new ApiError(404, 'NotFound', `${resource.name} "${object.metadata.name}" not found`)
      }
      const changed = change(live)
      if (changed === undefined) return live
      try {
        return await this[write](resource, changed)
      } catch (error) {
        const pause = conflictPausesMs[attempt]
        if (!isConflict(error) || pause === undefined) throw error
        await sleep(pause)
      }
    }
  }
}

function pathOf(resource: Resource, { metadata }: KubeObject): string {
  return `${collectionPath(resource, metadata.namespace)}/${encodeURIComponent(metadata.name)}`
}
