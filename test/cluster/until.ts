import { setTimeout as sleep } from 'node:timers/promises'

export interface UntilOptions {
  /** Default 20 s. */
  limitMs?: number
  /** Default 50 ms. */
  everyMs?: number
  /** Ends the wait at once with the signal's reason. */
  signal?: AbortSignal
}

/**
 * Asks `check` until it gives something truthy, and returns that. Errors of `check` count as "not yet". Throws after
 * the limit with `what` and the last answer or error, so that the failure says what was seen instead.
 */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  { limitMs = 20_000, everyMs = 50, signal }: UntilOptions = {},
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const deadline = Date.now() + limitMs
  for (;;) {
    let seen: string
    try {
      const value = await check()
      if (value) return value as Exclude<T, undefined | null | false | 0 | ''>
      seen = String(value)
    } catch (error) {
      seen = error instanceof Error ? error.message : String(error)
    }
    signal?.throwIfAborted()
    if (Date.now() >= deadline) throw new Error(`waited ${limitMs / 1000} s for ${what}; last seen: ${seen}`)
    await sleep(everyMs, undefined, { signal }).catch(() => signal?.throwIfAborted())
  }
}
