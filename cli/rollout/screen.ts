import type { EventEmitter } from 'node:events'

/** A terminal that is written to: `process.stdout`, or a stand-in. */
export interface Terminal extends Pick<EventEmitter, 'on' | 'off'> {
  readonly isTTY: boolean
  readonly columns: number
  readonly rows: number
  write(text: string): unknown
}

/** A terminal that is read from: `process.stdin`, or a stand-in. */
export interface Keyboard extends Pick<EventEmitter, 'on' | 'off'> {
  readonly isTTY: boolean
  setRawMode(on: boolean): unknown
  resume(): unknown
  pause(): unknown
}

/** What happens in front of the screen. `quit` comes once. */
export interface ScreenEvents {
  quit(): void
  /** Turn by so many pages. */
  turn(by: number): void
  resize(): void
}

/** The whole terminal, while it is ours. */
export interface OpenScreen {
  /** Shows these lines and nothing else; writes only what is different. */
  draw(lines: readonly string[]): void
  /** Gives the terminal back as it was. May be called more than once. */
  close(): void
}

// Control sequences of xterm, which every terminal of today follows or ignores.
const alternateScreen = '\x1b[?1049h'
const mainScreen = '\x1b[?1049l'
const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
// A character that is wider than we think must not push the rest to the next line.
const noWrap = '\x1b[?7l'
const wrap = '\x1b[?7h'
const clear = '\x1b[2J'
const beginFrame = '\x1b[?2026h'
const endFrame = '\x1b[?2026l'

/** Ends of the process that leave no time for anything but giving the terminal back. */
const crashes = ['uncaughtExceptionMonitor', 'exit'] as const
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Takes the terminal over until `close`, which also happens when the process ends in whatever way can be noticed, before
 * the stack trace of a crash is printed.
 */
export function openScreen(
  terminal: Terminal,
  keyboard: Keyboard | undefined,
  events: ScreenEvents,
  process: Pick<EventEmitter, 'on' | 'off'>,
): OpenScreen {
  let shown: readonly string[] = []
  let isOpen = true

  const onResize = (): void => {
    shown = []
    terminal.write(clear)
    events.resize()
  }
  const onKey = (typed: Buffer | string): void => {
    const key = typed.toString()
    if (key === '\x03' || key === 'q') events.quit()
    else if (nextKeys.includes(key)) events.turn(1)
    else if (previousKeys.includes(key)) events.turn(-1)
  }
  const onSignal = (): void => events.quit()
  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    terminal.off('resize', onResize)
    keyboard?.off('data', onKey)
    for (const signal of signals) process.off(signal, onSignal)
    for (const crash of crashes) process.off(crash, close)
    keyboard?.setRawMode(false)
    keyboard?.pause()
    terminal.write(`${wrap}${showCursor}${mainScreen}`)
  }

  for (const signal of signals) process.on(signal, onSignal)
  for (const crash of crashes) process.on(crash, close)
  terminal.on('resize', onResize)
  // Without raw mode what is typed would show up between the pods. Ctrl-C then is a key like any other.
  keyboard?.setRawMode(true)
  keyboard?.on('data', onKey)
  keyboard?.resume()
  terminal.write(`${alternateScreen}${hideCursor}${noWrap}${clear}`)

  return {
    draw(lines) {
      if (!isOpen) return
      const rows = Math.max(lines.length, shown.length)
      const changes = Array.from({ length: rows }, (_, i) =>
        // The line is erased before it is written: afterwards the cursor may stand on its last character.
        lines[i] === shown[i] ? '' : `\x1b[${i + 1};1H\x1b[2K${lines[i] ?? ''}`,
      ).join('')
      shown = [...lines]
      if (changes !== '') terminal.write(`${beginFrame}${changes}${endFrame}`)
    },
    close,
  }
}

const nextKeys = ['n', ' ', '\x1b[C', '\x1b[B', '\x1b[6~']
const previousKeys = ['p', 'b', '\x1b[D', '\x1b[A', '\x1b[5~']
