import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import t from 'tap'
import { settingsDocs } from '../../cli/settings-docs.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { get, openCall, post } from '../webhooks/client.ts'
import { labRequest } from '../webhooks/lab.ts'
import { until } from '../webhooks/until.ts'
import { called } from './called.ts'
import { startNode } from './process.ts'

const local = { HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'debug' }

void t.test('arguments: help and version on standard output, errors on the other; exit codes 0, 1, 2', async (t) => {
  const table: [args: string[], code: number, out: RegExp, err: RegExp][] = [
    [['--help'], 0, /^Usage: kaspr-metacontroller <command>[^]*\n {2}serve {2}/, /^$/],
    [['-h'], 0, /^Usage/, /^$/],
    [['help'], 0, /^Usage/, /^$/],
    [['serve', '--help'], 0, /^Usage: kaspr-metacontroller serve\n/, /^$/],
    [['poll', '-h'], 0, /^Usage: kaspr-metacontroller poll\n/, /^$/],
    [['render', '-f', 'x', '--help'], 0, /^Usage: kaspr-metacontroller render -f /, /^$/],
    [['validate', '--help'], 0, /^Usage: kaspr-metacontroller validate -f /, /^$/],
    [['--version'], 0, /^\d+\.\d+\.\d+\S*\n$/, /^$/],
    [[], 2, /^$/, /no command given\nSee kaspr-metacontroller --help\.\n$/],
    [['bogus'], 2, /^$/, /^kaspr-metacontroller: no command "bogus"\n/],
    [['constructor'], 2, /^$/, /no command "constructor"/],
    [['--bogus'], 2, /^$/, /no command "--bogus"/],
    [['serve', '--bogus'], 2, /^$/, /Unknown option '--bogus'/],
    [['serve', 'x'], 2, /^$/, /Unexpected argument 'x'/],
    [['render'], 2, /^$/, /no files given: accepted is -f FILE, -f DIR or -f -\n/],
    [['validate'], 2, /^$/, /no files given/],
    [['render', 'orders.yaml'], 2, /^$/, /Unexpected argument 'orders.yaml'/],
    [['render', '-f', 'x', '-o', 'xml'], 2, /^$/, /-o "xml": accepted is yaml or json\n/],
    [['render', '-f', '-', '--observed', '-'], 2, /^$/, /- is given twice/],
    [['validate', '-f', 'x', '-o', 'json'], 2, /^$/, /Unknown option '-o'/],
    [['validate', '-f', '/none.yaml'], 1, /^$/, /^kaspr-metacontroller: \/none\.yaml: give a file that can be read/],
    [['render', '-f', '/none.yaml'], 1, /^$/, /^kaspr-metacontroller: \/none\.yaml: give a file that can be read/],
  ]
  for (const [args, code, out, err] of table) t.match(await called(args), { code, out, err }, args.join(' ') || 'none')
})

void t.test('wrong settings stop the start, all named at once', async (t) => {
  const { code, err } = await called(['serve'], { PORT: 'http', HOOK_TOKEN: 'bad token', TLS_CERT: 'x' })
  t.equal(code, 1)
  t.same(err.trimEnd().split('\n').sort(), [
    'HOOK_TOKEN=***: give a token of printable ASCII characters without blanks',
    'PORT="http": give an integer, at least 0 and at most 65535',
    'TLS_KEY is not set: give the path of a PEM file, because TLS_CERT is set',
    'kaspr-metacontroller: settings are wrong',
  ])
  t.match(await called(['serve'], { ENV_FILE: '/none' }), { code: 1, err: /ENV_FILE="\/none": give a file/ })
})

void t.test('a socket that cannot be had stops the start and names the setting', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const env = { HOST: '127.0.0.1', LOG_LEVEL: 'silent' }
  const busy = await called(['serve'], { ...env, PORT: String(port) })
  t.match(busy, { code: 1, err: `PORT=${port}: give a port that is free on 127.0.0.1` })
  const foreign = await called(['serve'], { ...env, HOST: '192.0.2.1', PORT: '0' })
  t.match(foreign, { code: 1, err: /HOST=192\.0\.2\.1: give an address of this machine/ })
})

void t.test('serve runs until SIGTERM and then exits with 0', async (t) => {
  const serve = startNode(t, 'cli/main.js', ['serve'], local)
  const port = await serve.port()
  t.match(await get(port, '/healthz'), { status: 200, body: 'ok' })
  serve.kill('SIGTERM')
  t.equal(await serve.exited, 0)
  t.match(serve.stdout(), /"signal":"SIGTERM","msg":"shutting down"/)
  t.equal(serve.stderr(), '')
})

void t.test('H10 SIGTERM with a call in flight: it finishes with 200, new ones get 503, exit code 0', async (t) => {
  const serve = startNode(t, 'test/webhooks/lab-process.js', [], local)
  const port = await serve.port()
  const running = openCall(port, labRequest())
  await until(() => serve.stdout().includes('listening'))
  while (!(await get(port, '/metrics')).body.includes('in_flight 1')) t.comment('waiting for the call to arrive')
  serve.kill('SIGTERM')
  await until(() => serve.stdout().includes('shutting down'))
  t.match(await post(port, '/labs/sync', labRequest()), { status: 503 })
  running.finish()
  t.match(await running.answer, { status: 200 })
  t.equal(await serve.exited, 0)
})

void t.test('a call that never ends does not hold up the end', async (t) => {
  const serve = startNode(t, 'test/webhooks/lab-process.js', [], { ...local, SHUTDOWN_SECONDS: '0.1' })
  const port = await serve.port()
  const stuck = openCall(port, labRequest())
  while (!(await get(port, '/metrics')).body.includes('in_flight 1')) t.comment('waiting for the call to arrive')
  serve.kill('SIGTERM')
  t.equal(await serve.exited, 0)
  await t.rejects(stuck.answer)
})

void t.test('an error that nobody caught ends the process with 1, its calls finished', async (t) => {
  const serve = startNode(t, 'test/webhooks/lab-process.js', [], { ...local, LAB_FAIL: '1' })
  t.equal(await serve.exited, 1)
  t.match(serve.stdout(), /"level":"fatal"[^\n]*nobody caught this/)
})

void t.test('serve loads neither poller nor any client of the outside', async (t) => {
  // At its end, Node writes into this folder which files it has run, of either module system.
  const coverage = t.testdir()
  const serve = startNode(t, 'test/webhooks/lab-process.js', [], { ...local, NODE_V8_COVERAGE: coverage })
  await serve.port()
  serve.kill('SIGTERM')
  t.equal(await serve.exited, 0)
  const loaded = readdirSync(coverage).map((name) => readFileSync(join(coverage, name), 'utf8'))
  for (const expected of ['node_modules/fastify/', 'webhooks/server.js'])
    t.ok(loaded.join('').includes(expected), `sees ${expected}`)
  for (const foreign of ['node_modules/undici/', '@kubernetes/client-node', 'dist/poller/']) {
    t.notOk(loaded.join('').includes(foreign), `no ${foreign}`)
  }
})

void t.test('docs/settings.md is what `npm run generate` makes of the schemas', async (t) => {
  const path = packagePath('docs', 'settings.md')
  const options = { ...(await resolveConfig(path)), filepath: path }
  t.equal(readFileSync(path, 'utf8'), await format(settingsDocs(), options))
})
