import type { KubeClient } from '../../poller/kube/client.ts'
import { frame, messageFrame } from './frame.ts'
import type { Frame, Screen } from './frame.ts'
import { plainLine } from './header.ts'
import { watchLive } from './live.ts'
import type { Watched } from './live.ts'
import { notOnDelete, rolloutModel } from './model.ts'
import type { Live, RolloutModel } from './model.ts'
import { paced } from './pace.ts'
import { openScreen } from './screen.ts'
import type { Keyboard, Terminal } from './screen.ts'
import type { Target } from './target.ts'

/** What is shown, from where. */
export interface ViewOptions {
  client: KubeClient
  target: Target
  /** As they were read just now. */
  first: Live
  delaySeconds: number | undefined
  /** What keeps the view from being up to date, if anything. */
  trouble: () => string | undefined
}

/** Draws the rollout on a terminal until Ctrl-C, q or a signal. */
export async function viewScreen(
  options: ViewOptions,
  terminal: Terminal,
  keyboard: Keyboard | undefined,
  colour: boolean,
): Promise<void> {
  const { ended, end } = ending()
  let [page, pages] = [0, 1]
  const pace = paced(() => {
    const size = { columns: terminal.columns, rows: terminal.rows, colour }
    const drawn = frameOf(options, watched, size, page)
    pages = drawn.pages
    screen.draw(drawn.lines)
  })
  const watched = watchLive(options.client, options.target, options.first, () => pace.soon())
  const turn = (by: number): void => {
    page = (page + by + pages) % pages
    pace.now()
  }
  const screen = openScreen(terminal, keyboard, { quit: end, turn, resize: () => pace.now() }, process)
  try {
    pace.now()
    await ended
  } finally {
    pace.stop()
    screen.close()
    await watched.stop()
  }
  terminal.write('Bye.\n')
}

/** Prints a line now and whenever something has changed, until SIGINT or SIGTERM. */
export async function viewLines(options: ViewOptions, out: { write(text: string): unknown }): Promise<void> {
  const { ended, end } = ending()
  let printed = ''
  const pace = paced(() => {
    const line = lineOf(options, watched)
    if (line === printed) return
    printed = line
    out.write(`${new Date().toISOString()} ${line}\n`)
  })
  const watched = watchLive(options.client, options.target, options.first, () => pace.soon())
  process.on('SIGINT', end).on('SIGTERM', end)
  try {
    pace.now()
    await ended
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end)
    pace.stop()
    await watched.stop()
  }
}

/** A promise that waits until `end` is called. */
function ending(): { ended: Promise<void>; end: () => void } {
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))
  return { ended, end }
}

function frameOf(options: ViewOptions, watched: Watched, screen: Screen, page: number): Frame {
  const model = modelOf(options, watched)
  const trouble = options.trouble()
  if (typeof model !== 'string') return frame(model, screen, page, trouble)
  return messageFrame(trouble === undefined ? model : `${trouble}\n${model}`, screen)
}

function lineOf(options: ViewOptions, watched: Watched): string {
  const model = modelOf(options, watched)
  return options.trouble() ?? (typeof model === 'string' ? model : plainLine(model))
}

/** The model, or why there is none. */
function modelOf({ target, delaySeconds }: ViewOptions, watched: Watched): RolloutModel | string {
  const live = watched.current()
  const name = `StatefulSet ${target.namespace}/${target.name}`
  if (live === undefined) return `${name} is gone. Waiting for it to come back.`
  const unfit = notOnDelete(live.set)
  return unfit === undefined ? rolloutModel(live, Date.now() / 1000, delaySeconds) : `${name}: ${unfit}`
}
