/** Time as the parts of the poller see it, so that tests own it. */
export interface Clock {
  /** Milliseconds that only ever grow; no date. They go on while the process is paused. */
  now(): number
  /** Calls `run` once after `ms`; the returned function calls it off. */
  after(ms: number, run: () => void): () => void
  /** Time of day, for what people read. */
  date(): Date
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  date: () => new Date(),
}
