import type { Clock } from '../clock.ts'
import type { Answer } from './poll.ts'

/** First and longest pause before a member that did not answer is asked again; doubled each time. */
export interface BackoffLimits {
  firstMs: number
  longestMs: number
}

/** When the members of one app that do not answer are to be asked again. Others are asked every time. */
export class MemberBackoff {
  readonly #limits: BackoffLimits
  readonly #clock: Clock
  readonly #failing = new Map<string, { failures: number; dueAt: number }>()

  constructor(limits: BackoffLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Whether the pod is to be asked now. */
  isDue(podUID: string): boolean {
    const entry = this.#failing.get(podUID)
    return entry === undefined || entry.dueAt <= this.#clock.now()
  }

  /** Takes in the answers of a round, and forgets pods that are gone. */
  update(answers: ReadonlyMap<string, Answer>, present: ReadonlySet<string>): void {
    for (const [uid, { result }] of answers) {
      if (result === 'Success') {
        this.#failing.delete(uid)
        continue
      }
      const failures = (this.#failing.get(uid)?.failures ?? 0) + 1
      const pauseMs = Math.min(this.#limits.longestMs, this.#limits.firstMs * 2 ** Math.min(failures - 1, 20))
      this.#failing.set(uid, { failures, dueAt: this.#clock.now() + pauseMs })
    }
    for (const uid of this.#failing.keys()) if (!present.has(uid)) this.#failing.delete(uid)
  }

  /**
   * Milliseconds until the first of them is due; undefined without any. One that is due already was not reached in its
   * round, which was cut short: it has no claim to another round at once.
   */
  nextMs(): number | undefined {
    const now = this.#clock.now()
    const waits = [...this.#failing.values()].map(({ dueAt }) => dueAt - now).filter((waitMs) => waitMs > 0)
    return waits.length === 0 ? undefined : Math.min(...waits)
  }
}
