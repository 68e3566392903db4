import { type KasprAgentSpec, kasprAgentSpecSchema } from '../../../crds/types/kaspragent.ts'
import { hashOf } from '../../contract/hash.ts'
import type { KubeObject } from '../../contract/types.ts'
import { type Problem, type Validated, shown, specValidator } from '../../contract/validate.ts'
import { agentDefinition, agentProblems } from './agent.ts'
import { type Definition, definitionFile } from './definition-file.ts'
import { type ComponentKind, agentKind } from './kinds.ts'

/** A component as the runtime gets it, or why it cannot. */
export type RenderedComponent =
  | {
      valid: true
      name: string
      /** Name of the ConfigMap, of the volume, and of the file without its extension. */
      configMap: string
      /** Name of the file, and key of the ConfigMap's only entry. */
      file: string
      data: Record<string, string>
      /** {@link dataHash} of `data`. */
      hash: string
      topics: Topics
    }
  | { valid: false; name: string; problems: Problem[] }

/** What a component subscribes to, as written in its spec. */
export interface Topics {
  topicName?: string
  topicPattern?: string
}

/**
 * Largest definition that is rendered. The applied object is stored once more in an annotation, and the annotations of
 * an object are limited to 256 KiB together.
 */
export const definitionLimitBytes = 200 * 1024

type Renderer = (name: string, spec: unknown) => Validated<{ definition: Record<string, Definition>; topics: Topics }>

const validateAgent = specValidator<KasprAgentSpec>(kasprAgentSpecSchema)

const renderers: Record<string, Renderer> = {
  [agentKind.kind]: (name, spec) => {
    const validated = validateAgent(spec)
    if (!validated.ok) return validated
    const problems = agentProblems(validated.value)
    if (problems.length > 0) return { ok: false, problems }
    const topic = validated.value.input.topic
    const topics: Topics = {}
    if (topic?.name !== undefined) topics.topicName = topic.name
    if (topic?.pattern !== undefined) topics.topicPattern = topic.pattern
    return { ok: true, value: { definition: agentDefinition(name, validated.value), topics } }
  },
}

/** Renders a component of a kind; it depends on the component's name and spec alone. */
export function renderComponent({ kind, suffix, root }: ComponentKind, component: KubeObject): RenderedComponent {
  const { name } = component.metadata
  const rendered = renderers[kind]?.(name, component['spec'])
  if (rendered === undefined) throw new Error(`no renderer for ${kind}`)
  const problems = [...nameProblems(name, suffix), ...(rendered.ok ? [] : rendered.problems)]
  if (!rendered.ok || problems.length > 0) return { valid: false, name, problems }
  const configMap = `${name}-${suffix}`
  const file = `${configMap}.yaml`
  const text = definitionFile({ [root]: [rendered.value.definition] })
  const bytes = Buffer.byteLength(text)
  if (bytes > definitionLimitBytes) {
    const problem = {
      field: 'spec',
      value: `a definition of ${Math.ceil(bytes / 1024)} KiB`,
      accepted: `${definitionLimitBytes / 1024} KiB at most`,
    }
    return { valid: false, name, problems: [problem] }
  }
  const data = { [file]: text }
  return { valid: true, name, configMap, file, data, hash: dataHash(data), topics: rendered.value.topics }
}

/** With the suffix, the name becomes a volume name and a label value: a DNS label. */
function nameProblems(name: string, suffix: string): Problem[] {
  const longest = 63 - suffix.length - 1
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= longest) return []
  return [
    {
      field: 'metadata.name',
      value: shown(name),
      accepted: `lower-case letters, digits and dashes, ${longest} characters at most`,
    },
  ]
}

/** Hash of a ConfigMap's data: equal for what a spec renders to and what the cluster holds, if and only if the files are. */
export function dataHash(data: unknown): string {
  return hashOf(data)
}
