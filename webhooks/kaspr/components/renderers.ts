import { type KasprAgentSpec, kasprAgentSpecSchema } from '../../../crds/types/kaspragent.ts'
import { type KasprJoinSpec, kasprJoinSpecSchema } from '../../../crds/types/kasprjoin.ts'
import { type KasprTableSpec, kasprTableSpecSchema } from '../../../crds/types/kasprtable.ts'
import { type KasprTaskSpec, kasprTaskSpecSchema } from '../../../crds/types/kasprtask.ts'
import { type KasprWebViewSpec, kasprWebViewSpecSchema } from '../../../crds/types/kasprwebview.ts'
import { type Problem, type Validated, specValidator } from '../../contract/validate.ts'
import { agentDefinition, agentLinks, agentProblems } from './agent.ts'
import type { Definition } from './definition-file.ts'
import { joinDefinition, joinLinks } from './join.ts'
import type { ComponentKind } from './kinds.ts'
import { type Links, noLinks } from './links.ts'
import { tableDefinition, tableLinks } from './table.ts'
import { taskDefinition, taskProblems } from './task.ts'
import { webviewDefinition, webviewProblems } from './webview.ts'

/** What a valid spec becomes. */
export interface Rendering {
  definition: Record<string, Definition>
  links: Links
}

/** Checks the `spec` of a component and renders it under the component's name. */
export type Renderer = (name: string, spec: unknown) => Validated<Rendering>

/** What is particular to a kind. */
interface Rendered<Spec> {
  schema: object
  /** Rules that the schema cannot say. */
  problems?: (spec: Spec) => Problem[]
  definition: (name: string, spec: Spec) => Record<string, Definition>
  links?: (name: string, spec: Spec) => Links
}

/** How each kind is checked and rendered. */
export const renderers: Record<ComponentKind['kind'], Renderer> = {
  KasprAgent: renderer<KasprAgentSpec>({
    schema: kasprAgentSpecSchema,
    problems: agentProblems,
    definition: agentDefinition,
    links: agentLinks,
  }),
  KasprWebView: renderer<KasprWebViewSpec>({
    schema: kasprWebViewSpecSchema,
    problems: webviewProblems,
    definition: webviewDefinition,
  }),
  KasprTable: renderer<KasprTableSpec>({
    schema: kasprTableSpecSchema,
    definition: tableDefinition,
    links: tableLinks,
  }),
  KasprTask: renderer<KasprTaskSpec>({
    schema: kasprTaskSpecSchema,
    problems: taskProblems,
    definition: taskDefinition,
  }),
  KasprJoin: renderer<KasprJoinSpec>({
    schema: kasprJoinSpecSchema,
    definition: joinDefinition,
    links: joinLinks,
  }),
}

function renderer<Spec>({
  schema,
  problems: problemsOf = () => [],
  definition,
  links = () => noLinks,
}: Rendered<Spec>): Renderer {
  const validate = specValidator<Spec>(schema)
  return (name, spec) => {
    const validated = validate(spec)
    if (!validated.ok) return validated
    const problems = problemsOf(validated.value)
    if (problems.length > 0) return { ok: false, problems }
    const { value } = validated
    return { ok: true, value: { definition: definition(name, value), links: links(name, value) } }
  }
}
