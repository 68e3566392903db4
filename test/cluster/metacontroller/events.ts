import type { BaseLogger } from 'pino'
import type { KubeClient } from '../../../poller/kube/client.ts'
import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { TokenBucket } from './queue.ts'

/** Per object: so many Events at once, then one in five minutes, as client-go does by default. */
const burst = 25
const perSecond = 1 / 300
/** A repeated Event is counted up for so long, then written anew. */
const memoryMs = 600_000

interface Written {
  path: string
  count: number
  at: number
}

/** Writes Events in the background; a failure is logged and harms nobody. Similar Events are not merged. */
export class EventRecorder {
  readonly #client: KubeClient
  readonly #logger: BaseLogger
  readonly #buckets = new Map<string, TokenBucket>()
  readonly #written = new Map<string, Written>()
  #tail: Promise<void> = Promise.resolve()

  constructor(client: KubeClient, logger: BaseLogger) {
    this.#client = client
    this.#logger = logger
  }

  record(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const now = performance.now()
    const uid = object.metadata.uid ?? ''
    const bucket = this.#buckets.get(uid) ?? new TokenBucket(perSecond, burst, now)
    this.#buckets.set(uid, bucket)
    if (!bucket.tryTake(now)) return
    this.#tail = this.#tail
      .then(() => this.#write(object, type, reason, message.slice(0, 1024)))
      .catch((error: unknown) => this.#logger.warn({ err: error, reason }, 'an Event could not be written'))
  }

  /** Waits for the Events recorded so far. */
  async flush(): Promise<void> {
    await this.#tail
  }

  async #write(object: KubeObject, type: string, reason: string, message: string): Promise<void> {
    const { name, namespace = 'default', uid, resourceVersion } = object.metadata
    const key = [uid, type, reason, message].join('\n')
    const time = new Date().toISOString().replace(/\.\d+/, '')
    const earlier = this.#written.get(key)
    if (earlier && performance.now() - earlier.at < memoryMs) {
      earlier.count++
      const body = { count: earlier.count, lastTimestamp: time }
      await this.#client.request({
        method: 'PATCH',
        path: earlier.path,
        body,
        contentType: 'application/merge-patch+json',
      })
      return
    }
    const path = `/api/v1/namespaces/${namespace}/events`
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${crypto.randomUUID()}`, namespace },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        uid,
        resourceVersion,
        ...(object.metadata.namespace === undefined ? {} : { namespace }),
      },
      type,
      reason,
      message,
      source: { component: 'metacontroller' },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    }
    await this.#client.request({ method: 'POST', path, body: event })
    this.#written.set(key, { path: `${path}/${event.metadata.name}`, count: 1, at: performance.now() })
  }
}
