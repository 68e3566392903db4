import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until the condition holds; throws after `limitMs`. The limit tells only how long a failure takes: the first request of a
 * process loads the Kubernetes client, which takes 0.5 s alone and 8 s on a machine with ten other things to do.
 */
export async function until(condition: () => boolean, limitMs = 20_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not so after ${limitMs} ms: ${condition.toString()}`)
    await sleep(2)
  }
}
