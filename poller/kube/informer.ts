import { setTimeout as sleep } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { ApiError } from './client.ts'
import type { KubeClient } from './client.ts'
import { listAll } from './list.ts'
import { Store } from './store.ts'
import type { StoreEvent } from './store.ts'
import { WatchFormatError } from './watch-events.ts'

/** Durations in milliseconds; tests shorten them. */
export interface InformerTiming {
  /** A watch without a byte for so long is taken for half-open. The API server sends bookmarks every minute. */
  inactivityMs: number
  /** Length of one watch, as asked of the server; up to a fifth is added at random. */
  watchMs: number
  /** First and longest pause after an error; doubled each time, half of it at random. */
  backoffMs: number
  maxBackoffMs: number
}

const defaultTiming: InformerTiming = {
  inactivityMs: 90_000,
  watchMs: 300_000,
  backoffMs: 200,
  maxBackoffMs: 30_000,
}

export interface InformerOptions<T extends KubeObject> {
  client: KubeClient
  /** Collection, for example `/apis/apps/v1/statefulsets` or `/api/v1/namespaces/default/pods`. */
  path: string
  labelSelector?: string
  fieldSelector?: string
  /** Keeps only what is used, on arrival. `metadata.managedFields` is gone before. */
  trim?: (object: KubeObject) => T
  /** Index name to the keys an object is found under. */
  index?: Record<string, (object: T) => string[]>
  /** Called after the store has changed. A throw is logged and harms nobody else. */
  onEvent?: (event: StoreEvent<T>) => void
  logger?: BaseLogger
  timing?: Partial<InformerTiming>
}

export interface InformerHealth {
  synced: boolean
  /** Milliseconds since the server last sent anything. */
  silentMs: number
  /** Milliseconds since the loop last made a step, failed attempts included: grows long only when it hangs. */
  idleMs: number
  objects: number
  /** Watches begun again, for whatever reason. */
  restarts: number
  /** Lists after the first, other than for a new selector. */
  relists: number
  /** Differences that those lists found: what watches had not told. */
  differences: number
  /** Watch lines that could not be understood. */
  unparsable: number
}

/**
 * A local copy of one collection, kept by list and watch. It goes on for ever after whatever error: it resumes from the
 * last version it saw, lists again when that is gone (410) or a line was unreadable, and notices a silent connection.
 */
export class Informer<T extends KubeObject = KubeObject> {
  /** Fulfilled after the first complete list; rejected if stopped before. */
  readonly synced: Promise<void>
  readonly #options: InformerOptions<T>
  readonly #timing: InformerTiming
  readonly #store: Store<T>
  readonly #stop = new AbortController()
  #labelSelector: string | undefined
  /** Selector of the list the store holds. */
  #listedSelector: string | undefined
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined
  #isSynced = false
  #done: Promise<void> | undefined
  /** Where to resume; undefined: list first. */
  #resourceVersion: string | undefined
  /** The list or watch under way. */
  #current = new AbortController()
  #lastData = performance.now()
  #lastStep = performance.now()
  readonly #counts = { restarts: 0, relists: 0, differences: 0, unparsable: 0 }

  constructor(options: InformerOptions<T>) {
    this.#options = options
    this.#timing = { ...defaultTiming, ...options.timing }
    this.#labelSelector = options.labelSelector
    this.#store = new Store<T>(options.index ?? {}, (event) => this.#tell(event))
    this.synced = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    this.synced.catch(() => undefined) // not everybody waits for it
  }

  /** Starts the loop; returns at once. */
  start(): void {
    this.#done ??= this.#run()
  }

  /** Ends the loop and waits for it. What was learnt stays readable. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#current.abort()
    await this.#done
    this.#settle?.reject(new Error(`The informer of ${this.#options.path} was stopped before its first list`))
  }

  /** Changes the label selector: lists again, and tells what came into view or left it as added and deleted. */
  select(labelSelector: string): void {
    if (labelSelector === this.#labelSelector) return
    this.#labelSelector = labelSelector
    this.#resourceVersion = undefined
    this.#current.abort()
  }

  /** Takes in what a write of ours answered, unless something else has arrived since the version it was based on. */
  adopt(object: KubeObject, basedOn: string | undefined): void {
    const { namespace, name } = object.metadata
    const known = this.#store.get(namespace, name)
    if (known !== undefined && known.metadata.resourceVersion === basedOn) this.#store.set(this.#trimmed(object))
  }

  /** Undefined namespace for cluster-scoped kinds. */
  get(namespace: string | undefined, name: string): T | undefined {
    return this.#store.get(namespace, name)
  }

  list(): T[] {
    return this.#store.list()
  }

  /** Objects that the named index files under the key. */
  indexed(index: string, key: string): T[] {
    return this.#store.indexed(index, key)
  }

  health(): InformerHealth {
    const now = performance.now()
    return {
      synced: this.#isSynced,
      silentMs: now - this.#lastData,
      idleMs: this.#done === undefined ? 0 : now - this.#lastStep,
      objects: this.#store.size,
      ...this.#counts,
    }
  }

  async #run(): Promise<void> {
    let failures = 0
    while (!this.#stop.signal.aborted) {
      const current = (this.#current = new AbortController())
      const selector = this.#labelSelector
      let watching = Infinity
      let error: unknown
      try {
        this.#step()
        if (this.#resourceVersion === undefined) await this.#list(selector, current.signal)
        this.#step()
        watching = performance.now()
        await this.#watch(selector, current)
      } catch (caught) {
        error = caught
      }
      if (this.#stop.signal.aborted) return
      this.#counts.restarts++
      if (selector !== this.#labelSelector) continue
      if (error !== undefined) this.#onError(error)
      // A watch that lived for a while and either ended in order or brought something was fine.
      const lived = performance.now() - watching > this.#timing.backoffMs * 5
      failures = lived && (error === undefined || this.#lastData > watching) ? 0 : failures + 1
      if (failures > 0) await this.#pause(failures)
    }
  }

  #onError(error: unknown): void {
    if (error instanceof WatchFormatError) this.#counts.unparsable++
    const versionIsLost = error instanceof WatchFormatError || (error instanceof ApiError && error.status === 410)
    if (versionIsLost) this.#resourceVersion = undefined
    this.#options.logger?.warn({ err: error, path: this.#options.path }, 'watch interrupted, it will be resumed')
  }

  async #pause(failures: number): Promise<void> {
    const longest = Math.min(this.#timing.maxBackoffMs, this.#timing.backoffMs * 2 ** Math.min(failures - 1, 20))
    await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  async #list(labelSelector: string | undefined, signal: AbortSignal): Promise<void> {
    const { client, path, fieldSelector } = this.#options
    const objects: T[] = []
    const resourceVersion = await listAll({
      client,
      path,
      query: { labelSelector, fieldSelector },
      signal,
      onPage: (page, isFirst) => {
        this.#sawData()
        if (isFirst) objects.length = 0
        for (const object of page) objects.push(this.#trimmed(object))
      },
    })
    signal.throwIfAborted()
    // All at once at the end, so that readers never see half a list.
    const differences = this.#store.replace(objects)
    this.#resourceVersion = resourceVersion
    if (this.#isSynced && labelSelector === this.#listedSelector) {
      this.#counts.relists++
      this.#counts.differences += differences
    }
    this.#listedSelector = labelSelector
    this.#isSynced = true
    this.#settle?.resolve()
  }

  async #watch(labelSelector: string | undefined, current: AbortController): Promise<void> {
    const { client, path, fieldSelector } = this.#options
    const { inactivityMs, watchMs } = this.#timing
    const silent = setTimeout(
      () => current.abort(new Error(`The watch was silent for ${inactivityMs} ms`)),
      inactivityMs,
    )
    const events = client.watch({
      path,
      query: {
        labelSelector,
        fieldSelector,
        resourceVersion: this.#resourceVersion,
        allowWatchBookmarks: true,
        timeoutSeconds: Math.ceil((watchMs * (1 + Math.random() / 5)) / 1000),
      },
      signal: current.signal,
      onData: () => {
        silent.refresh()
        this.#sawData()
      },
    })
    try {
      for await (const event of events) {
        if (event.type === 'ERROR') {
          const { code = 500, reason = '', message = '' } = event.object
          throw new ApiError(code, reason, message)
        }
        if (event.type === 'DELETED') this.#store.delete(this.#trimmed(event.object))
        else if (event.type !== 'BOOKMARK') this.#store.set(this.#trimmed(event.object))
        // A new selector, set meanwhile or by a listener just now, wants a new list: what was read ahead does not count.
        if (current.signal.aborted) return
        this.#resourceVersion = event.object.metadata.resourceVersion
      }
    } finally {
      clearTimeout(silent)
    }
  }

  #trimmed(object: KubeObject): T {
    delete (object.metadata as { managedFields?: unknown }).managedFields
    return this.#options.trim?.(object) ?? (object as T)
  }

  #tell(event: StoreEvent<T>): void {
    try {
      this.#options.onEvent?.(event)
    } catch (error) {
      const { namespace, name } = event.object.metadata
      this.#options.logger?.error({ err: error, path: this.#options.path, namespace, name }, 'listener failed')
    }
  }

  #sawData(): void {
    this.#lastData = performance.now()
    this.#step()
  }

  #step(): void {
    this.#lastStep = performance.now()
  }
}
