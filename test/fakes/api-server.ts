import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubeObject } from '../../webhooks/contract/types.ts'

/** A request as tests look at it. */
export interface SeenRequest {
  method: string
  /** Path without query. */
  path: string
  query: URLSearchParams
  watch: boolean
  headers: IncomingMessage['headers']
  body: unknown
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  /** Text as it is, anything else as JSON. */
  body?: unknown
}

/** What goes wrong with one request: an answer instead of the true one, no answer at all, or a reset connection. */
export type Fault = Answer | 'hang' | 'reset'

/** An open watch connection. */
export interface OpenWatch {
  readonly path: string
  /** Half-open from now on: nothing is sent any more, the connection stays. */
  silence(): void
  /** Sends bytes as they are. */
  write(raw: string | Buffer): void
  /** Ends in order, as a server does after timeoutSeconds. */
  end(): void
  /** Resets the connection. */
  cut(): void
}

/**
 * A small API server for the poller's tests: lists in pages, watches with bookmarks, optimistic locking, status
 * subresource, and switches for what goes wrong in real life. Any path is a kind of its own; nothing is validated.
 */
export interface FakeApi {
  /** A kubeconfig file for clients. */
  readonly kubeconfig: string
  readonly requests: SeenRequest[]
  /** Connections made so far. */
  connections: number
  /** Watches open now. */
  readonly watches: Set<OpenWatch>
  /** Asked before each request is served. */
  fault: ((request: SeenRequest) => Fault | undefined) | undefined
  /** Seconds a watch waits between bookmarks; default 60. */
  bookmarkSeconds: number
  /** Creates or replaces an object as somebody else would; gives it uid and resourceVersion. */
  put(collection: string, object: KubeObject): KubeObject
  /** Deletes an object as somebody else would. */
  remove(collection: string, namespace: string, name: string): void
  objects(collection: string): KubeObject[]
  /** Forgets history, so that watches from before get 410: as HTTP status or as an event in the stream. */
  compact(how: 'http' | 'event'): void
  close(): Promise<void>
}

interface Change {
  version: number
  collection: string
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: KubeObject
  old: KubeObject | undefined
}

interface Target {
  collection: string
  namespace: string | undefined
  name: string | undefined
  status: boolean
}

const pathPattern = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(\/status)?$/

/** Starts the server on a free loopback port. */
export async function startFakeApi(): Promise<FakeApi> {
  const objects = new Map<string, Map<string, KubeObject>>()
  let history: Change[] = []
  let version = 100
  let oldest = 0
  let expiry: 'http' | 'event' = 'http'
  const live = new Set<(change: Change) => void>()
  const folder = await mkdtemp(join(tmpdir(), 'fake-api-'))

  const collectionOf = (name: string): Map<string, KubeObject> => {
    const found = objects.get(name) ?? new Map<string, KubeObject>()
    objects.set(name, found)
    return found
  }
  const record = (collection: string, type: Change['type'], object: KubeObject, old?: KubeObject): KubeObject => {
    const stored = structuredClone(object)
    stored.metadata.resourceVersion = String(++version)
    stored.metadata.uid ??= `uid-${version}`
    const key = keyOf(stored.metadata.namespace, stored.metadata.name)
    if (type === 'DELETED') collectionOf(collection).delete(key)
    else collectionOf(collection).set(key, stored)
    const change = { version, collection, type, object: stored, old }
    history.push(change)
    for (const listener of live) listener(change)
    return stored
  }

  const api: FakeApi = {
    kubeconfig: join(folder, 'kubeconfig'),
    requests: [],
    connections: 0,
    watches: new Set(),
    fault: undefined,
    bookmarkSeconds: 60,
    put(collection, object) {
      const old = collectionOf(collection).get(keyOf(object.metadata.namespace, object.metadata.name))
      const uid = object.metadata.uid ?? old?.metadata.uid
      const merged = { ...object, metadata: { ...object.metadata, ...(uid !== undefined && { uid }) } }
      return record(collection, old === undefined ? 'ADDED' : 'MODIFIED', merged, old)
    },
    remove(collection, namespace, name) {
      const old = collectionOf(collection).get(keyOf(namespace, name))
      if (old !== undefined) record(collection, 'DELETED', old, old)
    },
    objects: (collection) => [...collectionOf(collection).values()],
    compact(how) {
      history = []
      oldest = ++version
      expiry = how
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true })
    },
  }

  const server = createServer((request, response) => {
    void serve(request, response).catch((error: unknown) => {
      response.destroy(error as Error)
    })
  })

  server.on('connection', () => (api.connections += 1))

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      watch: url.searchParams.get('watch') === 'true',
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
    api.requests.push(seen)
    const fault = api.fault?.(seen)
    if (fault === 'hang') return
    if (fault === 'reset') request.socket.destroy()
    else if (fault !== undefined) send(response, fault)
    else {
      const [, prefix, namespace, plural, name, status] = pathPattern.exec(url.pathname) ?? []
      const target: Target = { collection: `${prefix}/${plural}`, namespace, name, status: status !== undefined }
      if (seen.watch) watch(seen, target, response)
      else if (seen.method === 'POST') send(response, create(seen.body as KubeObject, target))
      else send(response, name === undefined ? list(seen, target) : change(seen, target))
    }
  }

  function selected({ query }: SeenRequest, target: Target): (object: KubeObject | undefined) => boolean {
    const matches = labelSelector(query.get('labelSelector') ?? '')
    return (object) =>
      object !== undefined &&
      (target.namespace === undefined || object.metadata.namespace === target.namespace) &&
      matches(object.metadata.labels ?? {})
  }

  function list(seen: SeenRequest, target: Target): Answer {
    const items = [...collectionOf(target.collection).entries()].sort(([a], [b]) => (a < b ? -1 : 1))
    const isSelected = selected(seen, target)
    const after = seen.query.get('continue') ?? ''
    const rest = items.filter(([key, object]) => key > after && isSelected(object))
    const limit = Number(seen.query.get('limit') ?? Infinity)
    const page = rest.slice(0, limit)
    const isPartial = seen.headers.accept?.includes('as=PartialObjectMetadataList') === true
    return success({
      kind: isPartial ? 'PartialObjectMetadataList' : 'ThingList',
      apiVersion: isPartial ? 'meta.k8s.io/v1' : 'v1',
      metadata: { resourceVersion: String(version), ...(rest.length > limit && { continue: page.at(-1)?.[0] }) },
      items: page.map(([, object]) => (isPartial ? { metadata: object.metadata } : object)),
    })
  }

  function watch(seen: SeenRequest, target: Target, response: ServerResponse): void {
    const from = Number(seen.query.get('resourceVersion') ?? version)
    if (from < oldest && expiry === 'http') {
      send(response, failure(410, 'Expired'))
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    let silent = false
    const write = (raw: string | Buffer): void => {
      if (!silent) response.write(raw)
    }
    const sendEvent = (type: string, object: unknown): void => write(`${JSON.stringify({ type, object })}\n`)
    if (from < oldest) {
      sendEvent('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' })
      response.end()
      return
    }
    const isSelected = selected(seen, target)
    const onChange = (change: Change): void => {
      if (change.collection !== target.collection) return
      const now = change.type !== 'DELETED' && isSelected(change.object)
      const before = isSelected(change.old)
      if (now) sendEvent(before ? 'MODIFIED' : 'ADDED', change.object)
      else if (before) sendEvent('DELETED', change.object)
    }
    for (const change of history) if (change.version > from) onChange(change)
    live.add(onChange)
    const bookmark = (): void =>
      sendEvent('BOOKMARK', { kind: 'Thing', apiVersion: 'v1', metadata: { resourceVersion: String(version) } })
    const bookmarks = setInterval(bookmark, api.bookmarkSeconds * 1000)
    const timeout = setTimeout(() => response.end(), Number(seen.query.get('timeoutSeconds') ?? 300) * 1000)
    const open: OpenWatch = {
      path: seen.path,
      silence: () => (silent = true),
      write: (raw) => response.write(raw),
      end: () => response.end(),
      cut: () => response.destroy(),
    }
    api.watches.add(open)
    response.on('close', () => {
      live.delete(onChange)
      api.watches.delete(open)
      clearInterval(bookmarks)
      clearTimeout(timeout)
    })
  }

  function create(body: KubeObject, { collection, namespace }: Target): Answer {
    const object = namespace === undefined ? body : { ...body, metadata: { ...body.metadata, namespace } }
    if (collectionOf(collection).has(keyOf(namespace, object.metadata.name))) return failure(409, 'AlreadyExists')
    return success(record(collection, 'ADDED', object))
  }

  function patch(sent: unknown, old: KubeObject, { collection }: Target): Answer {
    const next = Array.isArray(sent) ? jsonPatch(old, sent as PatchStep[]) : merge(old, sent)
    return next === undefined
      ? failure(422, 'Invalid')
      : success(record(collection, 'MODIFIED', next as KubeObject, old))
  }

  function change({ method, body: sent }: SeenRequest, target: Target): Answer {
    const body = (sent ?? {}) as WriteBody
    const old = collectionOf(target.collection).get(keyOf(target.namespace, target.name ?? ''))
    if (old === undefined) return failure(404, 'NotFound')
    if (isOutdated(body, old)) return failure(409, 'Conflict')
    switch (method) {
      case 'GET':
        return success(old)
      case 'DELETE':
        return success(record(target.collection, 'DELETED', old, old))
      case 'PUT': {
        const metadata = { ...(body.metadata ?? old.metadata), uid: old.metadata.uid ?? '' }
        const next = target.status ? { ...old, status: body['status'] } : { ...(body as KubeObject), metadata }
        return success(record(target.collection, 'MODIFIED', next, old))
      }
      default:
        return patch(sent, old, target)
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await writeFile(
    api.kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 'secret-token' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  )
  return api
}

type WriteBody = Partial<KubeObject> & { preconditions?: { uid?: string; resourceVersion?: string } }

function isOutdated({ preconditions, metadata }: WriteBody, old: KubeObject): boolean {
  const { resourceVersion } = preconditions ?? metadata ?? {}
  const isOther = preconditions?.uid !== undefined && preconditions.uid !== old.metadata.uid
  return isOther || (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
}

function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

function success(body: unknown): Answer {
  return { status: 200, body }
}

function failure(status: number, reason: string): Answer {
  return { status, body: { kind: 'Status', code: status, reason, message: `${reason} (fake)` } }
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? {})
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
}

interface PatchStep {
  op: 'test' | 'remove'
  path: string
  value?: unknown
}

/** The part of RFC 6902 that is used: a test of a text, and a removal; undefined if one of them fails. */
function jsonPatch(target: KubeObject, steps: PatchStep[]): KubeObject | undefined {
  const next = structuredClone(target)
  for (const { op, path, value } of steps) {
    const keys = path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = keys.pop() ?? ''
    const holder = keys.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], next)
    if (typeof holder !== 'object' || holder === null || !(last in holder)) return undefined
    if (op === 'remove') Reflect.deleteProperty(holder, last)
    else if ((holder as Record<string, unknown>)[last] !== value) return undefined
  }
  return next
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const merged = new Map(Object.entries(target ?? {}))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, merge(merged.get(key), value))
  }
  return Object.fromEntries(merged)
}

/** `a=b`, `a in (b,c)`, `a`, `!a`, joined by commas. */
function labelSelector(selector: string): (labels: Record<string, string>) => boolean {
  const requirements = selector.split(/,(?![^(]*\))/).filter((part) => part !== '')
  return (labels) =>
    requirements.every((requirement) => {
      const among = /^(\S+) in \((.*)\)$/.exec(requirement)
      if (among !== null) return (among[2] ?? '').split(',').includes(labels[among[1] ?? ''] ?? '')
      const [key = '', value] = requirement.split('=')
      if (key.startsWith('!')) return labels[key.slice(1)] === undefined
      return value === undefined ? labels[key] !== undefined : labels[key] === value
    })
}
