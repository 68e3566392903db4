import type { BaseLogger } from 'pino'
import type { KubeClient } from '../../../poller/kube/client.ts'
import type { StoreEvent } from '../../../poller/kube/store.ts'
import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { names } from './answer.ts'
import type { Mode } from './answer.ts'
import { updateMethods } from './children.ts'
import { Customize, RelatedNotSynced } from './customize.ts'
import type { Discovery, Resource } from './discovery.ts'
import type { EventRecorder } from './events.ts'
import { Hazard } from './hazard.ts'
import type { Informers, KindCache, Listener } from './informers.ts'
import { controllerOf, describe, equal, groupOf } from './objects.ts'
import type { ObjectsApi } from './objects-api.ts'
import { WorkQueue } from './queue.ts'
import { Groups } from './request.ts'
import type { RequestParts } from './request.ts'
import type { ChildRule, Hooks, ResourceRule } from './spec.ts'
import { TooManyRequests, createHook } from './webhook.ts'
import type { CountCall, Hook } from './webhook.ts'

/** What the composite and decorator controllers of this process share. */
export interface World {
  client: KubeClient
  api: ObjectsApi
  discovery: Discovery
  informers: Informers
  events: EventRecorder
  logger: BaseLogger
  /** Syncs at the same time, per controller. */
  workers: number
  /** Every parent is synced at least this often. */
  cacheFlushMs: number
  /** Whether an answer that does not name its list of children (and so deletes them all) is a Hazard. */
  failWithoutChildren: boolean
  countCall: (controllerType: string, controllerName: string, hook: string) => CountCall
  /** Ends the process. */
  onHazard: (hazard: Hazard) => void
}

/** The parts of a controller that its spec names, found and ready. */
export interface Parts {
  sync: Hook | undefined
  finalize: Hook | undefined
  customize: Hook | undefined
  parents: KindCache[]
  children: KindCache[]
  /** Update method by group and kind. */
  methods: Map<string, string>
}

/** A controller object with the fields that both kinds have. */
export interface ControllerObject extends KubeObject {
  spec: { hooks?: Hooks; resyncPeriodSeconds?: number; endpointConfigs?: unknown[] }
}

/** Finds kinds and hooks. Throws, with a reason for a `CreateError`, when one is unknown or wrong. */
export async function assemble(
  world: World,
  controller: ControllerObject,
  parentRules: ResourceRule[],
  childRules: ChildRule[],
): Promise<Parts> {
  const { discovery, informers, client } = world
  const { hooks, endpointConfigs } = controller.spec
  if (!hooks) throw new Error('no hooks defined')
  if (endpointConfigs?.length) throw new Error('endpointConfigs are not played by the stand-in')
  const find = (rules: ResourceRule[]): Promise<Resource[]> =>
    Promise.all(rules.map((rule) => discovery.resource(rule.apiVersion, rule.resource)))
  const [parents, children] = [await find(parentRules), await find(childRules)]
  const methods = await updateMethods(discovery, childRules)
  const hook = (name: keyof Hooks): Promise<Hook | undefined> =>
    createHook(client, hooks[name], world.countCall(controller.kind, controller.metadata.name, name))
  const [sync, finalize, customize] = [await hook('sync'), await hook('finalize'), await hook('customize')]
  const acquire = (resource: Resource): KindCache => informers.acquire(resource)
  return { sync, finalize, customize, parents: parents.map(acquire), children: children.map(acquire), methods }
}

/** One running CompositeController or DecoratorController: what wakes a parent, and what becomes of a failed sync. */
export abstract class HostedController {
  readonly controller: ControllerObject
  protected readonly world: World
  protected readonly parts: Parts
  protected readonly queue = new WorkQueue()
  readonly #stop = new AbortController()
  readonly #customize: Customize | undefined
  readonly #onParent: Listener = (event) => this.#parentChanged(event)
  readonly #onChild: Listener = ({ object }) => this.#childChanged(object)
  #workers: Promise<void> = Promise.resolve()
  #resync: NodeJS.Timeout | undefined

  constructor(world: World, controller: ControllerObject, parts: Parts) {
    this.world = world
    this.controller = controller
    this.parts = parts
    this.#customize = parts.customize && this.#makeCustomize(parts.customize)
  }

  /** Whether the selectors match. */
  protected abstract isSelected(parent: KubeObject): boolean
  /** Whether it is selected, or carries our finalizer so that it has to be finalized. */
  protected abstract concerns(parent: KubeObject): boolean
  protected abstract ignoresStatusChanges(parent: KubeObject): boolean
  /** Parents that may want to adopt a child without controller. */
  protected abstract adopters(orphan: KubeObject): KubeObject[]
  protected abstract sync(parent: KubeObject, resource: Resource): Promise<void>

  start(): void {
    for (const cache of this.parts.parents) cache.subscribe(this.#onParent)
    for (const cache of this.parts.children) cache.subscribe(this.#onChild)
    this.#workers = this.#run()
    const period = Math.max(1, this.controller.spec.resyncPeriodSeconds ?? Infinity) * 1000
    this.#resync = setInterval(() => this.#parents().forEach(this.enqueue), Math.min(period, this.world.cacheFlushMs))
  }

  /** Cancels hook calls under way and waits until nothing of this controller runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the controller is stopped'))
    clearInterval(this.#resync)
    this.queue.close()
    const { parents, children, sync, finalize } = this.parts
    for (const cache of parents) cache.unsubscribe(this.#onParent)
    for (const cache of children) cache.unsubscribe(this.#onChild)
    await this.#workers
    await this.#customize?.stop()
    await Promise.all([sync?.close(), finalize?.close()])
    await Promise.all([...parents, ...children].map((cache) => this.world.informers.release(cache)))
  }

  protected readonly enqueue = (parent: KubeObject): void => {
    if (this.concerns(parent)) this.queue.add(keyOf(parent))
  }

  protected enqueueAfter(parent: KubeObject, seconds: number): void {
    if (seconds > 0) this.queue.addAfter(keyOf(parent), seconds * 1000)
  }

  /** The customize hook's related objects; none without such a hook. */
  protected relatedTo(parent: KubeObject): Promise<Groups> {
    return this.#customize?.relatedTo(parent) ?? Promise.resolve(new Groups())
  }

  /** Calls finalize for a parent that is deleted or no longer selected, if there is such a hook, else sync. */
  protected async callHook(
    call: { parent: KubeObject; children: Groups; related: Groups },
    bodyOf: (parts: RequestParts) => unknown,
    listField: 'children' | 'attachments',
  ): Promise<{ text: string; mode: Mode }> {
    const isLeaving = call.parent.metadata.deletionTimestamp !== undefined || !this.isSelected(call.parent)
    const finalizing = this.parts.finalize !== undefined && isLeaving
    const hook = finalizing ? this.parts.finalize : this.parts.sync
    if (!hook) throw new Error('no enabled hooks found')
    const body = bodyOf({ ...call, version: hook.version, controller: this.controller, finalizing })
    const text = await hook.call(body, this.#stop.signal)
    if (this.world.failWithoutChildren && !names(text, listField)) {
      throw new Hazard(`an answer without ${listField} deletes them all: ${text.slice(0, 200)}`)
    }
    return { text, mode: hook.mode }
  }

  async #run(): Promise<void> {
    const { events, workers } = this.world
    const { name } = this.controller.metadata
    events.record(this.controller, 'Normal', 'Starting', `Starting controller: ${name}`)
    const stopped = new Promise<void>((resolve) =>
      this.#stop.signal.addEventListener('abort', () => resolve(), { once: true }),
    )
    const synced = [...this.parts.parents, ...this.parts.children].map((cache) => cache.synced)
    // A kind that may not be listed never gets there; the controller can be stopped all the same.
    await Promise.race([Promise.all(synced), stopped])
    await this.queue.run(workers, (key) => this.#work(key))
  }

  async #work(key: string): Promise<void> {
    const { object: parent, resource } = this.#find(key) ?? {}
    if (!parent || !resource || !this.concerns(parent)) {
      this.queue.forget(key)
      return
    }
    try {
      await this.sync(parent, resource)
      this.queue.forget(key)
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#failed(key, parent, error)
    }
  }

  #failed(key: string, parent: KubeObject, error: unknown): void {
    const { events, logger, onHazard } = this.world
    const about = `${this.controller.kind} ${this.controller.metadata.name}, ${describe(parent)}`
    if (error instanceof Hazard) {
      onHazard(new Hazard(`${about}: ${error.message}`))
      return
    }
    if (error instanceof TooManyRequests) {
      this.queue.addAfter(key, error.retryAfterMs)
      return
    }
    this.queue.addRateLimited(key)
    if (error instanceof RelatedNotSynced) return
    const text = error instanceof Error ? error.message : String(error)
    logger.warn({ controller: this.controller.metadata.name, parent: describe(parent), err: text }, 'Sync error')
    events.record(parent, 'Warning', 'SyncError', `Sync error: ${text}`)
  }

  #parents(): KubeObject[] {
    return this.parts.parents.flatMap((cache) => cache.list())
  }

  #find(key: string): { object: KubeObject; resource: Resource } | undefined {
    const [apiVersion, kind, namespace, name = ''] = key.split('|')
    const cache = this.parts.parents.find(
      ({ resource }) => resource.apiVersion === apiVersion && resource.kind === kind,
    )
    const object = cache?.get(namespace === '' ? undefined : namespace, name)
    return cache && object && { object, resource: cache.resource }
  }

  #parentChanged({ type, object, old }: StoreEvent<KubeObject>): void {
    const isSilent =
      type === 'modified' &&
      old !== undefined &&
      object.metadata.deletionTimestamp === undefined &&
      this.ignoresStatusChanges(object) &&
      old.metadata.generation === object.metadata.generation &&
      equal(old.metadata.labels ?? {}, object.metadata.labels ?? {}) &&
      equal(old.metadata.annotations ?? {}, object.metadata.annotations ?? {})
    if (!isSilent) this.enqueue(object)
  }

  #childChanged(child: KubeObject): void {
    const owner = controllerOf(child)
    if (!owner) {
      if (child.metadata.deletionTimestamp === undefined) this.adopters(child).forEach(this.enqueue)
      return
    }
    // Group and kind decide; the owner may have been written in another version.
    const cache = this.parts.parents.find(
      ({ resource }) => resource.kind === owner.kind && groupOf(resource.apiVersion) === groupOf(owner.apiVersion),
    )
    const parent = cache?.get(child.metadata.namespace, owner.name)
    if (parent?.metadata.uid === owner.uid) this.enqueue(parent)
  }

  #makeCustomize(hook: Hook): Customize {
    const { discovery, informers, onHazard, logger } = this.world
    return new Customize({
      controller: this.controller,
      hook,
      discovery,
      informers,
      parents: () => this.#parents(),
      enqueue: this.enqueue,
      signal: this.#stop.signal,
      onError: (error) => {
        if (error instanceof Hazard) onHazard(error)
        else logger.error({ err: error }, 'related objects could not be matched')
      },
    })
  }
}

function keyOf({ apiVersion, kind, metadata }: KubeObject): string {
  return [apiVersion, kind, metadata.namespace ?? '', metadata.name].join('|')
}
