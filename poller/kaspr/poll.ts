import { FairLimit } from '../limit.ts'
import { exchange, ExchangeError } from './exchange.ts'
import type { Flags } from './members.ts'

/** What came of asking a member. */
export type Answer =
  /** `assignment`: the partitions it holds, as it says; for this look only, they are many. */
  | { result: 'Success'; flags: Flags; assignment?: unknown }
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

  constructor(options: MemberPollerOptions) {
    this.#options = options
    this.#limit = new FairLimit(options.concurrency, options.concurrencyPerApp)
  }

  /**
   * Asks one member; `app` is the group that shares the limit. Rejects only when `signal` aborts, before or while it
   * is asked: then nothing is known.
   */
  ask(app: string, { ip, port, host }: MemberAddress, signal: AbortSignal): Promise<Answer> {
    const { connectTimeoutMs, timeoutMs, onPoll } = this.#options
    return this.#limit.run(app, signal, async () => {
      const started = performance.now()
      const answer = await exchange({
        method: 'GET',
        ip,
        port,
        path: '/status/',
        host: `${host}:${port}`,
        connectTimeoutMs,
        timeoutMs,
        maxBytes: maxResponseBytes,
        signal,
      }).then(understand, failed)
      signal.throwIfAborted()
      onPoll?.(answer, (performance.now() - started) / 1000)
      return answer
    })
  }
}

function understand({ status, text }: { status: number; text: string }): Answer {
  if (status === 401) return { result: 'Unauthorized' }
  if (status === 403) return { result: 'Forbidden' }
  if (status === 404) return { result: 'NotFound' }
  if (status < 200 || status > 299) return { result: 'HttpError', code: status }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { result: 'BadPayload' }
  }
  const { leader, rebalancing, recovering, assignment } = (value ?? {}) as Record<string, unknown>
  const isComplete = typeof leader === 'boolean' && typeof rebalancing === 'boolean' && typeof recovering === 'boolean'
  if (!isComplete) return { result: 'BadPayload' }
  const flags = { leader, rebalancing, recovering }
  return { result: 'Success', flags, ...(assignment !== undefined && { assignment }) }
}

function failed(error: unknown): Answer {
  const code = error instanceof ExchangeError ? error.code : String(error)
  if (code === 'TIMEOUT' || code === 'CONNECT_TIMEOUT') return { result: 'Timeout' }
  if (code === 'TOO_LARGE') return { result: 'BadPayload' }
  return { result: 'Network', code }
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
      return `no connection (${answer.code})`
    case 'BadPayload':
      return 'its answer is no member status'
  }
}
