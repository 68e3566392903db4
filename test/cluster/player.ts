import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError } from '../../poller/kube/client.ts'

/** Plays a part of a cluster that has no process of its own here, until it is stopped. */
export interface Player {
  stop(): Promise<void>
}

/**
 * Sends a request until it is answered: an API server that restarts is waited for. Not found and Conflict are answers
 * too (the object has gone, is there already, or is another one by now). Gives up silently when stopped.
 */
export async function persist(send: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await send()
      return
    } catch (error) {
      if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return
      await sleep(500, undefined, { signal }).catch(() => undefined)
    }
  }
}
