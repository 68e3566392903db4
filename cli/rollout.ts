import { parseArgs } from 'node:util'
import { createClient } from '../poller/kube/client.ts'
import type { KubeClient } from '../poller/kube/client.ts'
import type { Environment } from '../webhooks/environment.ts'
import { packageVersion } from '../webhooks/version.ts'
import type { Surroundings } from './commands.ts'
import { InputError, UsageError } from './errors.ts'
import { frame } from './rollout/frame.ts'
import { modelJson } from './rollout/json.ts'
import { readLive } from './rollout/live.ts'
import type { Target } from './rollout/live.ts'
import { rolloutModel, updateStrategy } from './rollout/model.ts'
import type { Live, RolloutModel } from './rollout/model.ts'
import type { Keyboard, Terminal } from './rollout/screen.ts'
import { viewLines, viewScreen } from './rollout/view.ts'
import type { ViewOptions } from './rollout/view.ts'

export const rolloutHelp = `Usage: kaspr-metacontroller rollout -n NAMESPACE NAME

Shows the rollout of an OnDelete StatefulSet, live: how it stands, and each pod. Ctrl-C or q ends it, n and p turn pages.
Without a terminal it prints a line whenever something has changed.

  -n, --namespace      namespace of the StatefulSet
      --sts            its name, another way to give NAME
      --once           print one frame as plain text and end
      --json           print what the frame is made of as JSON and end
      --delay-seconds  seconds from plan to start, for the countdown; default: the set's annotation
                       config.rollout-operator/delay-seconds; no countdown without either
      --no-color       no colours, as with NO_COLOR in the environment
      --kubeconfig     file; default $KUBECONFIG, the pod's service account, ~/.kube/config

It reads the StatefulSet and its pods (get, list, watch) and writes nothing.
Exit codes: 0 success, 1 no such set, no access or not an OnDelete set, 2 wrong usage.
`

interface Arguments {
  target: Target
  once: boolean
  json: boolean
  colour: boolean
  kubeconfig: string | undefined
  delaySeconds: number | undefined
}

/** The command `rollout`. @returns the exit code */
export async function rollout(args: string[], { env, stdin, stdout }: Surroundings): Promise<0 | 1> {
  const given = rolloutArguments(args, env)
  const exchanges: { failing: string | undefined } = { failing: undefined }
  const client = createClient({
    ...(given.kubeconfig !== undefined && { kubeconfig: given.kubeconfig }),
    userAgent: `kaspr-metacontroller/${packageVersion()} (rollout)`,
    onRequest: ({ code }) => (exchanges.failing = failure(code)),
  })
  try {
    const first = await firstLook(client, given.target)
    const model = (): RolloutModel => rolloutModel(first, Date.now() / 1000, given.delaySeconds)
    const terminal = terminalOf(stdout)
    if (given.json) stdout.write(`${JSON.stringify(modelJson(model()), null, 2)}\n`)
    else if (given.once) stdout.write(`${oneFrame(model(), terminal).join('\n')}\n`)
    else {
      const options: ViewOptions = {
        client,
        target: given.target,
        first,
        delaySeconds: given.delaySeconds,
        trouble: () => exchanges.failing,
      }
      if (terminal === undefined) await viewLines(options, stdout)
      else await viewScreen(options, terminal, keyboardOf(stdin), given.colour)
    }
    return 0
  } finally {
    await client.close()
  }
}

/** @throws UsageError or the error of parseArgs for a wrong call */
export function rolloutArguments(args: string[], env: Environment): Arguments {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      namespace: { type: 'string', short: 'n' },
      sts: { type: 'string' },
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'no-color': { type: 'boolean', default: false },
      kubeconfig: { type: 'string' },
      'delay-seconds': { type: 'string' },
    },
  })
  const names = [...positionals, ...(values.sts === undefined ? [] : [values.sts])]
  const [name] = names
  const usage = 'accepted is -n NAMESPACE NAME, or --namespace NAMESPACE --sts NAME'
  if (values.namespace === undefined || values.namespace === '') throw new UsageError(`no namespace given: ${usage}`)
  if (name === undefined || name === '') throw new UsageError(`no StatefulSet given: ${usage}`)
  if (names.length > 1) throw new UsageError(`more than one StatefulSet given (${names.join(', ')}): ${usage}`)
  if (values.once && values.json) throw new UsageError('--once and --json exclude each other')
  return {
    target: { namespace: values.namespace, name },
    once: values.once,
    json: values.json,
    // https://no-color.org: set to anything but the empty text.
    colour: !values['no-color'] && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    kubeconfig: values.kubeconfig ?? env['KUBECONFIG'],
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

/** Reads the set before anything is drawn, so that a wrong name or missing rights end the call with a message. */
async function firstLook(client: KubeClient, target: Target): Promise<Live> {
  const live = await readLive(client, target, AbortSignal.timeout(20_000))
  const strategy = updateStrategy(live.set)
  if (strategy !== 'OnDelete') {
    throw new InputError(
      `StatefulSet ${target.namespace}/${target.name}: spec.updateStrategy.type is ${strategy}; the rollout operator works with OnDelete only`,
    )
  }
  return live
}

/** A frame with all pods: printed text can be longer than a screen. */
function oneFrame(model: RolloutModel, terminal: Terminal | undefined): string[] {
  const { columns, rows } = terminal ?? { columns: 100, rows: 50 }
  for (let room = rows; ; room *= 2) {
    const { lines, pages } = frame(model, { columns, rows: room, colour: false })
    if (pages === 1) return lines
  }
}

function failure(code: number): string | undefined {
  if (code >= 200 && code < 300) return undefined
  // The beginning has to be enough: on a narrow screen there is no more.
  return `Not up to date (${code === 0 ? 'no answer' : `HTTP ${code}`}): the API server cannot be watched, trying again.`
}

function terminalOf(stdout: object): Terminal | undefined {
  const terminal = stdout as Partial<Terminal>
  return terminal.isTTY === true ? (terminal as Terminal) : undefined
}

function keyboardOf(stdin: object): Keyboard | undefined {
  const keyboard = stdin as Partial<Keyboard>
  return keyboard.isTTY === true ? (keyboard as Keyboard) : undefined
}
