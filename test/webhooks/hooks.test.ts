import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { group, labParent, labRequest, labServer, runs } from './lab.ts'

const { app, log } = await labServer()
t.teardown(() => app.close())
t.beforeEach(() => void log.splice(0))

const sync = (body: unknown): Promise<LightMyRequestResponse> => call('/labs/sync', body)

function call(url: string, body: unknown, on: FastifyInstance = app): Promise<LightMyRequestResponse> {
  const payload = typeof body === 'string' ? body : JSON.stringify(body)
  return on.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } })
}

/** What every failure looks like. */
function isError(t: Test, response: LightMyRequestResponse, status: number, text: RegExp): void {
  t.equal(response.statusCode, status)
  t.match(response.headers['content-type'], /^application\/json/)
  const body = response.json<Record<string, unknown>>()
  t.same(Object.keys(body), ['error'], 'nothing that could be taken for an answer')
  t.match(body['error'], text)
  t.notMatch(response.body, /\n/, 'one line')
  if (status !== 429) t.equal(response.headers['retry-after'], undefined, 'H9 no promise about retries')
}

void t.test('H1 an unknown path is a 404 with an error body', async (t) => {
  isError(t, await call('/labs/%zz', labRequest()), 400, /'\/labs\/%zz' is not a valid url/)
  for (const url of ['/', '/labs', '/labs/sync/', '/LABS/sync', '/labs/unknown', '//labs/sync']) {
    const response = await call(url, labRequest())
    isError(t, response, 404, /not here; hooks are called with POST/)
  }
})

void t.test('H2 GET on a hook path is a 404', async (t) => {
  isError(t, await app.inject('/labs/sync'), 404, /^GET \/labs\/sync: /)
})

void t.test('H4 what is no hook request is a 400 naming the field', async (t) => {
  isError(t, await sync('{"parent":'), 400, /^the body is not valid JSON$/)
  isError(t, await sync(''), 400, /^the body is not valid JSON$/)
  isError(t, await sync('null'), 400, /^the body is null, accepted is an object$/)
  isError(t, await sync([]), 400, /^the body is a list/)
  isError(t, await sync({ ...labRequest(), parent: undefined }), 400, /^parent is missing$/)
  isError(
    t,
    await sync({ ...labRequest(), parent: { ...labParent(), kind: 'Pod' } }),
    400,
    /^parent.kind is "Pod", accepted is "Lab"$/,
  )
  isError(t, await app.inject({ method: 'POST', url: '/labs/sync' }), 400, /^the body is missing/)
  const xml = {
    method: 'POST',
    url: '/labs/sync',
    payload: '<x/>',
    headers: { 'content-type': 'application/xml' },
  } as const
  isError(t, await app.inject(xml), 415, /^content-type is "application\/xml", accepted is application\/json$/)
  const text = { ...xml, payload: JSON.stringify(labRequest()), headers: { 'content-type': 'text/plain' } }
  isError(t, await app.inject(text), 415, /text\/plain/)
})

void t.test('H5 data keys __proto__ and constructor are data', async (t) => {
  const part =
    '{"apiVersion":"lab.dev/v1","kind":"Part","metadata":{"name":"p","namespace":"lab"},"data":{"__proto__":"a","constructor":{"prototype":"b"},"toString":"c"}}'
  const body = JSON.stringify(labRequest()).replace('"Part.lab.dev/v1":{}', `"Part.lab.dev/v1":{"lab/p":${part}}`)
  const response = await sync(body)
  t.equal(response.statusCode, 200)
  t.match(response.body, '"data":{"__proto__":"a","constructor":{"prototype":"b"},"toString":"c"}')
  t.equal(({} as Record<string, unknown>)['a'], undefined)
  t.equal(Object.getPrototypeOf({}), Object.prototype)
  t.same(Object.keys(Object.prototype), [])
})

void t.test('H6 a hook that throws is a 500 that says nothing about the inside, and a stack in the log', async (t) => {
  const body = labRequest({ parent: labParent({ fail: 'password=S3CRET' }) })
  isError(t, await sync(body), 500, /^internal error: the log of the hook service has the details$/)
  t.match(log, [
    {
      level: 'error',
      hook: 'labs/sync',
      namespace: 'lab',
      name: 'one',
      uid: '0f1e',
      code: 500,
      err: { message: 'password=S3CRET', stack: /lab\.js/ },
    },
  ])
  t.equal((await sync(labRequest())).statusCode, 200, 'the service goes on')
})

void t.test('H11 fifty calls at once are answered as one at a time', async (t) => {
  const bodies = Array.from({ length: 50 }, (_, i) =>
    labRequest({ parent: labParent({}, { name: `p${i}`, uid: `u${i}` }) }),
  )
  const alone: string[] = []
  for (const body of bodies) alone.push((await sync(body)).body)
  const together = await Promise.all(bodies.map(sync))
  t.same(
    together.map(({ body }) => body),
    alone,
  )
  t.equal(new Set(alone).size, 50)
})

void t.test('H12 fields of a newer Metacontroller are ignored', async (t) => {
  const plain = await sync(labRequest())
  const newer = await sync({ ...labRequest(), cluster: { name: 'x' }, hookVersion: 'v3' })
  t.equal(newer.body, plain.body)
})

void t.test('H14 a wrong answer is never sent; the error names it', async (t) => {
  const wrong: [answer: unknown, text: RegExp][] = [
    [null, /not sent: the answer is not an object/],
    [{}, /status is not an object/],
    [{ status: {}, children: [null] }, /children\[0\] is not an object/],
    [{ status: {}, children: [], finalized: true }, /the answer has the field finalized/],
    [
      { status: {}, children: [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }] },
      /children\[0\] \(Secret\)/,
    ],
  ]
  for (const [answer, text] of wrong) {
    const response = await sync(labRequest({ parent: labParent({ answer }) }))
    isError(t, response, 500, text)
  }
})

void t.test('H15 the same request gives the same bytes; hooks see whole seconds', async (t) => {
  let ms = Date.parse('2026-01-02T03:04:05.678Z')
  const { app } = await labServer({}, () => new Date(ms))
  t.teardown(() => app.close())
  const first = await call('/labs/sync', labRequest(), app)
  t.match(first.json(), { status: { minute: '2026-01-02T03:04:00Z', ms: 0 } })
  ms += 20_000
  t.equal((await call('/labs/sync', labRequest(), app)).body, first.body, 'within the minute that this hook looks at')
})

void t.test('H16, H17 neither order nor protocol version of a request shows in the answer', async (t) => {
  const objects: KubeObject[] = ['b', 'a', 'c'].map((name) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'lab' },
  }))
  const v2 = labRequest({ children: { 'ConfigMap.v1': group(objects), 'StatefulSet.apps/v1': {} } })
  const v1 = labRequest({
    children: { 'StatefulSet.apps/v1': {}, 'ConfigMap.v1': group([...objects].reverse(), 'v1') },
  })
  const answer = await sync(v2)
  t.match(answer.json(), { status: { observed: ['lab/a', 'lab/b', 'lab/c'] } })
  t.equal((await sync(v1)).body, answer.body)
})

void t.test('H24 first sync: every child, and a status that says none is observed', async (t) => {
  const response = await sync(labRequest())
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.match(response.json(), {
    status: { observed: [] },
    children: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one-config', namespace: 'lab' } }],
  })
})

void t.test('H25 a missing group is a 500 naming the rule, with the parent in the log', async (t) => {
  isError(
    t,
    await sync(labRequest({ children: { 'ConfigMap.v1': {} } })),
    500,
    /no child group for StatefulSet \(apps\/v1\)/,
  )
  isError(t, await sync(labRequest({ related: {} })), 500, /no related group for Part/)
  t.match(log, [
    { level: 'error', name: 'one' },
    { level: 'error', name: 'one' },
  ])
})

void t.test('H32, H33 finalize ends without related objects', async (t) => {
  const response = await call('/labs/finalize', labRequest({ finalizing: true, related: {} }))
  t.match(response.json(), { finalized: true, children: [] })
})

void t.test('H41, H42, H44 customize answers for parents of any shape, and looks at the spec only', async (t) => {
  const ask = async (parent: unknown): Promise<unknown> =>
    (await call('/labs/customize', { controller: {}, parent })).json()
  const wanted = { relatedResources: [{ apiVersion: 'lab.dev/v1', resource: 'parts', names: ['a'] }] }
  t.strictSame(await ask(labParent({ wants: ['a'] })), wanted)
  t.strictSame(await ask(labParent({ wants: ['a'] }, { labels: { a: 'b' }, annotations: { c: 'd' } })), wanted)
  t.strictSame(await ask(labParent({ wants: ['a'] }, { deletionTimestamp: '2026-01-01T00:00:00Z' })), wanted)
  t.strictSame(await ask({ ...labParent(), spec: undefined }), { relatedResources: [] })
  isError(
    t,
    await call('/labs/customize', { controller: {}, parent: labParent({ wants: [''] }) }),
    500,
    /names is no list/,
  )
})

void t.test('one line per call: debug when it went well, louder when not; the token shows nowhere', async (t) => {
  const { app, log } = await labServer({ HOOK_TOKEN: 'T0KEN' })
  t.teardown(() => app.close())
  const headers = { 'content-type': 'application/json', authorization: 'Bearer T0KEN' }
  await app.inject({ method: 'POST', url: '/labs/sync', payload: JSON.stringify(labRequest()), headers })
  await app.inject({ method: 'POST', url: '/labs/sync', payload: 'null', headers })
  await app.inject({ method: 'POST', url: '/labs/sync', payload: 'null', headers: { authorization: 'Bearer T0KEN2' } })
  t.match(log, [
    {
      level: 'debug',
      msg: 'hook call answered',
      hook: 'labs/sync',
      namespace: 'lab',
      name: 'one',
      uid: '0f1e',
      code: 200,
    },
    { level: 'warn', msg: 'hook call refused', code: 400, reason: 'the body is null, accepted is an object' },
    { level: 'warn', msg: 'hook call refused', code: 401 },
  ])
  t.equal(log.length, 3)
  t.notMatch(JSON.stringify(log), /T0KEN/)
})

void t.test('runs are counted by kind, hook and code', async (t) => {
  runs.clear()
  await sync(labRequest())
  const metrics = (await app.inject('/metrics')).body
  t.equal(runs.get('one'), 1)
  t.match(metrics, /^kasprop_hook_request_seconds_count\{hook="sync",kind="Lab",code="200"\} [1-9]/m)
  t.match(metrics, /^kasprop_hook_request_seconds_count\{hook="customize",kind="Lab",code="500"\} 1$/m)
  t.match(metrics, /^kasprop_hook_request_bytes_sum\{hook="sync",kind="Lab"\} [1-9]/m)
  t.match(metrics, /^kasprop_hook_response_bytes_sum\{hook="sync",kind="Lab"\} [1-9]/m)
  t.match(metrics, /^kasprop_hook_requests_in_flight 0$/m)
})
