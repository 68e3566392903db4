import { canonicalJson } from '../webhooks/contract/hash.ts'
import { groupKey, objectKey } from '../webhooks/contract/request.ts'
import type { CompositeResponse, CustomizeResponse, KubeObject, ObjectMap } from '../webhooks/contract/types.ts'
import type { CompositeHooks } from '../webhooks/hooks.ts'
import { kasprHooks } from '../webhooks/kaspr/index.ts'
import { inNamespace, observedObjects } from './observed.ts'
import { RelatedIndex } from './related.ts'
import { controllerOf, identity, storedChild, storedParent } from './stored.ts'

/** A call that the world asks for; what it gets back is the hook's answer. */
export interface HookCall {
  hooks: CompositeHooks
  hook: 'sync' | 'finalize' | 'customize'
  body: Record<string, unknown> & { parent: KubeObject }
}

/** A parent of which another sync changes nothing. */
export interface SettledParent {
  /** As stored, with its status. */
  parent: KubeObject
  /** Desired children, as the last answer has them and in its order. */
  children: readonly KubeObject[]
  /** The children as they stand in the cluster: with uid, owner, last-applied record and, where observed, status. */
  stored: readonly KubeObject[]
  /** Number of syncs, the last of which changed nothing. */
  rounds: number
  /** False if syncs went on changing something until the limit: a mistake in the hooks. */
  fixedPoint: boolean
}

/** What a world is made of besides its objects. */
export interface WorldOptions {
  /** Whose parents are played; those of all systems unless given. */
  hooks?: readonly CompositeHooks[]
  /** Objects that are in the cluster already, for example from `kubectl get -o yaml`: children and parents with status. */
  observed?: readonly KubeObject[]
  /** Syncs of one parent at most, 20 unless given. */
  maxRounds?: number
}

/** An in-memory cluster in which the hooks are called as Metacontroller calls them. */
export interface World {
  /** The objects that have hooks, as stored, in the order given. */
  parents: readonly KubeObject[]
  /**
   * Calls the hooks of one parent until nothing changes, after those of the parents that its customize answer asks for.
   * A generator of calls, so that they may be answered in process or over HTTP. To be called once for each parent: its
   * children are then forgotten, so that a world of many parents needs no memory for them.
   */
  settle(parent: KubeObject): Generator<HookCall, SettledParent, unknown>
}

/** A parent in the course of a simulation. */
interface Entry {
  hooks: CompositeHooks
  /** With the status of the last answer. */
  parent: KubeObject
  /** Children in the cluster by their {@link identity}. */
  children: Map<string, KubeObject>
  /** `settling` while its hooks, or those of what it waits for, are called. */
  state: 'new' | 'settling' | 'settled'
  /** Of a parent that was settled because another one asked for it, until it is asked for itself. */
  result?: SettledParent
}

/**
 * Builds a world. Of objects that are there twice the last counts; without a namespace they are in `default`. Observed
 * children belong to the parent that their owner reference names by kind and name, or else to the one whose hook gives a
 * child of that name.
 */
export function createWorld(
  objects: readonly KubeObject[],
  { hooks = kasprHooks, observed = [], maxRounds = 20 }: WorldOptions = {},
): World {
  const known = observedObjects(observed)
  const entries = new Map<string, Entry>()
  for (const object of objects) {
    const own = hooks.find(({ kind, apiVersion }) => kind === object.kind && apiVersion === object.apiVersion)
    if (own === undefined) continue
    const key = identity(inNamespace(object))
    const children = known.owned.get(key) ?? []
    const uid = children.map((child) => controllerOf(child)?.uid).find((candidate) => candidate !== undefined)
    const parent = storedParent(object, known.byIdentity.get(key), uid)
    const owned = children.map((child): [string, KubeObject] => [identity(child), child])
    entries.set(key, { hooks: own, parent, children: new Map(owned), state: 'new' })
  }
  const related = new RelatedIndex()
  for (const { hooks: own, parent } of entries.values()) related.add(own.resource, parent)

  return { parents: [...entries.values()].map(({ parent }) => parent), settle: (parent) => taken(entryOf(parent)) }

  function entryOf(object: KubeObject): Entry {
    const entry = entries.get(identity(object))
    if (entry === undefined) throw new Error(`${identity(object)} is not in this world`)
    return entry
  }

  function* taken(entry: Entry): Generator<HookCall, SettledParent, unknown> {
    if (entry.state === 'new') yield* settle(entry)
    const { result } = entry
    if (result === undefined) throw new Error(`${identity(entry.parent)} was settled before`)
    delete entry.result
    return result
  }

  function* settle(entry: Entry): Generator<HookCall, void, unknown> {
    entry.state = 'settling'
    const groups = yield* relatedGroups(entry)
    for (let rounds = 1; ; rounds++) {
      const { children, changed } = yield* sync(entry, groups)
      if (changed && rounds < maxRounds) continue
      entry.result = {
        parent: entry.parent,
        children,
        stored: [...entry.children.values()],
        rounds,
        fixedPoint: !changed,
      }
      entry.state = 'settled'
      entry.children.clear()
      return
    }
  }

  /** What the customize hook asks for. Metacontroller asks once per generation, which does not change here. */
  function* relatedGroups({ hooks: own, parent }: Entry): Generator<HookCall, ObjectMap, unknown> {
    if (own.customize === undefined) return {}
    const body = { controller: controller(own), parent }
    const { relatedResources } = (yield { hooks: own, hook: 'customize', body }) as CustomizeResponse
    const groups: ObjectMap = {}
    for (const rule of relatedResources) {
      const kind = hooks.find(
        ({ resource, apiVersion }) => resource === rule.resource && apiVersion === rule.apiVersion,
      )
      if (kind === undefined) throw new Error(`${own.kind} asks for ${rule.resource}, which no hooks are known for`)
      const selected: KubeObject[] = []
      for (const object of related.select(rule)) {
        const entry = entryOf(object)
        if (entry.state === 'settling') throw new Error(`${own.kind} and ${kind.kind} wait for each other`)
        if (entry.state === 'new') yield* settle(entry)
        selected.push(entry.parent)
      }
      groups[groupKey(kind)] = { ...groups[groupKey(kind)], ...byKey(selected) }
    }
    return groups
  }

  function* sync(
    entry: Entry,
    groups: ObjectMap,
  ): Generator<HookCall, { children: KubeObject[]; changed: boolean }, unknown> {
    const { hooks: own, parent } = entry
    const finalizing = parent.metadata.deletionTimestamp !== undefined && own.finalize !== undefined
    const observedChildren = [...entry.children.values()]
    const body = {
      controller: controller(own),
      parent,
      children: Object.fromEntries(
        own.childRules.map((rule) => [
          groupKey(rule),
          byKey(
            observedChildren.filter(({ apiVersion, kind }) => apiVersion === rule.apiVersion && kind === rule.kind),
          ),
        ]),
      ),
      related: groups,
      finalizing,
    }
    const hook = finalizing ? 'finalize' : 'sync'
    const { status, children } = (yield { hooks: own, hook, body }) as CompositeResponse
    const next = new Map(
      children.map((child): [string, KubeObject] => {
        const key = identity(child)
        const live = entry.children.get(key)
        // One without an owner becomes a child as it is: the hook must see it before it is changed.
        const found = live === undefined ? known.orphans.get(key) : undefined
        return [key, found ?? storedChild(child, live, parent)]
      }),
    )
    const nextStatus = { ...status, observedGeneration: parent.metadata.generation }
    const changed =
      next.size !== entry.children.size ||
      [...next].some(([key, child]) => entry.children.get(key) !== child) ||
      canonicalJson(nextStatus) !== canonicalJson(parent['status'])
    entry.children = next
    entry.parent = { ...parent, status: nextStatus }
    return { children, changed }
  }
}

function controller({ resource }: CompositeHooks): KubeObject {
  return {
    apiVersion: 'metacontroller.k8s.io/v1alpha1',
    kind: 'CompositeController',
    metadata: { name: resource },
  }
}

function byKey(objects: readonly KubeObject[]): Record<string, KubeObject> {
  const entries = objects.map((object): [string, KubeObject] => [objectKey(object.metadata), object])
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
