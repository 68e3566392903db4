import type { BaseLogger } from 'pino'
import { Pool } from 'undici'
import { credentialSource } from './credentials.ts'
import type { ClusterChoice, Credentials } from './credentials.ts'

export interface ConnectionsOptions {
  cluster: ClusterChoice
  /** Requests in flight at once, watches apart. */
  connections: number
  logger: BaseLogger | undefined
}

/** How to send requests at this moment. */
export interface Connection {
  credentials: Credentials
  basePath: string
  requests: Pool
  /** Watches have their own pool without limit, so that they never use up the connections of requests. */
  watches: Pool
}

/** How long credentials are used before their files are read again; client-go uses the same minute. */
const credentialsTtlMs = 60_000
/** Connection pools that follow what credential files say. */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #source
  readonly #pools = new Set<Pool>()
  #current: Connection | undefined
  #loading: Promise<Connection> | undefined
  #readAt = 0
  #closed = false

  constructor(options: ConnectionsOptions) {
    this.#options = options
    this.#source = credentialSource(options.cluster)
  }

  /** The credentials were refused: read them again before the next use, at most once a second. */
  distrust(): void {
    if (performance.now() - this.#readAt > 1000) this.#readAt = -Infinity
  }

  /** Ends all connections at once, for good. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#pools].map((pool) => pool.destroy()))
  }

  /** The pools for the credentials of this minute; while they cannot be read again the last ones serve. */
  async current(): Promise<Connection> {
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
  #pooled(credentials: Credentials, previous: Connection | undefined): Connection {
    if (this.#closed) throw new Error('The client is closed')
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
    const requests = new Pool(url.origin, { ...common, connections: this.#options.connections })
    const watches = new Pool(url.origin, common)
    this.#pools.add(requests).add(watches)
    return { credentials, basePath: url.pathname.replace(/\/$/, ''), requests, watches }
  }
}

function sameEndpoint(a: Credentials, b: Credentials): boolean {
  return a.server === b.server && JSON.stringify(a.tls) === JSON.stringify(b.tls)
}
