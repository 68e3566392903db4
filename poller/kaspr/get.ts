import { request } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'

export interface GetOptions {
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

/** A GET that came to no answer. `code`: `TIMEOUT`, `TOO_LARGE`, `ABORTED`, or what Node.js says (`ECONNREFUSED`, …). */
export class GetError extends Error {
  override name = 'GetError'
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/**
 * One GET on a connection of its own, for hosts that are asked twice a minute: connections kept would be thousands of
 * idle sockets. Without them Node's own client costs half the CPU that undici does (docs/performance.md, "Poller"). Follows
 * no redirect.
 *
 * @throws GetError
 */
export async function get(options: GetOptions): Promise<{ status: number; text: string }> {
  const { ip, port, path, host, timeoutMs, signal } = options
  const sent = request({
    host: ip,
    port,
    path,
    agent: false,
    headers: { host, accept: 'application/json', 'user-agent': 'kaspr-metacontroller', connection: 'close' },
  })
  const fail = (code: string) => (): unknown => sent.destroy(new GetError(code))
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
    throw error instanceof GetError ? error : new GetError((error as NodeJS.ErrnoException).code ?? 'UNKNOWN')
  } finally {
    for (const timer of timers) clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function connectTimer(sent: ClientRequest, timeoutMs: number): NodeJS.Timeout {
  const timer = setTimeout(() => sent.destroy(new GetError('TIMEOUT')), timeoutMs)
  sent.on('socket', (socket) => socket.once('connect', () => clearTimeout(timer)))
  return timer
}

function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxBytes) reject(new GetError('TOO_LARGE'))
      chunks.push(chunk)
    })
    response.on('error', reject)
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
  })
}
