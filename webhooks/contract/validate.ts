import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'

/** One thing that is wrong with an object: which field, what stands there and what is accepted instead. */
export interface Problem {
  /** Path as a user writes it, for example `spec.input.topic.name`. */
  field: string
  /** The value found, shortened; absent when the field is missing. */
  value?: string
  accepted: string
}

/** The validated value with defaults filled in, or everything that is wrong with it. */
export type Validated<T> = { ok: true; value: T } | { ok: false; problems: Problem[] }

const common = {
  strict: false,
  // The API server does not coerce either.
  coerceTypes: false,
  formats: { int32: true, int64: true, 'date-time': true },
} as const
const ajv = new Ajv({ ...common, allErrors: true, useDefaults: true, verbose: true })
const shapes = new Ajv(common)

/**
 * A validator for the `spec` of a kind, compiled once. It works on a copy, which gets the schema's defaults: objects that
 * did not pass through the API server (fixtures, files) then behave as those that did.
 *
 * @param prepare what is done to the copy before it is checked
 */
export function specValidator<T>(
  schema: object,
  prepare: (spec: unknown) => unknown = (spec) => spec,
): (spec: unknown) => Validated<T> {
  const check = ajv.compile<T>(schema)
  return (spec) => {
    const copied = copyOf(spec, maxDepth)
    if (copied === tooDeep) {
      return {
        ok: false,
        problems: [{ field: 'spec', value: 'deeper nesting', accepted: `${maxDepth} levels at most` }],
      }
    }
    const copy = prepare(copied)
    if (check(copy)) return { ok: true, value: copy }
    return { ok: false, problems: uniqueProblems(check.errors ?? []) }
  }
}

/** A check whether a value, as it stands, is what a schema describes; compiled once. */
export function shapeCheck<T>(schema: object): ValidateFunction<T> {
  return shapes.compile<T>(schema)
}

/** Far more than any spec has, and far less than what fills the stack of those who walk through it. */
const maxDepth = 100
const tooDeep = Symbol('too deep')

/**
 * A copy of a JSON value: ten times faster than structuredClone, and keys such as `__proto__` stay keys.
 *
 * @returns `tooDeep` for a value of more levels
 */
function copyOf(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return tooDeep
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>
  for (const [key, field] of Object.entries(copy)) {
    if (typeof field !== 'object') continue
    const inner = copyOf(field, levels - 1)
    if (inner === tooDeep) return tooDeep
    copy[key] = inner
  }
  return copy
}

/** `field: value is not accepted; accepted: …`, the one form in which problems are shown. */
export function problemText({ field, value, accepted }: Problem): string {
  const at = field.length <= shownFieldLength ? field : `${field.slice(0, shownFieldLength)}…`
  return value === undefined
    ? `${at} is missing; accepted: ${accepted}`
    : `${at}: ${value} is not accepted; accepted: ${accepted}`
}

/** All problems of an object in one message: the first in words, of more the number. */
export function problemsText(problems: readonly Problem[]): string {
  const texts = problems.slice(0, shownProblems).map(problemText)
  const more = problems.length - texts.length
  return [...texts, ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}

/** Keys of maps are part of the path, and may be as long as a request. */
const shownFieldLength = 200
const shownProblems = 20

/** At most this much of a refused value is shown. */
const shownValueLength = 60

/** A value as it is quoted in a message: JSON, shortened. */
export function shown(value: unknown): string {
  // A text may be large, and only its start is shown.
  const start = typeof value === 'string' ? value.slice(0, shownValueLength + 1) : value
  const text = JSON.stringify(start) ?? 'nothing'
  return text.length <= shownValueLength ? text : `${text.slice(0, shownValueLength)}…`
}

function uniqueProblems(errors: ErrorObject[]): Problem[] {
  const problems = new Map<string, Problem>()
  for (const error of errors) {
    const problem = problemOf(error)
    if (!problems.has(problem.field)) problems.set(problem.field, problem)
  }
  return [...problems.values()]
}

function problemOf(error: ErrorObject): Problem {
  const params = error.params as Record<string, unknown>
  const field = `spec${error.instancePath.split('/').slice(1).map(segmentText).join('')}`
  if (error.keyword === 'required')
    return { field: `${field}.${String(params['missingProperty'])}`, accepted: 'a value' }
  return { field, value: shown(error.data), accepted: acceptedText(error, params) }
}

function segmentText(segment: string): string {
  const name = segment.replaceAll('~1', '/').replaceAll('~0', '~')
  return /^\d+$/.test(name) ? `[${name}]` : `.${name}`
}

function acceptedText(error: ErrorObject, params: Record<string, unknown>): string {
  switch (error.keyword) {
    case 'enum':
      return (params['allowedValues'] as unknown[]).join(', ')
    case 'type':
      return [params['type']].flat().join(' or ')
    case 'pattern':
      return `text that matches ${String(params['pattern'])}`
    case 'minLength':
      return 'text that is not empty'
    default:
      return error.message ?? error.keyword
  }
}
