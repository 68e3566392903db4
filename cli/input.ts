import type { KubeObject } from '../webhooks/contract/types.ts'
import { type FileProblem, check } from './checks.ts'
import { type Input, readManifests } from './manifests.ts'
import { identity } from './stored.ts'
import { inNamespace } from './observed.ts'

/** A problem of an object in a file. */
export interface Finding extends FileProblem {
  file: string
  line: number
  /** `KasprApp/orders`, or what stands for it in an object that cannot be read. */
  object: string
}

/** An object of one of our kinds, and where it stands. */
export interface InputObject {
  object: KubeObject
  file: string
  line: number
  findings: Finding[]
}

/** What the files given to a command hold. */
export interface InputObjects {
  /** Objects of our kinds, valid or not, in the order of the files. */
  objects: InputObject[]
  /** Everything that is wrong, in the order of the files. */
  findings: Finding[]
  /** One line for each object of another kind. */
  passedOver: string[]
}

/**
 * Reads and checks the objects of files. Each is checked as it comes, so that the text of no more than one file is in
 * memory.
 *
 * @param paths as for `readManifests`
 * @throws InputError for a path that cannot be read
 */
export async function readObjects(paths: readonly string[], stdin: Input): Promise<InputObjects> {
  const objects: InputObject[] = []
  const all: Finding[] = []
  const passedOver: string[] = []
  const places = new Map<string, string>()
  for await (const { file, object, syntax, lineOf } of readManifests(paths, stdin)) {
    const line = lineOf('')
    const found = (problems: readonly (FileProblem & { line?: number })[]): Finding[] =>
      problems.map((problem) => ({ file, line: lineOf(problem.field), object: nameOf(object), ...problem }))
    if (syntax.length > 0) {
      all.push(...found(syntax))
      continue
    }
    const checked = check(object)
    if (checked.form === 'unusable') {
      all.push(...found(checked.problems))
      continue
    }
    if (checked.form === 'foreign') {
      passedOver.push(`${file}:${line}: ${nameOf(object)}: passed over, its kind has no hooks here`)
      continue
    }
    const key = identity(inNamespace(checked.object))
    const twice = places.get(key)
    if (twice === undefined) places.set(key, `${file}:${line}`)
    const findings = found(
      twice === undefined ? checked.problems : [...checked.problems, sameName(checked.object, twice)],
    )
    objects.push({ object: checked.object, file, line, findings })
    all.push(...findings)
  }
  return { objects, findings: all, passedOver }
}

/** `file:line: kind/name: field: problem, accepted: …` */
export function findingText({ file, line, object, field, problem, value, accepted }: Finding): string {
  const what = problem ?? (value === undefined ? 'missing' : `${value} is not accepted`)
  // One line for each: values and messages of others may have more.
  return `${file}:${line}: ${object}: ${field}: ${what}, accepted: ${accepted}`.replaceAll(/\s*[\r\n]+\s*/g, ' ')
}

function sameName({ metadata }: KubeObject, place: string): FileProblem {
  const value = JSON.stringify(metadata.name)
  return { field: 'metadata.name', value, accepted: `a name that is not taken by ${place}` }
}

function nameOf(object: unknown): string {
  const { kind, metadata } = (object ?? {}) as { kind?: unknown; metadata?: { name?: unknown } | null }
  const text = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : '?')
  return `${text(kind)}/${text(metadata?.name)}`
}
