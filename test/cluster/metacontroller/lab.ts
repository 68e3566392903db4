import type { Test } from 'tap'
import { ApiError } from '../../../poller/kube/client.ts'
import type { KubeClient } from '../../../poller/kube/client.ts'
import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { until } from '../until.ts'
import { collectionOf, pathOf, pluralOf } from './lab-kinds.ts'
import type { Bench } from './bench.ts'
import { normalised } from './final-objects.ts'
import type { RecordedRequest } from './recording-proxy.ts'
import type { HookName, ScriptedHooks } from './scripted-hooks.ts'

/** One named behaviour of the conformance list. */
export interface Row {
  /** Lower-case word; names the row's parent kind, namespace and controller. */
  name: string
  /** Row or item of the list, and what is expected. */
  title: string
  /** The row starts Metacontrollers of its own, because they may end. */
  startsItsOwn?: boolean
  run(lab: Lab): Promise<void>
}

/** A row that shares its Metacontroller with others. */
export const row = (name: string, title: string, run: Row['run']): Row => ({ name, title, run })

/** A row that starts Metacontrollers of its own. */
export const aloneRow = (name: string, title: string, run: Row['run']): Row => ({
  ...row(name, title, run),
  startsItsOwn: true,
})

/** The parent kind of a row. */
export const parentKind = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`

/** What one row works with: a namespace, a parent kind and hooks of its own. */
export class Lab {
  readonly t: Test
  readonly kind: 'real' | 'stand-in'
  readonly name: string
  readonly namespace: string
  readonly hooks: ScriptedHooks
  readonly bench: Bench
  readonly #client: KubeClient

  constructor(bench: Bench, row: Row, t: Test, kind: 'real' | 'stand-in') {
    this.bench = bench
    this.t = t
    this.kind = kind
    this.name = row.name
    this.namespace = row.name
    this.hooks = bench.hookServer.hooks(row.name)
    this.#client = bench.plane.client
  }

  async open(): Promise<void> {
    await this.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } })
  }

  /** Removes the row's parents, controllers and whatever finalizers were left. */
  async close(): Promise<void> {
    const stranded = { metadata: { finalizers: null } }
    for (const kind of [parentKind(this.name), 'Wideparent', 'CompositeController', 'DecoratorController']) {
      for (const object of (await this.list(kind)).filter((object) => this.#owns(object))) {
        await this.patch(object, stranded)
        await this.delete(object)
      }
    }
    await until('the parents to be gone', async () => (await this.list(parentKind(this.name))).length === 0)
  }

  /** Cluster-scoped objects are the row's by name. */
  #owns({ metadata: { namespace, name } }: KubeObject): boolean {
    return namespace === this.namespace || name.split('-')[0] === this.name
  }

  /** A parent of the row. */
  parent(name: string, more: Partial<KubeObject> & { labels?: Record<string, string> } = {}): KubeObject {
    const { labels, ...fields } = more
    const metadata = { name, namespace: this.namespace, ...(labels && { labels }) }
    return { apiVersion: 'lab.dev/v1', kind: parentKind(this.name), metadata, spec: {}, ...fields }
  }

  /** Creates the row's CompositeController: generated selector, ConfigMaps InPlace, a v2 sync hook; `spec` overrides. */
  async composite(spec: object = {}, hooks: HookName[] = ['sync'], name = this.name): Promise<KubeObject> {
    return this.create({
      apiVersion: 'metacontroller.k8s.io/v1alpha1',
      kind: 'CompositeController',
      metadata: { name },
      spec: {
        generateSelector: true,
        parentResource: this.parentRule(),
        childResources: [inPlace('v1', 'configmaps')],
        hooks: this.hookSpecs(hooks),
        ...spec,
      },
    })
  }

  /** Creates the row's DecoratorController for its parent kind. */
  async decorator(spec: object = {}, hooks: HookName[] = ['sync'], name = this.name): Promise<KubeObject> {
    return this.create({
      apiVersion: 'metacontroller.k8s.io/v1alpha1',
      kind: 'DecoratorController',
      metadata: { name },
      spec: {
        resources: [this.parentRule()],
        attachments: [inPlace('v1', 'configmaps')],
        hooks: this.hookSpecs(hooks),
        ...spec,
      },
    })
  }

  parentRule(): { apiVersion: string; resource: string } {
    return { apiVersion: 'lab.dev/v1', resource: pluralOf(parentKind(this.name)) }
  }

  hookSpecs(hooks: HookName[], version = 'v2'): object {
    return Object.fromEntries(hooks.map((hook) => [hook, { version, webhook: { url: this.hooks.url(hook) } }]))
  }

  create(object: KubeObject): Promise<KubeObject> {
    const path = collectionOf(object.kind, object.metadata.namespace)
    return this.#client.request({ method: 'POST', path, body: object })
  }

  get(object: KubeObject): Promise<KubeObject> {
    return this.#client.request({ path: pathOf(object) })
  }

  /** A ConfigMap or other object of the row's namespace; undefined if it is not there. */
  async find(kind: string, name: string): Promise<KubeObject | undefined> {
    const path = `${collectionOf(kind, this.namespace)}/${name}`
    return this.#client.request<KubeObject>({ path }).catch(ignoreNotFound)
  }

  /** Like `find`; throws if it is not there. */
  async existing(kind: string, name: string): Promise<KubeObject> {
    return this.#client.request({ path: `${collectionOf(kind, this.namespace)}/${name}` })
  }

  /** Waits for a Warning Event on a parent of the row. */
  async event(reason: string, text: string): Promise<KubeObject> {
    const isIt = (event: KubeObject): boolean => event['reason'] === reason && String(event['message']).includes(text)
    return this.until(`an Event ${reason} with "${text}"`, async () => (await this.list('Event')).find(isIt))
  }

  /** All objects of a kind in the row's namespace, or of a cluster-scoped kind. */
  async list(kind: string): Promise<KubeObject[]> {
    const path = collectionOf(kind, this.namespace)
    const { items, ...list } = await this.#client.request<KubeObject & { items: KubeObject[] }>({ path })
    return items.map((item) => ({ ...item, apiVersion: list.apiVersion, kind }))
  }

  /** JSON merge patch, by somebody who is no Metacontroller. */
  async patch(object: KubeObject, body: object, subresource = ''): Promise<KubeObject | undefined> {
    const contentType = 'application/merge-patch+json'
    const path = `${pathOf(object)}${subresource}`
    return this.#client.request<KubeObject>({ method: 'PATCH', path, body, contentType }).catch(ignoreNotFound)
  }

  async delete(object: KubeObject): Promise<void> {
    await this.#client.request<KubeObject>({ method: 'DELETE', path: pathOf(object) }).catch(ignoreNotFound)
  }

  /** What the Metacontroller wrote during this row, Events apart; no resource: all that is the row's. */
  writes(resource = ''): RecordedRequest[] {
    const own = this.parentRule().resource
    return this.bench.proxy.writes.filter(({ path }) => {
      const segments = path.split('/')
      const isOurs = segments.includes(this.namespace) || segments.includes(own)
      return isOurs && !segments.includes('events') && (resource === '' || segments.includes(resource))
    })
  }

  until<T>(what: string, check: () => T | Promise<T>, limitMs = 20_000): ReturnType<typeof until<T>> {
    return until(what, check, { limitMs })
  }

  /** Waits until hooks were called at least `calls` times, and then neither called nor anything written for a while. */
  async settled(calls = 1, quietMs = 1000): Promise<void> {
    await this.until(`${quietMs} ms of silence after ${calls} calls`, () => {
      const last = Math.max(this.hooks.calls.at(-1)?.at ?? 0, this.writes().at(-1)?.at ?? 0)
      return this.hooks.calls.length >= calls && performance.now() - last >= quietMs
    })
  }

  /** Makes a change, and waits until hooks were called so often because of it and all is silent again. */
  async after(change: Promise<unknown>, calls = 1, quietMs = 1000): Promise<void> {
    const before = this.hooks.calls.length
    await change
    await this.settled(before + calls, quietMs)
  }

  /** What the row left in the cluster, comparable between runs. */
  async finalObjects(): Promise<unknown> {
    const kinds = [parentKind(this.name), 'ConfigMap', 'Thing', 'Note', 'Wide', 'Wideparent']
    const objects = (await Promise.all(kinds.map((kind) => this.list(kind)))).flat()
    return normalised(objects.filter((object) => this.#owns(object) && object.metadata.name !== 'kube-root-ca.crt'))
  }
}

/** A child rule with update method InPlace. */
export function inPlace(apiVersion: string, resource: string): object {
  return { apiVersion, resource, updateStrategy: { method: 'InPlace' } }
}

function ignoreNotFound(error: unknown): undefined {
  if (!(error instanceof ApiError && error.status === 404)) throw error
}
