import type { Definition } from './definition-file.ts'

/** Parts that definitions of several component kinds share, from the keys of the CRD to the keys of the runtime. */

/** A map of texts; numbers are accepted for them. */
export type Strings = Record<string, string | number>

/** Python source and the function in it to call. */
export interface Code {
  python: string
  entrypoint?: string
}

/** An output topic. */
export interface TopicOut {
  name?: string
  nameSelector?: Code
  ack?: boolean
  keySerializer?: string
  valueSerializer?: string
  keySelector?: Code
  valueSelector?: Code
  partitionSelector?: Code
  headersSelector?: Code
  predicate?: Code
  passThrough?: boolean
  declare?: boolean
  partitions?: number
  retention?: number
  replicas?: number
  compacting?: boolean
  deleting?: boolean
  config?: Strings
}

/** A pipeline of named operations. */
export interface Processors {
  pipeline: string[]
  init?: Code
  operations: {
    /** Absent only in webviews, and then of no use: a pipeline refers to names. */
    name?: string
    tables?: { name: string; paramName: string }[]
    map?: Code
    filter?: Code
    topicSend?: TopicOut
  }[]
}

export function code(value: Code | undefined): Definition | undefined {
  return value === undefined ? undefined : optional({ python: value.python, entrypoint: value.entrypoint })
}

/** Keys are data and stay as they are; the runtime wants texts. */
export function strings(map: Strings | undefined): Definition | undefined {
  if (map === undefined) return undefined
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value)]))
}

export function topicOut(topic: TopicOut | undefined): Definition | undefined {
  if (topic === undefined) return undefined
  return optional({
    name: topic.name,
    name_selector: code(topic.nameSelector),
    ack: topic.ack,
    key_serializer: topic.keySerializer,
    value_serializer: topic.valueSerializer,
    key_selector: code(topic.keySelector),
    value_selector: code(topic.valueSelector),
    partition_selector: code(topic.partitionSelector),
    headers_selector: code(topic.headersSelector),
    predicate: code(topic.predicate),
    pass_through: topic.passThrough ?? false,
    declare: topic.declare ?? false,
    partitions: topic.partitions,
    retention: topic.retention,
    replicas: topic.replicas,
    compacting: topic.compacting,
    deleting: topic.deleting,
    config: strings(topic.config),
  })
}

export function processors(value: Processors | undefined): Definition | undefined {
  if (value === undefined) return undefined
  return optional({
    init: code(value.init),
    pipeline: value.pipeline,
    operations: value.operations.map((operation) =>
      optional({
        name: operation.name,
        tables: operation.tables?.map((table) => ({ name: table.name, param_name: table.paramName })),
        map: code(operation.map),
        filter: code(operation.filter),
        topic_send: topicOut(operation.topicSend),
      }),
    ),
  })
}

/** A map with the fields that are set; an absent one takes the runtime's default. */
export function optional(fields: Record<string, Definition | undefined>): Record<string, Definition> {
  const set: Record<string, Definition> = {}
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) set[key] = value
  return set
}
