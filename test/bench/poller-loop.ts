/** Clients that ask each member in turn and do nothing else, in a process of their own: what a request costs at least. */
import { Agent as NodeAgent, request as nodeRequest } from 'node:http'
import { readdirSync } from 'node:fs'
import { Agent, Client, request } from 'undici'
import { exchange } from '../../poller/kaspr/exchange.ts'
import { serve } from './poller-fork.ts'
import { memberAddress } from './poller-world.ts'

type Ask = (ip: string, port: number) => Promise<string>

/** Requests under way at any time. */
const atOnce = 64
const never = new AbortController().signal
const clients: Record<string, () => Ask> = {
  /** As the poller asks. */
  poller: () => async (ip, port) => {
    const host = `${ip}:${port}`
    const limits = { connectTimeoutMs: 3000, timeoutMs: 10_000, maxBytes: 4 << 20 }
    return (await exchange({ method: 'GET', ip, port, host, path: '/status/', ...limits, signal: never })).text
  },
  /** As one writes it: an Agent with its defaults, which keep a connection for 4 s. */
  undici: () => withAgent(new Agent()),
  'undici, no keep-alive': () => withAgent(new Agent({ pipelining: 0, connections: 1 })),
  'undici, 75 s keep-alive': () =>
    withAgent(new Agent({ connections: 1, keepAliveTimeout: 75_000, keepAliveMaxTimeout: 75_000 })),
  'undici, a client each time': () => async (ip, port) => {
    const client = new Client(`http://${ip}:${port}`, { pipelining: 0 })
    try {
      return await (await client.request({ path: '/status/', method: 'GET' })).body.text()
    } finally {
      void client.close()
    }
  },
  'node:http, 75 s keep-alive': () => {
    const agent = new NodeAgent({ keepAlive: true, maxFreeSockets: 1, maxTotalSockets: Infinity })
    return (ip, port) =>
      new Promise((resolve, reject) => {
        nodeRequest({ host: ip, port, path: '/status/', agent }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => resolve(Buffer.concat(chunks).toString()))
          response.on('error', reject)
        })
          .on('error', reject)
          .end()
      })
  },
}

function withAgent(dispatcher: Agent): Ask {
  return async (ip, port) => (await request(`http://${ip}:${port}/status/`, { dispatcher })).body.text()
}

const methods = {
  names: (): string[] => Object.keys(clients),

  /** Asks each of so many members once in each round; one result for each round. */
  async run(name: string, members: number, port: number, rounds: number): Promise<Round[]> {
    const ask = clients[name]?.()
    if (ask === undefined) throw new Error(`no client ${name}`)
    const results: Round[] = []
    for (let round = 0; round < rounds; round++) {
      const started = process.cpuUsage()
      let next = 0
      const worker = async (): Promise<void> => {
        while (next < members) JSON.parse(await ask(memberAddress(next++), port))
      }
      await Promise.all(Array.from({ length: atOnce }, worker))
      const { user, system } = process.cpuUsage(started)
      const sockets = readdirSync('/proc/self/fd').length
      results.push({ cpuMs: (user + system) / 1000 / members, rssMb: process.memoryUsage.rss() / 1e6, sockets })
    }
    return results
  },
}

/** What a round cost. */
export interface Round {
  /** CPU per request. */
  cpuMs: number
  rssMb: number
  /** Connections that are open after it. */
  sockets: number
}

export type Loop = typeof methods

serve(methods)
