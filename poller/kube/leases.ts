import type { BaseLogger } from 'pino'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { KubeClient } from './client.ts'
import { Informer } from './informer.ts'

/** What one replica tells the others through its Lease. */
export interface MemberLease {
  /** Name of the Lease and of the replica; a restarted process takes a new one. */
  member: string
  /** The replica has ended in order and holds nothing. */
  released: boolean
  durationMs: number
  /** Shards it acts on, or is about to. */
  shards: number[]
}

/** A Lease as it was read; the version changes with every renewal. */
export interface ObservedLease extends MemberLease {
  version: string
}

/** Where replicas meet. All reads but `watch` give what is true now, not what was. */
export interface LeaseStore {
  list(timeoutMs: number): Promise<ObservedLease[]>
  /**
   * Writes the Lease if it still has that version (undefined: if it does not exist), and gives the new version.
   * Throws ApiError 409 if it has another version, 404 if it is gone.
   */
  put(lease: MemberLease, version: string | undefined, timeoutMs: number): Promise<string>
  /** Deletes the Lease if it still has that version. */
  remove(member: string, version: string, timeoutMs: number): Promise<void>
}

const label = 'metacontroller.kaspr.io/component'
const component = 'poller'
const shardsAnnotation = 'metacontroller.kaspr.io/shards'

/** The membership Leases of the pollers in one namespace. */
export class Leases implements LeaseStore {
  readonly #client: KubeClient
  readonly #collection: string
  readonly #namespace: string
  readonly #logger: BaseLogger | undefined

  constructor(client: KubeClient, namespace: string, logger?: BaseLogger) {
    this.#client = client
    this.#namespace = namespace
    this.#collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
    this.#logger = logger
  }

  async list(timeoutMs: number): Promise<ObservedLease[]> {
    const list = await this.#client.request<{ items: KubeObject[] }>({
      path: this.#collection,
      query: { labelSelector: `${label}=${component}` },
      timeoutMs,
    })
    return list.items.map(parseLease)
  }

  async put(lease: MemberLease, version: string | undefined, timeoutMs: number): Promise<string> {
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: lease.member,
        namespace: this.#namespace,
        labels: { [label]: component },
        annotations: { [shardsAnnotation]: lease.shards.join(',') },
        ...(version !== undefined && { resourceVersion: version }),
      },
      spec: {
        holderIdentity: lease.released ? '' : lease.member,
        leaseDurationSeconds: Math.ceil(lease.durationMs / 1000),
        // For people and alerts only: nobody here compares clocks.
        renewTime: new Date().toISOString().replace('Z', '000Z'),
      },
    }
    const written = await this.#client.request<KubeObject>({
      method: version === undefined ? 'POST' : 'PUT',
      path: version === undefined ? this.#collection : `${this.#collection}/${lease.member}`,
      body,
      timeoutMs,
    })
    return written.metadata.resourceVersion ?? ''
  }

  async remove(member: string, version: string, timeoutMs: number): Promise<void> {
    await this.#client.request({
      method: 'DELETE',
      path: `${this.#collection}/${member}`,
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion: version } },
      timeoutMs,
    })
  }

  /** Tells of every change of a Lease as it happens, but later than it happened. The caller starts and stops it. */
  watch(onChange: (lease: ObservedLease, deleted: boolean) => void): Informer {
    return new Informer({
      client: this.#client,
      path: this.#collection,
      labelSelector: `${label}=${component}`,
      onEvent: ({ type, object }) => onChange(parseLease(object), type === 'deleted'),
      ...(this.#logger && { logger: this.#logger }),
    })
  }
}

function parseLease(object: KubeObject): ObservedLease {
  const spec = (object['spec'] ?? {}) as { holderIdentity?: string; leaseDurationSeconds?: number }
  const shards = object.metadata.annotations?.[shardsAnnotation] ?? ''
  return {
    member: object.metadata.name,
    released: (spec.holderIdentity ?? '') === '',
    durationMs: (spec.leaseDurationSeconds ?? 15) * 1000,
    shards: shards === '' ? [] : shards.split(',').map(Number),
    version: object.metadata.resourceVersion ?? '',
  }
}
