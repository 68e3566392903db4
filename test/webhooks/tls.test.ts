import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Server } from 'node:https'
import { connect, type ConnectionOptions, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { readSettings, SettingsError } from '../../webhooks/environment.ts'
import { createLogger } from '../../webhooks/logging.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { hookSettings } from '../../webhooks/settings.ts'
import { followTls, readTls } from '../../webhooks/tls.ts'
import { get, listen, post } from './client.ts'
import { labRequest, labServer } from './lab.ts'
import { until } from './until.ts'

const path = (name: string): string => packagePath('test', 'webhooks', 'certificates', name)
const file = (name: string): Buffer => readFileSync(path(name))
const ca = file('ca.pem')
const client = { cert: file('client.pem'), key: file('client.key') }
const stranger = { cert: file('stranger.pem'), key: file('stranger.key') }
const serverFiles = { TLS_CERT: path('server.pem'), TLS_KEY: path('server.key') }

async function started(t: Test, env: Record<string, string>): Promise<{ app: FastifyInstance; port: number }> {
  const { app } = await labServer({ ...serverFiles, ...env })
  t.teardown(() => app.close())
  return { app, port: await listen(app) }
}

void t.test('with a certificate, the service speaks TLS 1.2 and newer, and no plain HTTP', async (t) => {
  const { port } = await started(t, {})
  t.match(await post(port, '/labs/sync', labRequest(), { ca, agent: false }), { status: 200 })
  t.match(await post(port, '/labs/sync', labRequest(), { ca, agent: false, maxVersion: 'TLSv1.2' }), { status: 200 })
  const old = { ca, agent: false, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  await t.rejects(post(port, '/labs/sync', labRequest(), old), { message: /protocol.version/i })
  await t.rejects(post(port, '/labs/sync', labRequest()), { code: 'ECONNRESET' })
})

void t.test('with TLS_CLIENT_CA, hook calls need a certificate of that authority; probes need none', async (t) => {
  const { port } = await started(t, { TLS_CLIENT_CA: path('ca.pem') })
  const refused = { status: 401, body: /^\{"error":"a client certificate .* is needed"\}$/ }
  t.match(await post(port, '/labs/sync', labRequest(), { ca, agent: false }), refused, 'none')
  t.match(await post(port, '/labs/sync', labRequest(), { ca, agent: false, ...stranger }), refused, 'a stranger')
  t.match(await post(port, '/labs/sync', labRequest(), { ca, agent: false, ...client }), { status: 200 })
  for (const probe of ['/healthz', '/readyz', '/metrics']) {
    t.match(await get(port, probe, { ca, agent: false }), { status: 200 }, `${probe} as a kubelet asks`)
  }
})

void t.test('a resumed TLS 1.3 session without certificate does not pass for one with it', async (t) => {
  const { app, port } = await started(t, { TLS_CLIENT_CA: path('ca.pem') })
  const resumed: boolean[] = []
  app.server.on('secureConnection', (socket: TLSSocket) => resumed.push(socket.isSessionReused()))
  const options: ConnectionOptions = { host: '127.0.0.1', port, ca, minVersion: 'TLSv1.3' }

  const first = connect(options)
  const [session] = (await once(first, 'session')) as [Buffer]
  first.destroy()
  const answer = await post(port, '/labs/sync', labRequest(), { ca, agent: false, session, minVersion: 'TLSv1.3' })
  t.same(resumed, [false, true])
  t.equal(answer.status, 401, 'though Node 20 and 22 call the socket authorized')

  // A session that was made with a certificate may be resumed.
  const known = connect({ ...options, ...client })
  const [good] = (await once(known, 'session')) as [Buffer]
  known.destroy()
  const welcome = await post(port, '/labs/sync', labRequest(), {
    ca,
    agent: false,
    session: good,
    minVersion: 'TLSv1.3',
  })
  t.equal(welcome.status, 200)
})

void t.test('token and client certificate are both needed when both are set', async (t) => {
  const { port } = await started(t, { TLS_CLIENT_CA: path('ca.pem'), HOOK_TOKEN: 'abc' })
  const headers = { authorization: 'Bearer abc' }
  const status = async (options: Parameters<typeof post>[3]): Promise<number> =>
    (await post(port, '/labs/sync', labRequest(), { ca, agent: false, ...options })).status
  t.equal(await status({ headers }), 401)
  t.equal(await status(client), 401)
  t.equal(await status({ ...client, headers }), 200)
})

void t.test('unusable files stop the start and are named', (t) => {
  const problems = (env: Record<string, string>): [variable: string, given: string | undefined][] => {
    try {
      readTls(readSettings(hookSettings, env))
      return []
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error
      return error.problems.map(({ variable, given }) => [variable, given])
    }
  }
  const quoted = (name: string): string => JSON.stringify(name)
  t.same(problems(serverFiles), [])
  t.same(problems({ TLS_CERT: '/none/a', TLS_KEY: '/none/b' }), [
    ['TLS_CERT', quoted('/none/a')],
    ['TLS_KEY', quoted('/none/b')],
  ])
  t.same(
    problems({ ...serverFiles, TLS_KEY: path('client.key') }).map(([variable]) => variable),
    ['TLS_CERT', 'TLS_KEY'],
    'a key that belongs to another certificate',
  )
  t.same(problems({ ...serverFiles, TLS_CLIENT_CA: path('README.md') }).length, 3, 'authorities that are none')
  t.end()
})

void t.test('renewed files are taken over while the service runs; ones that do not fit are not', async (t) => {
  const folder = t.testdir()
  const copy = (name: string): void => {
    copyFileSync(path(`${name}.pem`), join(folder, 'tls.crt'))
    copyFileSync(path(`${name}.key`), join(folder, 'tls.key'))
  }
  copy('server')
  const files = { TLS_CERT: join(folder, 'tls.crt'), TLS_KEY: join(folder, 'tls.key') }
  const { app, port } = await started(t, files)
  let taken = 0
  const server = {
    setSecureContext(context: SecureContextOptions): void {
      taken += 1
      if (app.server instanceof Server) app.server.setSecureContext(context)
    },
  }
  const errors: string[] = []
  const log = createLogger('error', { write: (line) => void errors.push(line) })
  t.teardown(followTls(server, readSettings(hookSettings, files), log, 5))
  t.match(await get(port, '/healthz', { ca, agent: false }), { status: 200 })

  writeFileSync(files.TLS_KEY, 'half written')
  await until(() => errors.length > 0)
  t.match(errors[0], /the old ones stay/)
  t.match(await get(port, '/healthz', { ca, agent: false }), { status: 200 })

  copy('stranger')
  await until(() => taken > 0)
  await t.rejects(
    get(port, '/healthz', { ca, agent: false }),
    'the old authority does not vouch for the new certificate',
  )
  t.match(await get(port, '/healthz', { ca: stranger.cert, agent: false }), { status: 200 })
  t.equal(taken, 1, 'files that stay as they are are not taken over again')
})
