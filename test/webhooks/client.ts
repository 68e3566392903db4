import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** An HTTP answer, read to its end. */
export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** Request options with headers by name. */
export type CallOptions = Omit<RequestOptions, 'headers'> & { headers?: Record<string, string>; session?: Buffer }

/** A call whose body is sent in pieces. */
export interface OpenCall {
  answer: Promise<Answer>
  /** Sends what is missing. */
  finish(): void
  /** Leaves without a goodbye. */
  leave(): void
}

/** Starts listening on a free loopback port. */
export async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

/** Sends a hook call's head and half of its body; the rest follows with `finish`. */
export function openCall(port: number, body: unknown, options: CallOptions = {}): OpenCall {
  const bytes = Buffer.from(JSON.stringify(body))
  const half = bytes.length >> 1
  const { request, answer } = start(port, '/labs/sync', { method: 'POST', ...options }, bytes.length)
  request.write(bytes.subarray(0, half))
  return {
    answer,
    finish: () => void request.end(bytes.subarray(half)),
    leave: () => void request.destroy(),
  }
}

/** Makes a hook call. */
export function post(port: number, path: string, body: unknown, options: CallOptions = {}): Promise<Answer> {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const { request, answer } = start(port, path, { method: 'POST', ...options }, bytes.length)
  request.end(bytes)
  return answer
}

/** GETs a path. */
export function get(port: number, path: string, options: CallOptions = {}): Promise<Answer> {
  const { request, answer } = start(port, path, options)
  request.end()
  return answer
}

const closing = new Agent({ keepAlive: false })

function start(
  port: number,
  path: string,
  { headers, ...options }: CallOptions,
  length?: number,
): { request: ReturnType<typeof httpRequest>; answer: Promise<Answer> } {
  // A certificate authority, or a client certificate, means TLS.
  const secure = options.ca !== undefined
  const content = length === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(length) }
  const all: RequestOptions = {
    host: '127.0.0.1',
    port,
    path,
    ...(secure ? {} : { agent: closing }),
    ...options,
    headers: { ...content, ...headers },
  }
  const request = secure ? httpsRequest(all) : httpRequest(all)
  const answer = new Promise<Answer>((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
  })
  // Whoever does not look at the answer does not want to hear of its failure either.
  answer.catch(() => undefined)
  return { request, answer }
}
