import { hashOf } from '../contract/hash.ts'
import type { Topics } from './components/render.ts'

/**
 * The topics that an app subscribes to through its components: names as they are, patterns with a `~` in front, `#scheduler` for the scheduler's own, sorted
 * and without repetitions. A rebalance is due when this set changes, and only then.
 */
export function subscriptions(components: readonly { topics: Topics }[], schedulerEnabled: boolean): string[] {
  const set = new Set<string>(schedulerEnabled ? ['#scheduler'] : [])
  for (const { topics } of components) {
    for (const name of (topics.topicName ?? '').split(',')) if (name.trim() !== '') set.add(name.trim())
    if (topics.topicPattern !== undefined) set.add(`~${topics.topicPattern.trim()}`)
  }
  return [...set].sort()
}

/** Hash of the subscription set, carried by the pods that were rendered with it. */
export function subscriptionHash(topics: readonly string[]): string {
  return hashOf(topics)
}
