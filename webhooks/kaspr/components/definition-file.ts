/**
 * YAML text of a component definition. The reader is a YAML 1.1 parser, users look at it with 1.2 tools, and both must
 * read the same value: every string is quoted in ASCII, or a literal block when it has several plain lines (Python code
 * then stays readable). Nothing else of YAML is used.
 */

/** A definition: maps, lists, texts, whole numbers and truth values; absent fields are left out. */
export type Definition = string | number | boolean | Definition[] | { [key: string]: Definition | undefined }

/** Block-style YAML with sorted keys, two blanks a level and a newline at the end. */
export function definitionFile(definition: Record<string, Definition | undefined>): string {
  return `${block(definition, '')}\n`
}

/** Words that YAML 1.1 reads as truth values or null. */
const words = new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null'])

function block(value: Definition, indent: string): string {
  if (Array.isArray(value)) return value.map((item) => `- ${nested(item, `${indent}  `)}`).join(`\n${indent}`)
  if (typeof value !== 'object') return scalar(value, indent)
  return entries(value)
    .map(([key, item]) => `${keyText(key)}:${afterKey(item, indent)}`)
    .join(`\n${indent}`)
}

/** What follows `key:`: collections start on the next line, lists level with their key. */
function afterKey(value: Definition, indent: string): string {
  if (isEmpty(value)) return Array.isArray(value) ? ' []' : ' {}'
  if (Array.isArray(value)) return `\n${indent}${block(value, indent)}`
  if (typeof value === 'object') return `\n${indent}  ${block(value, `${indent}  `)}`
  return ` ${scalar(value, indent)}`
}

/** What follows `- `. */
function nested(value: Definition, indent: string): string {
  if (isEmpty(value)) return Array.isArray(value) ? '[]' : '{}'
  if (typeof value === 'object') return block(value, indent)
  // The content of a literal block is indented from the dash, not from what follows it.
  return scalar(value, indent.slice(2))
}

function entries(value: Record<string, Definition | undefined>): [string, Definition][] {
  return Object.entries(value)
    .filter((entry): entry is [string, Definition] => entry[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

function isEmpty(value: Definition): boolean {
  return typeof value === 'object' && (Array.isArray(value) ? value.length === 0 : entries(value).length === 0)
}

function keyText(key: string): string {
  return /^[a-z]+(_[a-z]+)*$/.test(key) && !words.has(key) ? key : quoted(key)
}

function scalar(value: string | number | boolean, indent: string): string {
  if (typeof value === 'boolean') return String(value)
  // All digits: an exponent would be read as text or as a fraction.
  if (typeof value === 'number') return BigInt(value).toString()
  return isPlainText(value) ? literal(value, indent) : quoted(value)
}

/** Several lines of ASCII and Latin text without control characters: readable, and one value for every parser. */
function isPlainText(text: string): boolean {
  return text.includes('\n') && text.trim() !== '' && /^[\n\t\x20-\x7e\xa1-\u1fff]*$/.test(text)
}

function literal(text: string, indent: string): string {
  const body = text.replace(/\n+$/, '')
  const newlines = text.length - body.length
  // Without the explicit width, a first line that starts with blanks or is empty would set the indentation.
  const width = /^[ \t\n]/.test(text) ? '2' : ''
  const chomp = newlines === 0 ? '-' : newlines === 1 ? '' : '+'
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${indent}  ${line}`))
  return `|${width}${chomp}\n${lines.join('\n')}${'\n'.repeat(Math.max(0, newlines - 1))}`
}

/** A double-quoted scalar in ASCII: the escapes of JSON, which YAML has too, and `\U` beyond the basic plane. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u{10000}-\u{10ffff}]|[^\x20-\x7e]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}
