import type { KasprTableSpec } from '../../../crds/types/kasprtable.ts'
import { code, optional, strings } from './blocks.ts'
import type { Definition } from './definition-file.ts'
import { type Links, noLinks } from './links.ts'

const secondsPerUnit: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** The runtime's definition of a table called `name`. Windows are whole seconds there. */
export function tableDefinition(name: string, spec: KasprTableSpec): Record<string, Definition> {
  return optional({
    name,
    description: spec.description,
    global: spec.global,
    default_selector: code(spec.defaultSelector),
    key_serializer: spec.keySerializer,
    value_serializer: spec.valueSerializer,
    partitions: spec.partitions,
    extra_topic_configs: strings(spec.extraTopicConfigs),
    options: strings(spec.options),
    window: spec.window && windowDefinition(spec.window),
  })
}

function windowDefinition({
  tumbling,
  hopping,
  relativeTo,
  relativeToSelector,
}: NonNullable<KasprTableSpec['window']>): Definition {
  return optional({
    tumbling: tumbling && optional({ size: seconds(tumbling.size), expires: tumbling.expires }),
    hopping:
      hopping && optional({ size: seconds(hopping.size), step: seconds(hopping.step), expires: hopping.expires }),
    relative_to: relativeTo,
    relative_to_selector: code(relativeToSelector),
  })
}

/** Seconds as a number, in digits, or with a unit: 90, `90`, `90s`, `5m`, `2h`, `1d`. The schema lets nothing else through. */
function seconds(value: number | string): number {
  if (typeof value === 'number') return value
  const factor = secondsPerUnit[value.slice(-1)]
  return factor === undefined ? Number(value) : Number(value.slice(0, -1)) * factor
}

/**
 * A table is tied to its changelog topic. That it is global counts too: members then consume all partitions instead of
 * their share. The runtime calls it by the name of the resource; `spec.name` has no effect.
 */
export function tableLinks(name: string, spec: KasprTableSpec): Links {
  return {
    ...noLinks,
    recorded: { tableName: name },
    topics: spec.global === true ? [`#global ${name}`] : [],
    ownTopics: [`${name}-changelog`],
  }
}
