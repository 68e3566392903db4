import type { KubeClient } from '../../poller/kube/client.ts'
import { watchLive } from './live.ts'
import type { Live } from './model.ts'
import { paced } from './pace.ts'
import type { Target } from './target.ts'

/**
 * Watches a set and its pods until somebody has seen enough.
 *
 * @param first as they were read just now
 * @param look called at once, after changes, and at least once a second; undefined goes on waiting
 * @param limitMs undefined waits for ever
 * @returns what `look` gave, or undefined when the time was over
 */
export async function watchUntil<T>(
  client: KubeClient,
  target: Target,
  first: Live,
  look: (live: Live | undefined) => T | undefined,
  limitMs: number | undefined,
): Promise<T | undefined> {
  let end: (seen: T | undefined) => void = () => undefined
  const ended = new Promise<T | undefined>((resolve) => (end = resolve))
  const pace = paced(() => {
    const seen = look(watched.current())
    if (seen !== undefined) end(seen)
  })
  const watched = watchLive(client, target, first, () => pace.soon())
  const timer = limitMs === undefined ? undefined : setTimeout(() => end(undefined), limitMs)
  try {
    pace.now()
    return await ended
  } finally {
    clearTimeout(timer)
    pace.stop()
    await watched.stop()
  }
}
