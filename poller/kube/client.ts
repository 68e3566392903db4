import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import type { Dispatcher } from 'undici'
import { packageVersion } from '../../webhooks/version.ts'
import { Connections } from './connections.ts'
import type { Connection } from './connections.ts'
import type { ClusterChoice } from './credentials.ts'
import { readWatch } from './watch-events.ts'
import type { WatchEvent } from './watch-events.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** An answer of the API server that is no success, as its `Status` body tells. */
export class ApiError extends Error {
  override name = 'ApiError'
  /** HTTP status code. */
  readonly status: number
  /** Machine-readable reason, for example `NotFound`, `Conflict`, `Expired`; empty when the body was no Status. */
  readonly reason: string
  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

export interface RequestOptions {
  method?: Method
  /** Absolute path, for example `/api/v1/namespaces/default/pods`. */
  path: string
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
  /** Default `application/json`; patches name theirs. */
  contentType?: string
  /** Representation that is asked for; default `application/json`. */
  accept?: string
  /** Deadline for the whole request with its retries; default 30 s. */
  timeoutMs?: number
  /** `false`: one try, for what must not be done later than now. Default: tried again as `maxRetries` says. */
  retry?: false
  signal?: AbortSignal
}

export interface WatchOptions {
  path: string
  query?: Record<string, string | number | boolean | undefined>
  signal: AbortSignal
  /** Called for every chunk that arrives, before it is parsed: a sign of life. */
  onData?: () => void
}

export interface KubeClient {
  /** Sends a request and gives its JSON answer. Throws ApiError, or an Error of the connection or the deadline. */
  request<T>(options: RequestOptions): Promise<T>
  /** Streams the events of one watch request until the server ends it. Throws like `request`, and WatchFormatError. */
  watch(options: WatchOptions): AsyncGenerator<WatchEvent>
  /** Ends all connections at once. */
  close(): Promise<void>
}

/** What metrics want to know about each exchange; `code` 0 when no answer came. */
export interface RequestReport {
  method: Method | 'WATCH'
  path: string
  code: number
  seconds: number
}

export interface ClientOptions extends ClusterChoice {
  /** Default `kaspr-metacontroller/<version> (poll)`. */
  userAgent?: string
  logger?: BaseLogger
  /** Requests in flight at once (watches apart); default 16. Others wait in order. */
  connections?: number
  onRequest?: (report: RequestReport) => void
}

/** Retries after 429 and after connection errors of a GET. */
const maxRetries = 4
const maxErrorBodyBytes = 16 * 1024

/** Makes a client of one API server. Connects on first use, so it never fails here. */
export function createClient(options: ClientOptions = {}): KubeClient {
  return new PooledClient(options)
}

class PooledClient implements KubeClient {
  readonly #options: ClientOptions
  readonly #userAgent: string
  readonly #connections: Connections
  readonly #closed = new AbortController()

  constructor(options: ClientOptions) {
    this.#options = options
    setMaxListeners(0, this.#closed.signal) // one for each request under way
    this.#userAgent = options.userAgent ?? `kaspr-metacontroller/${packageVersion()} (poll)`
    const { logger, connections = 16 } = options
    this.#connections = new Connections({ cluster: options, logger, connections })
  }

  async request<T>(options: RequestOptions): Promise<T> {
    const { method = 'GET', timeoutMs = 30_000 } = options
    const abort = linkedAbort([this.#closed.signal, options.signal])
    const timer = setTimeout(
      () => abort.controller.abort(new Error(`${method} ${options.path}: no answer within ${timeoutMs} ms`)),
      timeoutMs,
    )
    try {
      for (let attempt = 0; ; attempt++) {
        const outcome = await this.#attempt(attempt, method, options, abort.controller.signal)
        if (outcome.done) return outcome.value as T
        if (attempt >= maxRetries || !outcome.retry || options.retry === false) throw outcome.error
        await sleep(outcome.afterMs ?? 100 * 2 ** attempt * (0.5 + Math.random()), undefined, {
          signal: abort.controller.signal,
        }).catch(() => {
          throw abort.controller.signal.reason as Error
        })
      }
    } finally {
      clearTimeout(timer)
      abort.unlink()
    }
  }

  async *watch(options: WatchOptions): AsyncGenerator<WatchEvent> {
    const abort = linkedAbort([this.#closed.signal, options.signal])
    const { signal } = abort.controller
    try {
      const connection = await abortable(this.#connections.current(), signal)
      const path = pathWithQuery(connection.basePath, options.path, { ...options.query, watch: true })
      const response = await this.#measured('WATCH', options.path, () =>
        connection.watches.request({ method: 'GET', path, headers: this.#headers(connection), signal }),
      )
      if (response.statusCode !== 200) throw await this.#failure(response)
      yield* readWatch(response.body, options.onData)
    } finally {
      abort.unlink()
      abort.controller.abort() // frees the connection when the consumer stops early
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('The client is closed'))
    await this.#connections.close()
  }

  /** One exchange; says whether another try makes sense. */
  async #attempt(
    attempt: number,
    method: Method,
    options: RequestOptions,
    signal: AbortSignal,
  ): Promise<{ done: true; value: unknown } | { done: false; error: Error; retry: boolean; afterMs?: number }> {
    let response: Dispatcher.ResponseData
    let value: unknown
    try {
      const connection = await abortable(this.#connections.current(), signal)
      const path = pathWithQuery(connection.basePath, options.path, options.query)
      const headers = this.#headers(connection)
      const body = options.body === undefined ? null : JSON.stringify(options.body)
      if (options.accept !== undefined) headers['accept'] = options.accept
      if (body !== null) headers['content-type'] = options.contentType ?? 'application/json'
      response = await this.#measured(method, options.path, () =>
        // undici would end the connection after a DELETE with a body, for servers that trip over one.
        connection.requests.request({ method, path, headers, body, signal, reset: false }),
      )
      if (response.statusCode < 300) value = await response.body.json()
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      // A write may have been done although its answer was lost, so only reads are repeated.
      return { done: false, error: cause as Error, retry: method === 'GET' }
    }
    if (response.statusCode < 300) return { done: true, value }
    const error = await this.#failure(response)
    if (response.statusCode === 401) {
      // A token that was rotated since it was read; one more try with what the file says now.
      this.#connections.distrust()
      return { done: false, error, retry: attempt === 0, afterMs: 0 }
    }
    const seconds = Number(response.headers['retry-after'] ?? 1)
    return { done: false, error, retry: response.statusCode === 429, afterMs: (seconds >= 0 ? seconds : 1) * 1000 }
  }

  async #measured(
    method: RequestReport['method'],
    path: string,
    send: () => Promise<Dispatcher.ResponseData>,
  ): Promise<Dispatcher.ResponseData> {
    const started = performance.now()
    let code = 0
    try {
      const response = await send()
      code = response.statusCode
      return response
    } finally {
      this.#options.onRequest?.({ method, path, code, seconds: (performance.now() - started) / 1000 })
    }
  }

  async #failure(response: Dispatcher.ResponseData): Promise<ApiError> {
    const text = await boundedText(response.body)
    try {
      const status = JSON.parse(text) as { kind?: string; reason?: string; message?: string } | null
      if (status?.kind === 'Status') {
        return new ApiError(response.statusCode, status.reason ?? '', status.message ?? '')
      }
    } catch {
      // not the API server's own answer (a proxy in between): the text is all there is
    }
    return new ApiError(response.statusCode, '', text.slice(0, 300).trim() || `HTTP ${response.statusCode}`)
  }

  #headers({ credentials }: Connection): Record<string, string> {
    return { ...credentials.headers, accept: 'application/json', 'user-agent': this.#userAgent }
  }
}

async function boundedText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxErrorBodyBytes) break
  }
  return Buffer.concat(chunks).toString('utf8')
}

function pathWithQuery(basePath: string, path: string, query: RequestOptions['query'] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  return `${basePath}${path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`
}

/** The promise, or the abort, whichever is first: what goes on behind it is shared and goes on. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => (onAbort = () => reject(signal.reason as Error)))
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}

/** A controller that aborts with any of the signals, and can be unlinked from them (long-lived signals must not keep it). */
function linkedAbort(signals: (AbortSignal | undefined)[]): { controller: AbortController; unlink: () => void } {
  const controller = new AbortController()
  const present = signals.filter((signal) => signal !== undefined)
  const abort = (): void => controller.abort(present.find((signal) => signal.aborted)?.reason)
  for (const signal of present) signal.addEventListener('abort', abort)
  if (present.some((signal) => signal.aborted)) abort()
  return { controller, unlink: () => present.forEach((signal) => signal.removeEventListener('abort', abort)) }
}
