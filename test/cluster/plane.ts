import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { packagePath } from '../../webhooks/package-root.ts'
import { createClient } from '../../poller/kube/client.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import { claimPodNetwork, freePort } from './addresses.ts'
import type { PodNetwork } from './addresses.ts'
import { AuditLog } from './audit.ts'
import { buildControlPlane } from './builder.ts'
import type { ControlPlane } from './builder.ts'
import { apiServer, controllerManager, etcd, kwok, scheduler } from './components.ts'
import type { Component } from './components.ts'
import { writeCredentials, writeKubeconfig } from './credentials.ts'
import type { ComponentUser, Credentials, Endpoint } from './credentials.ts'
import { cleanEnvironment } from './environment.ts'
import { playKubelet } from './kubelet.ts'
import { createNodes, nodesReady } from './nodes.ts'
import type { Player } from './player.ts'
import { Processes, describeExit } from './processes.ts'
import type { Exit, Running } from './processes.ts'
import { playStorage, storageClass } from './storage.ts'
import { canConnect, isReady } from './ready.ts'
import { until } from './until.ts'

export interface PlaneOptions {
  /** Nodes `node-0`, `node-1`, … that kwok plays; default 1. */
  nodes?: number
  /** False for planes on which no pod is to run; default true. */
  scheduler?: boolean
  /** Part of the folder's name, for telling logs apart; default `plane`. */
  name?: string
}

export interface KubectlOptions {
  /** Standard input, for `-f -`. */
  input?: string
  /** Default: the admin's. */
  kubeconfig?: string
  /** Give the result of a command that fails instead of throwing. */
  allowFailure?: boolean
}

export interface KubectlResult {
  stdout: string
  stderr: string
  code: number
}

/** A running control plane with real components. */
export interface Plane {
  /** For example `https://127.0.0.1:23456`. */
  readonly server: string
  readonly caFile: string
  /** Temporary folder with logs, keys and data; goes away with the plane. */
  readonly dir: string
  /** Path of a kubeconfig in group system:masters; its user is `admin` in the audit log. */
  readonly adminKubeconfig: string
  /** A client of that user. */
  readonly client: KubeClient
  /** Loopback network that pods get their addresses from, for example `127.3.0.0/16`. */
  readonly podNetwork: string
  /** Path of `kubectl`, `kube-apiserver`, `etcd`, … */
  binary(name: string): string
  /** Runs kubectl. Throws with its error text unless `allowFailure`. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>
  /** Path of a kubeconfig with a fresh token (24 h) of an existing ServiceAccount, which may do what its roles allow. */
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>
  audit(): AuditLog
  /** Starts a further process of a test; `env` is added to this process' environment, cleaned of other clusters. */
  spawn(name: string, command: string, args?: readonly string[], env?: Record<string, string>): Running
  /** SIGTERM and, after 5 s, SIGKILL; everything else goes on. */
  stopApiServer(): Promise<Exit>
  /** Starts it again on the same port with the same data; resolves when it is ready. */
  startApiServer(): Promise<void>
  /**
   * Ends everything within seconds and removes the folder. Logs are kept below `.build/logs/` when `failed` (default:
   * `process.exitCode` is set), and the place is printed.
   */
  stop(options?: { failed?: boolean }): Promise<void>
}

/** How long the whole plane may take to get ready on a busy machine. */
const readyLimitMs = 60_000

/**
 * Starts a control plane on free loopback ports in about 3 s: etcd, kube-apiserver (RBAC, audit log),
 * kube-controller-manager, kube-scheduler, and kwok with ready nodes; claims of the default StorageClass `standard` are
 * bound and grow. Compiles it first when needed. Throws with the last log line of a component that ends too early.
 */
export async function startPlane(options: PlaneOptions = {}): Promise<Plane> {
  const controlPlane = await buildControlPlane()
  for (let attempt = 1; ; attempt++) {
    const plane = await prepare(controlPlane, options)
    try {
      await plane.start()
      return plane
    } catch (error) {
      const portTaken = String(error).includes('address already in use') && attempt < 5
      await plane.stop({ failed: !portTaken })
      if (!portTaken) throw error
    }
  }
}

/** What a plane is made of before anything runs. */
interface Parts {
  options: PlaneOptions
  controlPlane: ControlPlane
  dir: string
  keepLogsIn: string
  port: number
  endpoint: Endpoint
  credentials: Credentials
  network: PodNetwork
  processes: Processes
}

async function prepare(controlPlane: ControlPlane, options: PlaneOptions): Promise<LocalPlane> {
  const dir = await mkdtemp(join(tmpdir(), `kaspr-${options.name ?? 'plane'}-`))
  const keepLogsIn = packagePath('.build', 'logs', basename(dir))
  const processes = new Processes(dir, keepLogsIn)
  try {
    const port = await freePort()
    const endpoint = { server: `https://127.0.0.1:${port}`, caFile: join(dir, 'pki', 'apiserver.crt') }
    const [credentials, network] = await Promise.all([writeCredentials(dir, endpoint), claimPodNetwork()])
    return new LocalPlane({ options, controlPlane, dir, keepLogsIn, port, endpoint, credentials, network, processes })
  } catch (error) {
    await processes.end(false)
    throw error
  }
}

class LocalPlane implements Plane {
  readonly server: string
  readonly caFile: string
  readonly dir: string
  readonly adminKubeconfig: string
  readonly podNetwork: string
  readonly client: KubeClient
  readonly #parts: Parts
  readonly #components = new Map<string, Running>()
  readonly #clients: KubeClient[] = []
  readonly #players: Player[] = []
  /** Aborted with the reason when a component ends that should not. */
  readonly #broken = new AbortController()
  #started = false
  #stopped: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.server = parts.endpoint.server
    this.caFile = parts.endpoint.caFile
    this.dir = parts.dir
    this.adminKubeconfig = parts.credentials.kubeconfigs.admin
    this.podNetwork = parts.network.cidr
    this.client = this.#clientOf('admin')
  }

  async start(): Promise<void> {
    const { options, controlPlane, port, credentials, network } = this.#parts
    const { kubeconfigs } = credentials
    // One after the other is fastest: the API server retries etcd, and the controller manager the API server, only
    // once a second.
    this.#launch(etcd())
    await this.#until('etcd to listen', () => canConnect(join(this.dir, 'etcd.sock:0')))
    this.#launch(apiServer(port, credentials))
    await this.#ready()
    this.#launch(controllerManager(kubeconfigs['system:kube-controller-manager'], credentials))
    if (options.scheduler !== false) this.#launch(scheduler(kubeconfigs['system:kube-scheduler']))
    this.#launch(kwok(kubeconfigs.kwok, controlPlane.stages, network.number))
    this.#players.push(playKubelet(this.#clientOf('kubelet')), playStorage(this.#clientOf('storage')))
    const nodes = options.nodes ?? 1
    await Promise.all([
      createNodes(this.client, nodes),
      this.client.request({ method: 'POST', path: '/apis/storage.k8s.io/v1/storageclasses', body: storageClass }),
      // Pods are refused until their namespace has its ServiceAccount.
      this.#answers('/api/v1/namespaces/default/serviceaccounts/default'),
      this.#until('the nodes to be ready', () => nodesReady(this.client, nodes)),
    ])
    this.#started = true
  }

  binary(name: string): string {
    return join(this.#parts.controlPlane.dir, name)
  }

  async kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    const env = {
      ...cleanEnvironment(),
      KUBECONFIG: options.kubeconfig ?? this.adminKubeconfig,
      KUBECACHEDIR: join(this.dir, 'kubectl'),
    }
    const { stdout, stderr, exit } = await this.#parts.processes.run(this.binary('kubectl'), args, env, options.input)
    const code = exit.code ?? -1
    if (code !== 0 && options.allowFailure !== true)
      throw new Error(`kubectl ${args.join(' ')} failed with code ${code}: ${stderr.trim() || stdout.trim()}`)
    return { stdout, stderr, code }
  }

  async serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
    const { status } = await this.client.request<{ status: { token: string } }>({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 86_400 } },
    })
    const file = join(this.dir, `${namespace}.${name}.kubeconfig`)
    await writeKubeconfig(file, this.#parts.endpoint, status.token)
    return file
  }

  audit(): AuditLog {
    return new AuditLog(join(this.dir, 'audit.log'))
  }

  spawn(name: string, command: string, args: readonly string[] = [], env: Record<string, string> = {}): Running {
    return this.#parts.processes.spawn(name, command, args, { ...cleanEnvironment(), ...env })
  }

  async stopApiServer(): Promise<Exit> {
    const running = this.#components.get('kube-apiserver')
    if (running === undefined) throw new Error('the API server is stopped already')
    this.#components.delete('kube-apiserver')
    return running.stop(5_000)
  }

  async startApiServer(): Promise<void> {
    if (this.#components.has('kube-apiserver')) throw new Error('the API server runs already')
    this.#launch(apiServer(this.#parts.port, this.#parts.credentials))
    await this.#ready()
  }

  stop({ failed = Boolean(process.exitCode) }: { failed?: boolean } = {}): Promise<void> {
    this.#stopped ??= this.#stop(failed)
    return this.#stopped
  }

  async #stop(failed: boolean): Promise<void> {
    const { processes, network, keepLogsIn } = this.#parts
    const components = [...this.#components.values()]
    this.#components.clear() // from here on their ends are wanted
    const spawned = processes.running().filter((running) => !components.includes(running))
    await Promise.all(spawned.map((running) => running.stop(5_000)))
    await Promise.all(this.#players.map((player) => player.stop()))
    await Promise.all(this.#clients.map((client) => client.close()))
    // Nothing has to be saved, so nobody is asked. The API server goes before etcd: without etcd it may hang for minutes.
    for (const running of components.reverse()) {
      running.kill('SIGKILL')
      await running.exited
    }
    await processes.end(failed)
    await network.release()
    if (failed) process.stderr.write(`logs of ${basename(this.dir)} are kept in ${keepLogsIn}\n`)
  }

  #launch({ name, args }: Component): void {
    const running = this.#parts.processes.spawn(name, this.binary(name), args, cleanEnvironment())
    this.#components.set(name, running)
    void running.exited.then(() => {
      if (this.#components.get(name) !== running) return // stopped on purpose
      const reason = describeExit(running)
      if (this.#started) process.stderr.write(`${reason}\n`)
      this.#broken.abort(new Error(reason))
    })
  }

  #clientOf(user: ComponentUser): KubeClient {
    const client = createClient({ kubeconfig: this.#parts.credentials.kubeconfigs[user], userAgent: user })
    this.#clients.push(client)
    return client
  }

  /** Waits until a GET succeeds. */
  async #answers(path: string): Promise<void> {
    await this.#until(`GET ${path}`, async () => {
      await this.client.request({ path })
      return true
    })
  }

  /** Waits until the API server says so to an anonymous client, which it does once the default roles exist. */
  async #ready(): Promise<void> {
    await this.#until('the API server to be ready', () => isReady(this.#parts.endpoint))
  }

  async #until<T>(what: string, check: () => Promise<T>): Promise<void> {
    await until(what, check, { limitMs: readyLimitMs, signal: this.#broken.signal })
  }
}
