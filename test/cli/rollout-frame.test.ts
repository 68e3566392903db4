import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { frame, messageFrame } from '../../cli/rollout/frame.ts'
import { localTime, plainLine } from '../../cli/rollout/header.ts'
import { rolloutModel } from '../../cli/rollout/model.ts'
import type { Live } from '../../cli/rollout/model.ts'
import { clipText, displayWidth, harmless, wrapText } from '../../cli/rollout/width.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { many, noon, states, world } from './rollout-world.ts'
import type { PodState } from './rollout-world.ts'

process.env['TZ'] = 'UTC'

const recordedPath = packagePath('test', 'cli', 'rollout-frames.txt')
const sizes = [
  [100, 40],
  [80, 24],
  [50, 12],
  [24, 6],
] as const

function drawn(live: Live, columns: number, rows: number, page = 0, trouble?: string): string[] {
  return frame(rolloutModel(live, noon), { columns, rows, colour: false }, page, trouble).lines
}

function colours(live: Live): string[] {
  const { lines } = frame(rolloutModel(live, noon), { columns: 60, rows: 12, colour: true })
  return lines.map((line) => line.replaceAll('\x1b', '␛'))
}

/** Frames as they are recorded: each state of 16 pods at each size, and what is special. */
function frames(): [name: string, lines: string[]][] {
  const each = Object.entries(states(16)).flatMap(([state, live]) =>
    sizes.map(([columns, rows]): [string, string[]] => [`${state} ${columns}x${rows}`, drawn(live, columns, rows)]),
  )
  const stalled = world({
    pods: ['new', 'new-unready', 'unlabelled', 'old-unready', 'gone', 'old'],
    labels: {},
    annotations: {
      state: 'rolling',
      'current-batch-ordinals': '[1, 2]',
      'stalled-at': String(noon),
      message: 'not available: 1 (CrashLoopBackOff)',
      'updated-at': 'yesterday',
      'range-name': 'all',
    },
  })
  const { rolling } = states(500)
  return [
    ...each,
    ['stalled, all signs 80x30', drawn(stalled, 80, 30)],
    ['stalled, all signs 60x10', drawn(stalled, 60, 10)],
    ['500 pods 80x24', drawn(rolling, 80, 24)],
    ['500 pods, page 2 40x10', drawn(rolling, 40, 10, 1)],
    ['not enrolled 80x20', drawn(world({ pods: many(3, 'old'), labels: {}, start: 5 }), 80, 20)],
    ['no pods 80x20', drawn(world({ pods: [] }), 80, 20)],
    ['one pod, connection lost 60x20', drawn(world({ pods: ['old'] }), 60, 20, 0, 'Not up to date.')],
    ['colours, escapes shown as ␛ 60x12', colours(states(6).rolling)],
    ['message 60x5', messageFrame('first\nsecond', { columns: 60, rows: 5, colour: false }).lines],
  ]
}

void t.test('frames are as recorded; RECORD_FRAMES=1 records them', async (t) => {
  const text = frames()
    .map(([name, lines]) => `== ${name}\n${lines.join('\n')}\n`)
    .join('\n')
  if (process.env['RECORD_FRAMES'] === '1') writeFileSync(recordedPath, text)
  t.equal(text, readFileSync(recordedPath, 'utf8'))
})

void t.test('docs/rollout.md shows frames as they are', async (t) => {
  const docs = readFileSync(packagePath('docs', 'rollout.md'), 'utf8')
  for (const [name, lines] of frames().filter(([name]) => name.endsWith(' 80x24') && !name.startsWith('500'))) {
    t.ok(docs.includes(lines.map((line) => line.trimEnd()).join('\n')), name)
  }
})

const podStates = fc.constantFrom<PodState>(
  'new',
  'new-unready',
  'old',
  'old-unready',
  'unlabelled',
  'terminating',
  'gone',
)
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('日本語の長い長い長い名前です', '👩‍👩‍👧‍👦 family', '\x1b[2J\x1b[31m', 'a\nb\tc', '❤️❤️❤️'),
)
const annotations = fc.record(
  {
    state: fc.oneof(fc.constantFrom('none', 'planned', 'rolling', 'done'), text),
    'planned-at': fc.oneof(fc.constant(String(noon)), fc.constant('99999999999999'), text),
    'stalled-at': fc.oneof(fc.constant(String(noon)), text),
    'half-split': fc.constantFrom('true', 'false'),
    'range-name': fc.oneof(fc.constantFrom('upper_range', 'lower_range', 'all'), text),
    'batch-index': fc.constantFrom('1', '-4', 'x'),
    'current-batch-ordinals': fc.array(fc.nat(40), { maxLength: 30 }).map((list) => JSON.stringify(list)),
    message: text,
  },
  { requiredKeys: [] },
)
const worlds = fc.record({
  pods: fc.oneof(
    fc.array(podStates, { maxLength: 40 }),
    fc.tuple(fc.integer({ min: 1, max: 600 }), podStates).map(([count, state]) => many(count, state)),
  ),
  start: fc.constantFrom(0, 5, 1000, 2_000_000_000),
  annotations,
  labels: fc.constantFrom<Record<string, string>>({}, { 'rollout-operator/enabled': 'true' }),
  target: fc.oneof(fc.constantFrom('', 'web-6c9f4d7b58', 'nodash'), text),
})
const screens = fc.record({
  columns: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 60, max: 300 })),
  rows: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 20, max: 100 })),
})

// eslint-disable-next-line no-control-regex
const escapes = /\x1b\[[0-9;]*m/g

void t.test('no frame is larger than its screen, whatever is drawn; colours change nothing else', async (t) => {
  const check = (): void =>
    fc.assert(
      fc.property(worlds, screens, fc.integer(), fc.option(text, { nil: undefined }), (given, size, page, trouble) => {
        const model = rolloutModel(world(given), noon, 60)
        const plain = frame(model, { ...size, colour: false }, page, trouble)
        const coloured = frame(model, { ...size, colour: true }, page, trouble)
        const fits = plain.lines.length <= size.rows && plain.lines.every((line) => displayWidth(line) <= size.columns)
        const isHarmless = plain.lines.every((line) => !/\p{Cc}/u.test(line)) && !/\p{Cc}/u.test(plainLine(model))
        const same = coloured.lines.map((line) => line.replace(escapes, '')).join('\n') === plain.lines.join('\n')
        const message = messageFrame(trouble ?? 'x', { ...size, colour: false }).lines
        return fits && isHarmless && same && message.every((line) => displayWidth(line) <= size.columns)
      }),
      { numRuns: 200 },
    )
  t.doesNotThrow(check)
})

void t.test('every pod is on exactly one page', async (t) => {
  const check = (): void =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 16, max: 120 }),
        fc.integer({ min: 4, max: 30 }),
        (count, columns, rows) => {
          const model = rolloutModel(states(count + 3).scheduled, noon)
          const screen = { columns, rows, colour: false }
          const { pages } = frame(model, screen)
          const all = Array.from({ length: pages }, (_, page) => frame(model, screen, page).lines).flat()
          const pods = all.filter((line) => !/·|🔄 OLD/u.test(line)).join('\n')
          const shown = pods.match(/🔄|OLD ✅/gu)?.length ?? 0
          return shown === count + 3
        },
      ),
      { numRuns: 60 },
    )
  t.doesNotThrow(check)
})

void t.test('as large as there is room for', async (t) => {
  const live = states(32).rolling
  const has = (columns: number, rows: number, piece: string): boolean =>
    t.ok(
      drawn(live, columns, rows).some((line) => line.includes(piece)),
      `${columns}x${rows} ${piece}`,
    )
  has(140, 50, '╭─ 16 ─────╮')
  has(80, 24, '16 NEW ✅')
  has(60, 20, '16 ✅✅✅')
  has(12, 5, 'page 1 of')
})

void t.test('display width: emoji and wide characters take two columns, marks none', async (t) => {
  const table: [text: string, width: number][] = [
    ['', 0],
    ['abc', 3],
    ['…─│╭', 4],
    ['✅⏳🚧❌❓🔄', 12],
    ['日本', 4],
    ['한국', 4],
    ['ｗｉｄｅ', 8],
    ['ﾊﾝｶｸ', 4],
    ['e\u0301', 1],
    ['❤', 1],
    ['❤\ufe0f', 2],
  ]
  for (const [text, width] of table) t.equal(displayWidth(text), width, JSON.stringify(text))
  const narrow: string[] = []
  for (let code = 0x80; code <= 0x1ffff; code++) {
    const character = String.fromCodePoint(code >= 0xd800 && code <= 0xdfff ? 0x80 : code)
    if (/\p{Emoji_Presentation}/u.test(character) && displayWidth(character) !== 2) narrow.push(code.toString(16))
  }
  t.same(narrow, [], 'all characters that are pictures by default')
})

void t.test('texts are cut between characters, and cannot steer the terminal', async (t) => {
  t.equal(clipText('abcdef', 6), 'abcdef')
  t.equal(clipText('abcdef', 4), 'abc…')
  t.equal(clipText('✅✅✅', 4), '✅…')
  t.equal(clipText('✅', 1), '…')
  t.equal(clipText('x', 0), '')
  t.same(wrapText('one two three', 7), ['one two', 'three'])
  t.same(wrapText('abcdefgh i', 4), ['abc…', 'i'])
  t.same(wrapText('', 4), [''])
  t.equal(harmless('a\x1b[31m\n\u202eb\u009b'), 'a�[31m��b�')
  const live = world({ pods: ['old'], annotations: { state: 'planned', message: '\x1b]0;title\x07' } })
  t.notOk(frame(rolloutModel(live, noon), { columns: 80, rows: 24, colour: true }).lines.join('').includes('\x1b]'))
})

void t.test('times are local; what is no time stays as it is', async (t) => {
  t.equal(localTime(noon), '2026-03-01 12:00:00')
  t.equal(localTime('soon'), 'soon')
  t.equal(localTime(1e15), '1000000000000000')
})

void t.test('plain lines tell where the rollout is', async (t) => {
  const line = (live: Live): string => plainLine(rolloutModel(live, noon))
  const { idle, scheduled, rolling, needsAction } = states(16)
  const revision = 'revision …-6c9f4d7b58'
  t.equal(line(idle), `shop/web Nothing to do: All pods NEW+Ready (16/16); ${revision}`)
  t.equal(line(scheduled), `shop/web Scheduled: 16 pods need update, 16 ready on old revision; ${revision}`)
  t.equal(
    line(rolling),
    `shop/web Rolling: Old->New progress: NEW+Ready 6/16, Remaining 10; ${revision}; range upper_range (1/2); batch 4/4; ordinals 14, 15`,
  )
  t.match(line(needsAction), /^shop\/web Update detected, operator idle: 14 pods on old revision, 1 new pod not ready,/)
})
