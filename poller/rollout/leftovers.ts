import type { BaseLogger } from 'pino'
import { type EnrolmentSettings, enrolled } from '../../webhooks/rollout/enrolled.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { Clock } from '../clock.ts'
import type { Act, Report } from '../controller.ts'
import { ApiError } from '../kube/client.ts'
import type { KubeClient } from '../kube/client.ts'
import { read } from '../kube/read.ts'
import { type Observation, observationPath } from '../observation.ts'

export interface LeftoversOptions {
  client: KubeClient
  clock: Clock
  settings: EnrolmentSettings
  /** For each request. */
  timeoutMs: number
  logger?: BaseLogger
}

/** An Observation that nobody owns is deleted at this age: a younger one may be ahead of the watches. */
const leftoverMs = 10_000

/**
 * Removes Observations whose StatefulSet is gone, another one, or not rolled out any more: a set that has left by its label
 * has no finalizer that could do it.
 */
export class Leftovers {
  readonly #options: LeftoversOptions
  /** When it may be tried again, by uid of the Observation. */
  readonly #againAt = new Map<string, number>()

  constructor(options: LeftoversOptions) {
    this.#options = options
  }

  forget(uid: string): void {
    this.#againAt.delete(uid)
  }

  /** What is due about an Observation that is left by what the watches know: to wait, or to look again and delete it. */
  due({ metadata }: Observation, order: RolloutOrder, now: Date): Pick<Report, 'againMs' | 'acts'> {
    const { clock } = this.#options
    const { namespace = '', name, uid = '', creationTimestamp } = metadata
    const age = now.getTime() - Date.parse(creationTimestamp ?? '')
    if (!(age >= leftoverMs)) return { againMs: Math.min(leftoverMs, Math.max(0, leftoverMs - age) || 1000) }
    const restMs = (this.#againAt.get(uid) ?? 0) - clock.now()
    if (restMs > 0) return { againMs: restMs }
    this.#againAt.set(uid, clock.now() + leftoverMs)
    return { againMs: leftoverMs, acts: [this.#removal({ namespace, name, uid }, order)] }
  }

  #removal({ namespace, name, uid }: { namespace: string; name: string; uid: string }, order: RolloutOrder): Act {
    const { client, timeoutMs, settings, logger } = this.#options
    const { statefulSet } = order
    return async (signal) => {
      const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/${statefulSet.name}`
      try {
        const live = await read({ client, timeoutMs }, path, signal)
        if (live?.metadata.uid === statefulSet.uid && enrolled(live, settings)) return
        const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } }
        await client.request({ method: 'DELETE', path: observationPath(namespace, name), body, timeoutMs, signal })
        logger?.info({ namespace, name }, 'Observation that no rollout owns deleted')
      } catch (error) {
        // It is gone, or another one of its name is there: nothing is left to do.
        if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return
        logger?.warn({ err: error, namespace, name }, 'could not delete an Observation without owner')
      }
    }
  }
}
