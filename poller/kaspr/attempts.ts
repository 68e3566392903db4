import { ApiError } from '../kube/client.ts'
import type { Clock } from '../clock.ts'
import { Obstacle } from './grow.ts'

/** What stands in the way of an act, as it is reported. */
export interface Problem {
  reason: string
  message: string
}

/**
 * Nothing was done, because the world is not as it was seen a moment ago. That is no problem to tell: the watches will soon
 * show it as it is.
 */
export class Outdated extends Error {}

const firstPauseMs = 30_000
const longestPauseMs = 300_000
/** For watches to catch up; an app that is paused while its hooks are away is asked about no more often. */
const outdatedPauseMs = 5_000

/** What came of repeated tries of one thing for each Observation: in memory, so a restart tries at once. */
export class Attempts {
  readonly #clock: Clock
  readonly #failed = new Map<string, { problem: Problem | undefined; pauseMs: number; until: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds until the next try; 0 when one is due. */
  waitMs(key: string): number {
    return Math.max(0, (this.#failed.get(key)?.until ?? 0) - this.#clock.now())
  }

  problem(key: string): Problem | undefined {
    return this.#failed.get(key)?.problem
  }

  forget(key: string): void {
    this.#failed.delete(key)
  }

  /**
   * Runs a try. Whatever it throws becomes the problem, and the pause before the next try doubles; but what was outdated, or
   * meets a conflict for the first time, is tried again soon, and no problem.
   */
  async run(key: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#failed.delete(key)
    } catch (error) {
      signal.throwIfAborted()
      const last = this.#failed.get(key)
      if (error instanceof Outdated || (last === undefined && isConflict(error))) {
        const until = this.#clock.now() + outdatedPauseMs
        this.#failed.set(key, { problem: last?.problem, pauseMs: last?.pauseMs ?? 0, until })
        return
      }
      const pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, 2 * (last?.pauseMs ?? 0)))
      this.#failed.set(key, { problem: problemOf(error), pauseMs, until: this.#clock.now() + pauseMs })
    }
  }
}

/** There already, or changed since: what happens to one who is ahead of the watch. */
function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409
}

function problemOf(error: unknown): Problem {
  if (error instanceof Obstacle) return { reason: error.reason, message: error.message }
  if (error instanceof ApiError) {
    return {
      reason: error.reason === '' ? 'ApiError' : error.reason,
      message: `HTTP ${error.status}: ${error.message}`,
    }
  }
  return { reason: 'Failed', message: error instanceof Error ? error.message : String(error) }
}
