import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { isMap } from '../webhooks/contract/objects.ts'
import type { KubeObject } from '../webhooks/contract/types.ts'
import { packagePath } from '../webhooks/package-root.ts'

/** A schema of a CustomResourceDefinition: OpenAPI v3 in the structural form of Kubernetes. */
export interface Schema {
  [keyword: string]: unknown
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  items?: Schema
}

/** A kind that is defined by crds/*.yaml. */
export interface CustomKind {
  apiVersion: string
  kind: string
  /** Schema of whole objects. */
  schema: Schema
}

/** The kinds of crds/*.yaml, in the order of the files' names. Read once. */
export function customKinds(): readonly CustomKind[] {
  kinds ??= readdirSync(packagePath('crds'))
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .sort()
    .flatMap((name) => kindsOf(readFileSync(packagePath('crds', name), 'utf8')))
  return kinds
}

/** The custom kind of an object; `undefined` for kinds that are not ours. */
export function customKind({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): CustomKind | undefined {
  return customKinds().find((candidate) => candidate.kind === kind && candidate.apiVersion === apiVersion)
}

/**
 * The value as the API server stores it: nulls dropped where the schema does not allow them, then defaults filled in.
 * Fields that the schema does not know stay (the API server removes them where the schema does not keep them).
 * (Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions", Defaulting and Nullable.)
 */
export function withDefaults(schema: Schema | undefined, value: unknown): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) return value.map((item) => withDefaults(schema.items, item))
  if (!isMap(value)) return value
  const { properties = {}, additionalProperties } = schema
  const ofKey = (key: string): Schema | undefined =>
    Object.hasOwn(properties, key)
      ? properties[key]
      : typeof additionalProperties === 'object'
        ? additionalProperties
        : undefined
  const present = Object.entries(value).filter(([key, field]) => {
    const schemaOfField = ofKey(key)
    return field !== null || schemaOfField === undefined || schemaOfField['nullable'] === true
  })
  const absent = Object.entries(properties).flatMap(([key, { default: given }]): [string, unknown][] =>
    given === undefined || present.some(([name]) => name === key) ? [] : [[key, structuredClone(given)]],
  )
  // Pairs, not assignment: a key `__proto__` must stay a key.
  return Object.fromEntries([...present, ...absent].map(([key, field]) => [key, withDefaults(ofKey(key), field)]))
}

let kinds: readonly CustomKind[] | undefined

interface Definition {
  spec: {
    group: string
    names: { kind: string }
    versions: { name: string; schema: { openAPIV3Schema: Schema } }[]
  }
}

function kindsOf(manifest: string): CustomKind[] {
  const { spec } = parse(manifest) as Definition
  return spec.versions.map(({ name, schema }) => ({
    apiVersion: `${spec.group}/${name}`,
    kind: spec.names.kind,
    schema: schema.openAPIV3Schema,
  }))
}
