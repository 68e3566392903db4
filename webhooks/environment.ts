import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { Ajv } from 'ajv'
import { acceptedBooleans, parseBoolean } from './booleans.ts'

/** One setting: JSON Schema of its value, plus what the generated reference needs. */
export type SettingSchema = {
  /** What it does, its unit, what it is not. One paragraph of plain text. */
  description: string
  /** The value never shows in an error or a log. */
  secret?: true
  /** The accepted form in words, where the schema alone reads badly (a pattern, say). */
  accepted?: string
} & (
  | { type: 'string'; default?: string; enum?: readonly string[]; pattern?: string; minLength?: number }
  | { type: 'integer' | 'number'; default?: number; minimum?: number; maximum?: number; exclusiveMinimum?: number }
  | { type: 'boolean'; default?: boolean }
)

/**
 * Settings of one command: JSON Schema of a flat object whose keys are names of environment variables. Declare it with
 * `as const satisfies SettingsSchema`; `Settings<typeof schema>` is then the type of its values.
 */
export interface SettingsSchema {
  type: 'object'
  properties: Record<string, SettingSchema>
  /** Variables that have no default and must be set. All others without a default are optional. */
  required?: readonly string[]
  /** Variables that may be set only together with others. */
  dependencies?: Record<string, readonly string[]>
}

type Value<P> = P extends { enum: readonly (infer V)[] }
  ? V
  : P extends { type: 'string' }
    ? string
    : P extends { type: 'boolean' }
      ? boolean
      : number

type Present<S extends SettingsSchema> = {
  [K in keyof S['properties']]: S['properties'][K] extends { default: unknown }
    ? K
    : S extends { required: readonly (infer R)[] }
      ? K extends R
        ? K
        : never
      : never
}[keyof S['properties']]

/** The values of a settings schema: what has a default or is required is always there. */
export type Settings<S extends SettingsSchema> = Readonly<
  { [K in Present<S>]: Value<S['properties'][K]> } & {
    [K in Exclude<keyof S['properties'], Present<S>>]?: Value<S['properties'][K]>
  }
>

/** The environment as processes get it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** One wrong setting. */
export interface SettingProblem {
  variable: string
  /** The value as given, quoted and shortened; `***` for a secret one; absent if the variable is not set. */
  given?: string
  /** What would be accepted, in words. */
  accepted: string
}

/** Wrong settings, all of them at once; the message has one line for each. */
export class SettingsError extends Error {
  readonly problems: readonly SettingProblem[]

  constructor(problems: readonly SettingProblem[]) {
    const lines = problems.map(({ variable, given, accepted }) =>
      given === undefined ? `${variable} is not set: give ${accepted}` : `${variable}=${given}: give ${accepted}`,
    )
    super(lines.join('\n'))
    this.name = 'SettingsError'
    this.problems = problems
  }
}

/**
 * Reads settings from an environment. Text is converted exactly: integers and decimal numbers without blanks or
 * exponents, booleans as `parseBoolean` does, where empty text is false. Variables that the schema does not name are ignored;
 * absent ones get their default.
 *
 * @returns the values, frozen
 * @throws SettingsError naming every wrong variable, its value and the accepted form
 */
export function readSettings<const S extends SettingsSchema>(schema: S, env: Environment): Settings<S> {
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(schema.properties)) {
    const text = env[name]
    const value = text === undefined ? setting.default : convert(setting, text)
    if (value !== undefined) values[name] = value
  }

  // Run once in the life of a process, so the validator is compiled here.
  const ajv = new Ajv({ allErrors: true, strictTypes: false })
  ajv.addVocabulary(['secret', 'accepted'])
  const validate = ajv.compile(schema)
  if (validate(values)) return Object.freeze(values) as Settings<S>

  const problems = new Map<string, SettingProblem>()
  for (const error of validate.errors ?? []) {
    const params = error.params as { missingProperty?: string; property?: string }
    const variable = params.missingProperty ?? error.instancePath.slice(1)
    const setting = schema.properties[variable]
    if (setting === undefined || problems.has(variable)) continue
    const needed = params.property === undefined ? '' : `, because ${params.property} is set`
    const text = env[variable]
    problems.set(variable, {
      variable,
      accepted: acceptedForm(setting) + needed,
      ...(text === undefined ? {} : { given: shown(setting, text) }),
    })
  }
  throw new SettingsError([...problems.values()])
}

/**
 * The environment, with what the dotenv file named by `ENV_FILE` adds to it; variables that are set already win.
 *
 * @throws SettingsError if the file cannot be read
 */
export function withEnvFile(env: Environment): Environment {
  const file = env['ENV_FILE']
  if (file === undefined || file === '') return env
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SettingsError([
      { variable: 'ENV_FILE', given: JSON.stringify(file), accepted: `a file that can be read (${reason})` },
    ])
  }
  return { ...parseEnv(text), ...env }
}

/** The accepted form of a setting in words, for errors and for the reference. */
export function acceptedForm(setting: SettingSchema): string {
  if (setting.accepted !== undefined) return setting.accepted
  if (setting.type === 'boolean') return acceptedBooleans
  if (setting.type === 'string') {
    if (setting.enum !== undefined) return `one of ${setting.enum.join(', ')}`
    return setting.minLength === undefined ? 'text' : 'text that is not empty'
  }
  const { minimum, exclusiveMinimum, maximum } = setting
  const bounds = [
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`greater than ${exclusiveMinimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
  ]
  return [setting.type === 'integer' ? 'an integer' : 'a number', bounds.join(' and ')].filter(Boolean).join(', ')
}

/** Text that cannot be converted stays text, which its schema then refuses. */
function convert(setting: SettingSchema, text: string): unknown {
  switch (setting.type) {
    case 'string':
      return text
    case 'boolean':
      return text === '' ? false : (parseBoolean(text) ?? text)
    case 'integer':
      return /^-?\d{1,15}$/.test(text) ? Number(text) : text
    case 'number':
      return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text
  }
}

function shown(setting: SettingSchema, text: string): string {
  if (setting.secret) return '***'
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
