import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { packagePath } from '../../webhooks/package-root.ts'
import { createClient } from '../../poller/kube/client.ts'
import type { KubeClient } from '../../poller/kube/client.ts'
import { claimPodNetwork } from './addresses.ts'
import type { PodNetwork } from './addresses.ts'
import { AuditLog } from './audit.ts'
import type { ControlPlane } from './builder.ts'
import { apiServer, controllerManager, etcd, kwok, scheduler } from './components.ts'
import type { Component } from './components.ts'
import { writeCredentials, writeKubeconfig } from './credentials.ts'
import type { ComponentUser, Credentials, Endpoint } from './credentials.ts'
import { cleanEnvironment } from './environment.ts'
import { playKubelet } from './kubelet.ts'
import { createNodes, nodesReady } from './nodes.ts'
import type { KubectlOptions, KubectlResult, Plane, PlaneOptions } from './plane.ts'
import type { Player } from './player.ts'
import { Processes, describeExit } from './processes.ts'
import type { Exit, Running } from './processes.ts'
import { canConnect, isReady } from './ready.ts'
import { playStorage, storageClass } from './storage.ts'
import { until } from './until.ts'

/** How long the whole plane may take to get ready on a busy machine. */
const readyLimitMs = 60_000

/** What a plane is made of before anything runs. */
interface Parts {
  options: PlaneOptions
  controlPlane: ControlPlane
  dir: string
  keptLogs: string
  port: number
  endpoint: Endpoint
  credentials: Credentials
  network: PodNetwork
  processes: Processes
}

/** The plane of plane.ts: processes on this machine. */
export class LocalPlane implements Plane {
  readonly server: string
  readonly caFile: string
  readonly dir: string
  readonly adminKubeconfig: string
  readonly podNetwork: string
  readonly client: KubeClient
  /** Where logs go when something has failed. */
  readonly keptLogs: string
  readonly #parts: Parts
  readonly #components = new Map<string, Running>()
  readonly #clients: KubeClient[] = []
  readonly #players: Player[] = []
  /** Aborted with the reason when a component ends that should not. */
  readonly #broken = new AbortController()
  #started = false
  #stopped: Promise<void> | undefined

  /** A plane with its folder, keys and addresses; nothing of it runs yet. */
  static async prepare(controlPlane: ControlPlane, options: PlaneOptions, port: number): Promise<LocalPlane> {
    const dir = await mkdtemp(join(tmpdir(), `kaspr-${options.name ?? 'plane'}-`))
    const keptLogs = packagePath('.build', 'logs', basename(dir))
    const processes = new Processes(dir, keptLogs)
    try {
      const endpoint = { server: `https://127.0.0.1:${port}`, caFile: join(dir, 'pki', 'apiserver.crt') }
      const [credentials, network] = await Promise.all([writeCredentials(dir, endpoint), claimPodNetwork()])
      return new LocalPlane({ options, controlPlane, dir, keptLogs, port, endpoint, credentials, network, processes })
    } catch (error) {
      await processes.end(false)
      throw error
    }
  }

  private constructor(parts: Parts) {
    this.#parts = parts
    this.server = parts.endpoint.server
    this.caFile = parts.endpoint.caFile
    this.dir = parts.dir
    this.keptLogs = parts.keptLogs
    this.adminKubeconfig = parts.credentials.kubeconfigs.admin
    this.podNetwork = parts.network.cidr
    this.client = this.#clientOf('admin')
  }

  /** Starts everything and waits until it is ready. Throws at once when a component ends. */
  async start(): Promise<void> {
    try {
      await this.#startAll()
    } catch (error) {
      this.#broken.signal.throwIfAborted() // that is why
      throw error
    }
  }

  async #startAll(): Promise<void> {
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

  components(): Running[] {
    return [...this.#components.values()]
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
    const { processes, network } = this.#parts
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
    if (failed) process.stderr.write(`logs of ${basename(this.dir)} are kept in ${this.keptLogs}\n`)
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
