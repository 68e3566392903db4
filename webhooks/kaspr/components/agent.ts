import type { KasprAgentSpec } from '../../../crds/types/kaspragent.ts'
import { type Problem, shown } from '../../contract/validate.ts'
import { optional, processors, topicOut } from './blocks.ts'
import type { Definition } from './definition-file.ts'

const pythonKeywords = new Set(
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  ),
)

/** What the runtime would refuse of an agent that its schema lets through: a refused file stops every pod of the app. */
export function agentProblems(spec: KasprAgentSpec): Problem[] {
  const problems: Problem[] = []
  const { topic, channel } = spec.input
  if (topic === undefined && channel === undefined)
    problems.push({ field: 'spec.input', value: '{}', accepted: 'topic or channel' })
  if (topic !== undefined) problems.push(...exactlyOne('spec.input.topic', 'name', 'pattern', topic))
  spec.output?.topics?.forEach((output, index) =>
    problems.push(...exactlyOne(`spec.output.topics[${index}]`, 'name', 'nameSelector', output)),
  )
  spec.processors?.operations.forEach((operation, index) => {
    const field = `spec.processors.operations[${index}]`
    if (operation.topicSend !== undefined) {
      problems.push(...exactlyOne(`${field}.topicSend`, 'name', 'nameSelector', operation.topicSend))
    }
    operation.tables?.forEach(({ paramName }, table) => {
      if (!pythonKeywords.has(paramName)) return
      problems.push({
        field: `${field}.tables[${table}].paramName`,
        value: shown(paramName),
        accepted: 'a Python identifier that is no keyword',
      })
    })
  })
  return problems
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
          config: topic.config,
        }),
      channel: channel && { name: channel.name },
      take: take && { max: take.max, within: take.within },
    }),
    output: spec.output && optional({ topics: spec.output.topics?.map((output) => topicOut(output) ?? {}) }),
    processors: processors(spec.processors) ?? {},
  })
}

function exactlyOne(field: string, first: string, second: string, value: object): Problem[] {
  if (Object.hasOwn(value, first) !== Object.hasOwn(value, second)) return []
  return [{ field, value: shown(value), accepted: `exactly one of ${first} and ${second}` }]
}
