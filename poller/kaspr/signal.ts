import { exchange, ExchangeError } from './exchange.ts'
import type { MemberAddress } from './poll.ts'

/** What came of asking a member for a rebalance. Accepted says nothing about the rebalance itself. */
export type SignalResult =
  | { result: 'accepted' }
  /** The member did not take it: another status than 2xx, or no connection. */
  | { result: 'refused'; why: string }
  /** It was sent, and whether it arrived is not known. */
  | { result: 'unclear'; why: string }

export interface SignalOptions {
  connectTimeoutMs: number
  /** For the whole exchange. */
  timeoutMs: number
}

/** The answer is one line; whoever sends more is no member. */
const maxResponseBytes = 64 * 1024
/** Errors before anything was sent. */
const unsent = ['CONNECT_TIMEOUT', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']

/**
 * Asks one member for a rebalance: `POST /signal/rebalance` (without a slash at the end). Follows no redirect and repeats
 * nothing. Members before framework 0.6.15 accept with an empty body, so only the status counts. Never rejects.
 */
export async function signalRebalance(
  { ip, port, host }: MemberAddress,
  { connectTimeoutMs, timeoutMs }: SignalOptions,
  signal: AbortSignal,
): Promise<SignalResult> {
  try {
    const { status } = await exchange({
      method: 'POST',
      ip,
      port,
      path: '/signal/rebalance',
      host: `${host}:${port}`,
      connectTimeoutMs,
      timeoutMs,
      maxBytes: maxResponseBytes,
      signal,
    })
    return status >= 200 && status <= 299
      ? { result: 'accepted' }
      : { result: 'refused', why: `it answers HTTP ${status}` }
  } catch (error) {
    const code = error instanceof ExchangeError ? error.code : String(error)
    return unsent.includes(code)
      ? { result: 'refused', why: `no connection (${code})` }
      : { result: 'unclear', why: `no answer (${code})` }
  }
}
