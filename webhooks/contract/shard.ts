import { hash } from 'node:crypto'

/** Observations carry their shard in this label; replicas of the poller divide the work by it. */
export const shardLabel = 'metacontroller.kaspr.io/shard'

/** Number of shards, for ever: the label values of existing Observations depend on it. */
export const shardCount = 64

/** Shard of a parent, 0 to 63, by its uid: equal everywhere and evenly spread. */
export function shardOf(uid: string): number {
  return Number.parseInt(hash('sha256', uid).slice(0, 8), 16) % shardCount
}
