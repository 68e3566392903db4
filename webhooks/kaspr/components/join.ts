import type { KasprJoinSpec } from '../../../crds/types/kasprjoin.ts'
import { code, optional } from './blocks.ts'
import type { Definition } from './definition-file.ts'
import { type Links, noLinks } from './links.ts'

/** The runtime's definition of a join called `name`; without a channel it gives its results to `<name>-channel`. */
export function joinDefinition(name: string, spec: KasprJoinSpec): Record<string, Definition> {
  return optional({
    name,
    description: spec.description,
    left_table: spec.leftTable,
    right_table: spec.rightTable,
    extractor: code(spec.extractor),
    type: spec.type,
    output_channel: spec.outputChannel,
  })
}

/** A join is tied to its tables, and to four topics by which their owners tell each other what changed. */
export function joinLinks(_name: string, { leftTable, rightTable }: KasprJoinSpec): Links {
  const pair = `${leftTable}-${rightTable}`
  return {
    ...noLinks,
    ownTopics: [
      `${pair}-subscription-registration`,
      `${pair}-subscription-response`,
      `${pair}-subscriptions-changelog`,
      `${pair}-previous-fk-changelog`,
    ],
    tables: [
      { field: 'leftTable', name: leftTable },
      { field: 'rightTable', name: rightTable },
    ],
  }
}
