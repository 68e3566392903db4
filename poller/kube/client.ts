import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import { Pool } from 'undici'
import type { Dispatcher } from 'undici'
import { packagePath } from '../../webhooks/package-root.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { credentialSource } from './credentials.ts'
import type { Credentials } from './credentials.ts'
import { splitLines } from './lines.ts'

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

/** A line of a watch stream that is no JSON event. */
export class WatchFormatError extends Error {
  override name = 'WatchFormatError'
}

export interface RequestOptions {
  method?: Method
  /** Absolute path, for example `/api/v1/namespaces/default/pods`. */
  path: string
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
  /** Default `application/json`; patches name theirs. */
  contentType?: string
  /** Deadline for the whole request with its retries; default 30 s. */
  timeoutMs?: number
  signal?: AbortSignal
}

export interface WatchOptions {
  path: string
  query?: Record<string, string | number | boolean | undefined>
  signal: AbortSignal
  /** Called for every chunk that arrives, before it is parsed: a sign of life. */
  onData?: () => void
}

/** One line of a watch. `BOOKMARK` objects carry only kind and resourceVersion; `ERROR` carries a Status. */
export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: KubeObject }
  | { type: 'ERROR'; object: { code?: number; reason?: string; message?: string } }

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

export interface ClientOptions {
  /** Path of a kubeconfig; default `$KUBECONFIG`, the pod's service account, `~/.kube/config`. */
  kubeconfig?: string
  /** Default `kaspr-metacontroller/<version> (poll)`. */
  userAgent?: string
  logger?: BaseLogger
  /** Requests in flight at once (watches apart); default 16. Others wait in order. */
  connections?: number
  onRequest?: (report: RequestReport) => void
}

/** How long credentials are used before their files are read again; client-go uses the same minute. */
const credentialsTtlMs = 60_000
/** Retries after 429 and after connection errors of a GET. */
const maxRetries = 4
const maxErrorBodyBytes = 16 * 1024

/** Makes a client of one API server. Connects on first use, so it never fails here. */
export function createClient(options: ClientOptions = {}): KubeClient {
  return new PooledClient(options)
}

interface Connections {
  credentials: Credentials
  basePath: string
  requests: Pool
  /** Watches have their own pool without limit, so that they never use up the connections of requests. */
  watches: Pool
}

class PooledClient implements KubeClient {
  readonly #options: ClientOptions
  readonly #userAgent: string
  readonly #source
  #current: Connections | undefined
  #loading: Promise<Connections> | undefined
  #readAt = 0
  readonly #pools = new Set<Pool>()
  readonly #closed = new AbortController()

  constructor(options: ClientOptions) {
    this.#options = options
    this.#userAgent = options.userAgent ?? `kaspr-metacontroller/${packageVersion()} (poll)`
    this.#source = credentialSource(options.kubeconfig)
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
        if (attempt >= maxRetries || !outcome.retry) throw outcome.error
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
      const connections = await this.#connect()
      const path = pathWithQuery(connections.basePath, options.path, { ...options.query, watch: true })
      const response = await this.#measured('WATCH', options.path, () =>
        connections.watches.request({ method: 'GET', path, headers: this.#headers(connections), signal }),
      )
      if (response.statusCode !== 200) throw await this.#failure(response)
      yield* events(response.body, options.onData)
    } finally {
      abort.unlink()
      abort.controller.abort() // frees the connection when the consumer stops early
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('The client is closed'))
    await Promise.all([...this.#pools].map((pool) => pool.destroy()))
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
      const connections = await this.#connect()
      const path = pathWithQuery(connections.basePath, options.path, options.query)
      const headers = this.#headers(connections)
      const body = options.body === undefined ? null : JSON.stringify(options.body)
      if (body !== null) headers['content-type'] = options.contentType ?? 'application/json'
      response = await this.#measured(method, options.path, () =>
        connections.requests.request({ method, path, headers, body, signal }),
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
      if (performance.now() - this.#readAt > 1000) this.#readAt = -Infinity
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

  #headers({ credentials }: { credentials: Credentials }): Record<string, string> {
    return { ...credentials.headers, accept: 'application/json', 'user-agent': this.#userAgent }
  }

  /** The pools for the credentials of this minute; while they cannot be read again the last ones serve. */
  async #connect(): Promise<Connections> {
    if (this.#current !== undefined && performance.now() - this.#readAt < credentialsTtlMs) return this.#current
    this.#loading ??= this.#source()
      .then((credentials) => {
        this.#readAt = performance.now()
        return (this.#current = this.#pooled(credentials, this.#current))
      })
      .catch((error: unknown) => {
        this.#options.logger?.error({ err: error }, 'cannot read the credentials for the API server')
        if (this.#current === undefined) throw error
        return this.#current
      })
      .finally(() => (this.#loading = undefined))
    return this.#loading
  }

  /** Keeps the pools as long as server and TLS material stay the same; a new token needs no new connection. */
  #pooled(credentials: Credentials, previous: Connections | undefined): Connections {
    if (this.#closed.signal.aborted) throw this.#closed.signal.reason
    if (previous !== undefined && sameEndpoint(previous.credentials, credentials)) return { ...previous, credentials }
    if (previous !== undefined) {
      // Requests under way finish; watches are ended and come back on new connections.
      this.#pools.delete(previous.requests)
      this.#pools.delete(previous.watches)
      void previous.requests.close()
      void previous.watches.destroy()
    }
    const url = new URL(credentials.server)
    const connect = { ...credentials.tls, timeout: 5_000, keepAlive: true, keepAliveInitialDelay: 15_000 }
    // Deadlines are ours (abort signals), so the pool's own are off.
    const common = { connect, headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 30_000 }
    const requests = new Pool(url.origin, { ...common, connections: this.#options.connections ?? 16 })
    const watches = new Pool(url.origin, common)
    this.#pools.add(requests).add(watches)
    return { credentials, basePath: url.pathname.replace(/\/$/, ''), requests, watches }
  }
}

function sameEndpoint(a: Credentials, b: Credentials): boolean {
  return a.server === b.server && JSON.stringify(a.tls) === JSON.stringify(b.tls)
}

async function* events(body: AsyncIterable<Buffer>, onData: (() => void) | undefined): AsyncGenerator<WatchEvent> {
  for await (const line of splitLines(tapped(body, onData))) {
    let event: unknown
    try {
      event = JSON.parse(line)
    } catch {
      throw new WatchFormatError(`A watch line of ${line.length} characters is no JSON: ${line.slice(0, 80)}`)
    }
    if (!isWatchEvent(event)) throw new WatchFormatError(`A watch line is no event: ${line.slice(0, 80)}`)
    yield event
  }
}

async function* tapped(body: AsyncIterable<Buffer>, onData: (() => void) | undefined): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    onData?.()
    yield chunk
  }
}

const eventTypes = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']

function isWatchEvent(value: unknown): value is WatchEvent {
  const event = value as { type?: unknown; object?: { metadata?: unknown } | null } | null
  if (typeof event !== 'object' || event === null || typeof event.object !== 'object' || event.object === null) {
    return false
  }
  if (event.type === 'ERROR') return true
  return eventTypes.includes(event.type as string) && typeof event.object.metadata === 'object'
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

/** A controller that aborts with any of the signals, and can be unlinked from them (long-lived signals must not keep it). */
function linkedAbort(signals: (AbortSignal | undefined)[]): { controller: AbortController; unlink: () => void } {
  const controller = new AbortController()
  const present = signals.filter((signal) => signal !== undefined)
  const abort = (): void => controller.abort(present.find((signal) => signal.aborted)?.reason)
  for (const signal of present) signal.addEventListener('abort', abort)
  if (present.some((signal) => signal.aborted)) abort()
  return { controller, unlink: () => present.forEach((signal) => signal.removeEventListener('abort', abort)) }
}

function packageVersion(): string {
  return String((JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { version?: unknown }).version)
}
