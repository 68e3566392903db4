/** The members of the bench, in a process of their own: one server plays them all, each at its own local address. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KasprGroup } from '../fakes/kaspr-group.ts'
import { serve } from './poller-fork.ts'
import { memberAddress, memberAt, membersPerApp } from './poller-world.ts'

/** aiohttp, which serves the real members, keeps an idle connection so long. */
const keepAliveMs = 75_000

let groups: KasprGroup[] = []
/** When each member was asked last, by its number; 0: never. */
let askedAt = new Float64Array(0)
/** Members asked since the count began. */
let asked = new Set<number>()
let begunAt = 0
let allAfterMs: number | undefined
let requests = 0
let gapsMs: number[] = []
let changed = 0

const server = createServer({ keepAliveTimeout: keepAliveMs }, ({ socket, url }, response) => {
  const member = memberAt(socket.localAddress ?? '')
  const group = groups[Math.floor(member / membersPerApp)]
  if (group === undefined || url !== '/status/') {
    response.writeHead(404).end()
    return
  }
  count(member)
  const body = JSON.stringify(group.status(member % membersPerApp, Date.now()))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
})
// On all addresses, to play them all; nobody from outside is served.
server.on('connection', (socket) => {
  if (socket.localAddress?.startsWith('127.') !== true) socket.destroy()
})
server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 })

function count(member: number): void {
  const now = performance.now()
  const last = askedAt[member] ?? 0
  if (last > 0) gapsMs.push(now - last)
  askedAt[member] = now
  requests++
  asked.add(member)
  if (asked.size === askedAt.length) allAfterMs ??= now - begunAt
}

const methods = {
  /** Plays the members of so many apps, settled long ago; gives the port. */
  play(apps: number): number {
    const { port } = server.address() as AddressInfo
    const longAgo = Date.now() - 3_600_000
    groups = Array.from({ length: apps }, (_, app) => {
      const group = new KasprGroup(`app-${app}`)
      for (let id = 0; id < membersPerApp; id++) {
        group.join(id, `http://${memberAddress(app * membersPerApp + id)}:${port}`, longAgo)
      }
      return group
    })
    askedAt = new Float64Array(apps * membersPerApp)
    methods.begin()
    return port
  },

  /** Counts from now on. */
  begin(): void {
    asked = new Set()
    gapsMs = []
    requests = 0
    allAfterMs = undefined
    begunAt = performance.now()
  },

  counts(): Counts {
    const sorted = gapsMs.toSorted((a, b) => a - b)
    const seconds = (performance.now() - begunAt) / 1000
    return {
      seconds,
      requests,
      members: asked.size,
      allAfterSeconds: (allAfterMs ?? Infinity) / 1000,
      medianGapSeconds: (sorted[sorted.length >> 1] ?? NaN) / 1000,
      longestGapSeconds: (sorted.at(-1) ?? NaN) / 1000,
    }
  },

  /** The leaders of the next so many apps are signalled: each of these groups rebalances for 13 s. */
  change(apps: number): void {
    for (let count = 0; count < apps; count++) groups[changed++ % groups.length]?.signal(0, Date.now())
  },
}

/** Requests since `begin`. */
export interface Counts {
  seconds: number
  requests: number
  /** Members asked at least once. */
  members: number
  /** Time until each had been asked; Infinity (null in JSON): not yet. */
  allAfterSeconds: number | null
  /** Between two requests to one member. */
  medianGapSeconds: number
  longestGapSeconds: number
}

export type Members = typeof methods

serve(methods)
