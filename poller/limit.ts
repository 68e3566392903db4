import { Rotation } from './rotation.ts'

/** Lets a bounded number of things happen at once, over all and per group; groups that wait take turns. */
export class FairLimit {
  readonly #overall: number
  readonly #waiting: Rotation<() => void>

  constructor(overall: number, perGroup: number) {
    this.#overall = overall
    this.#waiting = new Rotation(perGroup)
  }

  /** Runs the work when it is its turn. An abort while it waits rejects with the signal's reason. */
  async run<T>(group: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(group, signal)
    try {
      return await work()
    } finally {
      this.#waiting.done(group)
      this.#next()
    }
  }

  async #turn(group: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', abandon)
        resolve()
      }
      const abandon = (): void => {
        this.#waiting.remove(group, start)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', abandon, { once: true })
      this.#waiting.add(group, start)
      this.#next()
    })
  }

  #next(): void {
    while (this.#waiting.running < this.#overall) {
      const start = this.#waiting.take()
      if (start === undefined) return
      start()
    }
  }
}
