import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import { FairLimit } from '../limit.ts'
import type { Flags } from './members.ts'

/** What came of asking a member. */
export type Answer =
  | { result: 'Success'; flags: Flags }
  | { result: 'Unauthorized' | 'Forbidden' | 'NotFound' | 'Timeout' }
  | { result: 'HttpError'; code: number }
  /** Refused, reset, unreachable; `code` as Node.js names it. */
  | { result: 'Network'; code: string }
  /** An answer that is no status: no JSON, wrong shape, larger than 4 MiB. */
  | { result: 'BadPayload' }

export interface MemberPollerOptions {
  connectTimeoutMs: number
  /** For one member, connecting and reading included. */
  timeoutMs: number
  /** Requests at once: over all apps, and for one. */
  concurrency: number
  concurrencyPerApp: number
  onPoll?: (answer: Answer, seconds: number) => void
}

export interface MemberAddress {
  ip: string
  port: number
  /** DNS name of the pod, sent as Host. */
  host: string
}

/** `table_metadata` grows with tables times members, so an answer may be large, but not larger than this. */
const maxResponseBytes = 4 * 1024 * 1024

/** Asks members for their status over HTTP. */
export class MemberPoller {
  readonly #options: MemberPollerOptions
  readonly #limit: FairLimit
  readonly #agent: Agent

  constructor(options: MemberPollerOptions) {
    this.#options = options
    this.#limit = new FairLimit(options.concurrency, options.concurrencyPerApp)
    this.#agent = new Agent({
      // A member is asked every half minute: connections kept in between would be thousands of idle sockets.
      pipelining: 0,
      connect: { timeout: options.connectTimeoutMs },
      maxResponseSize: maxResponseBytes,
      // The deadline of the whole request is an abort signal.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  /**
   * Asks one member; `app` is the group that shares the limit. Rejects only when `signal` aborts, before or while it
   * is asked: then nothing is known.
   */
  ask(app: string, { ip, port, host }: MemberAddress, signal: AbortSignal): Promise<Answer> {
    return this.#limit.run(app, signal, async () => {
      const started = performance.now()
      const answer = await this.#get(`http://${ip.includes(':') ? `[${ip}]` : ip}:${port}`, `${host}:${port}`, signal)
      signal.throwIfAborted()
      this.#options.onPoll?.(answer, (performance.now() - started) / 1000)
      return answer
    })
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #get(origin: string, host: string, signal: AbortSignal): Promise<Answer> {
    const abort = new AbortController()
    const onAbort = (): void => abort.abort()
    const timer = setTimeout(onAbort, this.#options.timeoutMs)
    signal.addEventListener('abort', onAbort)
    try {
      const response = await this.#agent.request({
        origin,
        path: '/status/',
        method: 'GET',
        headers: { host, accept: 'application/json', 'user-agent': 'kaspr-metacontroller' },
        signal: abort.signal,
      })
      return await read(response)
    } catch (error) {
      const code = (error as { code?: string }).code ?? ''
      if (abort.signal.aborted || code === 'UND_ERR_CONNECT_TIMEOUT') return { result: 'Timeout' }
      if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return { result: 'BadPayload' }
      return { result: 'Network', code }
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }
}

async function read({ statusCode, body }: Dispatcher.ResponseData): Promise<Answer> {
  if (statusCode < 200 || statusCode > 299) {
    body.destroy()
    body.on('error', () => undefined)
    if (statusCode === 401) return { result: 'Unauthorized' }
    if (statusCode === 403) return { result: 'Forbidden' }
    if (statusCode === 404) return { result: 'NotFound' }
    return { result: 'HttpError', code: statusCode }
  }
  const text = await body.text()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { result: 'BadPayload' }
  }
  const { leader, rebalancing, recovering } = (value ?? {}) as Record<string, unknown>
  const isComplete = typeof leader === 'boolean' && typeof rebalancing === 'boolean' && typeof recovering === 'boolean'
  return isComplete ? { result: 'Success', flags: { leader, rebalancing, recovering } } : { result: 'BadPayload' }
}

/** An answer in words, for Events. */
export function describe(answer: Answer): string {
  switch (answer.result) {
    case 'Success':
      return 'it answers'
    case 'Unauthorized':
      return 'it answers 401 Unauthorized'
    case 'Forbidden':
      return 'it answers 403 Forbidden'
    case 'NotFound':
      return 'it answers 404 Not Found'
    case 'HttpError':
      return `it answers HTTP ${answer.code}`
    case 'Timeout':
      return 'no answer in time'
    case 'Network':
      return `no connection (${answer.code || 'unknown error'})`
    case 'BadPayload':
      return 'its answer is no member status'
  }
}
