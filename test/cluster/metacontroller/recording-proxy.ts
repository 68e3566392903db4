import { createServer, request as plainRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, request as tlsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { writeFile } from 'node:fs/promises'
import { credentialSource } from '../../../poller/kube/credentials.ts'
import { isFields } from './objects.ts'
import type { Fields } from './objects.ts'

/** One request to the API server, with what the audit log of a plane does not have: its body. */
export interface RecordedRequest {
  /** performance.now() when it arrived. */
  at: number
  method: string
  /** Without the query. */
  path: string
  /** Undefined without one, or when it is no JSON object. */
  body: Fields | undefined
  /** HTTP status of the answer; 0 while there is none. */
  code: number
}

export interface RecordingProxy {
  /** Everything but GETs, in order of arrival. */
  readonly writes: RecordedRequest[]
  close(): Promise<void>
}

/**
 * Stands between one client and the API server, on plain HTTP: forwards everything with the credentials of `kubeconfig`
 * and keeps the writes. `proxied` becomes the path of a kubeconfig that leads here.
 */
export async function recordRequests(kubeconfig: string, proxied: string): Promise<RecordingProxy> {
  const { server, headers, tls } = await credentialSource({ kubeconfig })()
  const agent = new Agent({ ...tls, keepAlive: true })
  const send = server.startsWith('https:') ? tlsRequest : plainRequest
  const writes: RecordedRequest[] = []

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url = '/' } = incoming
    const at = performance.now()
    const body = await buffer(incoming)
    const record = { at, method, path: url.replace(/\?.*/, ''), body: parsed(body), code: 0 }
    if (method !== 'GET') writes.push(record)
    const options = { method, agent, headers: { ...incoming.headers, host: new URL(server).host, ...headers } }
    const upstream = send(`${server}${url}`, options, (answer) => {
      record.code = answer.statusCode ?? 0
      outgoing.writeHead(record.code, answer.headers)
      answer.pipe(outgoing)
    })
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('close', () => upstream.destroy()) // an abandoned watch
    upstream.end(body)
  }

  const proxy = createServer((incoming, outgoing) => {
    forward(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  await writeFile(
    proxied,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'proxy', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'proxy', user: {} }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
      'current-context': 'proxy',
    }),
  )
  return {
    writes,
    close: () =>
      new Promise((resolve) => {
        proxy.close(() => resolve())
        proxy.closeAllConnections()
        agent.destroy()
      }),
  }
}

function parsed(body: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(body.toString())
    return isFields(value) ? value : undefined
  } catch {
    return undefined // none, or protobuf
  }
}
