import { type Problem, shown } from '../../contract/validate.ts'
import type { Processors, TopicOut } from './blocks.ts'

/**
 * Rules of shared blocks that a schema without CEL cannot say. The API server enforces them at admission; here they stand
 * for objects admitted under an older schema, and for files.
 */

const pythonKeywords = new Set(
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  ),
)

/** A problem unless exactly one of two fields is set. */
export function exactlyOne(field: string, first: string, second: string, value: object): Problem[] {
  if (Object.hasOwn(value, first) !== Object.hasOwn(value, second)) return []
  return [{ field, value: shown(value), accepted: `exactly one of ${first} and ${second}` }]
}

/** What is wrong with an output topic at `field`. */
export function topicOutProblems(field: string, topic: TopicOut): Problem[] {
  return exactlyOne(field, 'name', 'nameSelector', topic)
}

/** What is wrong with `spec.processors`. */
export function processorsProblems(processors: Processors | undefined): Problem[] {
  return (processors?.operations ?? []).flatMap(({ topicSend, tables = [] }, index) => {
    const field = `spec.processors.operations[${index}]`
    return [
      ...(topicSend === undefined ? [] : topicOutProblems(`${field}.topicSend`, topicSend)),
      ...tables.flatMap(({ paramName }, table) => paramNameProblems(`${field}.tables[${table}].paramName`, paramName)),
    ]
  })
}

function paramNameProblems(field: string, paramName: string): Problem[] {
  if (!pythonKeywords.has(paramName)) return []
  return [{ field, value: shown(paramName), accepted: 'a Python identifier that is no keyword' }]
}
