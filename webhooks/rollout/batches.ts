/** A part of the ordinals that is rolled before or after the other. */
export interface Range {
  name: 'upper_range' | 'lower_range' | 'all'
  /** 1-based, in the order of the rollout. */
  index: number
  total: number
  /** Ascending. */
  ordinals: number[]
}

/** A piece of a range, of at most max unavailable ordinals: the unit in which a rollout goes forward. */
export interface Chunk {
  range: Omit<Range, 'ordinals'>
  /** 1-based within the range. */
  index: number
  /** Chunks of the range. */
  total: number
  /** Ascending. */
  ordinals: number[]
}

/** The ordinals of a StatefulSet, ascending. */
export function ordinalsOf({ replicas, start }: { replicas: number; start: number }): number[] {
  return Array.from({ length: replicas }, (_, index) => start + index)
}

/**
 * Cuts ordinals in two at the middle of the set. It is cut by value, so a list with gaps is split where the full one
 * would be; of an odd number the upper half has one more.
 */
export function splitOrdinals(
  ordinals: readonly number[],
  { replicas, start }: { replicas: number; start: number },
): { lower: number[]; upper: number[] } {
  const middle = start + Math.floor(replicas / 2)
  return {
    lower: ordinals.filter((ordinal) => ordinal < middle),
    upper: ordinals.filter((ordinal) => ordinal >= middle),
  }
}

/** The ranges of a StatefulSet in the order in which they are rolled: upper, then lower; or one of all. None without pods. */
export function ranges(size: { replicas: number; start: number }, halfSplit: boolean): Range[] {
  const ordinals = ordinalsOf(size)
  if (ordinals.length === 0) return []
  if (!halfSplit || ordinals.length === 1) return [{ name: 'all', index: 1, total: 1, ordinals }]
  const { lower, upper } = splitOrdinals(ordinals, size)
  return [
    { name: 'upper_range', index: 1, total: 2, ordinals: upper },
    { name: 'lower_range', index: 2, total: 2, ordinals: lower },
  ]
}

/**
 * Cuts ordinals into pieces of the given size, ascending; the last may be shorter.
 *
 * @param size at least 1
 */
export function cut(ordinals: readonly number[], size: number): number[][] {
  const sorted = [...ordinals].sort((a, b) => a - b)
  return Array.from({ length: Math.ceil(sorted.length / size) }, (_, index) =>
    sorted.slice(index * size, (index + 1) * size),
  )
}

/** All chunks of a rollout in its order. They are cut from all ordinals, whether updated or not, so they never move. */
export function chunks(
  size: { replicas: number; start: number },
  { halfSplit, maxUnavailable }: { halfSplit: boolean; maxUnavailable: number },
): Chunk[] {
  return ranges(size, halfSplit).flatMap(({ ordinals, ...range }) =>
    cut(ordinals, maxUnavailable).map((piece, index, { length }) => ({
      range,
      index: index + 1,
      total: length,
      ordinals: piece,
    })),
  )
}

/** What may be deleted now, and where the rollout stands. */
export interface Batch {
  /** The first chunk that is not finished. */
  chunk: Chunk
  /** Ordinals to delete, ascending; empty while the rollout has to wait. */
  ordinals: number[]
}

/** What a batch is decided by; sets of ordinals of the whole StatefulSet. */
export interface BatchFacts {
  /** Living pods of another revision than the target. */
  old: ReadonlySet<number>
  /** Ordinals without an available pod: missing, terminating, not ready or not ready for long enough. */
  unavailable: ReadonlySet<number>
}

/**
 * The pods that may be deleted, so that never more than max unavailable are down because of it.
 *
 * Of the first unfinished chunk: its old pods that are down already (nothing is lost with them), and of its other old
 * pods as many as the budget has room for. Pods that are down anywhere in the set use up the budget. When it is used up,
 * old pods that are themselves down come first, wherever they are: otherwise a broken old pod would block the very change
 * that repairs it.
 *
 * @param plan chunks in the order of the rollout
 * @returns undefined when every ordinal is updated and available
 */
export function nextBatch(
  plan: readonly Chunk[],
  { old, unavailable }: BatchFacts,
  maxUnavailable: number,
): Batch | undefined {
  const chunk = plan.find(({ ordinals }) => ordinals.some((ordinal) => old.has(ordinal) || unavailable.has(ordinal)))
  if (chunk === undefined) return undefined
  const isDown = (ordinal: number): boolean => unavailable.has(ordinal)
  const room = Math.max(0, maxUnavailable - unavailable.size)
  if (room === 0) {
    const broken = plan.flatMap(({ ordinals }) => ordinals).filter((ordinal) => old.has(ordinal) && isDown(ordinal))
    if (broken.length > 0) return { chunk, ordinals: ascending(broken.slice(0, maxUnavailable)) }
  }
  const candidates = chunk.ordinals.filter((ordinal) => old.has(ordinal))
  const free = candidates.filter(isDown)
  const others = candidates.filter((ordinal) => !isDown(ordinal)).slice(0, room)
  return { chunk, ordinals: ascending([...free, ...others]) }
}

function ascending(ordinals: number[]): number[] {
  return ordinals.sort((a, b) => a - b)
}
