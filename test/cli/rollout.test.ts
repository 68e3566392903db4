import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import t from 'tap'
import type { Test } from 'tap'
import { program } from '../../cli/commands.ts'
import { runProgram } from '../../cli/program.ts'
import { rolloutArguments } from '../../cli/rollout.ts'
import type { Live } from '../../cli/rollout/model.ts'
import { openScreen } from '../../cli/rollout/screen.ts'
import { startFakeApi } from '../fakes/api-server.ts'
import type { FakeApi } from '../fakes/api-server.ts'
import { until } from '../webhooks/until.ts'
import { called } from './called.ts'
import { startNode } from './process.ts'
import { pod, states, world } from './rollout-world.ts'

const sets = '/apis/apps/v1/statefulsets'
const pods = '/api/v1/pods'

async function served(t: Test, { set, pods: members }: Live): Promise<FakeApi> {
  const api = await startFakeApi()
  t.teardown(() => api.close())
  api.put(sets, set)
  for (const member of members) api.put(pods, member)
  return api
}

void t.test('arguments: both ways to name the set, and what is wrong', async (t) => {
  const target = { namespace: 'shop', name: 'web' }
  const both = [
    ['-n', 'shop', 'web'],
    ['web', '--namespace', 'shop'],
    ['--namespace', 'shop', '--sts', 'web'],
    ['-n', 'shop', 'sts/web'],
    ['-n', 'shop', 'statefulset/web'],
    ['-n', 'shop', 'statefulset.apps/web'],
  ]
  for (const args of both) {
    t.match(rolloutArguments(args, {}, 'required'), { ...target, once: false, json: false, colour: true })
  }
  const given = (args: string[], env = {}): unknown => rolloutArguments(['-n', 'shop', 'web', ...args], env, 'required')
  t.match(given([], { NO_COLOR: '1' }), { colour: false })
  t.match(given([], { NO_COLOR: '' }), { colour: true })
  t.match(given([], { TERM: 'dumb' }), { colour: false })
  t.match(given(['--no-color']), { colour: false })
  t.match(given(['--kubeconfig', 'a'], { KUBECONFIG: 'b' }), { cluster: { kubeconfig: 'a', context: undefined } })
  t.match(given([], { KUBECONFIG: 'b' }), { cluster: { kubeconfig: undefined, env: { KUBECONFIG: 'b' } } })
  t.match(given(['--context', 'prod']), { cluster: { context: 'prod' } })
  t.match(given(['--delay-seconds', '60']), { delaySeconds: 60 })
  const wrong: [args: string[], err: RegExp][] = [
    [[], /no namespace given: accepted is -n NAMESPACE NAME/],
    [['web'], /no namespace given/],
    [['-n', '', 'web'], /no namespace given/],
    [['--context', 'prod', 'web'], /no namespace given/],
    [['-n', 'shop', 'web', '--context', ''], /--context "": accepted is the name of a context/],
    [['-n', 'shop'], /no StatefulSet given/],
    [['-n', 'shop', 'pod/web-0'], /"pod\/web-0" is no name of a StatefulSet/],
    [['-n', 'shop', 'sts/'], /no StatefulSet given/],
    [['-n', 'shop', 'web', 'api'], /more than one StatefulSet given \(web, api\)/],
    [['-n', 'shop', 'web', '--sts', 'api'], /more than one StatefulSet given/],
    [['-n', 'shop', 'web', '--once', '--json'], /exclude each other/],
    [['-n', 'shop', 'web', '--delay-seconds', '1.5'], /--delay-seconds "1.5": accepted is an integer/],
    [['-n', 'shop', 'web', '--bogus'], /Unknown option '--bogus'/],
  ]
  for (const [args, err] of wrong)
    t.match(await called(['rollout', ...args]), { code: 2, out: /^$/, err }, args.join(' '))
  t.match(await called(['rollout', '--help']), { code: 0, out: /^Usage: kaspr-metacontroller rollout -n /, err: /^$/ })
})

void t.test('--once and --json read the set once and end', async (t) => {
  const api = await served(t, states(16).rolling)
  const args = ['rollout', '-n', 'shop', 'web', '--kubeconfig', api.kubeconfig]
  const once = await called([...args, '--once'])
  t.match(once, { code: 0, err: /^$/ })
  t.match(once.out, /^╭─ Rollout Progress [^]*Status: +Rolling [^]*│ 🚧NEW ⏳ │[^]*╯\n$/)
  const json = await called([...args, '--json'])
  t.match(json, { code: 0, err: /^$/ })
  t.match(JSON.parse(json.out), { ui_state: 'Rolling', new_ready: 6, work_remaining: 10 })
  t.notOk(
    api.requests.some(({ watch, method }) => watch || method !== 'GET'),
    'nothing is watched, nothing is written',
  )
  t.ok(
    api.requests.some(({ query }) => query.get('labelSelector') === 'app=web'),
    'only the pods of the selector',
  )
})

void t.test('--once prints all pods, however many', async (t) => {
  const api = await served(t, states(300).needsAction)
  const { out } = await called(['rollout', '-n', 'shop', 'web', '--kubeconfig', api.kubeconfig, '--once'])
  t.equal(out.match(/🔄/gu)?.length, 298 + 1, 'one of them in the legend')
})

void t.test('what cannot be shown is said in one line, with exit code 1', async (t) => {
  const api = await served(t, world({ strategy: 'RollingUpdate' }))
  const args = (name: string): string[] => ['rollout', '-n', 'shop', name, '--once', '--kubeconfig', api.kubeconfig]
  const status = (code: number): object => ({ kind: 'Status', code, reason: 'X', message: `message of ${code}` })
  t.match(await called(args('none')), {
    code: 1,
    out: /^$/,
    err: /^kaspr-metacontroller: no StatefulSet shop\/none\n$/,
  })
  t.match(await called(args('web')), { code: 1, err: /shop\/web: spec.updateStrategy.type is RollingUpdate/ })
  api.fault = () => ({ status: 403, body: status(403) })
  t.match(await called(args('web')), {
    code: 1,
    err: /no access: get, list and watch of statefulsets in shop are needed/,
  })
  api.fault = ({ path }) => (path.endsWith('/pods') ? { status: 403, body: status(403) } : undefined)
  t.match(await called(args('web')), {
    code: 1,
    err: /no access: get, list and watch of pods in shop.* message of 403\n$/,
  })
  api.fault = () => ({ status: 401, body: status(401) })
  t.match(await called(args('web')), { code: 1, err: /no access: the API server does not accept the credentials/ })
  api.fault = () => ({ status: 500, body: status(500) })
  t.match(await called(args('web')), {
    code: 1,
    err: /the API server answers get, list and watch of statefulsets with 500: message of 500\n$/,
  })
  const nowhere = ['rollout', '-n', 'shop', 'web', '--kubeconfig', '/none/kubeconfig']
  t.match(await called(nowhere), {
    code: 1,
    err: /^kaspr-metacontroller: kubeconfig \/none\/kubeconfig: no such file\n$/,
  })
})

void t.test('without a terminal: a line for each change until SIGTERM', async (t) => {
  const live = states(4).scheduled
  const api = await served(t, live)
  const view = startNode(t, 'cli/main.js', ['rollout', '-n', 'shop', 'web', '--kubeconfig', api.kubeconfig])
  const lines = (): string[] => view.stdout().trimEnd().split('\n')
  await until(() => view.stdout().includes('Scheduled: 4 pods need update, 4 ready on old revision'), 20_000)
  await until(() => api.watches.size === 2)
  api.put(pods, pod(live.set, 3, 'new'))
  await until(() => view.stdout().includes('3 pods need update'))
  api.put(sets, world({ pods: [], annotations: { state: 'done' }, name: 'other' }).set)
  api.put(sets, { ...live.set, spec: { ...(live.set['spec'] as object), updateStrategy: { type: 'RollingUpdate' } } })
  await until(() => view.stdout().includes('spec.updateStrategy.type is RollingUpdate'))
  api.remove(sets, 'shop', 'web')
  await until(() => view.stdout().includes('StatefulSet shop/web is gone'))
  api.put(sets, live.set)
  await until(() => lines().length === 5)
  t.match(lines()[4], /^\d{4}-\d\d-\d\dT[\d:.]+Z shop\/web Scheduled: 3 pods need update/)
  view.kill('SIGTERM')
  t.equal(await view.exited, 0)
  t.equal(view.stderr(), '')
  t.notOk(view.stdout().includes('\x1b'), 'no escape sequences')
})

class FakeTerminal extends EventEmitter {
  readonly isTTY = true
  columns = 80
  rows = 24
  written = ''
  write(text: string): boolean {
    this.written += text
    return true
  }
}

class FakeKeyboard extends EventEmitter {
  readonly isTTY = true
  raw = false
  setRawMode(on: boolean): void {
    this.raw = on
  }
  resume(): void {
    this.emit('resumed')
  }
  pause(): void {
    this.emit('paused')
  }
}

const taken = '\x1b[?1049h\x1b[?25l\x1b[?7l'
const givenBack = '\x1b[?7h\x1b[?25h\x1b[?1049l'

void t.test('on a terminal: live, follows its size, tells when the connection is lost, leaves it clean', async (t) => {
  const live = states(500).rolling
  const api = await served(t, live)
  const [terminal, keyboard] = [new FakeTerminal(), new FakeKeyboard()]
  const stdin = Object.assign(keyboard, { [Symbol.asyncIterator]: () => Readable.from([])[Symbol.asyncIterator]() })
  const args = ['rollout', '-n', 'shop', 'web', '--kubeconfig', api.kubeconfig]
  const stderr = { write: (text: string) => t.fail(text) }
  const ended = runProgram(program, args, { env: {}, stdin, stdout: terminal, stderr })
  await until(() => terminal.written.includes('NEW+Ready 6/500'), 20_000)
  t.ok(terminal.written.startsWith(taken))
  t.ok(keyboard.raw)
  t.ok(terminal.written.includes('\x1b[30;43m'), 'with colours')
  await until(() => api.watches.size === 2)
  api.put(pods, pod(live.set, 499, 'new'))
  await until(() => terminal.written.includes('NEW+Ready 7/500'))
  terminal.written = ''
  Object.assign(terminal, { columns: 40, rows: 10 })
  terminal.emit('resize')
  t.match(terminal.written, /page 1 of (\d+)/)
  keyboard.emit('data', 'n')
  t.match(terminal.written, /page 2 of/)
  keyboard.emit('data', '\x1b[D')
  keyboard.emit('data', 'p')
  t.match(terminal.written, /page (\d+) of \1:/, 'from the first to the last')
  api.fault = () => ({ status: 503, body: 'down' })
  for (const watch of api.watches) watch.cut()
  await until(() => terminal.written.includes('Not up to date (HTTP 503)'))
  api.fault = undefined
  terminal.written = ''
  await until(() => terminal.written.includes('Rolling'), 10_000)
  keyboard.emit('data', '\x03')
  t.equal(await ended, 0)
  t.ok(terminal.written.endsWith(`${givenBack}Bye.\n`))
  t.notOk(keyboard.raw)
  t.equal(terminal.listenerCount('resize') + keyboard.listenerCount('data'), 0)
})

void t.test('the screen: only changed lines are written, and each end of the process gives it back once', async (t) => {
  for (const end of ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtExceptionMonitor', 'exit']) {
    const [terminal, keyboard, process] = [new FakeTerminal(), new FakeKeyboard(), new EventEmitter()]
    const events: string[] = []
    const screen = openScreen(
      terminal,
      keyboard,
      { quit: () => events.push('quit'), turn: (by) => events.push(`turn ${by}`), resize: () => events.push('resize') },
      process,
    )
    screen.draw(['one', 'two', 'three'])
    terminal.written = ''
    screen.draw(['one', 'TWO', 'three'])
    t.equal(terminal.written, '\x1b[?2026h\x1b[2;1H\x1b[2KTWO\x1b[?2026l')
    terminal.written = ''
    screen.draw(['one'])
    t.equal(terminal.written, '\x1b[?2026h\x1b[2;1H\x1b[2K\x1b[3;1H\x1b[2K\x1b[?2026l')
    terminal.written = ''
    screen.draw(['one'])
    t.equal(terminal.written, '')
    terminal.emit('resize')
    screen.draw(['one'])
    t.equal(terminal.written, '\x1b[2J\x1b[?2026h\x1b[1;1H\x1b[2Kone\x1b[?2026l')
    for (const key of ['n', 'p', 'x', 'q']) keyboard.emit('data', Buffer.from(key))
    t.same(events, ['resize', 'turn 1', 'turn -1', 'quit'])
    terminal.written = ''
    process.emit(end)
    if (end.startsWith('SIG')) {
      t.equal(events.at(-1), 'quit', end)
      t.equal(terminal.written, '', 'whoever asked for the screen closes it')
      screen.close()
    }
    t.equal(terminal.written, givenBack, end)
    screen.close()
    screen.draw(['late'])
    t.equal(terminal.written, givenBack, 'once')
    t.notOk(keyboard.raw)
    t.same(process.eventNames(), [])
  }
})
