import { connect } from 'node:net'
import { once } from 'node:events'
import { Agent } from 'node:http'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import type { Environment } from '../../webhooks/environment.ts'
import { get, listen, openCall, post } from './client.ts'
import { labParent, labRequest, labServer, runs } from './lab.ts'
import { until } from './until.ts'

async function started(
  t: Test,
  env: Environment = {},
): Promise<{ app: FastifyInstance; log: Record<string, unknown>[]; port: number }> {
  const { app, log } = await labServer(env)
  t.teardown(() => app.close())
  return { app, log, port: await listen(app) }
}

const metrics = async (port: number): Promise<string> => (await get(port, '/metrics')).body
const padded = (bytes: number): unknown => ({ ...labRequest(), padding: 'x'.repeat(bytes) })

void t.test('what Fastify does by default, and what this server does', async (t) => {
  const bare = Fastify()
  bare.post('/labs/sync', (request) => request.body)
  const strictAnswer = {
    200: { type: 'object', properties: { children: { type: 'array', items: { type: 'object', properties: {} } } } },
  }
  bare.post('/answer', { schema: { response: strictAnswer } }, () => ({ children: [{ kind: 'ConfigMap' }] }))
  const { app } = await labServer()
  const schema = { body: { type: 'object', properties: { n: { type: 'integer' } }, additionalProperties: false } }
  for (const server of [bare, app]) server.post('/typed', { schema }, (request) => request.body)
  t.teardown(() => Promise.all([bare.close(), app.close()]))
  const send = async (server: FastifyInstance, payload: string, url = '/labs/sync'): Promise<[number, string]> => {
    const headers = { 'content-type': 'application/json' }
    const { statusCode, body } = await server.inject({ method: 'POST', url, payload, headers })
    return [statusCode, body]
  }

  await t.test('a body over 1 MiB: refused; accepted', async (t) => {
    const large = JSON.stringify(padded(2 << 20))
    t.equal((await send(bare, large))[0], 413)
    t.equal((await send(app, large))[0], 200)
  })
  await t.test('a ConfigMap with the key __proto__ or constructor.prototype: refused; accepted', async (t) => {
    for (const data of ['{"__proto__":"x"}', '{"constructor":{"prototype":"x"}}']) {
      const body = JSON.stringify(labRequest()).replace('"finalizing"', `"data":${data},"finalizing"`)
      t.equal((await send(bare, body))[0], 400)
      t.equal((await send(app, body))[0], 200)
    }
  })
  await t.test('a validated request: coerced and cut; left alone', async (t) => {
    t.same(await send(bare, '{"n":"3","more":1}', '/typed'), [200, '{"n":3}'])
    t.equal((await send(app, '{"n":"3"}', '/typed'))[0], 400)
    t.equal((await send(app, '{"n":3,"more":1}', '/typed'))[0], 400)
    t.same(await send(app, '{"n":3}', '/typed'), [200, '{"n":3}'])
  })
  await t.test('an answer with a schema loses undeclared fields, so hooks have none', async (t) => {
    t.same(await send(bare, '{}', '/answer'), [200, '{"children":[{}]}'])
    const [, body] = await send(app, JSON.stringify(labRequest()))
    t.match(JSON.parse(body), { children: [{ kind: 'ConfigMap', data: {} }] })
  })
  await t.test("idle connections: closed before Go's client closes them; kept longer", (t) => {
    const goIdleMs = 90_000
    t.ok(bare.server.keepAliveTimeout < goIdleMs)
    t.ok(app.server.keepAliveTimeout > goIdleMs)
    t.end()
  })
  await t.test('a request that never ends: kept for ever; ended', (t) => {
    t.equal(bare.server.requestTimeout, 0)
    t.ok(app.server.requestTimeout > 0 && app.server.requestTimeout <= 60_000)
    t.ok(app.server.headersTimeout > 0 && app.server.headersTimeout <= 10_000)
    t.end()
  })
})

void t.test(
  'H3 a body of 20 MiB is answered; one above the limit is a 413, counted, and the service lives',
  async (t) => {
    const { port } = await started(t, { BODY_LIMIT_BYTES: String(25 << 20) })
    t.equal((await post(port, '/labs/sync', padded(20 << 20))).status, 200)
    const { status, body } = await post(port, '/labs/sync', padded(25 << 20)).catch(() => ({ status: 0, body: '' }))
    // Node answers before it has read the body, so a client that is still writing may miss the answer.
    if (status !== 0) t.same([status, body], [413, '{"error":"the body is larger than BODY_LIMIT_BYTES, 26214400"}'])
    t.match(await metrics(port), /_count\{hook="sync",kind="Lab",code="413"\} 1/)
    const { status: again } = await post(port, '/labs/sync', labRequest())
    t.equal(again, 200)
  },
)

void t.test('H3 the limit holds for a body whose length is not told', async (t) => {
  const { port } = await started(t, { BODY_LIMIT_BYTES: String(1 << 20) })
  const send = async (body: unknown): Promise<number | undefined> => {
    const headers = { 'content-type': 'application/json' }
    const stream = new Blob([JSON.stringify(body)]).stream()
    const sent = fetch(`http://127.0.0.1:${port}/labs/sync`, { method: 'POST', headers, body: stream, duplex: 'half' })
    return (await sent.catch(() => undefined))?.status
  }
  t.equal(await send(padded(1 << 19)), 200)
  t.ok([413, undefined].includes(await send(padded(1 << 20))), 'who is still writing may miss the answer')
  await untilMetric(port, /_count\{hook="sync",kind="Lab",code="413"\} 1/)
  t.equal(await send(labRequest()), 200)
})

void t.test('connections are kept between calls, and nothing else is', async (t) => {
  const { port } = await started(t)
  const timers = (): number => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length
  const before = timers()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  let sockets = 0
  agent.on('free', () => sockets++)
  for (let i = 0; i < 10; i++)
    t.equal((await post(port, '/labs/sync', labRequest(), { agent })).headers['keep-alive'], 'timeout=100')
  t.equal(Object.values(agent.freeSockets).flat().length, 1)
  t.equal(sockets, 10, 'each call gave its connection back')
  t.ok(timers() - before < 3, 'no deadline outlives its call')
})

void t.test('H7 a call that is not answered in time gets 503 before Metacontroller gives up', async (t) => {
  const { port, log } = await started(t, { HOOK_TIMEOUT_SECONDS: '0.2' })
  const expected = { status: 503, body: '{"error":"no answer within HOOK_TIMEOUT_SECONDS, 0.2"}' }

  const stalled = openCall(port, labRequest({ parent: labParent({}, { name: 'stalled' }) }))
  t.match(await stalled.answer, expected, 'a body that does not come')
  stalled.finish()
  t.match(await post(port, '/labs/sync', labRequest({ parent: labParent({ blockMs: 250 }) })), expected, 'a slow hook')
  t.match(await post(port, '/labs/sync', labRequest()), { status: 200 })
  t.equal(runs.get('stalled'), undefined, 'what comes after the deadline is not computed')
  await until(() => log.filter(({ code }) => code === 503).length === 2)
})

void t.test('H8 a caller that leaves has nothing computed for it', async (t) => {
  const { port, log } = await started(t)
  const abandoned = (count: number) => (): boolean => log.filter(({ code }) => code === 499).length === count

  await t.test('in the middle of its body', async (t) => {
    const call = openCall(port, labRequest({ parent: labParent({}, { name: 'midway' }) }))
    await untilMetric(port, /^kasprop_hook_requests_in_flight 1$/m)
    call.leave()
    await until(abandoned(1))
    t.equal(runs.get('midway'), undefined)
  })
  await t.test('with its call still waiting to be parsed', async (t) => {
    const body = JSON.stringify(labRequest({ parent: labParent({}, { name: 'gone' }) }))
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    // Both are in the server's socket before it looks at it again.
    socket.write(
      `POST /labs/sync HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    socket.destroy()
    await until(abandoned(2))
    t.equal(runs.get('gone'), undefined)
  })
  t.match(await metrics(port), /_count\{hook="sync",kind="Lab",code="499"\} 2/)
  t.match(await metrics(port), /^kasprop_hook_requests_in_flight 0$/m)
})

void t.test('H9 overload is a 429 with whole seconds, and what runs is finished', async (t) => {
  const { port } = await started(t, { HOOK_CALLS_MAX: '2' })
  const running = [openCall(port, labRequest()), openCall(port, labRequest())]
  await untilMetric(port, /^kasprop_hook_requests_in_flight 2$/m)
  const { status, headers, body } = await post(port, '/labs/sync', labRequest())
  t.equal(status, 429)
  t.match(headers['retry-after'], /^[1-9][0-9]*$/)
  t.equal(body, '{"error":"too many calls at once"}')
  t.equal((await get(port, '/healthz')).status, 200, 'health is not a call')
  for (const call of running) call.finish()
  for (const call of running) t.match(await call.answer, { status: 200 })
  t.equal((await post(port, '/labs/sync', labRequest())).status, 200)
})

void t.test('H10 shutdown: running calls finish, new ones get 503, then the socket closes', async (t) => {
  const { app, port } = await started(t)
  t.match(await get(port, '/readyz'), { status: 200, body: 'ok' })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const first = openCall(port, labRequest())
  const running = openCall(port, labRequest(), { agent })
  await untilMetric(port, /^kasprop_hook_requests_in_flight 2$/m)

  let closed = false
  const closing = app.close().then(() => (closed = true))
  for (const path of ['/readyz', '/labs/sync']) {
    const refused = await (path === '/readyz' ? get(port, path) : post(port, path, labRequest()))
    t.match(refused, { status: 503, headers: { connection: 'close' } }, path)
    t.match(JSON.parse(refused.body), { error: String })
  }
  first.finish()
  t.match(await first.answer, { status: 200 })
  t.equal((await get(port, '/readyz')).status, 503)
  t.notOk(closed, 'every running call is waited for')
  running.finish()
  t.match(await running.answer, { status: 200, headers: { connection: 'close' } })
  await closing
  await t.rejects(get(port, '/readyz'), { code: 'ECONNREFUSED' })
})

void t.test('shutdown does not wait for what never ends', async (t) => {
  const { app, port } = await started(t, { SHUTDOWN_SECONDS: '0.1' })
  const stuck = openCall(port, labRequest())
  const idle = connect(port, '127.0.0.1')
  await once(idle, 'connect')
  await untilMetric(port, /^kasprop_hook_requests_in_flight 1$/m)
  const before = performance.now()
  await app.close()
  t.ok(performance.now() - before < 5000)
  await t.rejects(stuck.answer)
  idle.destroy()
})

void t.test('H13 with a token, hook calls must carry it', async (t) => {
  const { port } = await started(t, { HOOK_TOKEN: 'T0ken-1\n' })
  const answers: [authorization: string | undefined, status: number][] = [
    [undefined, 401],
    ['', 401],
    ['T0ken-1', 401],
    ['Basic T0ken-1', 401],
    ['Bearer', 401],
    ['Bearer T0ken-', 401],
    ['Bearer T0ken-12', 401],
    ['Bearer t0ken-1', 401],
    [`Bearer ${'x'.repeat(8000)}`, 401],
    ['Bearer T0ken-1', 200],
    ['bearer T0ken-1', 200],
  ]
  for (const [authorization, expected] of answers) {
    const headers = authorization === undefined ? {} : { authorization }
    const { status, headers: answered } = await post(port, '/labs/sync', labRequest(), { headers })
    t.equal(status, expected, authorization ?? 'none')
    if (status === 401) t.equal(answered['www-authenticate'], 'Bearer')
  }
  for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json'])
    t.equal((await get(port, path)).status, 200, path)
  t.equal((await post(port, '/labs/customize', {})).status, 401, 'before the body is looked at')
  t.equal((await get(port, '/labs/about')).status, 401, 'whatever a system serves is guarded')
  t.equal((await get(port, '/labs/about', { headers: { authorization: 'Bearer T0ken-1' } })).status, 200)
})

/** Asks for metrics until they match. */
async function untilMetric(port: number, pattern: RegExp): Promise<void> {
  for (let tries = 0; !pattern.test(await metrics(port)); tries++) {
    if (tries > 500) throw new Error(`no ${pattern.source} in the metrics`)
  }
}
