import { join } from 'node:path'
import type { KubeClient } from '../../poller/kube/client.ts'
import { freePort } from './addresses.ts'
import type { AuditLog } from './audit.ts'
import { buildControlPlane } from './builder.ts'
import { LocalPlane } from './local-plane.ts'
import type { Exit, Running } from './processes.ts'

export interface PlaneOptions {
  /** Nodes `node-0`, `node-1`, … that kwok plays; default 1. */
  nodes?: number
  /** False for planes on which no pod is to run; default true. */
  scheduler?: boolean
  /** Port of the API server, unless somebody has it; default any free one. */
  port?: number
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
  /** Processes of the plane itself, without those of `spawn`. */
  components(): Running[]
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

/**
 * Starts a control plane on free loopback ports in about 3 s: etcd, kube-apiserver (RBAC, audit log),
 * kube-controller-manager, kube-scheduler, and kwok with ready nodes; claims of the default StorageClass `standard` are
 * bound and grow. Compiles it first when needed. Throws with the last log line of a component that ends too early.
 */
export async function startPlane(options: PlaneOptions = {}): Promise<Plane> {
  const controlPlane = await buildControlPlane()
  let { port = await freePort() } = options
  for (let attempt = 1; ; attempt++) {
    const plane = await LocalPlane.prepare(controlPlane, options, port)
    try {
      await plane.start()
      return plane
    } catch (error) {
      const { message } = error as Error
      const portTaken = message.includes('address already in use') && attempt < 5
      await plane.stop({ failed: !portTaken })
      // The folder has gone; its logs are where the message must lead.
      if (!portTaken) throw new Error(message.replaceAll(join(plane.dir, 'logs'), plane.keptLogs), { cause: error })
      port = await freePort()
    }
  }
}
