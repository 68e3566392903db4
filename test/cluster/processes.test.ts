import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { isAlive } from './alive.ts'
import { Processes, describeExit } from './processes.ts'
import { until } from './until.ts'

const env = { PATH: process.env['PATH'] }

/** Whether a process runs. One that was killed counts as gone although nobody has asked for its end yet. */
function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return process.platform !== 'linux' && isAlive(pid)
  }
}

/** A folder for kept logs, and processes that go with the test. */
function start(t: Test): { processes: Processes; kept: string } {
  const kept = join(mkdtempSync(join(tmpdir(), 'kept-')), 'logs')
  const processes = new Processes(mkdtempSync(join(tmpdir(), 'processes-')), kept)
  t.teardown(async () => {
    await processes.end(false)
    rmSync(join(kept, '..'), { recursive: true })
  })
  return { processes, kept }
}

void t.test('a process', async (t) => {
  await t.test('logs to its file and tells how it ended', async (t) => {
    const { processes } = start(t)
    const script =
      'echo starting; echo "E1121 12:00:00.1 1 run.go:72] \\"command failed\\" err=\\"no\\""; echo bye; exit 3'
    const running = processes.spawn('server', 'sh', ['-c', script], env)
    t.same(await running.exited, { code: 3, signal: null })
    t.same(running.exit, { code: 3, signal: null })
    t.match(readFileSync(running.logFile, 'utf8'), 'starting\nE1121')
    t.equal(
      describeExit(running),
      `server exited with code 3: E1121 12:00:00.1 1 run.go:72] "command failed" err="no" (log: ${running.logFile})`,
    )
    t.same(processes.running(), [])
  })

  await t.test('that cannot be run says so', async (t) => {
    const { processes } = start(t)
    const running = processes.spawn('ghost', 'no-such-command', [], env)
    t.equal((await running.exited).code, 127)
    t.match(describeExit(running), /^ghost exited with code 127: .*no-such-command: not found/)
  })

  await t.test('without a word is described too', async (t) => {
    const { processes } = start(t)
    const running = processes.spawn('silent', 'sleep', ['60'], env)
    running.kill('SIGKILL')
    await running.exited
    t.match(describeExit(running), /^silent was killed by SIGKILL: it logged nothing \(log: /)
  })

  await t.test('is killed with all that it started, and leaves nothing when it ends by itself', async (t) => {
    const { processes } = start(t)
    for (const end of ['SIGKILL', 'SIGTERM'] as const) {
      const running = processes.spawn(end, 'sh', ['-c', 'sleep 60 & echo $!; wait'], env)
      const child = Number(await until('the child', () => readFileSync(running.logFile, 'utf8')))
      t.ok(runs(child))
      running.kill(end)
      t.equal((await running.exited).signal, end)
      await until('the child to be gone', () => !runs(child))
    }
  })

  await t.test('is stopped politely first, with a limit', async (t) => {
    const { processes } = start(t)
    const polite = processes.spawn(
      'polite',
      'sh',
      ['-c', 'trap "exit 7" TERM; echo up; while :; do sleep 0.01; done'],
      env,
    )
    const deaf = processes.spawn('deaf', 'sh', ['-c', 'trap "" TERM; echo up; while :; do sleep 0.01; done'], env)
    for (const { logFile } of [polite, deaf]) await until('the trap', () => readFileSync(logFile, 'utf8'))
    t.same(await polite.stop(), { code: 7, signal: null })
    t.same(await deaf.stop(100), { code: null, signal: 'SIGKILL' })
  })

  await t.test('that runs to its end gives its output', async (t) => {
    const { processes } = start(t)
    const output = await processes.run('sh', ['-c', 'cat; echo problem >&2; exit 2'], env, 'input')
    t.same(output, { stdout: 'input', stderr: 'problem\n', exit: { code: 2, signal: null } })
    t.equal((await processes.run('true', [], env, 'x'.repeat(1_000_000))).exit.code, 0, 'it need not read its input')
  })

  await t.test('does not start once its folder is being swept', async (t) => {
    const { processes } = start(t)
    renameSync(join(processes.dir, 'run'), join(processes.dir, 'ended'))
    const running = processes.spawn('late', 'echo', ['started'], env)
    t.same(await running.exited, { code: 125, signal: null })
    t.equal(readFileSync(running.logFile, 'utf8'), '')
  })
})

void t.test('the end of the processes', async (t) => {
  await t.test('kills them, removes the folder and keeps the logs of a failure', async (t) => {
    for (const failed of [false, true]) {
      const { processes, kept } = start(t)
      const running = processes.spawn('server', 'sh', ['-c', 'trap "" TERM; echo hello; sleep 60'], env)
      await until('its log', () => readFileSync(running.logFile, 'utf8'))
      await processes.end(failed)
      t.same(running.exit, { code: null, signal: 'SIGKILL' })
      t.notOk(existsSync(processes.dir))
      t.equal(failed && readFileSync(join(kept, 'server.log'), 'utf8'), failed && 'hello\n')
    }
  })

  const deaths: { name: string; die: string; signal?: NodeJS.Signals; keeps: boolean }[] = [
    { name: 'SIGKILL', die: '', signal: 'SIGKILL', keeps: false },
    { name: 'Ctrl-C', die: '', signal: 'SIGINT', keeps: false },
    { name: 'an uncaught exception', die: 'throw new Error("a bug")', keeps: true },
    { name: 'an exit with an error code', die: 'process.exit(1)', keeps: true },
    { name: 'a regular exit', die: 'process.exit(0)', keeps: false },
  ]
  for (const { name, die, signal, keeps } of deaths) {
    await t.test(`comes with ${name} of their parent`, async (t) => {
      const temp = mkdtempSync(join(tmpdir(), 'parent-'))
      t.teardown(() => rmSync(temp, { recursive: true }))
      const { parent, pids, stderr } = await startParent(temp, die)
      if (signal !== undefined) process.kill(parent, signal)
      await until('everything to be gone', () => !runs(parent) && !pids.some(runs))
      await until('the folder to be gone', () => !existsSync(join(temp, 'plane')))
      t.same(existsSync(join(temp, 'kept')) ? readdirSync(join(temp, 'kept')) : [], keeps ? ['server.log'] : [])
      t.equal(stderr().includes(`logs of plane are kept in ${join(temp, 'kept')}\n`), keeps)
    })
  }
})

/** A Node process with two grandchildren under a watchdog; it runs `die` once they are up. */
async function startParent(
  temp: string,
  die: string,
): Promise<{ parent: number; pids: number[]; stderr: () => string }> {
  const script = `
    import { mkdirSync } from 'node:fs'
    import { Processes } from ${JSON.stringify(new URL('./processes.js', import.meta.url).href)}
    mkdirSync('plane')
    const processes = new Processes(${JSON.stringify(join(temp, 'plane'))}, ${JSON.stringify(join(temp, 'kept'))})
    processes.spawn('server', 'sh', ['-c', 'trap "" TERM INT HUP; sleep 60 & echo $$ $! >../pids; wait'], process.env)
    process.stdin.once('data', () => { ${die} })
  `
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: temp,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const file = join(temp, 'pids')
  const text = await until(
    'the grandchildren',
    () => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n') && readFileSync(file, 'utf8'),
  )
  child.stdin?.write('now\n')
  return { parent: child.pid ?? 0, pids: text.trim().split(' ').map(Number), stderr: () => stderr }
}
