import { hashOf } from '../../contract/hash.ts'
import type { DeclaredObject } from '../../contract/types.ts'
import { type Problem, shown } from '../../contract/validate.ts'
import { definitionFile } from './definition-file.ts'
import type { ComponentKind } from './kinds.ts'
import type { Links } from './links.ts'
import { renderers } from './renderers.ts'

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
      /** {@link dataHash} of `data`: whether the cluster holds this file. */
      hash: string
      /** Hash of the definition without its description: whether a pod that started with another file is stale. */
      podHash: string
      links: Links
    }
  | { valid: false; name: string; problems: Problem[] }

/**
 * Largest definition that is rendered. The applied object is stored once more in an annotation, and the annotations of
 * an object are limited to 256 KiB together.
 */
export const definitionLimitBytes = 200 * 1024

/** Renders a component of a kind; it depends on the component's name and spec alone. */
export function renderComponent(
  { kind, suffix, root }: ComponentKind,
  { metadata: { name }, spec }: DeclaredObject,
): RenderedComponent {
  const rendered = renderers[kind](name, spec)
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
  const { description: _, ...effective } = rendered.value.definition
  return {
    valid: true,
    name,
    configMap,
    file,
    data,
    hash: dataHash(data),
    podHash: hashOf(effective),
    links: rendered.value.links,
  }
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
