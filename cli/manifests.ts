import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Composer, type Document, LineCounter, Parser, isMap as isYamlMap, isSeq } from 'yaml'
import { isMap } from '../webhooks/contract/objects.ts'
import type { FileProblem } from './checks.ts'
import { InputError } from './errors.ts'
import { fieldLine } from './field-lines.ts'

/** One object of a file, of whatever shape. */
export interface Manifest {
  /** Path of the file as given, `-` for standard input. */
  file: string
  /** `undefined` where the text cannot be read. */
  object: unknown
  /** Mistakes in the text itself, each with its line. */
  syntax: readonly (FileProblem & { line: number })[]
  /** Line of a field, see field-lines.ts; of the object itself for the empty path. */
  lineOf: (field: string) => number
}

/** Where text may come from besides files. */
export type Input = AsyncIterable<string | Uint8Array>

/**
 * The objects of files, one by one: documents of a YAML stream, or JSON; the items of a list one by one; empty documents
 * are passed over. Of a directory every .yaml, .yml and .json file below it, in the order of their paths.
 *
 * @param paths files, directories, `-` for standard input
 * @throws InputError for a path that cannot be read, or a directory without such files
 */
export async function* readManifests(paths: readonly string[], stdin: Input): AsyncGenerator<Manifest, void> {
  for (const file of paths.flatMap(filesOf)) {
    const text = file === '-' ? await textOf(stdin) : read(file)
    yield* manifestsOf(file, text)
  }
}

function filesOf(path: string): string[] {
  if (path === '-' || !attempt(path, () => statSync(path)).isDirectory()) return [path]
  const files = attempt(path, () => readdirSync(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory() && /\.(ya?ml|json)$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
  if (files.length === 0) throw new InputError(`${path}: give a directory with .yaml, .yml or .json files`)
  return files
}

function read(file: string): string {
  return attempt(file, () => readFileSync(file, 'utf8'))
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw new InputError(
      `${path}: give a file that can be read (${error instanceof Error ? error.message : 'unknown'})`,
    )
  }
}

async function textOf(input: Input): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of input) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

/** kubectl reads YAML 1.1 without its times: `on` is true there, `1:30` is text. */
const composerOptions: ConstructorParameters<typeof Composer>[0] = {
  version: '1.1',
  customTags: (tags) =>
    tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !isTimestamp(tag.tag))),
}

function isTimestamp(tag: string): boolean {
  return tag === 'tag:yaml.org,2002:timestamp'
}

/** Documents are composed as they are asked for: of a long stream only one is in memory. */
function* manifestsOf(file: string, text: string): Generator<Manifest, void> {
  const lines = new LineCounter()
  for (const document of new Composer(composerOptions).compose(new Parser(lines.addNewLine).parse(text))) {
    const errors = document.errors.map(({ pos, message }) => syntaxProblem(lines.linePos(pos[0]).line, message))
    const [object, failure] = valueOf(document)
    const root = document.contents
    const lineOf = (field: string): number => fieldLine(document, lines, root, field)
    const syntax = failure === undefined ? errors : [...errors, syntaxProblem(lineOf(''), failure)]
    if (syntax.length === 0 && object === null) continue
    if (syntax.length > 0 || !isList(object)) {
      yield { file, object, syntax, lineOf }
      continue
    }
    const items: unknown = isYamlMap(root) ? root.get('items', true) : undefined
    for (const [index, item] of object.items.entries()) {
      const node: unknown = isSeq(items) ? items.items[index] : undefined
      yield {
        file,
        object: item,
        syntax,
        lineOf: (field) => lineOf(node === undefined ? '' : `items[${index}].${field}`.replace(/\.$/, '')),
      }
    }
  }
}

function valueOf(document: Document.Parsed): [value: unknown, failure?: string] {
  try {
    return [document.toJS()]
  } catch (error) {
    // Aliases without an anchor, or far too many.
    return [undefined, error instanceof Error ? error.message : String(error)]
  }
}

function syntaxProblem(line: number, message: string): FileProblem & { line: number } {
  return { line, field: 'syntax', problem: message, accepted: 'YAML 1.1 or JSON, each key once' }
}

function isList(object: unknown): object is { items: unknown[] } {
  return (
    isMap(object) &&
    typeof object['kind'] === 'string' &&
    object['kind'].endsWith('List') &&
    Array.isArray(object['items'])
  )
}
