import { request } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'

export interface ExchangeOptions {
  method: 'GET' | 'POST'
  ip: string
  port: number
  path: string
  /** Sent as Host. */
  host: string
  connectTimeoutMs: number
  /** For the whole exchange. */
  timeoutMs: number
  /** Longest body that is taken. */
  maxBytes: number
  signal: AbortSignal
}

/**
 * An exchange that came to no answer. `code`: `CONNECT_TIMEOUT` (nothing was sent), `TIMEOUT`, `TOO_LARGE`, `ABORTED`, or
 * what Node.js says (`ECONNREFUSED`, …).
 */
export class ExchangeError extends Error {
  override name = 'ExchangeError'
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/**
 * One request without a body on a connection of its own, for hosts that are asked twice a minute: connections kept would be
 * thousands of idle sockets. Without them Node's own client costs half the CPU that undici does (docs/performance.md,
 * "Poller"). Follows no redirect.
 *
 * @throws ExchangeError
 */
export async function exchange(options: ExchangeOptions): Promise<{ status: number; text: string }> {
  const { method, ip, port, path, host, timeoutMs, signal } = options
  const sent = request({
    method,
    host: ip,
    port,
    path,
    agent: false,
    headers: { host, accept: 'application/json', 'user-agent': 'kaspr-metacontroller', connection: 'close' },
  })
  const fail = (code: string) => (): unknown => sent.destroy(new ExchangeError(code))
  const onAbort = fail('ABORTED')
  const timers = [setTimeout(fail('TIMEOUT'), timeoutMs), connectTimer(sent, options.connectTimeoutMs)]
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  try {
    return await new Promise((resolve, reject) => {
      sent.on('error', reject)
      sent.on('response', (response) => {
        readText(response, options.maxBytes).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject)
      })
      sent.end()
    })
  } catch (error) {
    sent.destroy()
    throw error instanceof ExchangeError ? error : new ExchangeError((error as NodeJS.ErrnoException).code ?? 'UNKNOWN')
  } finally {
    for (const timer of timers) clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function connectTimer(sent: ClientRequest, timeoutMs: number): NodeJS.Timeout {
  const timer = setTimeout(() => sent.destroy(new ExchangeError('CONNECT_TIMEOUT')), timeoutMs)
  sent.on('socket', (socket) => socket.once('connect', () => clearTimeout(timer)))
  return timer
}

function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxBytes) reject(new ExchangeError('TOO_LARGE'))
      chunks.push(chunk)
    })
    response.on('error', reject)
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
  })
}
