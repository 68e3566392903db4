import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { type GoldenCase, type Rule, mapDeep, withoutEmpty } from './golden-objects.ts'

/** What is refused by us although the original rendered it. */
interface Refused {
  reason: string
  /** Fields without which the case is accepted and must equal the original's objects without them. */
  without: string[]
}

const bothSelectors: Refused = {
  reason: 'a fixed part of the response together with code for it ends the runtime at its start',
  without: ['statusCode', 'headers'],
}

const bothStatuses: Refused = { ...bothSelectors, without: ['statusCode'] }

const bothSchedules: Refused = {
  reason: 'cron and interval at once end the runtime at its start',
  without: ['interval'],
}

/** By case. */
export const refusedComponents: Record<string, Refused> = {
  'exhaustive-webview-name': bothSelectors,
  'exhaustive-webview-selector': bothSelectors,
  'webview-response-full': bothSelectors,
  'combo-00': bothStatuses,
  'combo-06': bothStatuses,
  'combo-10': bothStatuses,
  'combo-15': bothStatuses,
  'combo-19': bothStatuses,
  'combo-26': bothStatuses,
  'combo-35': bothStatuses,
  'exhaustive-task-name': bothSchedules,
  'exhaustive-task-selector': bothSchedules,
  'task-full': bothSchedules,
}

/** Cases that the original refused and that we render: name -> reason. */
export const acceptedComponents: Record<string, string> = {
  'invalid-table-no-name': 'spec.name has no effect, so it is not required',
  'invalid-task-no-name': 'spec.name has no effect, so it is not required',
  'invalid-table-size-duration': 'the length of a window may have a unit, as the examples of the original write it',
  'invalid-agent-topic-config-number':
    'numbers in topic configs are written as text, as the examples of the original need it',
}

/** The case without these fields of components' specs, and without what the original wrote for them. */
export function withoutFields(golden: GoldenCase, fields: readonly string[] = []): GoldenCase {
  if (fields.length === 0) return golden
  const components = golden.input.components.map((component) => withoutKeys(component, fields))
  return { ...golden, input: { ...golden.input, components } }
}

function withoutKeys(object: KubeObject, keys: readonly string[]): KubeObject {
  return mapDeep(object, (value) =>
    isMap(value) ? Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key))) : value,
  )
}

/** A rule for the single component of each definition file. */
function inFiles(root: string, rule: (component: Record<string, unknown>, golden: GoldenCase) => object): Rule {
  return (object, golden) =>
    mapDeep(object, (value) =>
      isMap(value) && Array.isArray(value[root]) && Object.keys(value).length === 1
        ? { [root]: value[root].map((component: Record<string, unknown>) => rule(component, golden)) }
        : value,
    )
}

/** Fields of a definition that are maps of the user's own keys. */
const userMaps = new Set(['config', 'extra_topic_configs', 'options', 'headers'])

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

const onTheOriginalsSide: Record<string, Rule> = {
  'component files carry no nulls and no empty collections': (object) => withoutEmpty(object) as KubeObject,
  'an agent always has processors: the runtime refuses one without': inFiles('agents', (agent) => ({
    processors: {},
    ...agent,
  })),
  'isolatedPartitions has its default as on the API server': inFiles('agents', (agent) => ({
    isolated_partitions: false,
    ...agent,
  })),
  'onLeader has its default as on the API server': inFiles('tasks', (task) => ({ on_leader: false, ...task })),
  'relativeToSelector reaches the runtime; what the original reads instead is no field of the CRD': inFiles(
    'tables',
    (table, golden) => {
      if (!isMap(table['window'])) return table
      const { relative_to_field_selector: _, ...window } = table['window']
      const input = golden.input.components.find(
        ({ kind, metadata }) => kind === 'KasprTable' && metadata.name === table['name'],
      )
      const given = (input?.['spec'] as { window: { relativeToSelector?: unknown } }).window.relativeToSelector
      return { ...table, window: { ...window, ...(given === undefined ? {} : { relative_to_selector: given }) } }
    },
  ),
  'what we refuse is compared without it': (object, golden) =>
    withoutKeys(object, (refusedComponents[golden.name]?.without ?? []).map(snakeCase)),
}

const onOurSide: Record<string, Rule> = {
  'keys of maps are data and stay as they are: the original turns maxBytes into max_bytes': (object) =>
    mapDeep(object, (value) => {
      if (!isMap(value)) return value
      const entries = Object.entries(value).map(([key, item]): [string, unknown] =>
        userMaps.has(key) && isMap(item)
          ? [key, Object.fromEntries(Object.entries(item).map(([name, text]) => [snakeCase(name), text]))]
          : [key, item],
      )
      return Object.fromEntries(entries)
    }),
  'joins are mounted, if their tables are: the original never loads their handler': (object) =>
    withoutMounts(object, ['join'], ['JOINS_HASH']),
  'a refused component does not keep the others from being mounted': (object, golden) =>
    golden.refused
      ? withoutMounts(
          object,
          ['agent', 'webview', 'table', 'task'],
          ['AGENTS_HASH', 'WEBVIEWS_HASH', 'TABLES_HASH', 'TASKS_HASH'],
        )
      : object,
}

/** A StatefulSet without the definition files of some kinds and the variables that carry their hashes. */
function withoutMounts(object: KubeObject, suffixes: readonly string[], variables: readonly string[]): KubeObject {
  const isOurs = ({ name, subPath, configMap }: { name: string; subPath?: string; configMap?: unknown }): boolean =>
    suffixes.some((suffix) => name.endsWith(`-${suffix}`)) && (subPath === `${name}.yaml` || isMap(configMap))
  return mapDeep(object, (value) => {
    if (!isMap(value)) return value
    const result = { ...value }
    for (const list of ['volumes', 'volumeMounts']) {
      if (Array.isArray(value[list]))
        result[list] = (value[list] as { name: string }[]).filter((entry) => !isOurs(entry))
    }
    if (Array.isArray(value['env'])) {
      result['env'] = (value['env'] as { name: string }[]).filter(({ name }) => !variables.includes(name))
    }
    return result
  })
}

/** Differences in components that are meant, by the side that they are applied to. */
export const componentRules = { onTheOriginalsSide, onOurSide }
