/** Counts hook calls in progress, bounds them, and tells when none is left. */
export class RunningCalls {
  readonly #max: number
  #count = 0
  #draining = false
  #waiting: (() => void)[] = []

  /** @param max calls that may be in progress at once */
  constructor(max: number) {
    this.#max = max
  }

  get count(): number {
    return this.#count
  }

  /** Counts a call in; false, and nothing is counted, if there are `max` already. */
  enter(): boolean {
    if (this.#count >= this.#max) return false
    this.#count += 1
    return true
  }

  /** Counts a call out; once for each `enter` that returned true. */
  leave(): void {
    this.#count -= 1
    if (this.#count > 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  /** No further calls are expected. */
  get draining(): boolean {
    return this.#draining
  }

  /** Resolves as soon as no call is in progress, or after `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    this.#draining = true
    if (this.#count === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
