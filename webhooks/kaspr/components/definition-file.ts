/**
 * YAML text of a component definition. The reader is a YAML 1.1 parser, users look at it with 1.2 tools, and both must
 * read the same value: every string is quoted in ASCII, or a literal block when it has several plain lines (Python code
 * then stays readable). Nothing else of YAML is used.
 */

/** A definition: maps, lists, texts, whole numbers and truth values; absent fields are left out. */
export type Definition = string | number | boolean | Definition[] | { [key: string]: Definition | undefined }

/** Block-style YAML with sorted keys, two blanks a level and a newline at the end. */
export function definitionFile(definition: Record<string, Definition | undefined>): string {
  return `${mapText(definition, '')}\n`
}

/** Words that YAML 1.1 reads as truth values or null. */
const words = new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null'])

/** The fields of a map, one below the other; empty when none is set. */
function mapText(map: Record<string, Definition | undefined>, indent: string): string {
  let text = ''
  for (const key of Object.keys(map).sort()) {
    const value = map[key]
    if (value === undefined) continue
    text += `${text === '' ? '' : `\n${indent}`}${keyText(key)}:${afterKey(value, indent)}`
  }
  return text
}

function listText(list: Definition[], indent: string): string {
  return list.map((item) => `- ${afterDash(item, indent)}`).join(`\n${indent}`)
}

/** What follows `key:`: collections start on the next line, lists level with their key. */
function afterKey(value: Definition, indent: string): string {
  if (typeof value !== 'object') return ` ${scalar(value, indent)}`
  if (Array.isArray(value)) return value.length === 0 ? ' []' : `\n${indent}${listText(value, indent)}`
  const text = mapText(value, `${indent}  `)
  return text === '' ? ' {}' : `\n${indent}  ${text}`
}

/** What follows `- `: collections start on the same line. */
function afterDash(value: Definition, indent: string): string {
  // The content of a literal block is indented from the dash, not from what follows it.
  if (typeof value !== 'object') return scalar(value, indent)
  if (Array.isArray(value)) return value.length === 0 ? '[]' : listText(value, `${indent}  `)
  const text = mapText(value, `${indent}  `)
  return text === '' ? '{}' : text
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
  // No pattern: `\\n+$` takes quadratic time on lines in the middle.
  let end = text.length
  while (text[end - 1] === '\n') end--
  const body = text.slice(0, end)
  const newlines = text.length - body.length
  // Without the explicit width, a first line that starts with blanks or is empty would set the indentation.
  const width = /^[ \t\n]/.test(text) ? '2' : ''
  const chomp = newlines === 0 ? '-' : newlines === 1 ? '' : '+'
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${indent}  ${line}`))
  return `|${width}${chomp}\n${lines.join('\n')}${'\n'.repeat(Math.max(0, newlines - 1))}`
}

/** A double-quoted scalar in ASCII: the escapes of JSON, which YAML has too, and `\U` beyond the basic plane. */
function quoted(text: string): string {
  const json = JSON.stringify(text)
  if (/^[\x20-\x7e]*$/.test(json)) return json
  return json.replace(/[\u{10000}-\u{10ffff}]|[^\x20-\x7e]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}
