import type { BaseLogger } from 'pino'
import type { KubeClient } from '../../../poller/kube/client.ts'
import { Informer } from '../../../poller/kube/informer.ts'
import type { StoreEvent } from '../../../poller/kube/store.ts'
import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { collectionPath } from './discovery.ts'
import type { Resource } from './discovery.ts'
import { controllerOf } from './objects.ts'

export type Listener = (event: StoreEvent<KubeObject>) => void

/** One kind's objects in the whole cluster, shared by all controllers that use the kind. */
export class KindCache {
  readonly resource: Resource
  readonly synced: Promise<void>
  isSynced = false
  readonly #informer: Informer
  readonly #listeners = new Set<Listener>()

  constructor(client: KubeClient, resource: Resource, logger: BaseLogger) {
    this.resource = resource
    this.#informer = new Informer({
      client,
      path: collectionPath(resource),
      logger,
      index: {
        namespace: ({ metadata }) => [metadata.namespace ?? ''],
        label: ({ metadata }) => Object.entries(metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`),
        owner: (object) => [controllerOf(object)?.uid ?? ''],
        orphan: (object) => (controllerOf(object) ? [] : [object.metadata.namespace ?? '', '*']),
      },
      onEvent: (event) => this.#listeners.forEach((listener) => listener(event)),
    })
    this.synced = this.#informer.synced.then(() => void (this.isSynced = true))
    this.synced.catch(() => undefined)
    this.#informer.start()
  }

  get(namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#informer.get(this.resource.namespaced ? namespace : undefined, name)
  }

  list(): KubeObject[] {
    return this.#informer.list()
  }

  inNamespace(namespace: string): KubeObject[] {
    return this.#informer.indexed('namespace', namespace)
  }

  withLabel(key: string, value: string): KubeObject[] {
    return this.#informer.indexed('label', `${key}=${value}`)
  }

  /** Objects whose controller owner has this uid; all namespaces. */
  ownedBy(uid: string): KubeObject[] {
    return this.#informer.indexed('owner', uid)
  }

  /** Objects without a controller owner; undefined: in all namespaces. */
  orphans(namespace: string | undefined): KubeObject[] {
    return this.#informer.indexed('orphan', namespace ?? '*')
  }

  /** Tells the listener about every change from now on, and about what is there already as added. */
  subscribe(listener: Listener): void {
    this.#listeners.add(listener)
    for (const object of this.list()) listener({ type: 'added', object })
  }

  unsubscribe(listener: Listener): void {
    this.#listeners.delete(listener)
  }

  stop(): Promise<void> {
    return this.#informer.stop()
  }
}

/** The caches in use, each started with its first user and stopped with its last. */
export class Informers {
  readonly #client: KubeClient
  readonly #logger: BaseLogger
  readonly #caches = new Map<string, { cache: KindCache; users: number }>()

  constructor(client: KubeClient, logger: BaseLogger) {
    this.#client = client
    this.#logger = logger
  }

  acquire(resource: Resource): KindCache {
    const key = collectionPath(resource)
    const entry = this.#caches.get(key) ?? { cache: new KindCache(this.#client, resource, this.#logger), users: 0 }
    entry.users++
    this.#caches.set(key, entry)
    return entry.cache
  }

  async release(cache: KindCache): Promise<void> {
    const key = collectionPath(cache.resource)
    const entry = this.#caches.get(key)
    if (!entry || --entry.users > 0) return
    this.#caches.delete(key)
    await cache.stop()
  }
}
