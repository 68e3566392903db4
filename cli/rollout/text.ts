import { clipText, displayWidth, harmless } from './width.ts'

/** How a part of a line looks on a terminal with colours. */
export type Style = keyof typeof codes

/** A part of a line. */
export interface Span {
  readonly text: string
  readonly style: Style
}

/** One line of a frame, without line end. */
export type Line = readonly Span[]

/** Parameters of the escape sequence "select graphic rendition" (ECMA-48). */
const codes = {
  plain: '',
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  yellow: '33',
  blue: '34',
  brightYellow: '93',
  whiteOnGreen: '97;42',
  blackOnYellow: '30;43',
  whiteOnBlue: '97;44',
}

/** A part of a line; what would steer the terminal is taken out of the text. */
export function span(text: string, style: Style = 'plain'): Span {
  return { text: harmless(text), style }
}

/** Columns that the line uses. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + displayWidth(text), 0)
}

/** The line, cut to so many columns. */
export function clip(line: Line, columns: number): Line {
  let left = columns
  const clipped: Span[] = []
  for (const { text, style } of line) {
    if (left <= 0) break
    const part = clipText(text, left)
    clipped.push({ text: part, style })
    left = part === text ? left - displayWidth(text) : 0
  }
  return clipped
}

/** The line, cut or filled with blanks to exactly so many columns. */
export function fitted(line: Line, columns: number): Line {
  const clipped = clip(line, columns)
  const missing = columns - lineWidth(clipped)
  return missing > 0 ? [...clipped, span(' '.repeat(missing))] : clipped
}

/** The line as text, with escape sequences for colours if wanted. */
export function paint(line: Line, colour: boolean): string {
  if (!colour) return line.map(({ text }) => text).join('')
  return line.map(({ text, style }) => (codes[style] === '' ? text : `\x1b[${codes[style]}m${text}\x1b[0m`)).join('')
}
