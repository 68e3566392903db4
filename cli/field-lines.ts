import { type LineCounter, isAlias, isMap, isNode, isScalar, isSeq } from 'yaml'
import type { Document, Node, ParsedNode } from 'yaml'

/**
 * Line (from 1) of a field in a YAML document: of its key or, in a list, of the item. For a field that is not there, the
 * line of the last one on its way that is.
 *
 * @param field path as problems have it: `spec.template.pod.volumes[0].name`, `metadata.labels["kaspr.io/app"]`
 */
export function fieldLine(document: Document.Parsed, lines: LineCounter, root: Node | null, field: string): number {
  let node: unknown = root
  let offset = startOf(root) ?? document.range[0]
  let rest = `.${field}`
  while (rest !== '') {
    const step = next(isAlias(node) ? node.resolve(document) : node, rest)
    if (step === undefined) break
    offset = startOf(step.at) ?? offset
    node = step.value
    rest = rest.slice(step.length)
  }
  return lines.linePos(offset).line
}

interface Step {
  /** Where the field stands. */
  at: unknown
  value: unknown
  /** Characters of the path that led here. */
  length: number
}

/** The longest key of a map, or the item of a list, that the path goes on with. Keys may contain dots. */
function next(node: unknown, path: string): Step | undefined {
  if (isSeq(node)) {
    const [text, index] = /^\[(\d+)\]/.exec(path) ?? []
    const item: unknown = index === undefined ? undefined : node.items[Number(index)]
    return text === undefined || item === undefined ? undefined : { at: item, value: item, length: text.length }
  }
  if (!isMap(node)) return undefined
  return node.items
    .flatMap(({ key, value }): Step[] => {
      const name = isScalar(key) ? String(key.value) : String(key)
      return [`.${name}`, `[${JSON.stringify(name)}]`]
        .filter((text) => path.startsWith(text) && /^([.[]|$)/.test(path.slice(text.length)))
        .map(({ length }) => ({ at: key, value, length }))
    })
    .sort((a, b) => b.length - a.length)[0]
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as ParsedNode).range?.[0] : undefined
}
