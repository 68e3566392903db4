import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { Registry } from 'prom-client'
import { SettingsError } from '../webhooks/environment.ts'
import { exposition } from '../webhooks/sensors/exposition.ts'

export interface OperationsOptions {
  /** 0: any free one. */
  port: number
  registry: Registry
  /** Why the process should be restarted; undefined while it works. */
  unhealthy: () => string | undefined
  /** Why it does not work yet, or no more; undefined while it does. */
  unready: () => string | undefined
}

type Answer = [code: number, body: string | AsyncIterable<string>, type?: string]

export interface OperationsServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * Serves `GET /metrics`, `/healthz` and `/readyz` on all addresses; anything else is 404.
 *
 * @throws SettingsError if the port cannot be had
 */
export async function serveOperations(options: OperationsOptions): Promise<OperationsServer> {
  const { port, registry, unhealthy, unready } = options
  const verdict = (reason: string | undefined): Answer => (reason === undefined ? [200, 'ok\n'] : [503, `${reason}\n`])
  const answer = (url: string): Answer => {
    switch (url.split('?')[0]) {
      case '/metrics':
        return [200, exposition(registry), registry.contentType]
      case '/healthz':
        return verdict(unhealthy())
      case '/readyz':
        return verdict(unready())
      default:
        return [404, 'not found: there are /metrics, /healthz and /readyz\n']
    }
  }
  const server = createServer((request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const [code, body, type = 'text/plain'] = isRead ? answer(request.url ?? '/') : [405, 'only GET\n']
    response.writeHead(code, { 'content-type': type })
    // Whoever leaves before the end, or meets an error, has got an answer that is visibly cut short.
    pipeline(typeof body === 'string' ? [body] : body, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portProblem(error, port)))
    server.listen(port, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function portProblem(error: NodeJS.ErrnoException, port: number): Error {
  const given = String(port)
  if (error.code === 'EADDRINUSE') {
    return new SettingsError([{ variable: 'METRICS_PORT', given, accepted: 'a port that is free' }])
  }
  if (error.code === 'EACCES') {
    return new SettingsError([{ variable: 'METRICS_PORT', given, accepted: 'a port that this user may open' }])
  }
  return error
}
