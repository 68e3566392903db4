/** When something is run next. */
export interface Pace {
  soon(): void
  now(): void
  stop(): void
}

const soonMs = 100
const regularlyMs = 1000

/** Runs something when asked to, but at most ten times a second, and at least once a second: a countdown goes on. */
export function paced(run: () => void): Pace {
  let waiting: NodeJS.Timeout | undefined
  const now = (): void => {
    clearTimeout(waiting)
    waiting = undefined
    run()
  }
  const regularly = setInterval(now, regularlyMs)
  return {
    soon: () => (waiting ??= setTimeout(now, soonMs)),
    now,
    stop() {
      clearInterval(regularly)
      clearTimeout(waiting)
    },
  }
}
