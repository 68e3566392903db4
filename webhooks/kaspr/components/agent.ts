import type { KasprAgentSpec } from '../../../crds/types/kaspragent.ts'
import type { Problem } from '../../contract/validate.ts'
import { exactlyOne, processorsProblems, topicOutProblems } from './block-problems.ts'
import { optional, processors, strings, topicOut } from './blocks.ts'
import type { Definition } from './definition-file.ts'
import { type Links, noLinks } from './links.ts'

/** What the runtime would refuse of an agent that its schema lets through: a refused file stops every pod of the app. */
export function agentProblems(spec: KasprAgentSpec): Problem[] {
  const { topic, channel } = spec.input
  return [
    ...(topic === undefined && channel === undefined
      ? [{ field: 'spec.input', value: '{}', accepted: 'topic or channel' }]
      : []),
    ...(topic === undefined ? [] : exactlyOne('spec.input.topic', 'name', 'pattern', topic)),
    ...(spec.output?.topics ?? []).flatMap((output, index) => topicOutProblems(`spec.output.topics[${index}]`, output)),
    ...processorsProblems(spec.processors),
  ]
}

/** The runtime's definition of an agent called `name`. The runtime refuses an agent without `processors`, so it is always there. */
export function agentDefinition(name: string, spec: KasprAgentSpec): Record<string, Definition> {
  const { topic, channel, take, declare } = spec.input
  return optional({
    name,
    description: spec.description,
    isolated_partitions: spec.isolatedPartitions,
    input: optional({
      declare,
      topic:
        topic &&
        optional({
          name: topic.name,
          pattern: topic.pattern,
          key_serializer: topic.keySerializer,
          value_serializer: topic.valueSerializer,
          partitions: topic.partitions,
          retention: topic.retention,
          compacting: topic.compacting,
          deleting: topic.deleting,
          replicas: topic.replicas,
          config: strings(topic.config),
        }),
      channel: channel && { name: channel.name },
      take: take && { max: take.max, within: take.within },
    }),
    output: spec.output && optional({ topics: spec.output.topics?.map((output) => topicOut(output) ?? {}) }),
    processors: processors(spec.processors) ?? {},
  })
}

/** An agent is tied to the topics that it reads; a channel is inside of the members. */
export function agentLinks(_name: string, { input: { topic } }: KasprAgentSpec): Links {
  if (topic === undefined) return noLinks
  const { name, pattern } = topic
  const names = (name ?? '').split(',').map((part) => part.trim())
  return {
    ...noLinks,
    recorded: {
      ...(name === undefined ? {} : { topicName: name }),
      ...(pattern === undefined ? {} : { topicPattern: pattern }),
    },
    topics: [...names.filter((part) => part !== ''), ...(pattern === undefined ? [] : [`~${pattern.trim()}`])],
  }
}
