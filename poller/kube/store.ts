import type { KubeObject } from '../../webhooks/contract/types.ts'

export interface StoreEvent<T> {
  type: 'added' | 'modified' | 'deleted'
  object: T
  /** What was known before, for `modified`. */
  old?: T
}

/** Objects of one collection by namespace and name, with indexes; every change is told to the listener. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #indexers: [name: string, keysOf: (object: T) => string[]][]
  /** Keys of objects by index and key; most index keys have few. */
  readonly #indexes = new Map<string, Map<string, readonly string[]>>()
  readonly #listener: (event: StoreEvent<T>) => void

  constructor(index: Record<string, (object: T) => string[]>, listener: (event: StoreEvent<T>) => void) {
    this.#indexers = Object.entries(index)
    for (const [name] of this.#indexers) this.#indexes.set(name, new Map())
    this.#listener = listener
  }

  get size(): number {
    return this.#objects.size
  }

  /** Undefined namespace for cluster-scoped kinds. */
  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(namespace === undefined ? name : `${namespace}/${name}`)
  }

  list(): T[] {
    return [...this.#objects.values()]
  }

  /** Objects that the named index files under the key. */
  indexed(index: string, key: string): T[] {
    const keys = this.#indexes.get(index)?.get(key) ?? []
    return keys.flatMap((objectKey) => this.#objects.get(objectKey) ?? [])
  }

  /** Takes in an object as it is now; true if that is news. A namesake with another uid is a deletion and an addition. */
  set(object: T): boolean {
    const key = keyOf(object)
    const old = this.#objects.get(key)
    if (old?.metadata.resourceVersion === object.metadata.resourceVersion && old !== undefined) return false
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) this.delete(old)
    const replaced = this.#objects.get(key)
    if (replaced !== undefined) this.#unindex(key, replaced)
    this.#objects.set(key, object)
    for (const [name, keysOf] of this.#indexers) {
      const entries = this.#indexes.get(name)
      for (const indexKey of keysOf(object)) {
        const filed = entries?.get(indexKey) ?? []
        if (!filed.includes(key)) entries?.set(indexKey, [...filed, key])
      }
    }
    this.#listener(replaced === undefined ? { type: 'added', object } : { type: 'modified', object, old: replaced })
    return true
  }

  /** Forgets an object, whose last state may be new; true if it was known. */
  delete(object: T): boolean {
    const key = keyOf(object)
    const old = this.#objects.get(key)
    if (old === undefined) return false
    this.#unindex(key, old)
    this.#objects.delete(key)
    this.#listener({ type: 'deleted', object })
    return true
  }

  /** Makes the store equal to a complete list; gives the number of differences, each of which was told. */
  replace(objects: T[]): number {
    const listed = new Set(objects.map(keyOf))
    const gone = this.list().filter((object) => !listed.has(keyOf(object)))
    const deleted = gone.filter((object) => this.delete(object)).length
    return deleted + objects.filter((object) => this.set(object)).length
  }

  #unindex(key: string, object: T): void {
    for (const [name, keysOf] of this.#indexers) {
      const entries = this.#indexes.get(name)
      for (const indexKey of keysOf(object)) {
        const left = entries?.get(indexKey)?.filter((other) => other !== key) ?? []
        if (left.length === 0) entries?.delete(indexKey)
        else entries?.set(indexKey, left)
      }
    }
  }
}

function keyOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`
}
