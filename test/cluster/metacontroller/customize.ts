import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { customizeAnswer } from './answer.ts'
import type { Discovery, Resource } from './discovery.ts'
import type { Informers, KindCache, Listener } from './informers.ts'
import { Hazard } from './hazard.ts'
import { checkRule, selectRelated, selects } from './related.ts'
import type { RuleContext } from './related.ts'
import { Groups, customizeRequest } from './request.ts'
import type { RelatedRule } from './spec.ts'
import type { Hook } from './webhook.ts'

/** Answers are kept so long per parent uid and generation, senseless ones too. */
const cacheMs = 20 * 60_000

const namespaces: Resource = {
  apiVersion: 'v1',
  name: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
  hasStatus: true,
}

/** A kind that a rule names is not listed yet; the sync is tried again without an Event. */
export class RelatedNotSynced extends Error {
  override name = 'RelatedNotSynced'
}

export interface CustomizeOptions {
  controller: KubeObject
  hook: Hook
  discovery: Discovery
  informers: Informers
  /** Every known parent, those outside the controller's selector too: a related change asks about all of them. */
  parents: () => KubeObject[]
  enqueue: (parent: KubeObject) => void
  signal: AbortSignal
  /** Told of errors no sync will report. */
  onError: (error: unknown) => void
}

/** Asks the customize hook which related objects a parent wants, and wakes parents when such objects change. */
export class Customize {
  readonly #options: CustomizeOptions
  /** In order of expiry. */
  readonly #rules = new Map<string, { rules: Promise<RelatedRule[]>; expires: number }>()
  readonly #caches = new Map<string, { cache: KindCache; listener: Listener }>()
  #namespaces: KindCache | undefined
  /** Related changes are worked through one after the other. */
  #changes: Promise<void> = Promise.resolve()

  constructor(options: CustomizeOptions) {
    this.#options = options
  }

  /** The related objects of a parent, with a group for every rule. Throws if the hook fails or a rule makes no sense. */
  async relatedTo(parent: KubeObject): Promise<Groups> {
    const groups = new Groups()
    for (const rule of await this.#rulesOf(parent)) {
      const resource = await this.#options.discovery.resource(rule.apiVersion, rule.resource)
      const cache = this.#cacheOf(resource)
      if (rule.namespaceSelector) this.#namespaces ??= this.#options.informers.acquire(namespaces)
      if (!cache.isSynced || (rule.namespaceSelector && !this.#namespaces?.isSynced)) throw new RelatedNotSynced()
      const context = this.#context(parent)
      checkRule(rule, resource, context)
      groups.group(resource.apiVersion, resource.kind)
      for (const object of selectRelated(rule, cache, context)) groups.insert(object)
    }
    return groups
  }

  async stop(): Promise<void> {
    for (const { cache, listener } of this.#caches.values()) {
      cache.unsubscribe(listener)
      await this.#options.informers.release(cache)
    }
    if (this.#namespaces) await this.#options.informers.release(this.#namespaces)
    await this.#changes
    await this.#options.hook.close()
  }

  #rulesOf(parent: KubeObject): Promise<RelatedRule[]> {
    const now = performance.now()
    for (const [key, { expires }] of this.#rules) {
      if (expires > now) break
      this.#rules.delete(key)
    }
    const key = `${parent.metadata.uid}/${parent.metadata.generation ?? 0}`
    const known = this.#rules.get(key)
    if (known) return known.rules
    const rules = this.#ask(parent)
    this.#rules.set(key, { rules, expires: now + cacheMs })
    rules.catch(() => this.#rules.delete(key))
    return rules
  }

  async #ask(parent: KubeObject): Promise<RelatedRule[]> {
    const { controller, hook, signal } = this.#options
    return customizeAnswer(await hook.call(customizeRequest(controller, parent), signal), hook.mode)
  }

  #context(parent: KubeObject): RuleContext {
    return {
      version: this.#options.hook.version,
      namespace: parent.metadata.namespace,
      namespaceLabels: (name) => {
        const namespace = this.#namespaces?.get(undefined, name)
        return namespace && (namespace.metadata.labels ?? {})
      },
    }
  }

  #cacheOf(resource: Resource): KindCache {
    const key = `${resource.apiVersion}/${resource.name}`
    const known = this.#caches.get(key)
    if (known) return known.cache
    const cache = this.#options.informers.acquire(resource)
    // What the first list brings wakes nobody: no sync has gone past `isSynced` yet.
    const listener: Listener = ({ object, old }) => {
      if (cache.isSynced) this.#onChange(resource, old ? [old, object] : [object])
    }
    this.#caches.set(key, { cache, listener })
    cache.subscribe(listener)
    return cache
  }

  #onChange(resource: Resource, states: KubeObject[]): void {
    this.#changes = this.#changes.then(() => this.#wakeParents(resource, states)).catch(this.#options.onError)
  }

  async #wakeParents(resource: Resource, states: KubeObject[]): Promise<void> {
    for (const parent of this.#options.parents()) {
      if (this.#options.signal.aborted) return
      // A parent whose hook fails is skipped: its own sync reports that.
      const rules = await this.#rulesOf(parent).catch((error: unknown) => {
        if (error instanceof Hazard) throw error
        return []
      })
      if (rules.some((rule) => this.#wakes(rule, resource, states, parent))) this.#options.enqueue(parent)
    }
  }

  #wakes(rule: RelatedRule, resource: Resource, states: KubeObject[], parent: KubeObject): boolean {
    if (rule.apiVersion !== resource.apiVersion || rule.resource !== resource.name) return false
    const context = this.#context(parent)
    try {
      checkRule(rule, resource, context)
      return states.some((object) => selects(rule, object, context))
    } catch {
      return false // the parent's own sync reports it
    }
  }
}
