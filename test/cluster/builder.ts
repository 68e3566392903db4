import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, statfs } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { packagePath } from '../../webhooks/package-root.ts'
import { isMain } from './is-main.ts'
import { withLock } from './lock.ts'
import { Processes } from './processes.ts'

/** A compiled control plane: its folder holds one binary per component and `stages/` for kwok. */
export interface ControlPlane {
  dir: string
  /** kwok's stage files, in the order to load them. */
  stages: string[]
}

/** What a person can mend: no Go, an old one, no space, a compile error. The message is one line. */
export class BuildError extends Error {
  override name = 'BuildError'
}

/** One `go build` of the control plane; `usually` is what it takes on two cores when nothing is cached. */
interface Step {
  module: string
  what: string
  packages: string[]
  usually: string
}

const steps: Step[] = [
  { module: 'etcd', what: 'etcd', packages: ['go.etcd.io/etcd/server/v3'], usually: '1 min' },
  {
    module: 'kubernetes',
    what: 'kube-apiserver, kube-controller-manager, kube-scheduler and kubectl',
    packages: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'].map(
      (name) => `k8s.io/kubernetes/cmd/${name}`,
    ),
    usually: '5 min',
  },
  { module: 'kwok', what: 'kwok', packages: ['sigs.k8s.io/kwok/cmd/kwok'], usually: '2 min' },
]

/**
 * Stages of kwok that planes load. Not `pod-delete`: it deletes by name (kubelet.ts). Not the volume ones: they bind
 * claims by themselves, while storage.ts leaves binding to kube-controller-manager as a real provisioner does.
 */
const stages = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
]

/** Bytes that the finished binaries need, and what compiling takes on the way when nothing is cached. */
const neededBytes = 1.5e9

/** Changes here, like changes of the modules or of Go, give a new folder. */
const recipe = JSON.stringify([steps, stages, 1])

export interface BuildOptions {
  /** Default `$XDG_CACHE_HOME` or `~/.cache`. */
  cacheHome?: string
  /** Where the Go command is looked for; default `$PATH`. */
  env?: NodeJS.ProcessEnv
  /** One line of progress each; default standard error. */
  report?: (line: string) => void
}

/**
 * The control plane of the versions pinned below `tools/`, compiled once per version and machine; milliseconds when it
 * is there. Processes that come at the same time wait for the first. Throws BuildError.
 */
export async function buildControlPlane(options: BuildOptions = {}): Promise<ControlPlane> {
  const env = options.env ?? process.env
  const report = options.report ?? ((line: string) => process.stderr.write(`control plane: ${line}\n`))
  const folder = join(options.cacheHome ?? cacheHome(env), 'kaspr-metacontroller', 'control-plane')
  const dir = join(folder, await cacheKey(env))
  const controlPlane = { dir, stages: stages.map((stage) => join(dir, 'stages', stage.replace(/.*\//, ''))) }
  if (existsSync(dir)) return controlPlane
  try {
    await mkdir(folder, { recursive: true })
    await withLock(`${dir}.lock`, report, async () => {
      if (!existsSync(dir)) await build(dir, env, report)
    })
  } catch (error) {
    throw buildError(error, folder)
  }
  return controlPlane
}

/** `$XDG_CACHE_HOME` when it is absolute, as the XDG specification wants, else `~/.cache`. */
function cacheHome(env: NodeJS.ProcessEnv): string {
  const { XDG_CACHE_HOME: xdg = '' } = env
  return isAbsolute(xdg) ? xdg : join(homedir(), '.cache')
}

const toolsDir = (module: string): string => packagePath('test', 'cluster', 'tools', module)

/** Hash over everything that decides what comes out. */
async function cacheKey(env: NodeJS.ProcessEnv): Promise<string> {
  const files = await Promise.all(
    steps.flatMap(({ module }) => ['go.mod', 'go.sum'].map((file) => readFile(join(toolsDir(module), file), 'utf8'))),
  )
  const go = await goVersion(env, requiredGo(files))
  return createHash('sha256')
    .update(JSON.stringify([recipe, go, files]))
    .digest('hex')
    .slice(0, 16)
}

/** Newest `go` line of the modules. */
function requiredGo(files: string[]): string {
  const versions = files.flatMap((text) => /^go (\d+\.\d+)/m.exec(text)?.[1] ?? [])
  return versions.sort((a, b) => compareVersions(a, b)).at(-1) ?? '1.26'
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

async function goVersion(env: NodeJS.ProcessEnv, required: string): Promise<string> {
  const hint = `the cluster tests compile a Kubernetes control plane and need Go ${required} or later (https://go.dev/dl)`
  let output
  try {
    output = await promisify(execFile)('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH'], {
      env,
      cwd: toolsDir('kubernetes'),
    })
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') throw new BuildError(`Go is not installed: ${hint}`)
    throw new BuildError(`go env failed: ${firstErrorLine(stderr) || String(code)}; ${hint}`)
  }
  const [version = ''] = output.stdout.split('\n')
  if (compareVersions(version.replace(/^go/, ''), required) < 0) throw new BuildError(`${version} is too old: ${hint}`)
  return output.stdout
}

async function build(dir: string, env: NodeJS.ProcessEnv, report: (line: string) => void): Promise<void> {
  await removeLeftovers(dir)
  const { bavail, bsize } = await statfs(join(dir, '..'))
  if (bavail * bsize < neededBytes) throw Object.assign(new Error(), { code: 'ENOSPC' })
  report(`compiling into ${dir}; this happens once per version, about 10 min (seconds with a warm Go build cache)`)
  const work = await mkdtemp(`${dir}.partial-`)
  const processes = new Processes(work, `${dir}.logs`)
  try {
    const out = join(work, 'out')
    await mkdir(join(out, 'stages'), { recursive: true })
    for (const [index, step] of steps.entries()) await compile(step, index, { processes, out, env, report })
    await copyStages(out, env)
    await rename(out, dir)
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    await processes.end(true)
    throw new BuildError(`${error.message} (log: ${dir}.logs)`)
  } finally {
    await processes.end(false)
  }
  report(`ready in ${dir}`)
}

/** Folders and logs of builders that were killed; the lock says that none is at work now. */
async function removeLeftovers(dir: string): Promise<void> {
  const folder = join(dir, '..')
  const names = await readdir(folder)
  const stale = names.filter(
    (name) => join(folder, name).startsWith(`${dir}.partial-`) || `${dir}.logs` === join(folder, name),
  )
  await Promise.all(stale.map((name) => rm(join(folder, name), { recursive: true, force: true })))
}

interface Workplace {
  processes: Processes
  out: string
  env: NodeJS.ProcessEnv
  report: (line: string) => void
}

async function compile(step: Step, index: number, { processes, out, env, report }: Workplace): Promise<void> {
  report(`${index + 1}/${steps.length} ${step.what} (usually ${step.usually}) …`)
  const started = Date.now()
  const ldflags = ['-s', '-w', ...(step.module === 'kubernetes' ? await versionFlags() : [])].join(' ')
  // `-o` names the file for etcd, whose package folder is called server.
  const target = step.packages.length === 1 ? join(out, step.module) : `${out}/`
  const args = ['-C', toolsDir(step.module), 'build', '-trimpath', '-ldflags', ldflags, '-o', target, ...step.packages]
  // Go's own temporary folders stay behind when it is killed; here they go with the rest.
  const running = processes.spawn(step.module, 'go', args, { ...env, CGO_ENABLED: '0', GOTMPDIR: processes.dir })
  const exit = await running.exited
  if (exit.code !== 0) {
    const log = await readFile(running.logFile, 'utf8')
    if (log.includes('no space left on device')) throw Object.assign(new Error(), { code: 'ENOSPC' })
    throw new BuildError(
      `compiling ${step.module} failed: ${firstErrorLine(log) || `go ended with ${exit.signal ?? `code ${exit.code}`}`}`,
    )
  }
  report(`${index + 1}/${steps.length} done in ${Math.round((Date.now() - started) / 1000)} s`)
}

/** What Kubernetes' own build stamps into its binaries; without it they call themselves v0.0.0-master. */
async function versionFlags(): Promise<string[]> {
  const goMod = await readFile(join(toolsDir('kubernetes'), 'go.mod'), 'utf8')
  const [, version = 'v0.0.0', major = '', minor = ''] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/.exec(goMod) ?? []
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' }
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) =>
    Object.entries(values).map(([name, value]) => `-X=${path}.${name}=${value}`),
  )
}

async function copyStages(out: string, env: NodeJS.ProcessEnv): Promise<void> {
  const args = ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kwok']
  const { stdout } = await promisify(execFile)('go', args, { env, cwd: toolsDir('kwok') })
  const from = join(stdout.trim(), 'kustomize', 'stage')
  await Promise.all(stages.map((stage) => copyFile(join(from, stage), join(out, 'stages', stage.replace(/.*\//, '')))))
}

/** The first line of Go's output that is an error: not a download, not the heading of a package. */
function firstErrorLine(log: string): string {
  const lines = log.split('\n').map((line) => line.trim())
  return (lines.find((line) => line !== '' && !/^(go: (downloading|finding)|#) /.test(line)) ?? '').slice(0, 300)
}

function buildError(error: unknown, folder: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new BuildError(
      `the disk is full: ${folder} and the Go build cache need about ${neededBytes / 1e9} GB, 5 GB when nothing is cached`,
    )
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOTDIR')
    return new BuildError(`${folder} cannot be written (${message}); XDG_CACHE_HOME names another place`)
  return error
}

if (isMain(import.meta.url)) {
  try {
    console.log((await buildControlPlane()).dir)
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    process.stderr.write(`control plane: ${error.message}\n`)
    process.exitCode = 1
  }
}
