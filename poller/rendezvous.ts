import { createHash } from 'node:crypto'

/**
 * Assigns each shard (0 … count-1) to one of the members by rendezvous hashing: everybody with the same members computes
 * the same, and when a member comes or goes only its own shards move. `undefined` everywhere without members.
 */
export function assign(count: number, members: readonly string[]): (string | undefined)[] {
  return Array.from({ length: count }, (_, shard) => {
    let best: string | undefined
    let bestWeight = ''
    for (const member of members) {
      const weight = createHash('sha256').update(`${shard}/${member}`).digest('hex')
      if (weight > bestWeight) [best, bestWeight] = [member, weight]
    }
    return best
  })
}
