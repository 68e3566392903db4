import { hashOf } from '../contract/hash.ts'
import type { Links } from './components/links.ts'

/**
 * The topics that an app consumes through its components: names as they are, patterns with a `~` in front, what the
 * runtime makes for tables and joins, `#global <table>` for a table that every member holds whole, `#scheduler` for the
 * scheduler's own topics; sorted and without repetitions. A rebalance is due when this set changes, and only then.
 *
 * @param kafkaId Kafka id of the app, which the names of the runtime's own topics start with
 */
export function subscriptions(
  components: readonly Pick<Links, 'topics' | 'ownTopics'>[],
  kafkaId: string,
  schedulerEnabled: boolean,
): string[] {
  const set = new Set<string>(schedulerEnabled ? ['#scheduler'] : [])
  for (const { topics, ownTopics } of components) {
    for (const topic of topics) set.add(topic)
    for (const topic of ownTopics) set.add(`${kafkaId}-${topic}`)
  }
  return [...set].sort()
}

/** Hash of the subscription set, carried by the pods that were rendered with it. */
export function subscriptionHash(topics: readonly string[]): string {
  return hashOf(topics)
}
