interface Group<T> {
  waiting: Set<T>
  running: number
}

/**
 * Hands out waiting items of many groups in turn: one of each group, whatever their numbers, and first in first out
 * within a group. No group has more than `perGroup` items out at once.
 */
export class Rotation<T> {
  readonly #perGroup: number
  readonly #groups = new Map<string, Group<T>>()
  /** Groups that have something to hand out, in the order of their turns. */
  readonly #turns = new Set<string>()
  #waiting = 0
  #running = 0

  constructor(perGroup: number) {
    this.#perGroup = perGroup
  }

  /** Items that wait. */
  get waiting(): number {
    return this.#waiting
  }

  /** Items handed out and not yet done. */
  get running(): number {
    return this.#running
  }

  add(group: string, item: T): void {
    const known = this.#groups.get(group) ?? { waiting: new Set(), running: 0 }
    this.#groups.set(group, known)
    if (known.waiting.has(item)) return
    known.waiting.add(item)
    this.#waiting++
    if (known.running < this.#perGroup) this.#turns.add(group)
  }

  /** Takes back an item that waits; false if it does not. */
  remove(group: string, item: T): boolean {
    const known = this.#groups.get(group)
    if (known?.waiting.delete(item) !== true) return false
    this.#waiting--
    this.#settle(group, known)
    return true
  }

  /** The next item, which counts as out until `done`; undefined if nothing may go out. */
  take(): T | undefined {
    const [name] = this.#turns
    const group = name === undefined ? undefined : this.#groups.get(name)
    if (name === undefined || group === undefined) return undefined
    const [item] = group.waiting
    group.waiting.delete(item as T)
    group.running++
    this.#waiting--
    this.#running++
    this.#turns.delete(name) // its next turn comes after everybody else's
    this.#settle(name, group)
    return item
  }

  /** An item of the group has come back. */
  done(group: string): void {
    const known = this.#groups.get(group)
    if (known === undefined) return
    known.running--
    this.#running--
    this.#settle(group, known)
  }

  #settle(name: string, group: Group<T>): void {
    if (group.waiting.size > 0 && group.running < this.#perGroup) this.#turns.add(name)
    else this.#turns.delete(name)
    if (group.waiting.size === 0 && group.running === 0) this.#groups.delete(name)
  }
}
