import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { KubeClient } from '../../poller/kube/client.ts'
import { KasprGroup } from './kaspr-group.ts'
import type { MemberStatus } from './kaspr-group.ts'
import { followPods } from './kaspr-pods.ts'
import type { PodFollower } from './kaspr-pods.ts'

/** What is wrong with a member. */
export type Fault =
  /** Answers late. */
  | { kind: 'slow'; delayMs: number }
  /** Nobody listens. */
  | { kind: 'refuse' }
  /** 500 in plain text, as while the consumer is not there yet. */
  | { kind: 'error' }
  /** 200 with a JSON that is no status. */
  | { kind: 'wrong-json' }
  /** 200 with a body that breaks off in the middle. */
  | { kind: 'truncated' }
  /** 200 with a status of at least so many bytes. */
  | { kind: 'huge'; bytes: number }
  /** Accepts connections and never answers. */
  | { kind: 'half-open' }
  /** Tells its status, and refuses the signal for a rebalance with this HTTP status, to no effect. */
  | { kind: 'no-signal'; code: number }

/** Requests that arrived at a member. */
export interface Counts {
  status: number
  rebalance: number
  other: number
}

/** Which member an address plays. */
export interface MemberIdentity {
  /** `<namespace>/<name of the KasprApp>`. */
  app: string
  /** Ordinal of its pod. */
  id: number
}

export interface KasprMembersOptions {
  /** Length of a second of the real members, in seconds; 0.01 makes a rebalance of 13 s last 0.13 s. Default 1. */
  timeFactor?: number
  /** Clock in milliseconds, before the factor; default the real one. */
  now?: () => number
}

interface Member extends MemberIdentity {
  ip: string
  port: number
  group: KasprGroup
  server: Server
  fault: Fault | undefined
  override: Partial<MemberStatus>
  counts: Counts
}

/** Starts without any member; `add` and `followPods` bring them. */
export function startKasprMembers(options?: KasprMembersOptions): KasprMembers {
  return new KasprMembers(options)
}

/**
 * Plays members of Kaspr apps: a real HTTP server on each member's own address with the framework's endpoints and JSON
 * (`GET /status/`, `POST /signal/rebalance`). What they say follows kaspr-group.ts.
 */
export class KasprMembers {
  readonly #groups = new Map<string, KasprGroup>()
  readonly #members = new Map<string, Member>()
  readonly #followers: PodFollower[] = []
  readonly #timeFactor: number
  readonly #clock: () => number

  constructor({ timeFactor = 1, now = Date.now }: KasprMembersOptions = {}) {
    this.#timeFactor = timeFactor
    this.#clock = now
  }

  /** A member starts at an address and joins its group. Throws when the address is not to be had. */
  async add(ip: string, port: number, identity: MemberIdentity): Promise<void> {
    const group = this.#groups.get(identity.app) ?? new KasprGroup(identity.app.replace(/^.*\//, ''))
    this.#groups.set(identity.app, group)
    const counts = { status: 0, rebalance: 0, other: 0 }
    const server = createServer((request, response) => this.#serve(member, request, response))
    const member: Member = { ...identity, ip, port, group, server, fault: undefined, override: {}, counts }
    await listen(member)
    this.#members.set(ip, member)
    group.join(member.id, urlOf(member), this.#now())
  }

  /** A member's process ends: connections break, new ones are refused. */
  async remove(ip: string): Promise<void> {
    const member = this.#members.get(ip)
    if (member === undefined) return
    this.#members.delete(ip)
    member.group.leave(member.id, urlOf(member), this.#now())
    await close(member.server)
  }

  /** Switches a fault on, or off with undefined. */
  async fault(ip: string, fault: Fault | undefined): Promise<void> {
    const member = this.#member(ip)
    const refused = member.fault?.kind === 'refuse'
    member.fault = fault
    if (fault?.kind === 'refuse') await close(member.server)
    else if (refused) await listen(member)
  }

  /** Makes a member report these fields whatever the group does, for example a rebalance that never ends. */
  override(ip: string, status: Partial<MemberStatus>): void {
    this.#member(ip).override = status
  }

  /** The leader of its group moves to this member, for as long as it lives. */
  appoint(ip: string): void {
    const { group, id } = this.#member(ip)
    group.appoint(id)
  }

  /** Requests since the member was added. */
  counts(ip: string): Readonly<Counts> {
    return this.#member(ip).counts
  }

  /** Addresses that are played now. */
  addresses(): string[] {
    return [...this.#members.keys()]
  }

  /** Plays every running pod of a KasprApp at its own address, for as long as it runs. */
  followPods(client: KubeClient): PodFollower {
    const follower = followPods(client, this)
    this.#followers.push(follower)
    return follower
  }

  /** Ends all members. */
  async close(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.stop()))
    await Promise.all(this.addresses().map((ip) => this.remove(ip)))
  }

  #now(): number {
    return this.#clock() / this.#timeFactor
  }

  #member(ip: string): Member {
    const member = this.#members.get(ip)
    if (member === undefined) throw new Error(`no member plays at ${ip}`)
    return member
  }

  #serve(member: Member, request: IncomingMessage, response: ServerResponse): void {
    request.resume()
    const { fault } = member
    const answer = this.#route(member, request)
    if (fault?.kind === 'half-open') return
    if (fault?.kind !== 'slow') {
      send(response, broken(answer, fault))
      return
    }
    const timer = setTimeout(() => send(response, answer), fault.delayMs)
    response.once('close', () => clearTimeout(timer))
  }

  /** The framework's routes. A wrong method is refused in JSON by its views, an unknown path in text by its router. */
  #route({ id, group, override, counts, fault }: Member, { method = '', url = '' }: IncomingMessage): Answer {
    const path = url.replace(/\?.*/, '')
    if (path === '/status/') {
      counts.status++
      if (method !== 'GET' && method !== 'HEAD') return notAllowed(method)
      return json(200, { ...group.status(id, this.#now()), ...override })
    }
    if (path === '/signal/rebalance') {
      counts.rebalance++
      if (method !== 'POST') return notAllowed(method)
      if (fault?.kind === 'no-signal') return json(fault.code, { error: 'refused' })
      group.signal(id, this.#now())
      return json(200, { status: 'ok', message: 'Rebalance requested' })
    }
    counts.other++
    return { code: 404, type: 'text/plain; charset=utf-8', body: '404: Not Found' }
  }
}

function urlOf({ ip, port }: Member): string {
  return `http://${ip}:${port}`
}

interface Answer {
  code: number
  type: string
  body: string
  /** Close the connection after half of the body. */
  cut?: true
}

function json(code: number, value: unknown): Answer {
  return { code, type: 'application/json', body: JSON.stringify(value) }
}

function notAllowed(method: string): Answer {
  return json(405, { error: `Method ${method} not allowed.` })
}

/** The answer as the fault makes it. */
function broken(answer: Answer, fault: Exclude<Fault, { kind: 'slow' | 'half-open' }> | undefined): Answer {
  switch (fault?.kind) {
    case undefined:
    case 'refuse':
    case 'no-signal':
      return answer
    case 'error':
      return { code: 500, type: 'text/plain; charset=utf-8', body: '500 Internal Server Error' }
    case 'wrong-json':
      return json(200, ['not', { a: 'status' }, null])
    case 'truncated':
      return { ...answer, cut: true }
    case 'huge': {
      const padding = { 'http://padding': { topic: Array.from({ length: fault.bytes / 2 }, () => 1) } }
      return json(200, { ...(JSON.parse(answer.body) as object), table_metadata: padding })
    }
  }
}

function send(response: ServerResponse, { code, type, body, cut }: Answer): void {
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  if (cut !== true) response.end(body)
  else response.write(body.slice(0, body.length / 2), () => response.destroy())
}

function listen({ server, ip, port }: Member): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen({ host: ip, port }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
