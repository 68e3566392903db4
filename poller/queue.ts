import { setMaxListeners } from 'node:events'
import type { BaseLogger } from 'pino'
import type { Clock } from './clock.ts'
import { Rotation } from './rotation.ts'

export interface QueueOptions {
  /**
   * Does the work of a key. Gives the milliseconds until the key is to run again by itself; undefined drops the key.
   * A throw is logged, and the key runs again after a back-off.
   */
  run: (key: string, signal: AbortSignal) => Promise<number | undefined>
  clock: Clock
  /** Runs at once. */
  workers: number
  /** Keys of one group share at most half of the workers and take turns with others; default: text before the first `/`. */
  groupOf?: (key: string) => string
  /** Adds start runs of one key at least so far apart (a burst of adds is one run); default 1000. */
  minIntervalMs?: number
  /** The same for one key; undefined: `minIntervalMs`. */
  minIntervalOf?: (key: string) => number | undefined
  /** First and longest back-off; doubled each time, half of it at random. Default 1000 and 60,000. */
  backoffMs?: number
  maxBackoffMs?: number
  /** A run of that length, or an idle queue with a key waiting so long, is no work any more but a bug; default 300,000. */
  stuckMs?: number
  random?: () => number
  logger?: BaseLogger
  /** A key is due and waits for a worker. */
  onDue?: (key: string) => void
  /** Seconds a key waited for a worker after it was due; its run begins. */
  onWait?: (seconds: number, key: string) => void
  /** A run has ended; `error` is what it threw. */
  onRun?: (seconds: number, succeeded: boolean, key: string, error?: unknown) => void
  onForget?: (key: string) => void
}

export interface QueueStats {
  /** Keys that are due and wait for a worker. */
  depth: number
  running: number
  /** Keys that will be due later. */
  delayed: number
  /** Age of the key that has waited longest for a worker, milliseconds. */
  oldestMs: number
  /** Age of the longest run under way, milliseconds. */
  longestRunMs: number
}

type Phase =
  | { at: 'delayed'; dueAt: number; cancel: () => void }
  | { at: 'due'; since: number }
  /** `againAt`: added meanwhile, so one further run follows, then. */
  | { at: 'running'; since: number; againAt: number | undefined; forgotten: boolean }

interface Entry {
  key: string
  group: string
  failures: number
  startedAt: number
  phase: Phase
}

/**
 * Runs keys: each at most once at a time, all adds during a run together once more after it, the earliest of several
 * delays. A key that fails backs off alone; a group with thousands of keys does not starve the others.
 */
export class WorkQueue {
  readonly #options: QueueOptions
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  readonly #due: Rotation<Entry>
  readonly #abort = new AbortController()
  readonly #timing: { minIntervalMs: number; backoffMs: number; maxBackoffMs: number; stuckMs: number }
  #stopping = false
  #drained: (() => void) | undefined

  constructor(options: QueueOptions) {
    this.#options = options
    this.#clock = options.clock
    setMaxListeners(0, this.#abort.signal) // some for each run
    this.#due = new Rotation(Math.ceil(options.workers / 2))
    const { minIntervalMs = 1000, backoffMs = 1000, maxBackoffMs = 60_000, stuckMs = 300_000 } = options
    this.#timing = { minIntervalMs, backoffMs, maxBackoffMs, stuckMs }
  }

  /** Has the key run after `delayMs`, or earlier if it is to run earlier already. */
  add(key: string, delayMs = 0): void {
    if (this.#stopping) return
    const entry = this.#entries.get(key)
    const now = this.#clock.now()
    const minIntervalMs = this.#options.minIntervalOf?.(key) ?? this.#timing.minIntervalMs
    const dueAt = Math.max(now + delayMs, (entry?.startedAt ?? -Infinity) + minIntervalMs)
    if (entry === undefined) {
      const group = (this.#options.groupOf ?? beforeSlash)(key)
      this.#delay({ key, group, failures: 0, startedAt: -Infinity, phase: { at: 'due', since: now } }, dueAt)
    } else if (entry.phase.at === 'running') {
      entry.phase.againAt = Math.min(entry.phase.againAt ?? Infinity, dueAt)
    } else if (entry.phase.at === 'delayed' && dueAt < entry.phase.dueAt) {
      entry.phase.cancel()
      this.#delay(entry, dueAt)
    }
    this.#dispatch()
  }

  /** Drops the key and its back-off. A run under way ends as it ends, and is not repeated. */
  forget(key: string): void {
    const entry = this.#entries.get(key)
    this.#options.onForget?.(key)
    if (entry === undefined) return
    if (entry.phase.at === 'running') {
      entry.phase.againAt = undefined
      entry.phase.forgotten = true
      return
    }
    if (entry.phase.at === 'delayed') entry.phase.cancel()
    else this.#due.remove(entry.group, entry)
    this.#entries.delete(key)
  }

  stats(): QueueStats {
    const now = this.#clock.now()
    const stats = { depth: this.#due.waiting, running: this.#due.running, delayed: 0, oldestMs: 0, longestRunMs: 0 }
    for (const { phase } of this.#entries.values()) {
      if (phase.at === 'due') stats.oldestMs = Math.max(stats.oldestMs, now - phase.since)
      else if (phase.at === 'running') stats.longestRunMs = Math.max(stats.longestRunMs, now - phase.since)
      else stats.delayed++
    }
    return stats
  }

  /** Why the queue does no work any more; undefined while it does (or has none). Long queues alone are no reason. */
  stuck(): string | undefined {
    const { running, oldestMs, longestRunMs } = this.stats()
    const { stuckMs } = this.#timing
    if (longestRunMs > stuckMs) return `a run has lasted ${Math.round(longestRunMs / 1000)} s`
    if (running === 0 && oldestMs > stuckMs)
      return `nothing runs, but a key has waited ${Math.round(oldestMs / 1000)} s`
    return undefined
  }

  /**
   * Starts nothing more and waits for what runs; after `deadlineMs` aborts it and waits a second more.
   *
   * @returns whether everything had ended
   */
  async stop(deadlineMs: number): Promise<boolean> {
    this.#stopping = true
    for (const { phase } of this.#entries.values()) if (phase.at === 'delayed') phase.cancel()
    const drained = new Promise<void>((resolve) => (this.#drained = resolve))
    if (this.#due.running === 0) return true
    const ended = await this.#within(deadlineMs, drained)
    this.#abort.abort(new Error('The poller is stopping'))
    return ended || this.#within(1000, drained)
  }

  async #within(ms: number, done: Promise<void>): Promise<boolean> {
    let cancel = (): void => undefined
    const expired = new Promise<false>((resolve) => (cancel = this.#clock.after(ms, () => resolve(false))))
    return Promise.race([done.then(() => true), expired]).finally(cancel)
  }

  #delay(entry: Entry, dueAt: number): void {
    const now = this.#clock.now()
    this.#entries.set(entry.key, entry)
    if (dueAt <= now) {
      this.#enqueue(entry)
      return
    }
    const cancel = this.#clock.after(dueAt - now, () => {
      this.#enqueue(entry)
      this.#dispatch()
    })
    entry.phase = { at: 'delayed', dueAt, cancel }
  }

  #enqueue(entry: Entry): void {
    entry.phase = { at: 'due', since: this.#clock.now() }
    this.#due.add(entry.group, entry)
    this.#options.onDue?.(entry.key)
  }

  #dispatch(): void {
    while (!this.#stopping && this.#due.running < this.#options.workers) {
      const entry = this.#due.take()
      if (entry === undefined) return
      void this.#run(entry)
    }
  }

  async #run(entry: Entry): Promise<void> {
    const { run, onWait, onRun, logger } = this.#options
    const started = this.#clock.now()
    if (entry.phase.at === 'due') onWait?.((started - entry.phase.since) / 1000, entry.key)
    const phase: Phase & { at: 'running' } = { at: 'running', since: started, againAt: undefined, forgotten: false }
    entry.phase = phase
    entry.startedAt = started
    let againMs: number | undefined
    let succeeded = false
    let failure: unknown
    try {
      againMs = await run(entry.key, this.#abort.signal)
      succeeded = true
      entry.failures = 0
    } catch (error) {
      failure = error
      againMs = this.#backoff(++entry.failures)
      if (!this.#stopping) {
        logger?.warn({ err: error, key: entry.key, failures: entry.failures, againMs }, 'run failed')
      }
    }
    onRun?.((this.#clock.now() - started) / 1000, succeeded, entry.key, failure)
    this.#finish(entry, phase, againMs)
  }

  #finish(entry: Entry, phase: Phase & { at: 'running' }, againMs: number | undefined): void {
    if (phase.forgotten) entry.failures = 0
    const next = againMs === undefined || phase.forgotten ? Infinity : this.#clock.now() + againMs
    const dueAt = Math.min(next, phase.againAt ?? Infinity)
    this.#due.done(entry.group)
    if (this.#stopping || dueAt === Infinity) this.#entries.delete(entry.key)
    else this.#delay(entry, dueAt)
    if (this.#stopping && this.#due.running === 0) this.#drained?.()
    this.#dispatch()
  }

  #backoff(failures: number): number {
    const { backoffMs, maxBackoffMs } = this.#timing
    const longest = Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(failures - 1, 20))
    return Math.round(longest * (0.5 + (this.#options.random ?? Math.random)() / 2))
  }
}

function beforeSlash(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf('/')))
}
