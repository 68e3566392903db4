import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import type { Test } from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { createClient } from '../../poller/kube/client.ts'
import type { ClientOptions, KubeClient, RequestReport } from '../../poller/kube/client.ts'
import { Informer } from '../../poller/kube/informer.ts'
import type { InformerOptions } from '../../poller/kube/informer.ts'
import { splitLines } from '../../poller/kube/lines.ts'
import { listAll } from '../../poller/kube/list.ts'
import { startFakeApi } from '../fakes/api-server.ts'
import type { FakeApi, Fault, OpenWatch } from '../fakes/api-server.ts'
import { until } from '../webhooks/until.ts'

const things = '/apis/example.com/v1/things'

function thing(name: string, labels: Record<string, string> = {}, value = 1): KubeObject {
  const managedFields = [{ manager: 'kubectl' }]
  const metadata = { namespace: 'default', name, labels, managedFields }
  return { apiVersion: 'example.com/v1', kind: 'Thing', metadata, value }
}

async function fixture(t: Test, options: ClientOptions = {}): Promise<{ api: FakeApi; client: KubeClient }> {
  const api = await startFakeApi()
  const client = createClient({ kubeconfig: api.kubeconfig, ...options })
  t.teardown(async () => {
    await client.close()
    await api.close()
  })
  return { api, client }
}

/** Answers the first `times` requests that match with the fault. */
function failing(times: number, fault: Fault, matches: (watch: boolean) => boolean = () => true): FakeApi['fault'] {
  let left = times
  return ({ watch }) => (matches(watch) && left-- > 0 ? fault : undefined)
}

void t.test('client', async (t) => {
  await t.test('sends credentials, user agent and query, and gives the JSON answer', async (t) => {
    const reports: RequestReport[] = []
    const { api, client } = await fixture(t, { onRequest: (report) => reports.push(report) })
    api.put(things, thing('a'))
    const list = await client.request<{ items: KubeObject[] }>({
      path: things,
      query: { limit: 5, continue: undefined },
    })
    t.equal(list.items.length, 1)
    const [request] = api.requests
    t.match(request?.headers, {
      authorization: 'Bearer secret-token',
      'user-agent': /^kaspr-metacontroller\/\d+\.\d+\.\d+ \(poll\)$/,
    })
    t.equal(request?.query.toString(), 'limit=5')
    t.match(reports, [{ method: 'GET', path: things, code: 200 }])
  })

  await t.test('an answer that is no success is an ApiError with what the Status says', async (t) => {
    const { api, client } = await fixture(t)
    const path = '/apis/example.com/v1/namespaces/default/things/none'
    await t.rejects(client.request({ path }), { status: 404, reason: 'NotFound', message: 'NotFound (fake)' })
    api.fault = failing(1, { status: 502, body: '<html>bad gateway</html>' })
    await t.rejects(client.request({ path }), { status: 502, reason: '', message: '<html>bad gateway</html>' })
  })

  await t.test('429 is obeyed for any verb, a bounded number of times', async (t) => {
    const { api, client } = await fixture(t)
    const busy = { status: 429, headers: { 'retry-after': '0' }, body: 'slow down' }
    const create = { method: 'POST', path: '/apis/example.com/v1/namespaces/default/things', body: thing('a') } as const
    api.fault = failing(2, busy)
    await client.request(create)
    t.equal(api.requests.length, 3)
    api.fault = failing(Infinity, busy)
    await t.rejects(client.request({ path: things }), { name: 'ApiError', message: 'slow down' })
    t.equal(api.requests.length, 3 + 5, 'one try and four retries')
  })

  await t.test('Retry-After is waited for', async (t) => {
    const { api, client } = await fixture(t)
    api.fault = failing(1, { status: 429, headers: { 'retry-after': '1' } })
    const started = performance.now()
    await client.request({ path: things })
    t.ok(performance.now() - started >= 990)
  })

  await t.test('a lost connection is retried for GET only: a write may have been done', async (t) => {
    const { api, client } = await fixture(t)
    api.fault = failing(1, 'reset')
    await client.request({ path: things })
    api.fault = failing(1, 'reset')
    const before = api.requests.length
    await t.rejects(
      client.request({ method: 'POST', path: '/apis/example.com/v1/namespaces/default/things', body: thing('a') }),
    )
    t.equal(api.requests.length, before + 1)
  })

  await t.test('a deadline ends a request without answer, and so does an abort, at once', async (t) => {
    const { api, client } = await fixture(t)
    api.fault = () => 'hang'
    await t.rejects(client.request({ path: things, timeoutMs: 50 }), { message: /no answer within 50 ms/ })
    const abort = new AbortController()
    const request = client.request({ path: things, signal: abort.signal })
    await until(() => api.requests.length === 2)
    abort.abort(new Error('enough'))
    await t.rejects(request, { message: 'enough' })
    await t.rejects(client.request({ path: things, signal: abort.signal }), { message: 'enough' })
  })

  await t.test('no more requests at once than connections', async (t) => {
    const { api, client } = await fixture(t, { connections: 3 })
    api.fault = () => 'hang'
    const requests = Array.from({ length: 8 }, () => client.request({ path: things, timeoutMs: 300 }).catch(() => 0))
    await until(() => api.requests.length === 3)
    await sleep(50)
    t.equal(api.requests.length, 3)
    await Promise.all(requests)
  })

  await t.test('one connection serves requests of every kind, one after the other', async (t) => {
    const { api, client } = await fixture(t, { connections: 1 })
    api.put(things, thing('a'))
    const path = '/apis/example.com/v1/namespaces/default/things/a'
    const body = { apiVersion: 'v1', kind: 'DeleteOptions' }
    await client.request({ path })
    await client.request({ method: 'PUT', path, body: thing('a') })
    await client.request({ method: 'DELETE', path, body })
    await client.request({ path: things })
    t.equal(api.connections, 1)
  })

  await t.test('a token that was rotated is read again after 401', async (t) => {
    const { api } = await fixture(t)
    const kubeconfig = `${api.kubeconfig}-rotating`
    await copyFile(api.kubeconfig, kubeconfig)
    const client = createClient({ kubeconfig })
    t.teardown(() => client.close())
    await client.request({ path: things })
    await writeFile(kubeconfig, (await readFile(kubeconfig, 'utf8')).replace('secret-token', 'new-token'))
    api.fault = ({ headers }) => (headers.authorization === 'Bearer new-token' ? undefined : { status: 401 })
    await sleep(1000) // files are read at most once a second
    await client.request({ path: things })
    t.equal(api.requests.at(-1)?.headers.authorization, 'Bearer new-token')
    await writeFile(kubeconfig, 'half a file: [')
    api.fault = failing(1, { status: 401 })
    await sleep(1000)
    await client.request({ path: things })
    t.equal(api.requests.at(-1)?.headers.authorization, 'Bearer new-token', 'unreadable: the last ones serve')
  })

  await t.test('an unreadable kubeconfig fails each request with its name, not the start', async (t) => {
    const client = createClient({ kubeconfig: '/nowhere/kubeconfig' })
    t.teardown(() => client.close())
    await t.rejects(client.request({ method: 'POST', path: things }), { message: /\/nowhere\/kubeconfig/ })
  })

  await t.test('close ends what is under way', async (t) => {
    const { api, client } = await fixture(t)
    api.fault = () => 'hang'
    const request = client.request({ path: things })
    await until(() => api.requests.length === 1)
    const rejected = t.rejects(request, { message: /closed/ })
    await client.close()
    await rejected
  })
})

void t.test('lines come out whole wherever the chunks are cut', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme', minLength: 1 }).filter((line) => !line.includes('\n'))),
      fc.integer({ min: 1, max: 7 }),
      async (lines, size) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const count = Math.ceil(bytes.length / size)
        const chunks = Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
        const out: string[] = []
        for await (const line of splitLines(Readable.from(chunks))) out.push(line)
        t.strictSame(out, lines)
      },
    ),
    { numRuns: 50 },
  )
})

interface Watched {
  api: FakeApi
  informer: Informer
  events: string[]
}

/** An informer with short pauses, started and synced, and the events it told, as `type name value`. */
async function watched(t: Test, options: Partial<InformerOptions<KubeObject>> = {}, objects = 1): Promise<Watched> {
  const { api, client } = await fixture(t)
  for (let i = 0; i < objects; i++) api.put(things, thing(`t${i}`))
  const events: string[] = []
  const informer = new Informer({
    client,
    path: things,
    onEvent: ({ type, object }) => events.push(`${type} ${object.metadata.name} ${String(object['value'])}`),
    ...options,
    timing: { backoffMs: 20, ...options.timing },
  })
  t.teardown(() => informer.stop())
  informer.start()
  await informer.synced
  await until(() => api.watches.size > 0)
  return { api, informer, events }
}

function currentWatch(api: FakeApi): OpenWatch {
  const [watch] = api.watches
  if (watch === undefined) throw new Error('no watch is open')
  return watch
}

void t.test('informer', async (t) => {
  await t.test('lists in pages, tells and follows every change, keeps no managedFields', async (t) => {
    const { api, informer, events } = await watched(t, {}, 1201)
    t.equal(informer.list().length, 1201)
    t.equal(events.length, 1201)
    t.equal(api.requests.filter(({ watch }) => !watch).length, 3, 'pages of 500')
    t.equal(informer.get('default', 't7')?.metadata.name, 't7')
    t.notOk('managedFields' in (informer.get('default', 't7')?.metadata ?? {}))
    events.length = 0
    api.put(things, thing('new'))
    api.put(things, thing('new', {}, 2))
    api.remove(things, 'default', 'new')
    await until(() => events.length === 3)
    t.strictSame(events, ['added new 1', 'modified new 2', 'deleted new 2'])
    t.equal(informer.get('default', 'new'), undefined)
  })

  await t.test('trims on arrival and finds by index, also after the keys changed', async (t) => {
    const { api, informer } = await watched(t, {
      trim: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }),
      index: { color: ({ metadata }) => Object.values(metadata.labels ?? {}) },
    })
    api.put(things, thing('a', { color: 'red' }))
    api.put(things, thing('b', { color: 'red' }))
    await until(() => informer.indexed('color', 'red').length === 2)
    t.notOk('value' in (informer.get('default', 'a') ?? {}))
    api.put(things, thing('a', { color: 'blue' }))
    api.remove(things, 'default', 'b')
    await until(() => informer.indexed('color', 'blue').length === 1)
    t.strictSame(informer.indexed('color', 'red'), [])
    t.strictSame(informer.indexed('shape', 'red'), [])
  })

  await t.test('resumes where it was after the server ended the watch or the connection broke', async (t) => {
    const { api, informer, events } = await watched(t)
    for (const interrupt of ['end', 'cut'] as const) {
      currentWatch(api)[interrupt]()
      await until(() => api.watches.size === 0)
      api.put(things, thing('t0', {}, events.length + 1))
      await until(() => events.at(-1) === `modified t0 ${events.length}`)
    }
    t.equal(api.requests.filter(({ watch }) => !watch).length, 1, 'no second list')
    t.equal(informer.health().relists, 0)
    t.ok(informer.health().restarts >= 2)
  })

  await t.test('bookmarks move the resume point on', async (t) => {
    const { api } = await fixture(t)
    api.bookmarkSeconds = 0.02
    const client = createClient({ kubeconfig: api.kubeconfig })
    t.teardown(() => client.close())
    const informer = new Informer({ client, path: things, timing: { backoffMs: 20 } })
    t.teardown(() => informer.stop())
    informer.start()
    await until(() => api.watches.size > 0)
    const other = api.put('/api/v1/others', thing('x')) // other kinds move the version
    await sleep(60)
    currentWatch(api).end()
    await until(() => api.requests.filter(({ watch }) => watch).length === 2)
    const resumed = Number(api.requests.at(-1)?.query.get('resourceVersion'))
    t.ok(resumed >= Number(other.metadata.resourceVersion))
    t.equal(api.requests.at(-1)?.query.get('allowWatchBookmarks'), 'true')
  })

  for (const how of ['http', 'event'] as const) {
    await t.test(`410 as ${how}: lists again and tells the differences`, async (t) => {
      const { api, informer, events } = await watched(t, {}, 3)
      events.length = 0
      api.fault = failing(1, { status: 503 }, (watch) => watch)
      currentWatch(api).cut()
      await until(() => api.watches.size === 0)
      api.put(things, thing('t0', {}, 5))
      api.remove(things, 'default', 't1')
      api.put(things, { ...thing('t2', {}, 6), metadata: { ...thing('t2').metadata, uid: 'other' } })
      api.put(things, thing('t3'))
      api.compact(how)
      await until(() => informer.health().relists === 1 && api.watches.size > 0)
      t.strictSame(events.sort(), ['added t2 6', 'added t3 1', 'deleted t1 1', 'deleted t2 1', 'modified t0 5'])
      t.equal(informer.health().differences, 4)
    })
  }

  await t.test('a watch that falls silent is noticed and resumed', async (t) => {
    const { api, informer, events } = await watched(t, { timing: { inactivityMs: 150 } })
    currentWatch(api).silence()
    api.put(things, thing('t0', {}, 2))
    await until(() => events.at(-1) === 'modified t0 2')
    t.equal(informer.health().relists, 0, 'resumed from where it was')
  })

  await t.test('a server that accepts and never answers is noticed', async (t) => {
    const { api, events } = await watched(t, { timing: { inactivityMs: 150 } })
    api.fault = failing(2, 'hang')
    const before = api.requests.length
    currentWatch(api).end()
    await until(() => api.requests.length === before + 3)
    api.put(things, thing('t0', {}, 2))
    await until(() => events.at(-1) === 'modified t0 2')
    t.strictSame(events, ['added t0 1', 'modified t0 2'])
  })

  const broken = {
    'a truncated line': '{"type":"MODIFIED","object":{"met\n',
    'no event': '{"kind":"Status"}\n',
    'an event without metadata': '{"type":"ADDED","object":{}}\n',
    'an unknown type': '{"type":"WHAT","object":{"metadata":{}}}\n',
  }
  for (const [name, line] of Object.entries(broken)) {
    await t.test(`${name} is counted and listed over`, async (t) => {
      const { api, informer, events } = await watched(t)
      currentWatch(api).write(line)
      await until(() => informer.health().relists === 1)
      t.equal(informer.health().unparsable, 1)
      api.put(things, thing('t0', {}, 2))
      await until(() => events.at(-1) === 'modified t0 2')
    })
  }

  await t.test('characters cut in two by chunks come out whole', async (t) => {
    const { api, informer } = await watched(t)
    const object = { ...thing('t9'), text: 'żółć 🐙', metadata: { ...thing('t9').metadata, resourceVersion: '999' } }
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object })}\n`)
    for (let at = 0; at < bytes.length; at += 5) {
      currentWatch(api).write(bytes.subarray(at, at + 5))
      await sleep(1)
    }
    await until(() => informer.get('default', 't9') !== undefined)
    t.equal(informer.get('default', 't9')?.['text'], 'żółć 🐙')
  })

  await t.test('errors of list and watch are retried with growing pauses, for ever', async (t) => {
    const { api, client } = await fixture(t)
    api.put(things, thing('a'))
    api.fault = failing(6, { status: 403 })
    const informer = new Informer({ client, path: things, timing: { backoffMs: 10, maxBackoffMs: 40 } })
    t.teardown(() => informer.stop())
    informer.start()
    t.equal(informer.health().synced, false)
    const started = performance.now()
    await informer.synced
    t.ok(performance.now() - started > 80, 'at least half of 10 + 20 + 40 + 40 + 40 + 40')
    t.equal(informer.list().length, 1)
  })

  await t.test('a continue token that expired in the middle: the list begins anew, in pages', async (t) => {
    const { api, client } = await fixture(t)
    for (let i = 0; i < 1001; i++) api.put(things, thing(`t${i}`))
    let expirations = 2
    api.fault = ({ query }) => (query.has('continue') && expirations-- > 0 ? { status: 410 } : undefined)
    const informer = new Informer({ client, path: things })
    t.teardown(() => informer.stop())
    informer.start()
    await informer.synced
    t.equal(informer.list().length, 1001)
    const lists = api.requests.filter(({ watch }) => !watch)
    t.equal(lists.length, 2 + 2 + 3, 'twice a page and an expiration, then three pages')
    t.ok(
      lists.every(({ query }) => query.get('limit') === '500'),
      'never all at once',
    )
  })

  await t.test('a list that expires again and again is given up, and tried again after a back-off', async (t) => {
    const { api, client } = await fixture(t)
    for (let i = 0; i < 501; i++) api.put(things, thing(`t${i}`))
    let expirations = Infinity
    api.fault = ({ query }) => (query.has('continue') && expirations-- > 0 ? { status: 410 } : undefined)
    const pages: boolean[] = []
    const onPage = (_: KubeObject[], isFirst: boolean): void => void pages.push(isFirst)
    const { signal } = new AbortController()
    await t.rejects(listAll({ client, path: things, query: {}, signal, onPage }), { name: 'ApiError', status: 410 })
    t.strictSame(pages, [true, true, true])
    const informer = new Informer({ client, path: things, timing: { backoffMs: 10, maxBackoffMs: 20 } })
    t.teardown(() => informer.stop())
    informer.start()
    await until(() => informer.health().restarts > 1)
    t.equal(informer.health().synced, false)
    expirations = 0
    await informer.synced
    t.equal(informer.list().length, 501)
  })

  await t.test('a new selector tells what left and what came, and counts nothing as missed', async (t) => {
    const { api, informer, events } = await watched(t, { labelSelector: 'shard in (1,2)' }, 0)
    for (const shard of ['1', '2', '3']) api.put(things, thing(`s${shard}`, { shard }))
    await until(() => events.length === 2)
    informer.select('shard in (2,3)')
    await until(() => events.length === 4 && api.watches.size === 1)
    t.strictSame(events, ['added s1 1', 'added s2 1', 'deleted s1 1', 'added s3 1'])
    api.put(things, thing('s3', { shard: '3' }, 2))
    api.put(things, thing('s2', { shard: '9' }, 2))
    await until(() => events.length === 6)
    t.strictSame(events.slice(4), ['modified s3 2', 'deleted s2 2'])
    t.match(informer.health(), { relists: 0, differences: 0 })
  })

  await t.test('a new selector in the middle of a chunk: what follows in it does not hide the new list', async (t) => {
    const { api, informer } = await watched(
      t,
      { labelSelector: 'shard=1', onEvent: () => informer.select('shard=2') },
      0,
    )
    api.put(things, thing('other', { shard: '2' }))
    const lines = ['900', '901'].map((resourceVersion) => {
      const { metadata, ...rest } = thing(`t${resourceVersion}`)
      return JSON.stringify({ type: 'ADDED', object: { ...rest, metadata: { ...metadata, resourceVersion } } })
    })
    currentWatch(api).write(`${lines.join('\n')}\n`)
    await until(() => informer.get('default', 'other') !== undefined)
    t.equal(informer.list().length, 1)
  })

  await t.test('a sign of life in time keeps a watch', async (t) => {
    const { api, client } = await fixture(t)
    api.bookmarkSeconds = 0.03
    const informer = new Informer({ client, path: things, timing: { inactivityMs: 150 } })
    t.teardown(() => informer.stop())
    informer.start()
    await sleep(500)
    t.equal(informer.health().restarts, 0)
  })

  await t.test('an answer to a write is taken in, unless something newer has come', async (t) => {
    const { api, informer } = await watched(t)
    const first = informer.get('default', 't0')
    for (const watch of api.watches) watch.silence()
    const second = api.put(things, thing('t0', {}, 2))
    const third = api.put(things, thing('t0', {}, 3))
    informer.adopt(structuredClone(second), first?.metadata.resourceVersion)
    t.equal(informer.get('default', 't0')?.['value'], 2)
    t.notOk('managedFields' in (informer.get('default', 't0')?.metadata ?? {}))
    informer.adopt(structuredClone(third), first?.metadata.resourceVersion)
    t.equal(informer.get('default', 't0')?.['value'], 2)
    informer.adopt({ ...thing('never-seen') }, undefined)
    t.equal(informer.get('default', 'never-seen'), undefined)
  })

  await t.test('a listener that throws harms nobody', async (t) => {
    const { informer } = await watched(t, {
      onEvent: () => {
        throw new Error('bug')
      },
    })
    t.equal(informer.list().length, 1)
  })

  await t.test('stop ends the watch and is final; before the first list it rejects synced', async (t) => {
    const { api, informer } = await watched(t)
    await informer.stop()
    await until(() => api.watches.size === 0)
    const { client } = await fixture(t)
    const unsynced = new Informer({ client, path: things })
    await unsynced.stop()
    await t.rejects(unsynced.synced, { message: /stopped before its first list/ })
  })

  await t.test('health tells for how long the server has been silent', async (t) => {
    const { api, informer } = await watched(t)
    await sleep(60)
    t.ok(informer.health().silentMs >= 50)
    api.put(things, thing('t0', {}, 2))
    await until(() => informer.health().silentMs < 50)
    t.match(informer.health(), { synced: true, objects: 1 })
  })
})
