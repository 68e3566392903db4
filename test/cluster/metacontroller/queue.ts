/**
 * client-go's rate-limited work queue: a key waits at most once, is worked on by one worker at a time, and comes back
 * if it was added meanwhile.
 */

/** First and longest pause of one key after failures, doubled each time. */
const firstBackoffMs = 5
const maxBackoffMs = 1_000_000
/** All keys together: retries per second, and how many may come at once. */
const retriesPerSecond = 10
const retryBurst = 100

/** Pause after the given number of earlier failures: 5, 10, 20 ms … 1000 s. */
export function backoffMs(failures: number): number {
  return Math.min(firstBackoffMs * 2 ** failures, maxBackoffMs)
}

/** A bucket of `burst` tokens, refilled at `perSecond`; taking from the empty bucket means waiting. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  /** Takes one token and gives the milliseconds until it is there, 0 for at once. */
  take(now: number): number {
    this.#refill(now)
    this.#tokens -= 1
    return this.#tokens >= 0 ? 0 : (-this.#tokens * 1000) / this.#perSecond
  }

  /** Takes one token only if it is there. */
  tryTake(now: number): boolean {
    this.#refill(now)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond)
    this.#at = now
  }
}

export class WorkQueue {
  /** In order of arrival. */
  readonly #ready: string[] = []
  /** Everything that has to be worked on, waiting or added while being worked on. */
  readonly #dirty = new Set<string>()
  readonly #running = new Set<string>()
  readonly #delayed = new Map<string, { at: number; timer: NodeJS.Timeout }>()
  readonly #failures = new Map<string, number>()
  readonly #bucket = new TokenBucket(retriesPerSecond, retryBurst, performance.now())
  readonly #idle: ((key: string | undefined) => void)[] = []
  #closed = false

  add(key: string): void {
    if (this.#closed || this.#dirty.has(key)) return
    this.#dirty.add(key)
    if (!this.#running.has(key)) this.#offer(key)
  }

  /** Adds the key later; of several pending times the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return
    const at = performance.now() + delayMs
    const pending = this.#delayed.get(key)
    if (pending && pending.at <= at) return
    clearTimeout(pending?.timer)
    const timer = setTimeout(() => {
      this.#delayed.delete(key)
      this.add(key)
    }, delayMs)
    this.#delayed.set(key, { at, timer })
  }

  /** Adds the key after its back-off, which grows until `forget`. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    this.addAfter(key, Math.max(backoffMs(failures), this.#bucket.take(performance.now())))
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** Works with so many workers until the queue is closed; `work` must not throw. */
  async run(workers: number, work: (key: string) => Promise<void>): Promise<void> {
    const worker = async (): Promise<void> => {
      for (let key = await this.#take(); key !== undefined; key = await this.#take()) {
        await work(key)
        this.#finish(key)
      }
    }
    await Promise.all(Array.from({ length: workers }, worker))
  }

  close(): void {
    this.#closed = true
    for (const { timer } of this.#delayed.values()) clearTimeout(timer)
    this.#delayed.clear()
    this.#ready.length = 0
    this.#idle.splice(0).forEach((take) => take(undefined))
  }

  #offer(key: string): void {
    const take = this.#idle.shift()
    if (!take) this.#ready.push(key)
    else take(this.#start(key))
  }

  #start(key: string): string {
    this.#dirty.delete(key)
    this.#running.add(key)
    return key
  }

  async #take(): Promise<string | undefined> {
    if (this.#closed) return undefined
    const key = this.#ready.shift()
    return key === undefined ? new Promise((resolve) => this.#idle.push(resolve)) : this.#start(key)
  }

  #finish(key: string): void {
    this.#running.delete(key)
    if (this.#dirty.has(key) && !this.#closed) this.#offer(key)
  }
}
