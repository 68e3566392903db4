import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until the condition holds; throws after `limitMs`. */
export async function until(condition: () => boolean, limitMs = 20_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not so after ${limitMs} ms: ${condition.toString()}`)
    await sleep(2)
  }
}
