import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { buildControlPlane } from './builder.ts'
import type { ControlPlane } from './builder.ts'
import { until } from './until.ts'

/**
 * A `go` that compiles nothing: each build writes its targets as empty files, after what FAKE_GO tells it to do. It
 * notes every build in a file, so that tests can count them.
 */
const fakeGo = `#!/bin/sh
here=\${0%/*}
case "$1" in
env)
  [ -z "$FAKE_ENV_ERROR" ] || { echo "$FAKE_ENV_ERROR" >&2; exit 1; }
  printf '%s\\n' "\${FAKE_VERSION:-go1.26.8}" linux amd64;;
list) echo "$here/kwok-module";;
-C)
  echo "$2" >>"$here/builds"
  eval "$FAKE_GO"
  while [ "$1" != -o ]; do shift; done
  target=$2
  shift 2
  case "$target" in
  */) for package; do echo >"$target\${package##*/}"; done;;
  *) echo >"$target";;
  esac;;
esac
`

const stages = [
  'node/fast/node-initialize',
  'node/heartbeat-with-lease/node-heartbeat-with-lease',
  'pod/fast/pod-ready',
  'pod/fast/pod-complete',
]

/** A cache folder and a machine with the fake Go. */
interface Machine {
  cacheHome: string
  folder: string
  env: NodeJS.ProcessEnv
  lines: string[]
  build: (env?: NodeJS.ProcessEnv) => Promise<ControlPlane>
  /** What is in the cache folder. */
  entries: () => string[]
  /** Modules compiled so far. */
  builds: () => string[]
}

function machine(t: Test): Machine {
  const root = mkdtempSync(join(tmpdir(), 'builder-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const bin = join(root, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'go'), fakeGo, { mode: 0o755 })
  for (const stage of stages) {
    const file = join(bin, 'kwok-module', 'kustomize', 'stage', `${stage}.yaml`)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, `name: ${stage}`)
  }
  const cacheHome = join(root, 'cache')
  const folder = join(cacheHome, 'kaspr-metacontroller', 'control-plane')
  const env = { PATH: `${bin}:${process.env['PATH']}` }
  const lines: string[] = []
  const noted = join(bin, 'builds')
  return {
    cacheHome,
    folder,
    env,
    lines,
    build: (more = {}) =>
      buildControlPlane({ cacheHome, env: { ...env, ...more }, report: (line) => lines.push(line) }),
    entries: () => (existsSync(folder) ? readdirSync(folder) : []),
    builds: () =>
      existsSync(noted)
        ? readFileSync(noted, 'utf8')
            .trim()
            .split('\n')
            .map((module) => module.replace(/.*\//, ''))
        : [],
  }
}

void t.test('the control plane', async (t) => {
  await t.test('is compiled once, complete or not at all', async (t) => {
    const { build, entries, builds, lines } = machine(t)
    const { dir, stages: files } = await build()
    t.same(readdirSync(dir).sort(), [
      'etcd',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kubectl',
      'kwok',
      'stages',
    ])
    t.same(
      files.map((file) => readFileSync(file, 'utf8')),
      stages.map((stage) => `name: ${stage}`),
    )
    t.match(lines, [/^compiling into .*about 10 min/, /^1\/3 etcd \(usually 1 min\)/, /^1\/3 done in \d+ s$/])
    t.match(lines.at(-1), /^ready in /)
    lines.length = 0
    t.same((await build()).dir, dir)
    t.same(lines, [], 'nothing to say the second time')
    t.same(builds(), ['etcd', 'kubernetes', 'kwok'])
    t.equal(entries().length, 1, 'nothing else is left in the cache')
  })

  await t.test('is another one for another Go', async (t) => {
    const { build } = machine(t)
    const { dir } = await build()
    t.not((await build({ FAKE_VERSION: 'go1.27.0' })).dir, dir)
  })

  await t.test('needs Go, and says which', async (t) => {
    const { build } = machine(t)
    const needs = /need Go 1\.26 or later \(https:\/\/go\.dev\/dl\)$/
    for (const [env, says] of [
      [{ PATH: '/nowhere' }, /^Go is not installed: /],
      [{ FAKE_VERSION: 'go1.9.7' }, /^go1\.9\.7 is too old: /],
      [{ FAKE_ENV_ERROR: 'go: toolchain not available' }, /^go env failed: go: toolchain not available; /],
    ] as const) {
      await t.rejects(build(env), { name: 'BuildError', message: says })
      await t.rejects(build(env), { message: needs })
    }
    await build({ FAKE_VERSION: 'go1.26' })
  })

  await t.test('that does not compile: the first error, and where the log is', async (t) => {
    const { build, entries } = machine(t)
    const output =
      '[ $2 = *etcd ] || { echo "go: downloading x v1"; echo "# k8s.io/x"; echo "x.go:1:2: undefined: y"; exit 1; }'
    const { message } = await build({ FAKE_GO: output }).then(
      () => new Error('it compiled'),
      (error: unknown) => error as Error,
    )
    const [, log = ''] = /^compiling etcd failed: x\.go:1:2: undefined: y \(log: (.*)\)$/.exec(message) ?? []
    t.match(readFileSync(join(log, 'etcd.log'), 'utf8'), 'downloading')
    t.match(entries(), [/\.logs$/], 'only the log is left')
    await build()
    t.notMatch(entries(), [/\.logs$/], 'and is gone after the next build')
  })

  await t.test('that is killed: so it says', async (t) => {
    const { build } = machine(t)
    await t.rejects(build({ FAKE_GO: 'kill -KILL $$' }), { message: /^compiling etcd failed: go ended with SIGKILL/ })
  })

  await t.test('does not fit on the disk', async (t) => {
    const { build, entries, folder } = machine(t)
    const error = {
      name: 'BuildError',
      message: `the disk is full: ${folder} and the Go build cache need about 1.5 GB`,
    }
    await t.rejects(build({ FAKE_GO: 'echo "write /x: no space left on device"; exit 1' }), error)
    t.same(entries(), [])
  })

  await t.test('has no place', async (t) => {
    const { build, cacheHome } = machine(t)
    writeFileSync(cacheHome, 'a file')
    await t.rejects(build(), {
      name: 'BuildError',
      message: /cannot be written .*; XDG_CACHE_HOME names another place$/,
    })
  })
})

void t.test('builders that meet', async (t) => {
  await t.test('work once', async (t) => {
    const { build, builds, lines, entries } = machine(t)
    const env = { FAKE_GO: 'sleep 0.1' }
    const [a, b] = await Promise.all([build(env), build(env)])
    t.equal(a.dir, b.dir)
    t.equal(builds().length, 3)
    t.ok(lines.some((line) => line.startsWith(`waiting for process ${process.pid}, `)))
    t.equal(entries().length, 1)
  })

  const dead = { pid: 2 ** 22 + 1, ageMs: 0 }
  const forgotten = { pid: process.pid, ageMs: 120_000 }
  for (const [name, { pid, ageMs }] of Object.entries({ dead, forgotten })) {
    await t.test(`take over the lock of a ${name} one`, async (t) => {
      const { build, entries, lines } = machine(t)
      const { dir } = await build()
      rmSync(dir, { recursive: true })
      writeFileSync(`${dir}.lock`, `${pid}\n`)
      const then = new Date(Date.now() - ageMs)
      utimesSync(`${dir}.lock`, then, then)
      mkdirSync(`${dir}.partial-old`)
      lines.length = 0
      await build()
      t.match(lines[0], new RegExp(`^taking over the lock of process ${pid}, `))
      t.equal(entries().length, 1, 'with what it left behind')
    })
  }

  await t.test('wait for a living one, and take over when it is killed', async (t) => {
    const { build, builds, env, cacheHome, folder, entries, lines } = machine(t)
    const script = fileURLToPath(new URL('./builder.js', import.meta.url))
    const other = spawn(process.execPath, [script], {
      env: { ...env, XDG_CACHE_HOME: cacheHome, FAKE_GO: 'sleep 60' },
      stdio: 'ignore',
    })
    await until('the other to compile', () => builds().length > 0)
    const mine = build()
    await until('this one to wait', () => lines.some((line) => line.startsWith(`waiting for process ${other.pid}, `)))
    t.match(entries(), [/\.lock$/, /\.partial-/])
    other.kill('SIGKILL')
    const { dir } = await mine
    t.same(
      readdirSync(folder).map((name) => join(folder, name)),
      [dir],
    )
  })
})

void t.test('the command', async (t) => {
  const run = async (env: NodeJS.ProcessEnv): Promise<{ code: number; stdout: string; stderr: string }> => {
    const script = fileURLToPath(new URL('./builder.js', import.meta.url))
    const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (data: Buffer) => (output[name] += String(data)))
    const code = await new Promise<number>((resolve) => child.once('close', resolve))
    return { code, ...output }
  }
  const { env, cacheHome, folder } = machine(t)
  const good = await run({ ...env, XDG_CACHE_HOME: cacheHome })
  t.equal(good.code, 0)
  t.match(good.stdout, new RegExp(`^${folder}/[0-9a-f]{16}\n$`), 'prints the folder')
  const bad = await run({ ...env, XDG_CACHE_HOME: cacheHome, FAKE_VERSION: 'go1.20' })
  t.same([bad.code, bad.stdout], [1, ''])
  t.match(bad.stderr, /^control plane: go1\.20 is too old: [^\n]*\n$/, 'one line')
})
