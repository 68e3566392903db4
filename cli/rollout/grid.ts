import type { RolloutModel, Section, SectionStatus } from './model.ts'
import type { PodView } from './pods.ts'
import { sectionCounts } from './sections.ts'
import { fitted, span } from './text.ts'
import type { Line, Style } from './text.ts'
import { displayWidth } from './width.ts'

/** How much room a pod takes: a box of three lines, a cell of one line, or a single sign. */
export type Density = 'tile' | 'cell' | 'sign'

/** What is shown for a pod: words, or a sign where there is no room. */
interface Token {
  text: string
  sign: string
  style: Style
}

/** The lines of a section: its title with counts, then its pods, row by row. */
export function sectionLines(section: Section, model: RolloutModel, density: Density, columns: number): Line[] {
  const width = podWidth(model, density)
  const perRow = podsPerRow(model, density, columns)
  const rows: PodView[][] = []
  for (let i = 0; i < section.pods.length; i += perRow) rows.push(section.pods.slice(i, i + perRow))
  return [title(section), ...rows.flatMap((pods) => rowLines(pods, model, density, width))]
}

/** Number of `sectionLines`, without making them. */
export function sectionHeight(section: Section, model: RolloutModel, density: Density, columns: number): number {
  const rows = Math.ceil(section.pods.length / podsPerRow(model, density, columns))
  return 1 + rows * (density === 'tile' ? 3 : 1)
}

/** One line that explains exactly what is in use. */
export function legend(model: RolloutModel, density: Density): Line {
  const pods = model.sections.flatMap((section) => section.pods)
  const entries = density === 'sign' ? signLegend : textLegend
  const used = entries.filter(([, fits]) => pods.some(fits)).map(([text]) => text)
  return [span(used.join(' · '), 'dim')]
}

/** Shown where a pod does not tell its revision. */
const unknownRevision = 'REV?'

function token({ revision, ready, inBatch }: PodView): Token {
  const readiness = ready ? '✅' : '⏳'
  const words = `${revision === 'unknown' ? unknownRevision : revision.toUpperCase()} ${readiness}`
  if (revision === 'missing') return { text: 'MISS', sign: '❌', style: 'dim' }
  if (inBatch) return { text: `🚧${words}`, sign: '🚧', style: 'brightYellow' }
  if (revision === 'unknown') return { text: words, sign: '❓', style: 'dim' }
  if (!ready) return { text: words, sign: '⏳', style: 'red' }
  return revision === 'new' ? { text: words, sign: '✅', style: 'green' } : { text: words, sign: '🔄', style: 'yellow' }
}

type LegendEntry = [text: string, fits: (pod: PodView) => boolean]

const isThere = ({ revision }: PodView): boolean => revision !== 'missing'

const textLegend: LegendEntry[] = [
  ['NEW updated', ({ revision }) => revision === 'new'],
  ['OLD outdated', ({ revision }) => revision === 'old'],
  ['REV? unknown', ({ revision }) => revision === 'unknown'],
  ['✅ Ready', ({ ready }) => ready],
  ['⏳ not Ready', (pod) => isThere(pod) && !pod.ready],
  ['🚧 in batch', (pod) => isThere(pod) && pod.inBatch],
  ['MISS no pod', (pod) => !isThere(pod)],
]

const signLegend: LegendEntry[] = [
  ['✅ NEW, Ready', hasSign('✅')],
  ['🔄 OLD, Ready', hasSign('🔄')],
  ['⏳ not Ready', hasSign('⏳')],
  ['🚧 in batch', hasSign('🚧')],
  ['❓ unknown', hasSign('❓')],
  ['❌ no pod', hasSign('❌')],
]

function hasSign(sign: string): LegendEntry[1] {
  return (pod) => token(pod).sign === sign
}

const badges: Record<SectionStatus, Style> = {
  Done: 'whiteOnGreen',
  Active: 'blackOnYellow',
  Queued: 'whiteOnBlue',
  Idle: 'dim',
}

function title(section: Section): Line {
  const counts = sectionCounts(section)
  const parts: [name: string, count: number][] = [
    ['NEW', counts.new],
    ['OLD', counts.old],
    [unknownRevision, counts.unknown],
    ['Ready', counts.ready],
    ['NotReady', counts.notReady],
    ['MISS', counts.missing],
  ]
  const shown = parts.filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`)
  return [
    span(section.title, 'bold'),
    span(' '),
    span(` ${section.status} `, badges[section.status]),
    span(` ${[`NEW+Ready ${counts.newAndReady}/${counts.total}`, ...shown].join('  ')}`),
  ]
}

function rowLines(pods: PodView[], model: RolloutModel, density: Density, width: number): Line[] {
  if (density === 'sign') {
    const first = pods[0]?.ordinal ?? 0
    return [[span(`${label(first).padStart(digits(model))} `, 'dim'), ...pods.map((pod) => span(token(pod).sign))]]
  }
  if (density === 'cell') {
    return [
      spaced(
        pods.map((pod) => {
          const { text, style } = token(pod)
          return fitted([span(`${label(pod.ordinal).padStart(digits(model))} `), span(text, style)], width)
        }),
      ),
    ]
  }
  const boxes = pods.map((pod) => box(pod, width))
  return [0, 1, 2].map((line) => spaced(boxes.map((lines) => lines[line] ?? [])))
}

function box(pod: PodView, width: number): Line[] {
  const { text, style } = token(pod)
  const name = ` ${label(pod.ordinal)} `
  return [
    [span(`╭─${name}${'─'.repeat(Math.max(0, width - 3 - name.length))}╮`, style)],
    [span('│', style), ...fitted([span(` ${text}`, style)], width - 2), span('│', style)],
    [span(`╰${'─'.repeat(width - 2)}╯`, style)],
  ]
}

/** One blank between each two. */
function spaced(parts: Line[]): Line {
  return parts.flatMap((part, i) => (i === 0 ? part : [span(' '), ...part]))
}

/** Columns of one pod; the same for all, and the same while a rollout goes on. */
function podWidth(model: RolloutModel, density: Density): number {
  if (density === 'sign') return 2
  const hasUnknown = model.sections.some(({ pods }) => pods.some(({ revision }) => revision === 'unknown'))
  const words = displayWidth('🚧NEW ✅') + (hasUnknown ? 1 : 0)
  return density === 'cell' ? digits(model) + 1 + words : Math.max(12, digits(model) + 6)
}

function podsPerRow(model: RolloutModel, density: Density, columns: number): number {
  const width = podWidth(model, density)
  if (density !== 'sign') return Math.max(1, Math.floor((columns + 1) / (width + 1)))
  const fit = Math.max(1, Math.floor((columns - digits(model) - 1) / width))
  // Round numbers are easier to count from.
  return fit >= 10 ? fit - (fit % 10) : fit
}

function digits({ sections }: RolloutModel): number {
  return Math.max(2, ...sections.map(({ pods }) => label(pods.at(-1)?.ordinal ?? 0).length))
}

/** Ordinals have two digits at least. */
function label(ordinal: number): string {
  return String(ordinal).padStart(2, '0')
}
