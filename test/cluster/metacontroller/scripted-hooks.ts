import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { IncomingHttpHeaders } from 'node:http'
import type { KubeObject, ObjectMap } from '../../../webhooks/contract/types.ts'

/** The body of any hook call; which fields it has depends on the hook. */
export interface HookBody {
  controller: KubeObject
  parent: KubeObject
  object: KubeObject
  children: ObjectMap
  attachments: ObjectMap
  related: ObjectMap
  finalizing: boolean
}

export type HookName = 'sync' | 'finalize' | 'customize'

/** One call as it arrived. */
export interface HookCall {
  hook: HookName
  /** performance.now() when it arrived. */
  at: number
  headers: IncomingHttpHeaders
  body: HookBody
}

/** A raw answer, where a plain object as 200 will not do. */
export class Reply {
  readonly code: number
  readonly text: string
  readonly headers: Record<string, string>
  constructor(code: number, text: string, headers: Record<string, string> = {}) {
    this.code = code
    this.text = text
    this.headers = headers
  }
}

/** Gives what a hook answers to a body: an object (or null) for a 200, or a Reply. */
export type Script = (body: HookBody) => unknown

/** The hooks of one scenario; scripts can be replaced at any time. */
export class ScriptedHooks {
  readonly calls: HookCall[] = []
  readonly baseUrl: string
  sync: Script = () => ({ children: [] })
  finalize: Script = () => ({ children: [], finalized: true })
  customize: Script = () => ({ relatedResources: [] })

  constructor(baseUrl: string) {
    this.baseUrl = baseUrl
  }

  url(hook: HookName): string {
    return `${this.baseUrl}/${hook}`
  }

  callsOf(hook: HookName): HookCall[] {
    return this.calls.filter((call) => call.hook === hook)
  }
}

/** Serves the hooks of all scenarios on one loopback port. */
export class HookServer {
  readonly #hooks = new Map<string, ScriptedHooks>()
  readonly #server = createServer((request, response) => {
    const at = performance.now()
    const [, scenario = '', name = ''] = (request.url ?? '').split('/')
    const hooks = this.#hooks.get(scenario)
    if (!hooks || request.method !== 'POST') return void response.writeHead(404).end()
    void json(request).then(async (body) => {
      const call: HookCall = { hook: name as HookName, at, headers: request.headers, body: body as HookBody }
      hooks.calls.push(call)
      const answer = await hooks[call.hook](call.body)
      const reply = answer instanceof Reply ? answer : new Reply(200, JSON.stringify(answer))
      response.writeHead(reply.code, { 'content-type': 'application/json', ...reply.headers }).end(reply.text)
    })
  })

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  /** The hooks of a scenario, made on first use. */
  hooks(scenario: string): ScriptedHooks {
    const { port } = this.#server.address() as AddressInfo
    const hooks = this.#hooks.get(scenario) ?? new ScriptedHooks(`http://127.0.0.1:${port}/${scenario}`)
    this.#hooks.set(scenario, hooks)
    return hooks
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}
