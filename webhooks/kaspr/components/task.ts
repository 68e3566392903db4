import type { KasprTaskSpec } from '../../../crds/types/kasprtask.ts'
import type { Problem } from '../../contract/validate.ts'
import { exactlyOne, processorsProblems } from './block-problems.ts'
import { optional, processors } from './blocks.ts'
import type { Definition } from './definition-file.ts'

/** What the runtime would refuse of a task that its schema lets through: a refused file stops every pod of the app. */
export function taskProblems({ schedule, processors }: KasprTaskSpec): Problem[] {
  return [
    ...(schedule === undefined ? [] : exactlyOne('spec.schedule', 'cron', 'interval', schedule)),
    ...processorsProblems(processors),
  ]
}

/** The runtime's definition of a task called `name`. */
export function taskDefinition(name: string, spec: KasprTaskSpec): Record<string, Definition> {
  const { schedule } = spec
  return optional({
    name,
    description: spec.description,
    on_leader: spec.onLeader,
    schedule: schedule && optional({ cron: schedule.cron, interval: schedule.interval, timezone: schedule.timezone }),
    processors: processors(spec.processors),
  })
}
