import { randomBytes } from 'node:crypto'
import type { BaseLogger } from 'pino'
import type { Clock } from '../clock.ts'
import { timestamp } from '../observation.ts'
import { ApiError } from './client.ts'
import type { KubeClient } from './client.ts'
import { TokenBuckets } from './token-buckets.ts'
import type { BucketLimits } from './token-buckets.ts'

/** The object an Event is about: the one its user looks at, not an Observation. */
export interface EventTarget {
  apiVersion: string
  kind: string
  /** Absent for cluster-scoped objects. */
  namespace?: string
  name: string
  uid: string
}

export interface ObjectEvent {
  target: EventTarget
  type: 'Normal' | 'Warning'
  /** One CamelCase word. */
  reason: string
  message: string
}

export interface EventRecorderOptions {
  client: KubeClient
  clock: Clock
  /** Name of this replica. */
  instance: string
  logger?: BaseLogger
  /** Default: 25 at once and one in 5 minutes per object; 100 at once and 5 a second altogether. */
  perObject?: BucketLimits
  overall?: BucketLimits
  onEvent?: (result: 'sent' | 'dropped' | 'failed') => void
}

/** Repetitions within this time are one Event with a count. */
const repetitionMs = 10 * 60_000
const maxRemembered = 4096
const maxPending = 1000

interface Remembered {
  event: ObjectEvent
  /** Name of the Event object, once it was made. */
  name: string | undefined
  count: number
  first: Date
  last: Date
  lastAt: number
}

/**
 * Records Events, in the core/v1 form that both `kubectl describe` and `kubectl get events` count and date well.
 * Repetitions raise the count of the Event there is. Too many are dropped. Recording never throws and never waits.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #remembered = new Map<string, Remembered>()
  readonly #pending = new Set<Remembered>()
  readonly #perObject: TokenBuckets
  readonly #overall: TokenBuckets
  #sending: Promise<void> | undefined

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#perObject = new TokenBuckets(options.perObject ?? { burst: 25, everyMs: 300_000 }, options.clock, 4096)
    this.#overall = new TokenBuckets(options.overall ?? { burst: 100, everyMs: 200 }, options.clock, 1)
  }

  record(event: ObjectEvent): void {
    const entry = this.#remember(event)
    const { uid } = event.target
    const isTooMuch = !this.#pending.has(entry) && this.#pending.size >= maxPending
    if (isTooMuch || !this.#perObject.take(uid) || !this.#overall.take('')) {
      this.#options.onEvent?.('dropped')
      return
    }
    this.#pending.add(entry)
    this.#start()
  }

  /** Fulfilled when everything recorded so far has been sent (or given up). */
  async flush(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending
  }

  #start(): void {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined
      if (this.#pending.size > 0) this.#start()
    })
  }

  #remember(event: ObjectEvent): Remembered {
    const { clock } = this.#options
    const key = JSON.stringify([event.target.uid, event.type, event.reason, event.message])
    const known = this.#remembered.get(key)
    const isRepetition = known !== undefined && clock.now() - known.lastAt < repetitionMs
    const date = clock.date()
    const entry = isRepetition ? known : { event, name: undefined, count: 0, first: date, last: date, lastAt: 0 }
    entry.count++
    entry.last = date
    entry.lastAt = clock.now()
    this.#remembered.delete(key) // to the end of the order of use
    this.#remembered.set(key, entry)
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > maxRemembered && oldest !== undefined) this.#remembered.delete(oldest)
    return entry
  }

  async #send(): Promise<void> {
    for (const entry of this.#pending) {
      this.#pending.delete(entry)
      try {
        await this.#write(entry)
        this.#options.onEvent?.('sent')
      } catch (error) {
        this.#options.onEvent?.('failed')
        const { target, reason, message } = entry.event
        this.#options.logger?.warn({ err: error, target, reason, message }, 'could not record an Event')
      }
    }
  }

  async #write(entry: Remembered): Promise<void> {
    const { client, instance } = this.#options
    const { target, type, reason, message } = entry.event
    const namespace = target.namespace ?? 'default'
    const collection = `/api/v1/namespaces/${namespace}/events`
    const times = { count: entry.count, lastTimestamp: timestamp(entry.last) }
    if (entry.name !== undefined) {
      try {
        const path = `${collection}/${entry.name}`
        await client.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body: times })
        return
      } catch (error) {
        // Events live an hour: the one that was counted up may be gone.
        if (!(error instanceof ApiError && error.status === 404)) throw error
      }
    }
    const name = `${target.name.slice(0, 200)}.${randomBytes(8).toString('hex')}`
    await client.request({
      method: 'POST',
      path: collection,
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name, namespace },
        involvedObject: { ...target, ...(target.namespace !== undefined && { namespace }) },
        type,
        reason,
        message: message.slice(0, 1024),
        source: { component: 'kaspr-metacontroller' },
        reportingComponent: 'kaspr-metacontroller',
        reportingInstance: instance,
        firstTimestamp: timestamp(entry.first),
        ...times,
      },
    })
    entry.name = name
  }
}
