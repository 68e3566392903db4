import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { labRequest, labServer } from './lab.ts'

type Json = Record<string, unknown>

const { app } = await labServer()
t.teardown(() => app.close())
const document = (await app.inject('/openapi.json')).json<Json>()

/** What is at a path of keys, or undefined. */
function at(value: unknown, ...keys: string[]): unknown {
  return keys.reduce((inner: unknown, key) => (inner as Json | undefined)?.[key], value)
}

void t.test('the document describes every route', (t) => {
  t.match(document, { openapi: /^3\.1\.\d$/, info: { title: /./, version: /^\d+\.\d+\.\d+/ } })
  const paths = document['paths'] as Json
  t.same(Object.keys(paths).sort(), [
    '/healthz',
    '/labs/customize',
    '/labs/finalize',
    '/labs/sync',
    '/metrics',
    '/readyz',
  ])
  for (const [path, item] of Object.entries(paths)) {
    const [method, ...others] = Object.keys(item as Json)
    t.same([method, others], [path.startsWith('/labs') ? 'post' : 'get', []], path)
    const responses = at(item, method ?? '', 'responses') as Json
    for (const [code, response] of Object.entries(responses)) {
      t.match(code, /^[2-5]\d\d$/)
      t.type(at(response, 'description'), 'string', `${path} ${code} has the description that the format demands`)
    }
    t.ok(responses['200'])
  }
  t.end()
})

void t.test('every reference resolves, and the schemas accept what is sent and answered', async (t) => {
  const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)
  for (const [, reference = ''] of references) {
    t.match(reference, /^#\//)
    t.ok(at(document, ...reference.split('/').slice(1)), reference)
  }
  const ajv = new Ajv2020({ strict: false })
  ajv.addSchema(document, 'openapi')
  const operation = ['paths', '/labs/sync', 'post']
  const media = ['content', 'application/json', 'schema']
  const validator = (...keys: string[]): ReturnType<typeof ajv.compile> => {
    const pointer = keys.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
    return ajv.compile({ $ref: `openapi#/${pointer}` })
  }
  const isRequest = validator(...operation, 'requestBody', ...media)
  const isAnswer = validator(...operation, 'responses', '200', ...media)
  const isError = validator(...operation, 'responses', '400', ...media)

  const call = async (body: unknown): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' }
    return (await app.inject({ method: 'POST', url: '/labs/sync', payload: JSON.stringify(body), headers })).json()
  }
  t.ok(isRequest(labRequest()), ajv.errorsText(isRequest.errors))
  t.notOk(isRequest({ ...labRequest(), parent: null }))
  const answer = await call(labRequest())
  t.ok(isAnswer(answer), ajv.errorsText(isAnswer.errors))
  t.notOk(isAnswer({ ...(answer as Json), finalized: true }), 'answers are closed')
  t.ok(isError(await call(null)))
  t.notOk(isAnswer(await call(null)))
})
