import { legend, sectionHeight, sectionLines } from './grid.ts'
import { headerRows, shortHeader } from './header.ts'
import type { RolloutModel } from './model.ts'
import { clip, fitted, paint, span } from './text.ts'
import type { Line } from './text.ts'
import { displayWidth, wrapText } from './width.ts'

/** The screen that a frame is for. */
export interface Screen {
  columns: number
  rows: number
  colour: boolean
}

/** What is drawn: never more lines than rows, never a line wider than the columns. */
export interface Frame {
  lines: string[]
  /** More than 1 when even the densest form does not fit. */
  pages: number
}

/**
 * Draws a model, each pod as large as there is room for all: in a box, in one line, as one sign, and then in pages.
 *
 * @param page from 0; taken modulo the number of pages
 * @param trouble shown first, for example that the connection is lost
 */
export function frame(model: RolloutModel, screen: Screen, page = 0, trouble?: string): Frame {
  const head = trouble === undefined ? [] : [troubleLine(trouble)]
  const inner = Math.max(1, screen.columns - 4)
  const header = headerLines(model, inner)
  const around = head.length + header.length + linesAround
  for (const density of ['tile', 'cell', 'sign'] as const) {
    const heights = model.sections.map((section) => sectionHeight(section, model, density, inner))
    const height = heights.reduce((sum, lines) => sum + lines, around)
    if (height > screen.rows || screen.columns < minimalPanel) continue
    const sections = model.sections.flatMap((section) => sectionLines(section, model, density, inner))
    const lines = panel([...header, [], ...sections, [], legend(model, density)], screen.columns)
    return finished([...head, ...lines], screen, 1)
  }
  const top = [...head, ...shortHeader(model)]
  const body = model.sections.flatMap((section) => sectionLines(section, model, 'sign', screen.columns))
  const whole = [...top, ...body]
  if (whole.length <= screen.rows) {
    const last = whole.length < screen.rows ? [legend(model, 'sign')] : []
    return finished([...whole, ...last], screen, 1)
  }
  const perPage = Math.max(1, screen.rows - top.length - 1)
  const pages = Math.ceil(body.length / perPage)
  const shown = ((page % pages) + pages) % pages
  const part = body.slice(shown * perPage, (shown + 1) * perPage)
  const footer = [span(`page ${shown + 1} of ${pages}: n next, p previous`, 'dim')]
  return finished([...top, ...part, footer], screen, pages)
}

/** A frame that has nothing but a text, for when there is nothing to draw. */
export function messageFrame(text: string, screen: Screen): Frame {
  const lines = text.split('\n').map((line) => [span(line, 'red')])
  return finished(screen.columns >= minimalPanel ? panel(lines, screen.columns) : lines, screen, 1)
}

/** Below this, borders cost more than they give. */
const minimalPanel = 40
const panelTitle = ' Rollout Progress '

/** Two borders, the legend, and blank lines before it and after the header. */
const linesAround = 5

/** Labels and values below each other; a long value goes on in the next line. */
function headerLines(model: RolloutModel, columns: number): Line[] {
  const rows = headerRows(model)
  const indent = Math.max(...rows.map(({ label }) => label.length)) + 2
  return rows.flatMap(({ label, value, style }) =>
    wrapText(value, Math.max(1, columns - indent)).map((part, i) => [
      span((i === 0 ? `${label}:` : '').padEnd(indent), 'dim'),
      span(part, style),
    ]),
  )
}

function panel(lines: Line[], columns: number): Line[] {
  const edge = span('│', 'blue')
  return [
    [span(`╭─${panelTitle}${'─'.repeat(Math.max(0, columns - 3 - displayWidth(panelTitle)))}╮`, 'blue')],
    ...lines.map((line) => [edge, span(' '), ...fitted(line, Math.max(0, columns - 4)), span(' '), edge]),
    [span(`╰${'─'.repeat(Math.max(0, columns - 2))}╯`, 'blue')],
  ]
}

function troubleLine(text: string): Line {
  return [span(text, 'red')]
}

function finished(lines: Line[], { columns, rows, colour }: Screen, pages: number): Frame {
  return { lines: lines.slice(0, Math.max(0, rows)).map((line) => paint(clip(line, columns), colour)), pages }
}
