import { parseArgs } from 'node:util'
import type { Environment } from '../webhooks/environment.ts'
import { InputError, UsageError } from './errors.ts'
import type { Surroundings } from './program.ts'
import { frame } from './rollout/frame.ts'
import { modelJson } from './rollout/json.ts'
import { readLive } from './rollout/live.ts'
import { notOnDelete, rolloutModel } from './rollout/model.ts'
import type { RolloutModel } from './rollout/model.ts'
import type { Keyboard, Terminal } from './rollout/screen.ts'
import { addressHelp, addressOf, addressOptions, addressUsage, withAccess } from './rollout/target.ts'
import type { Address, NamespaceRule } from './rollout/target.ts'
import { viewLines, viewScreen } from './rollout/view.ts'
import type { ViewOptions } from './rollout/view.ts'

/** @param command what the user types before the arguments */
export function rolloutHelp(command: string, rule: NamespaceRule): string {
  return `Usage: ${command} ${addressUsage[rule]}

Shows the rollout of an OnDelete StatefulSet, live: how it stands, and each pod. Ctrl-C or q ends it, n and p turn pages.
Without a terminal it prints a line whenever something has changed.

${addressHelp(rule)}
      --once           print one frame as plain text and end
      --json           print what the frame is made of as JSON and end
      --delay-seconds  seconds from plan to start, for the countdown; default: the set's annotation
                       config.rollout-operator/delay-seconds; no countdown without either
      --no-color       no colours, as with NO_COLOR in the environment

It reads the StatefulSet and its pods (get, list, watch) and writes nothing.
Exit codes: 0 success, 1 no such set, no access or not an OnDelete set, 2 wrong usage.
`
}

interface Arguments extends Address {
  once: boolean
  json: boolean
  colour: boolean
  delaySeconds: number | undefined
}

/** The command `rollout`, which is also `kubectl rollouts view`. @returns the exit code */
export async function rollout(args: string[], { env, stdin, stdout }: Surroundings, rule: NamespaceRule): Promise<0> {
  const given = rolloutArguments(args, env, rule)
  await withAccess(given, async ({ client, target, trouble }) => {
    // Before anything is drawn, so that a wrong name or missing rights end the call with a message.
    const first = await readLive(client, target)
    const unfit = notOnDelete(first.set)
    if (unfit !== undefined) throw new InputError(`StatefulSet ${target.namespace}/${target.name}: ${unfit}`)
    const model = (): RolloutModel => rolloutModel(first, Date.now() / 1000, given.delaySeconds)
    const terminal = terminalOf(stdout)
    if (given.json) stdout.write(`${JSON.stringify(modelJson(model()), null, 2)}\n`)
    else if (given.once) stdout.write(`${oneFrame(model(), terminal).join('\n')}\n`)
    else {
      const options: ViewOptions = { client, target, first, delaySeconds: given.delaySeconds, trouble }
      if (terminal === undefined) await viewLines(options, stdout)
      else await viewScreen(options, terminal, keyboardOf(stdin), given.colour)
    }
  })
  return 0
}

/** @throws UsageError or the error of parseArgs for a wrong call */
export function rolloutArguments(args: string[], env: Environment, rule: NamespaceRule): Arguments {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...addressOptions,
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'no-color': { type: 'boolean', default: false },
      'delay-seconds': { type: 'string' },
    },
  })
  const address = addressOf(values, positionals, env, rule)
  if (values.once && values.json) throw new UsageError('--once and --json exclude each other')
  return {
    ...address,
    once: values.once,
    json: values.json,
    // https://no-color.org: set to anything but the empty text.
    colour: !values['no-color'] && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    delaySeconds: seconds(values['delay-seconds']),
  }
}

function seconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) {
    throw new UsageError(`--delay-seconds ${JSON.stringify(text)}: accepted is an integer, 0 or more`)
  }
  return Number(text)
}

/** A frame with all pods: printed text can be longer than a screen. */
function oneFrame(model: RolloutModel, terminal: Terminal | undefined): string[] {
  const { columns, rows } = terminal ?? { columns: 100, rows: 50 }
  for (let room = rows; ; room *= 2) {
    const { lines, pages } = frame(model, { columns, rows: room, colour: false })
    if (pages === 1) return lines
  }
}

function terminalOf(stdout: object): Terminal | undefined {
  const terminal = stdout as Partial<Terminal>
  return terminal.isTTY === true ? (terminal as Terminal) : undefined
}

function keyboardOf(stdin: object): Keyboard | undefined {
  const keyboard = stdin as Partial<Keyboard>
  return keyboard.isTTY === true ? (keyboard as Keyboard) : undefined
}
