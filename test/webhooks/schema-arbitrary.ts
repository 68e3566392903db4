import fc from 'fast-check'

/** The part of JSON Schema that the CRDs use. */
export interface Schema {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema
  items?: Schema
  enum?: unknown[]
  pattern?: string
  minLength?: number
  maxLength?: number
  minItems?: number
  minimum?: number
  maximum?: number
}

/** How values are chosen where a schema alone says too little. */
export interface Choices {
  /** Values for a place that the schema leaves open; `undefined` leaves them to the schema. Items of lists are `[]`, of maps `*`. */
  at?: (path: readonly string[]) => fc.Arbitrary<unknown> | undefined
  /** How likely an optional field is there, 0 to 1; without it most are. */
  present?: (path: readonly string[]) => number
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
export function schemaArbitrary(schema: object, choices: Choices = {}): fc.Arbitrary<unknown> {
  return arbitraryOf(schema, [], choices)
}

/** Every place of a schema that holds no fields of its own, as the path of keys that leads there. */
export function leafPaths(schema: Schema, path: readonly string[] = []): string[][] {
  const { properties, additionalProperties, items } = schema
  if (properties !== undefined)
    return Object.entries(properties).flatMap(([key, field]) => leafPaths(field, [...path, key]))
  if (additionalProperties !== undefined) return leafPaths(additionalProperties, [...path, '*'])
  if (items !== undefined) return leafPaths(items, [...path, '[]'])
  return [[...path]]
}

function arbitraryOf(schema: Schema, path: readonly string[], choices: Choices): fc.Arbitrary<unknown> {
  const chosen = choices.at?.(path)
  if (chosen !== undefined) return chosen
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const types = [schema.type ?? []].flat()
  // Whatever JSON there is.
  if (types.length === 0) return fc.jsonValue({ maxDepth: 2 })
  return fc.oneof(...types.map((type) => typed(type, schema, path, choices)))
}

function typed(type: string, schema: Schema, path: readonly string[], choices: Choices): fc.Arbitrary<unknown> {
  switch (type) {
    case 'object':
      return schema.additionalProperties === undefined
        ? record(schema, path, choices)
        : map(schema.additionalProperties, path, choices)
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}, [...path, '[]'], choices), {
        minLength: schema.minItems ?? 0,
        maxLength: 3,
      })
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.oneof(
        fc.integer({ min: Math.max(schema.minimum ?? -2, -2), max: Math.min(schema.maximum ?? 5000, 5000) }),
        fc.constantFrom(schema.maximum ?? 2 ** 31 - 1, schema.minimum ?? -(2 ** 31)),
      )
    case 'string':
      return texts(schema)
    default:
      throw new Error(`no arbitrary for type ${type}`)
  }
}

function texts({ pattern, minLength = 0, maxLength = Infinity }: Schema): fc.Arbitrary<string> {
  const any = pattern === undefined ? text : fc.stringMatching(new RegExp(pattern))
  return any.filter(({ length }) => length >= minLength && length <= maxLength)
}

function record(schema: Schema, path: readonly string[], choices: Choices): fc.Arbitrary<unknown> {
  const { properties = {} } = schema
  return fc.tuple(fields(schema, path, choices), fc.boolean()).chain(([value, first]) => {
    const pair = exclusive.find((names) => names.every((name) => Object.hasOwn(properties, name)))
    if (pair === undefined) return fc.constant(value)
    const [kept, dropped] = first ? pair : ([pair[1], pair[0]] as const)
    const { [dropped]: _, ...rest } = value
    if (Object.hasOwn(rest, kept)) return fc.constant(rest)
    return arbitraryOf(properties[kept] ?? {}, [...path, kept], choices).map((item) => ({ ...rest, [kept]: item }))
  })
}

function fields(
  { properties = {}, required = [] }: Schema,
  path: readonly string[],
  choices: Choices,
): fc.Arbitrary<Record<string, unknown>> {
  const { present } = choices
  const all = Object.entries(properties).map(([name, field]): [string, fc.Arbitrary<unknown>] => [
    name,
    arbitraryOf(field, [...path, name], choices),
  ])
  if (present === undefined) return fc.record(Object.fromEntries(all), { requiredKeys: required })
  const optional = all.map(([name, field]): [string, fc.Arbitrary<unknown>] => {
    const percent = required.includes(name) ? 100 : Math.round(present([...path, name]) * 100)
    const absent = { weight: 100 - percent, arbitrary: fc.constant(undefined) }
    return [name, fc.oneof(absent, { weight: percent, arbitrary: field })]
  })
  return fc
    .record(Object.fromEntries(optional))
    .map((value) => Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)))
}

function map(values: Schema, path: readonly string[], choices: Choices): fc.Arbitrary<unknown> {
  const key = choices.at?.([...path, '*', 'key']) ?? text
  return fc
    .array(fc.tuple(key, arbitraryOf(values, [...path, '*'], choices)), { maxLength: 3 })
    .map((entries) => Object.fromEntries(entries) as unknown)
}
