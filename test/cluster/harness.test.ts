import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { claimPodNetwork, freePort } from './addresses.ts'
import { AuditLog } from './audit.ts'
import { cleanEnvironment } from './environment.ts'
import { lastRelevantLine } from './log-lines.ts'
import { until } from './until.ts'

function tempFile(t: Test, name: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'harness-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  return join(dir, name)
}

void t.test('the audit log', async (t) => {
  const line = (fields: object): string =>
    JSON.stringify({
      kind: 'Event',
      stage: 'ResponseComplete',
      verb: 'update',
      user: { username: 'ana' },
      userAgent: 'test/1',
      objectRef: { resource: 'statefulsets', namespace: 'ns', name: 'web', apiGroup: 'apps', subresource: 'status' },
      responseStatus: { code: 200 },
      stageTimestamp: '2026-11-21T12:00:00.000000Z',
      ...fields,
    }) + '\n'

  await t.test('gives what came after a mark, each request once', async (t) => {
    const file = tempFile(t, 'audit.log')
    writeFileSync(file, line({ user: { username: 'earlier' } }))
    const log = new AuditLog(file)
    const mark = await log.mark()
    t.same(await log.since(mark), [])
    appendFileSync(file, line({}))
    appendFileSync(file, line({ verb: 'watch', stage: 'ResponseStarted', objectRef: { resource: 'pods' } }))
    appendFileSync(file, line({ verb: 'watch', stage: 'ResponseComplete', objectRef: { resource: 'pods' } }))
    appendFileSync(
      file,
      line({ verb: 'get', stage: 'ResponseStarted', objectRef: { resource: 'pods', subresource: 'log' } }),
    )
    appendFileSync(
      file,
      line({ verb: 'create', objectRef: { resource: 'pods', namespace: 'ns' }, responseStatus: { code: 403 } }),
    )
    appendFileSync(file, line({}).slice(0, 40))
    const entries = await log.since(mark)
    t.same(entries[0], {
      user: 'ana',
      verb: 'update',
      group: 'apps',
      resource: 'statefulsets',
      subresource: 'status',
      namespace: 'ns',
      name: 'web',
      code: 200,
      time: '2026-11-21T12:00:00.000000Z',
      userAgent: 'test/1',
    })
    t.same(
      entries.slice(1).map(({ verb, group, resource, name, code }) => [verb, group, resource, name, code]),
      [
        ['watch', '', 'pods', '', 200],
        ['create', '', 'pods', '', 403],
      ],
    )
  })

  await t.test('reads only what is asked for', async (t) => {
    const file = tempFile(t, 'audit.log')
    writeFileSync(file, 'this part is never parsed, it would be found\n'.repeat(100_000))
    const log = new AuditLog(file)
    const mark = await log.mark()
    appendFileSync(file, line({}))
    t.equal((await log.since(mark)).length, 1)
  })
})

void t.test('addresses', { skip: process.platform !== 'linux' && 'needs all of 127.0.0.0/8' }, async (t) => {
  const [a, b] = [await claimPodNetwork(), await claimPodNetwork()]
  t.teardown(() => Promise.all([a.release(), b.release()]))
  t.not(a.number, b.number, 'two planes have two networks')
  t.equal(a.cidr, `127.${a.number}.0.0/16`)

  const port = await freePort()
  const server = createServer().listen(port, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  server.close()
  t.ok(port < 32_768, 'below the ports of outgoing connections')
})

void t.test('waiting', async (t) => {
  let asked = 0
  t.equal(
    await until('the third answer', () => (++asked < 3 ? undefined : `answer ${asked}`), { everyMs: 1 }),
    'answer 3',
  )
  const soon = { limitMs: 20, everyMs: 1 }
  await t.rejects(
    until('pigs to fly', () => 0, soon),
    { message: 'waited 0.02 s for pigs to fly; last seen: 0' },
  )
  const refuse = (): never => {
    throw new Error('connection refused')
  }
  await t.rejects(until('an answer', refuse, soon), { message: /last seen: connection refused$/ })
  const broken = new AbortController()
  setTimeout(() => broken.abort(new Error('etcd exited')), 10)
  await t.rejects(until('an answer', refuse, { limitMs: 60_000, signal: broken.signal }), { message: 'etcd exited' })
})

void t.test('the last relevant line of a log', (t) => {
  const table: [name: string, log: string, line: string][] = [
    ['empty', '', ''],
    ['nothing special', 'one\ntwo\n\n', 'two'],
    ['klog error before shutdown messages', 'I1121 a\nE1121 12:00 bad flag\nI1121 bye\n', 'E1121 12:00 bad flag'],
    ['JSON level', '{"level":"fatal","msg":"no"}\n{"level":"info"}\n', '{"level":"fatal","msg":"no"}'],
    ['Go flags', 'Error: unknown flag: --x\nUsage:\n  kwok [flags]\n', 'Error: unknown flag: --x'],
    ['Go panic', 'panic: no: no\n\ngoroutine 1 [running]:\nmain.main()\n', 'panic: no: no'],
    ['Node', 'TypeError: x is not a function\n    at y (z.js:1)\n\nNode.js v20\n', 'TypeError: x is not a function'],
    ['long', `${'x\n'.repeat(100_000)}Error: late\n`, 'Error: late'],
  ]
  const file = tempFile(t, 'x.log')
  for (const [name, log, line] of table) {
    writeFileSync(file, log)
    t.equal(lastRelevantLine(file), line, name)
  }
  t.equal(lastRelevantLine(`${file}.missing`), '')
  t.end()
})

void t.test('the environment of a plane', (t) => {
  const env = {
    PATH: '/bin',
    KUBECONFIG: 'x',
    KUBERNETES_SERVICE_HOST: 'x',
    NODE_TEST_CONTEXT: 'x',
    TAP: '1',
    HOME: '/',
  }
  t.same(cleanEnvironment(env), { PATH: '/bin', HOME: '/' })
  t.end()
})
