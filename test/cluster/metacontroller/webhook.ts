import { Agent, request } from 'undici'
import type { KubeClient } from '../../../poller/kube/client.ts'
import type { Mode } from './answer.ts'
import { Hazard } from './hazard.ts'
import { own } from './objects.ts'
import type { HookSpec, KeyRef, Webhook } from './spec.ts'

/** Calls of one hook over HTTP. Redirects, etags, basicAuth and endpointConfigs are not played. */

const defaultTimeoutMs = 10_000

/** 429: the hook wants to be asked again later, and nothing is wrong. */
export class TooManyRequests extends Error {
  override name = 'TooManyRequests'
  readonly retryAfterMs: number
  constructor(retryAfterMs: number) {
    super(`the hook asks to come back after ${retryAfterMs} ms`)
    this.retryAfterMs = retryAfterMs
  }
}

/** How many calls ended with which code; 0 for no answer. */
export type CountCall = (url: string, code: number) => void

export interface Hook {
  version: 'v1' | 'v2'
  mode: Mode
  /** POSTs the body and gives the text of a 200. Throws TooManyRequests on 429, Error on anything else. */
  call(body: unknown, signal: AbortSignal): Promise<string>
  close(): Promise<void>
}

/** Makes a hook ready to call; Secrets and ConfigMaps it refers to are read once, here. Undefined: it is not configured. */
export async function createHook(
  client: KubeClient,
  spec: HookSpec | undefined,
  count: CountCall,
): Promise<Hook | undefined> {
  if (spec?.webhook === undefined) return undefined
  const { webhook, version = 'v1' } = spec
  if (webhook.etag?.enabled || webhook.basicAuth) throw new Error('etag and basicAuth are not played by the stand-in')
  const url = urlOf(webhook)
  const timeoutMs = webhook.timeout === undefined ? defaultTimeoutMs : parseDuration(webhook.timeout)
  const authorization = await authorizationOf(client, webhook)
  const agent = new Agent({
    connect: { ...(await tlsOf(client, webhook)) },
    keepAliveTimeout: 90_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) }
  return {
    version,
    mode: webhook.responseUnMarshallMode ?? (version === 'v2' ? 'strict' : 'loose'),
    close: () => agent.close(),
    async call(body, signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs > 0 ? timeoutMs : defaultTimeoutMs)])
      let code = 0
      try {
        const options = { method: 'POST', dispatcher: agent, headers, signal: limit } as const
        const response = await request(url, { ...options, body: JSON.stringify(body) })
        const text = await response.body.text()
        code = response.statusCode
        if (code === 429) throw new TooManyRequests(retryAfterMs(response.headers['retry-after'], Date.now()))
        if (code !== 200) throw new Error(`unsupported status code: ${code} body: ${text}`)
        return text
      } catch (error) {
        throw code === 0 ? new Error(`http error: ${String(error)}`, { cause: error }) : error
      } finally {
        count(url, code)
      }
    },
  }
}

/**
 * Milliseconds that a `Retry-After` of whole seconds or a date asks for. The original retries anything else without
 * any pause, more than a thousand times a second, so that is a Hazard.
 */
export function retryAfterMs(header: string | string[] | undefined, now: number): number {
  const text = String(header ?? '')
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - now) / 1000)
  if (seconds > 0) return seconds * 1000
  throw new Hazard(`would drive Metacontroller into a hot loop: 429 with Retry-After "${text}"`)
}

const unitsMs = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
])

/** Milliseconds of a Go duration such as `1m30s` or `250ms`; 0 if it is none. */
export function parseDuration(text: string): number {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return 0
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  return parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitsMs.get(unit) ?? 0), 0)
}

function urlOf({ url, service, path }: Webhook): string {
  if (url !== undefined) return url
  if (!service || path === undefined) {
    throw new Error("invalid webhook config: must specify either a full 'url', or both 'service' and 'path'")
  }
  const { name, namespace, port = 80, protocol = 'http' } = service
  return `${protocol}://${name}.${namespace}:${port}${path}`
}

async function authorizationOf(client: KubeClient, { authorization }: Webhook): Promise<string | undefined> {
  if (!authorization) return undefined
  const value = await keyOf(client, 'secrets', authorization.secretRef, '')
  return `${authorization.type ?? 'Bearer'} ${value.trim()}`
}

async function tlsOf(
  client: KubeClient,
  { caBundle, clientTLS }: Webhook,
): Promise<{ ca?: string; cert?: string; key?: string }> {
  const tls: { ca?: string; cert?: string; key?: string } = {}
  if (caBundle?.inline !== undefined) tls.ca = caBundle.inline
  if (caBundle?.secretRef) tls.ca = await keyOf(client, 'secrets', caBundle.secretRef, 'ca.crt')
  if (caBundle?.configMapRef) tls.ca = await keyOf(client, 'configmaps', caBundle.configMapRef, 'ca.crt')
  if (clientTLS) {
    tls.cert = await keyOf(client, 'secrets', clientTLS.secretRef, clientTLS.certKey ?? 'tls.crt')
    tls.key = await keyOf(client, 'secrets', clientTLS.secretRef, clientTLS.privateKeyKey ?? 'tls.key')
  }
  return tls
}

/** One value of a Secret (decoded) or ConfigMap. */
async function keyOf(
  client: KubeClient,
  resource: 'secrets' | 'configmaps',
  { namespace, name, key }: KeyRef,
  defaultKey: string,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/${resource}/${name}`
  const { data } = await client.request<{ data?: unknown }>({ path })
  const value = own(data, key ?? defaultKey)
  if (typeof value !== 'string') throw new Error(`${resource} ${namespace}/${name} has no key "${key ?? defaultKey}"`)
  return resource === 'secrets' ? Buffer.from(value, 'base64').toString() : value
}
