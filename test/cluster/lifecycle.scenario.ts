import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t from 'tap'
import { freePort } from './addresses.ts'
import { buildControlPlane } from './builder.ts'
import { startPlane } from './plane.ts'
import { until } from './until.ts'

t.setTimeout(120_000)

/** Ids of processes that work in the folder or name it. */
function processesIn(dir: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return command.includes(dir) || (/^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(dir))
    } catch {
      return false
    }
  })
}

void t.test('a plane that is stopped leaves nothing behind', async (t) => {
  const plane = await startPlane({ name: 'stopped' })
  t.teardown(() => plane.stop({ failed: !t.passing() }))
  plane.spawn('deaf', 'sh', ['-c', 'trap "" TERM; sleep 60 & wait; wait'])
  t.ok(processesIn(plane.dir).length > 5)
  const started = performance.now()
  await plane.stop()
  t.ok(performance.now() - started < 10_000, 'within seconds, although a process ignores SIGTERM')
  t.same(processesIn(plane.dir), [])
  t.notOk(existsSync(plane.dir))
})

void t.test('two planes at once share nothing', async (t) => {
  const planes = await Promise.all([startPlane({ name: 'left' }), startPlane({ name: 'right', scheduler: false })])
  const [left, right] = planes
  t.teardown(() => Promise.all(planes.map((plane) => plane.stop({ failed: !t.passing() }))))
  t.not(left.server, right.server)
  t.not(left.podNetwork, right.podNetwork)
  await left.kubectl(['create', 'namespace', 'only-left'])
  t.equal((await right.kubectl(['get', 'namespace', 'only-left'], { allowFailure: true })).code, 1)
})

void t.test('a port that is taken is not insisted on', async (t) => {
  const port = await freePort()
  const server = createServer().listen(port, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  const plane = await startPlane({ name: 'port', port, scheduler: false })
  t.teardown(() => plane.stop({ failed: !t.passing() }))
  t.not(plane.server, `https://127.0.0.1:${port}`)
})

void t.test('a component that ends too early is named at once, with its last words', async (t) => {
  const { dir } = await buildControlPlane()
  const cacheHome = mkdtempSync(join(tmpdir(), 'broken-'))
  const { XDG_CACHE_HOME: before } = process.env
  t.teardown(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME']
    else process.env['XDG_CACHE_HOME'] = before
    rmSync(cacheHome, { recursive: true })
  })
  const copy = join(cacheHome, 'kaspr-metacontroller', 'control-plane', basename(dir))
  mkdirSync(copy, { recursive: true })
  for (const name of readdirSync(dir)) symlinkSync(join(dir, name), join(copy, name))
  rmSync(join(copy, 'kwok'))
  writeFileSync(join(copy, 'kwok'), '#!/bin/sh\necho "Error: no flux" >&2; date +%s; exit 3\n', { mode: 0o755 })
  process.env['XDG_CACHE_HOME'] = cacheHome
  const { message } = await startPlane({ name: 'broken' }).then(
    () => new Error('it started'),
    (error: unknown) => error as Error,
  )
  const [, log = ''] = /^kwok exited with code 3: Error: no flux \(log: (.*)\)$/.exec(message) ?? []
  const endedAt = Number(/^\d+$/m.exec(readFileSync(log, 'utf8'))?.[0])
  t.ok(Date.now() / 1000 - endedAt < 3, `within a second, and one for stopping the others: ${message}`)
  rmSync(join(log, '..'), { recursive: true })
})

void t.test('a test that is killed leaves nothing behind', async (t) => {
  const module = new URL('./plane.js', import.meta.url).href
  const script = `import { startPlane } from '${module}'; console.log((await startPlane({ name: 'killed' })).dir); setInterval(() => {}, 1e6)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const dir = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data: Buffer) => resolve(String(data).trim())),
  )
  t.ok(dir.startsWith(tmpdir()))
  t.ok(processesIn(dir).length > 3)
  child.kill('SIGKILL')
  await until('its processes to go', () => processesIn(dir).length === 0)
  await until('its folder to go', () => !existsSync(dir))
})
