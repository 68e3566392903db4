import fc from 'fast-check'

/** The part of JSON Schema that the CRDs of components use. */
interface Schema {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema
  items?: Schema
  enum?: unknown[]
  pattern?: string
  minLength?: number
  minimum?: number
  maximum?: number
}

/** Fields of which CEL rules accept exactly one. */
const exclusive = [
  ['name', 'nameSelector'],
  ['name', 'pattern'],
  ['cron', 'interval'],
] as const

/** Texts that YAML, Python or JavaScript might take for something else. */
const hardTexts = [
  'yes',
  'no',
  'on',
  '~',
  'null',
  '12:30:45',
  '1_000',
  '0o14',
  '2024-01-01',
  '=',
  '<<',
  '- a',
  '__proto__',
  'constructor',
  '\u2028',
  '\u202e',
  '\u0000',
  'def f(v):\n    return v\n',
  '\n a\n\n',
  'tab\there\n',
  'é\n',
  '𝄞',
]

// Lone surrogates are no text for some readers; the API server replaces them long before.
const text = fc
  .oneof(
    fc.constantFrom(...hardTexts),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(fc.constantFrom(...hardTexts), { maxLength: 4 }).map((parts) => parts.join('\n')),
  )
  .map((value) => Buffer.from(value).toString())

/** Values that a schema accepts, mostly ones that the CEL rules of the component CRDs accept too. */
export function schemaArbitrary(schema: object): fc.Arbitrary<unknown> {
  return arbitraryOf(schema)
}

function arbitraryOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const types = [schema.type ?? []].flat()
  return fc.oneof(...types.map((type) => typed(type, schema)))
}

function typed(type: string, schema: Schema): fc.Arbitrary<unknown> {
  switch (type) {
    case 'object':
      return schema.additionalProperties === undefined ? record(schema) : map(schema.additionalProperties)
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}), { maxLength: 3 })
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.oneof(
        fc.integer({ min: Math.max(schema.minimum ?? -2, -2), max: 50 }),
        fc.constantFrom(schema.maximum ?? 2 ** 31 - 1, schema.minimum ?? -(2 ** 31)),
      )
    case 'string':
      if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern))
      return schema.minLength === undefined ? text : text.filter((value) => value !== '')
    default:
      throw new Error(`no arbitrary for type ${type}`)
  }
}

function record({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
  const fields = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, arbitraryOf(field)])),
    { requiredKeys: required },
  )
  return fc.tuple(fields, fc.boolean()).chain(([value, first]) => {
    const pair = exclusive.find((names) => names.every((name) => Object.hasOwn(properties, name)))
    if (pair === undefined) return fc.constant(value)
    const [kept, dropped] = first ? pair : ([pair[1], pair[0]] as const)
    const { [dropped]: _, ...rest } = value
    if (Object.hasOwn(rest, kept)) return fc.constant(rest)
    return arbitraryOf(properties[kept] ?? {}).map((item) => ({ ...rest, [kept]: item }))
  })
}

function map(values: Schema): fc.Arbitrary<unknown> {
  return fc
    .array(fc.tuple(text, arbitraryOf(values)), { maxLength: 3 })
    .map((entries) => Object.fromEntries(entries) as unknown)
}
