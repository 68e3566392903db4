import { chunks } from '../../webhooks/rollout/batches.ts'
import type { Fleet } from './rollout-fleet.ts'

/**
 * Rolls all sets of a fleet in the batches of a rollout, and does nothing else: deletes the pods of a batch, waits in a
 * watch until they are back, of the present template and ready, and goes on. No budget, no record, no look at what it
 * deletes: the floor that the operator is measured against.
 */
export async function rollBare(fleet: Fleet): Promise<void> {
  const { replicas, maxUnavailable } = fleet.size
  const batches = chunks({ replicas, start: 0 }, { halfSplit: true, maxUnavailable })
  await Promise.all(
    fleet.names.map(async (name) => {
      for (const { ordinals } of batches) {
        await fleet.delete(name, ordinals)
        await fleet.until(name, () => fleet.isUpdated(name, ordinals))
      }
    }),
  )
}
