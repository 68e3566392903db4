import type { Clock } from '../clock.ts'

export interface BucketLimits {
  /** Tokens of a full bucket. */
  burst: number
  /** A bucket gains one token in that time. */
  everyMs: number
}

/** One token bucket per key, for a bounded number of keys: the longest unused is forgotten, as if it were full. */
export class TokenBuckets {
  readonly #limits: BucketLimits
  readonly #clock: Clock
  readonly #maxKeys: number
  readonly #buckets = new Map<string, { tokens: number; at: number }>()

  constructor(limits: BucketLimits, clock: Clock, maxKeys: number) {
    this.#limits = limits
    this.#clock = clock
    this.#maxKeys = maxKeys
  }

  /** Takes a token; false if there is none. */
  take(key: string): boolean {
    const now = this.#clock.now()
    const { burst, everyMs } = this.#limits
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now }
    const tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / everyMs)
    const granted = tokens >= 1
    this.#buckets.delete(key) // to the end of the order of use
    this.#buckets.set(key, { tokens: granted ? tokens - 1 : tokens, at: now })
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > this.#maxKeys && oldest !== undefined) this.#buckets.delete(oldest)
    return granted
  }
}
