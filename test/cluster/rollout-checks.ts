import type { Test } from 'tap'
import type { RolloutWorld } from './rollout-world.ts'

/** What is expected of a rollout besides its batches. */
export interface Expected {
  name?: string
  /** Max unavailable. */
  most: number
  /** Ordinals that were down before; they count. */
  broken?: number[]
  /** Pods of one batch may go in any order. */
  anyOrder?: boolean
}

/**
 * Checks that exactly these pods were deleted since the mark, by pollers and by nobody else, in this order; that a batch began only when
 * those before it were ready again; and that never more pods were down than allowed.
 */
export async function rolledInBatches(
  t: Test,
  world: RolloutWorld,
  batches: number[][],
  { name = 'web', most, broken = [], anyOrder = false }: Expected,
): Promise<void> {
  const pods = batches.flat().map((ordinal) => `${name}-${ordinal}`)
  const own = (pod: string): boolean => /^(.*)-\d+$/.exec(pod)?.[1] === name
  const ordered = (names: string[]): string[] =>
    anyOrder ? [...batches.map(({ length }) => names.splice(0, length).sort()), names].flat() : names
  t.strictSame(ordered((await world.deletions()).filter(own)), pods, 'order of deletions')
  const endings = world.journal.endings.filter(({ set }) => set === name)
  const ended = ordered(endings.map(({ pod }) => pod))
  t.strictSame(ended, pods, 'and nothing else has ended')
  for (const { pod, down } of endings) {
    const batch = batches.find((ordinals) => ordinals.includes(Number(pod.slice(name.length + 1)))) ?? []
    const others = down.filter((ordinal) => !batch.includes(ordinal) && !broken.includes(ordinal))
    t.strictSame(others, [], `when ${pod} went, all batches before were ready`)
  }
  t.ok(world.journal.mostDown(name) <= most, `at most ${world.journal.mostDown(name)} of ${name} down at once`)
}

/** Checks that the pollers delete nothing from now on, while so many seconds pass. */
export async function nothingGoes(t: Test, world: RolloutWorld, seconds: number): Promise<void> {
  const before = await world.deletions()
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  t.strictSame(await world.deletions(), before, `no pod goes within ${seconds} s`)
}
