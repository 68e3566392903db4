import type { AppFacts } from './app-facts.ts'
import type { ChildChange } from './child-changes.ts'
import type { ComponentEvent, SensorState } from './sensor.ts'

/** A change of a child that an answer has asked for and that has not been seen yet. */
export interface PendingChange extends ChildChange {
  sinceMs: number
  state: SensorState
  /** It was not seen in time, and has been told. */
  overdue: boolean
}

/** What is remembered of a parent. */
export interface ParentMemory {
  who: ComponentEvent
  isApp: boolean
  seenMs: number
  /** Versions of all objects of the last request; empty if they cannot be told apart. */
  versions: string
  /** Keys of its observed children. */
  children: ReadonlySet<string>
  /** By key of the child. */
  pending: Map<string, PendingChange>
  facts?: AppFacts
}

/** Metacontroller asks about every parent each `resyncPeriodSeconds` (300 in metacontroller/): three times that. */
const idleMs = 900_000
const maxParents = 100_000

/**
 * Parents by uid, about 1 KB each. One is dropped when it is told to be gone, when nobody has asked about it for 15
 * minutes (its last call may have gone to another replica, and components have no finalize hook), or when there are too
 * many: the one that was asked about longest ago.
 */
export class Parents {
  readonly #byUid = new Map<string, ParentMemory>()
  readonly #onDrop: (dropped: ParentMemory) => void

  constructor(onDrop: (dropped: ParentMemory) => void) {
    this.#onDrop = onDrop
  }

  get size(): number {
    return this.#byUid.size
  }

  /** What is remembered of the parent, made if there is nothing: of another app now, it starts anew. */
  touch(uid: string, who: ComponentEvent, isApp: boolean, nowMs: number): ParentMemory {
    let memory = this.#byUid.get(uid)
    if (memory !== undefined && memory.who.app !== who.app) {
      this.drop(uid)
      memory = undefined
    }
    memory ??= { who, isApp, seenMs: nowMs, versions: '', children: new Set(), pending: new Map() }
    memory.seenMs = nowMs
    // A map keeps the order of insertion, so the first entry is the one not asked about for longest.
    this.#byUid.delete(uid)
    this.#byUid.set(uid, memory)
    this.sweep(nowMs)
    return memory
  }

  drop(uid: string): void {
    const memory = this.#byUid.get(uid)
    if (memory === undefined) return
    this.#byUid.delete(uid)
    this.#onDrop(memory)
  }

  /** Drops what is too old or too much. */
  sweep(nowMs: number): void {
    for (const [uid, { seenMs }] of this.#byUid) {
      if (nowMs - seenMs <= idleMs && this.#byUid.size <= maxParents) return
      this.drop(uid)
    }
  }

  /** Facts of the apps among them. */
  apps(): AppFacts[] {
    return [...this.#byUid.values()].flatMap(({ facts }) => facts ?? [])
  }
}
