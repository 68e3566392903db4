/**
 * Code points that terminals draw two columns wide: East Asian Wide and Fullwidth of Unicode 16 (EastAsianWidth.txt), which
 * includes the emoji that are drawn as pictures by default. Small gaps inside a block are taken as wide: a line may come
 * out shorter than it could be, never longer.
 */
const wide: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x23e9, 0x23ec],
  [0x23f0, 0x23f0],
  [0x23f3, 0x23f3],
  [0x25fd, 0x25fe],
  [0x2614, 0x2615],
  [0x2630, 0x2637],
  [0x2648, 0x2653],
  [0x267f, 0x26ff],
  [0x2705, 0x2705],
  [0x270a, 0x270b],
  [0x2728, 0x2728],
  [0x274c, 0x2757],
  [0x2795, 0x2797],
  [0x27b0, 0x27bf],
  [0x2b1b, 0x2b1c],
  [0x2b50, 0x2b55],
  [0x2e80, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1d300, 0x1d376],
  [0x1f004, 0x1f004],
  [0x1f0cf, 0x1f0cf],
  [0x1f18e, 0x1f19a],
  [0x1f1e6, 0x1f6ff],
  [0x1f7e0, 0x1f7f0],
  [0x1f90c, 0x1fbff],
  [0x20000, 0x3fffd],
]

/** Marks that sit on the character before, and joiners. */
const zeroWidth = /^[\p{Mn}\p{Me}\u{200b}-\u{200d}\u{2060}\u{feff}]$/u
const firstMark = '\u{300}'
/** Says that the character before is to be drawn as a picture, two columns wide. */
const pictureSelector = '\u{fe0f}'

/** Columns that a terminal uses for a text without control characters. Joined emoji count as their parts. */
export function displayWidth(text: string): number {
  return glyphs(text).reduce((sum, { width }) => sum + width, 0)
}

/** The longest beginning of the text that fits into so many columns; cut texts end with `…`. */
export function clipText(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let used = 0
  let clipped = ''
  for (const { character, width } of glyphs(text)) {
    if (used + width > columns - 1) break
    used += width
    clipped += character
  }
  return columns > 0 ? `${clipped}…` : ''
}

/** The text in lines of at most so many columns, broken between words; a longer word is cut. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines.at(-1) ?? ''} ${word}` : undefined
    if (longer !== undefined && displayWidth(longer) <= columns) lines[lines.length - 1] = longer
    else lines.push(clipText(word, columns))
  }
  return lines
}

/**
 * The text with everything replaced that would steer the terminal instead of showing: control characters, and those
 * that change the direction of writing. Annotations can be written by many.
 */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu, '�')
}

/** Characters with what follows them without a width of its own. */
function glyphs(text: string): { character: string; width: number }[] {
  const found: { character: string; width: number }[] = []
  for (const character of text) {
    const last = found.at(-1)
    const isMark = character >= firstMark && (character === pictureSelector || zeroWidth.test(character))
    if (last !== undefined && isMark) {
      last.character += character
      if (character === pictureSelector) last.width = 2
    } else found.push({ character, width: widthOf(character) })
  }
  return found
}

function widthOf(character: string): number {
  const code = character.codePointAt(0) ?? 0
  // Most of what is drawn: letters, and the lines of boxes.
  if (code < 0x1100 || (code >= 0x2500 && code < 0x25fd)) return 1
  return wide.some(([first, last]) => code >= first && code <= last) ? 2 : 1
}
