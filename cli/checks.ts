import { Ajv, type ErrorObject } from 'ajv'
import { isMap } from '../webhooks/contract/objects.ts'
import { schemas } from '../webhooks/contract/schemas.ts'
import type { KubeObject } from '../webhooks/contract/types.ts'
import { type Problem, shown } from '../webhooks/contract/validate.ts'
import { readAppSpec } from '../webhooks/kaspr/app-spec.ts'
import { componentKinds } from '../webhooks/kaspr/components/kinds.ts'
import { renderComponent } from '../webhooks/kaspr/components/render.ts'
import { appLabelProblems } from '../webhooks/kaspr/components/sync.ts'
import { kasprHooks } from '../webhooks/kaspr/index.ts'
import { type Schema, customKind, withDefaults } from './crds.ts'

/** What keeps the spec of a kind from being rendered, as its hooks find it. */
const specChecks = new Map<string, (object: KubeObject) => Problem[]>([
  ['KasprApp', (app) => problemsOf(readAppSpec(app))],
  ...componentKinds.map((kind): [string, (component: KubeObject) => Problem[]] => [
    kind.kind,
    (component) => {
      const rendered = renderComponent(kind, component)
      return [...appLabelProblems(component), ...(rendered.valid ? [] : rendered.problems)]
    },
  ]),
])

/** A problem of an object in a file. */
export interface FileProblem extends Problem {
  /** What is wrong, where it is not the value. */
  problem?: string
}

/** What an object turned out to be. */
export type Checked =
  | { form: 'ours'; object: KubeObject; problems: FileProblem[] }
  /** Of a kind or form that cannot be given to any hook. */
  | { form: 'unusable'; problems: FileProblem[] }
  /** Of a kind that is none of ours. */
  | { form: 'foreign'; object: KubeObject }

/** Checks an object of a file as the API server does at admission, rules about earlier versions of the object apart. */
export function check(object: unknown): Checked {
  const form = formProblems(object)
  if (form.length > 0) return { form: 'unusable', problems: form }
  const { apiVersion, kind } = object as KubeObject
  const ours = kasprHooks.filter((hooks) => hooks.kind === kind || groupOf(hooks.apiVersion) === groupOf(apiVersion))
  if (ours.length === 0) return { form: 'foreign', object: object as KubeObject }
  const specProblems = specChecks.get(kind)
  if (specProblems === undefined) return { form: 'unusable', problems: [problem('kind', kind, kindsOf(ours))] }
  const version = ours.find((hooks) => hooks.kind === kind)?.apiVersion ?? ''
  if (version !== apiVersion) return { form: 'unusable', problems: [problem('apiVersion', apiVersion, version)] }
  const known = object as KubeObject
  const stored = withDefaults(customKind(known)?.schema, known) as KubeObject
  return { form: 'ours', object: known, problems: [...specProblems(stored), ...unknownFields(known)] }
}

const isKubeObject = new Ajv({
  schemas: [...schemas],
  verbose: true,
  allErrors: true,
  strictRequired: false,
}).getSchema('KubeObject')

/** Objects whose metadata nobody could read. Labels and annotations that are no texts are the usual mistake. */
function formProblems(object: unknown): Problem[] {
  if (isKubeObject === undefined || isKubeObject(object) === true) return []
  return (isKubeObject.errors ?? []).map(formProblem)
}

function formProblem({ instancePath, keyword, params, data, schema }: ErrorObject): Problem {
  const names = instancePath
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (keyword === 'required') {
    const field = [...names, String(params['missingProperty'])].join('.')
    return { field, accepted: 'a value' }
  }
  const [first = 'the document', ...rest] = names
  const field = [first, ...rest.map((name) => (/^\w+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`))].join('')
  return { field, value: shown(data), accepted: keyword === 'minLength' ? 'text that is not empty' : String(schema) }
}

/**
 * Fields that the schema of the kind does not know. The API server removes them (kubectl refuses them); those right
 * below `spec` it keeps for the sake of older manifests, but they have no effect either.
 */
function unknownFields(object: KubeObject): FileProblem[] {
  // Metadata has its own schema, and the status is not written with the object.
  const { metadata, status, ...rest } = object
  return unknown(customKind(object)?.schema, rest, '')
}

function unknown(schema: Schema | undefined, value: unknown, path: string): FileProblem[] {
  if (schema === undefined) return []
  if (Array.isArray(value)) return value.flatMap((item, index) => unknown(schema.items, item, `${path}[${index}]`))
  if (!isMap(value)) return []
  const { properties, additionalProperties } = schema
  const kept = schema['x-kubernetes-preserve-unknown-fields'] === true && path !== 'spec'
  return Object.entries(value).flatMap(([key, field]) => {
    const at = path === '' ? key : `${path}.${key}`
    if (properties !== undefined && Object.hasOwn(properties, key)) return unknown(properties[key], field, at)
    if (additionalProperties === true || kept) return []
    if (additionalProperties !== undefined && additionalProperties !== false)
      return unknown(additionalProperties, field, at)
    if (properties === undefined) return []
    const found = path === 'spec' ? 'unknown, without effect' : 'unknown, the API server removes it'
    return [{ field: at, problem: found, accepted: nearest(key, Object.keys(properties)) }]
  })
}

/** The known fields, those first that look like what was written. */
function nearest(key: string, known: string[]): string {
  const start = key.slice(0, 3).toLowerCase()
  const alike = known.filter((name) => name.toLowerCase().startsWith(start))
  return (alike.length > 0 ? alike : known).join(', ')
}

function problemsOf(validated: { ok: true } | { ok: false; problems: Problem[] }): Problem[] {
  return validated.ok ? [] : validated.problems
}

function problem(field: string, value: string, accepted: string): Problem {
  return { field, value: shown(value), accepted }
}

function kindsOf(hooks: readonly { kind: string }[]): string {
  return hooks.map(({ kind }) => kind).join(', ')
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}
