/**
 * Writes crds/types/<kind>.ts from crds/*.yaml: the TypeScript type of the kind's spec and status, and their schemas as
 * data, so that validation needs no file at run time. Run by `npm run generate`; `npm test` fails when a file is stale.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { compile } from 'json-schema-to-typescript'
import { format } from 'prettier'
import { parse } from 'yaml'
import { packagePath } from '../webhooks/package-root.ts'

type Schema = Record<string, unknown>

interface CustomResourceDefinition {
  spec: {
    names: { kind: string; plural: string }
    versions: { name: string; schema: { openAPIV3Schema: { properties: { spec: Schema; status: Schema } } } }[]
  }
}

/**
 * The schema as json-schema-to-typescript understands it: integers-or-strings become a union, objects are closed unless
 * they keep unknown fields, and what only the API server reads is left out.
 */
function forTypes(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(forTypes)
  if (typeof schema !== 'object' || schema === null) return schema
  const source = schema as Schema
  if (source['x-kubernetes-int-or-string'] === true) return { type: ['integer', 'string'] }
  if (isUntyped(source)) return describedOnly(source)
  const result: Schema = {}
  for (const [key, value] of Object.entries(source)) {
    if (!key.startsWith('x-kubernetes-') && key !== 'default' && key !== 'nullable') result[key] = forTypes(value)
  }
  if (source['nullable'] === true) result['type'] = [source['type'], 'null']
  if (source['type'] === 'object' && source['additionalProperties'] === undefined) {
    result['additionalProperties'] = source['x-kubernetes-preserve-unknown-fields'] === true
  }
  return result
}

/** A value of several types, whose forms the code checks with a better message than a schema could give. */
function isUntyped(schema: Schema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true && schema['type'] === undefined
}

function describedOnly({ description }: Schema): Schema {
  return { ...(description === undefined ? {} : { description }), tsType: 'unknown' }
}

/** The schema as ajv gets it: what only the API server evaluates (CEL, list types) and the prose are left out. */
function forValidation(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(forValidation)
  if (typeof schema !== 'object' || schema === null) return schema
  const source = schema as Schema
  if (isUntyped(source)) return {}
  const result: Schema = source['x-kubernetes-int-or-string'] === true ? { type: ['integer', 'string'] } : {}
  for (const [key, value] of Object.entries(source)) {
    if (key.startsWith('x-kubernetes-') || (key === 'description' && typeof value === 'string')) continue
    result[key] = forValidation(value)
  }
  return result
}

/** Content of the generated module for one CRD manifest (YAML text). */
export async function generateTypes(manifest: string): Promise<{ file: string; content: string }> {
  // Anchors stand for copies: without that, a shared node would be renamed by whichever use is met first.
  const crd = JSON.parse(JSON.stringify(parse(manifest))) as CustomResourceDefinition
  const { kind, plural } = crd.spec.names
  const version = crd.spec.versions[0]
  if (version === undefined) throw new Error(`crds/${plural}.yaml has no version`)
  const { spec, status } = version.schema.openAPIV3Schema.properties
  const options = { bannerComment: '', format: false, additionalProperties: false }
  const [specType, statusType] = await Promise.all([
    compile(forTypes(spec) as never, `${kind}Spec`, options),
    compile(forTypes(status) as never, `${kind}Status`, options),
  ])
  // What hooks read and did not write themselves: the spec of users' resources, the status of their own Observation.
  const part = kind === 'Observation' ? 'Status' : 'Spec'
  const content = `// Generated from crds/${plural}.yaml by \`npm run generate\`. Do not edit.

${specType}
${statusType}
/** Schema of ${kind}.${part.toLowerCase()} as the API server enforces it, CEL rules apart. */
export const ${kind.charAt(0).toLowerCase() + kind.slice(1)}${part}Schema: object = ${JSON.stringify(forValidation(part === 'Spec' ? spec : status))}
`
  const prettier = {
    parser: 'typescript',
    semi: false,
    singleQuote: true,
    printWidth: 120,
    trailingComma: 'all',
  } as const
  return { file: `${kind.toLowerCase()}.ts`, content: await format(content, prettier) }
}

/** All generated modules, in the order of the manifests' file names. */
export async function generateAll(): Promise<{ file: string; content: string }[]> {
  const manifests = readdirSync(packagePath('crds'))
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .sort()
  return Promise.all(manifests.map((name) => generateTypes(readFileSync(packagePath('crds', name), 'utf8'))))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  mkdirSync(packagePath('crds', 'types'), { recursive: true })
  for (const { file, content } of await generateAll()) writeFileSync(packagePath('crds', 'types', file), content)
}
