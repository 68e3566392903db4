import { readFile } from 'node:fs/promises'
import { parseAllDocuments } from 'yaml'
import { Informer } from '../../poller/kube/informer.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { startKasprMembers } from '../fakes/kaspr-members.ts'
import type { KasprMembers, KasprMembersOptions } from '../fakes/kaspr-members.ts'
import { freePort } from './addresses.ts'
import { startMetacontroller } from './metacontroller/start.ts'
import type { Metacontroller } from './metacontroller/start.ts'
import { startPlane } from './plane.ts'
import type { Plane, PlaneOptions } from './plane.ts'
import { describeExit } from './processes.ts'
import type { Running } from './processes.ts'
import { until } from './until.ts'

export interface StackOptions extends PlaneOptions {
  /** Poller replicas; default 1. */
  pollers?: number
  /** Settings of hooks and pollers, as environment variables. */
  env?: Record<string, string>
  /** The program that serves hooks, asked at each start; default: this one. For upgrades. */
  hooksProgram?: () => string
  /** Options of the fake members. */
  members?: KasprMembersOptions
}

/** A process of ours: where it is reached, and how it is ended and started again. */
export class Service {
  readonly url: string
  readonly #start: () => Running
  readonly #readyPath: string
  #running: Running

  constructor(url: string, readyPath: string, start: () => Running) {
    this.url = url
    this.#readyPath = readyPath
    this.#start = start
    this.#running = start()
  }

  get running(): Running {
    return this.#running
  }

  /** Resolves when it is ready to work; throws with the last line of its log when it ends before. */
  async ready(): Promise<void> {
    const { name } = this.#running
    const ended = new AbortController()
    void this.#running.exited.then(() => ended.abort(new Error(describeExit(this.#running))))
    const check = async (): Promise<boolean> => (await fetch(`${this.url}${this.#readyPath}`)).ok
    await until(`${name} to be ready`, check, { limitMs: 30_000, signal: ended.signal })
  }

  /** SIGKILL, with no chance to say goodbye. */
  async kill(): Promise<void> {
    this.#running.kill('SIGKILL')
    await this.#running.exited
  }

  /** Starts it again where it was. */
  async restart(): Promise<void> {
    if (this.#running.exit === undefined) await this.#running.stop()
    this.#running = this.#start()
    await this.ready()
  }
}

/** The whole system on a local control plane: our CRDs and roles as shipped, hooks, pollers, Metacontroller, members. */
export interface Stack {
  plane: Plane
  hooks: Service
  pollers: Service[]
  /** The running one; {@link Stack.restartMetacontroller} replaces it. */
  metacontroller: Metacontroller
  members: KasprMembers
  /** All pods, as a watch sees them. */
  pods: Informer
  /** Pods that are gone, in the order of their ends: each once, however often somebody asked for it. */
  endedPods: KubeObject[]
  restartMetacontroller(): Promise<void>
  stop(options?: { failed?: boolean }): Promise<void>
}

/** Starts everything, each part under exactly the rights that deploy/kustomize/base gives it. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const plane = await startPlane(options)
  try {
    return await startStackOn(plane, options)
  } catch (error) {
    await plane.stop({ failed: true })
    throw error
  }
}

/** Starts everything but the control plane, which is there already and ends with the stack. */
export async function startStackOn(plane: Plane, options: Omit<StackOptions, keyof PlaneOptions>): Promise<Stack> {
  const env = { LOG_LEVEL: 'info', ...options.env }
  const hooksPort = await freePort()
  const hooks = new Service(`http://127.0.0.1:${hooksPort}`, '/readyz', () =>
    plane.spawn('hooks', process.execPath, [...nodeFlags, options.hooksProgram?.() ?? program, 'serve'], {
      ...env,
      HOST: '127.0.0.1',
      PORT: String(hooksPort),
    }),
  )
  await install(plane, hooks.url)
  const kubeconfig = await plane.serviceAccountKubeconfig('metacontroller', 'metacontroller')
  const pollers = await startPollers(plane, options.pollers ?? 1, env)
  const members = startKasprMembers(options.members)
  members.followPods(plane.client)
  const endedPods: KubeObject[] = []
  const pods = new Informer({
    client: plane.client,
    path: '/api/v1/pods',
    onEvent: ({ type, object }) => {
      if (type === 'deleted') endedPods.push(object)
    },
  })
  pods.start()
  const start = (): Promise<Metacontroller> => startMetacontroller({ kubeconfig, spawn: plane.spawn.bind(plane) })
  const [metacontroller] = await Promise.all([start(), hooks.ready(), ...pollers.map((poller) => poller.ready())])
  const stack: Stack = {
    plane,
    hooks,
    pollers,
    metacontroller,
    members,
    pods,
    endedPods,
    async restartMetacontroller() {
      stack.metacontroller = await start()
    },
    async stop(how) {
      await Promise.all([members.close(), pods.stop()])
      await plane.stop(how)
    },
  }
  return stack
}

/** Sync calls that the hooks of a stack have answered since their start, of one kind or of all. */
export async function syncCalls({ hooks }: Stack, kind = '[^"]*'): Promise<number> {
  const text = await (await fetch(`${hooks.url}/metrics`)).text()
  const counts = text.matchAll(
    new RegExp(`^kasprop_hook_request_seconds_count\\{hook="sync",kind="${kind}".*\\} (\\d+)$`, 'gm'),
  )
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

const nodeFlags = ['--enable-source-maps']
const program = packagePath('dist', 'cli', 'main.js')

async function startPollers(plane: Plane, count: number, env: Record<string, string>): Promise<Service[]> {
  const kubeconfig = await plane.serviceAccountKubeconfig('kaspr-system', 'kaspr-metacontroller-poller')
  const ports = await Promise.all(Array.from({ length: count }, () => freePort()))
  return ports.map((port, index) => {
    const name = `poller-${index}`
    const own = { KUBECONFIG: kubeconfig, POD_NAME: name, POD_NAMESPACE: 'kaspr-system', METRICS_PORT: String(port) }
    const start = (): Running =>
      plane.spawn(name, process.execPath, [...nodeFlags, program, 'poll'], { ...env, ...own })
    return new Service(`http://127.0.0.1:${port}`, '/readyz', start)
  })
}

/**
 * Applies Metacontroller's CRDs and account, and everything of deploy/kustomize/base but the Deployments: their processes
 * run here. The hooks are reached by URL, which wins over the Service of the manifests.
 */
async function install(plane: Plane, hooksUrl: string): Promise<void> {
  const metacontroller = await readFile(packagePath('test', 'cluster', 'metacontroller', 'crds.yaml'), 'utf8')
  const { stdout } = await plane.kubectl(['kustomize', packagePath('deploy', 'kustomize', 'base')])
  const account = `
apiVersion: v1
kind: Namespace
metadata: { name: metacontroller }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: metacontroller, namespace: metacontroller }
`
  const objects = parseAllDocuments(`${metacontroller}\n---\n${account}\n---\n${stdout}`)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null)
    .filter(({ kind }) => !['Deployment', 'PodDisruptionBudget'].includes(kind))
    .map((object) => withUrl(object, hooksUrl))
  const controllers = objects.filter(({ kind }) => /^(Composite|Decorator)Controller$/.test(kind))
  const others = objects.filter((object) => !controllers.includes(object))
  await apply(plane, others)
  await plane.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
  await apply(plane, controllers)
}

async function apply(plane: Plane, items: readonly KubeObject[]): Promise<void> {
  await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
}

function withUrl(object: KubeObject, hooksUrl: string): KubeObject {
  const { hooks } = (object['spec'] ?? {}) as { hooks?: Record<string, { webhook: { path: string; url?: string } }> }
  for (const { webhook } of Object.values(hooks ?? {})) webhook.url = `${hooksUrl}${webhook.path}`
  return object
}
