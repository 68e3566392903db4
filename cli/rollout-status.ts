import { parseArgs } from 'node:util'
import type { Environment } from '../webhooks/environment.ts'
import { duration } from './duration.ts'
import { InputError, UsageError } from './errors.ts'
import type { Surroundings } from './program.ts'
import { readLive } from './rollout/live.ts'
import type { Live } from './rollout/model.ts'
import { addressHelp, addressOf, addressOptions, addressUsage, withAccess } from './rollout/target.ts'
import type { Address } from './rollout/target.ts'
import { span } from './rollout/text.ts'
import { verdict } from './rollout/verdict.ts'
import type { Verdict } from './rollout/verdict.ts'
import { watchUntil } from './rollout/wait.ts'

export const statusHelp = `Usage: kubectl rollouts status ${addressUsage.optional} [--watch [--timeout 10m]]

Prints in one line how the rollout of an OnDelete StatefulSet stands. With --watch it waits for the end of the rollout, and
prints a line whenever something has changed. It ends early when the rollout has stalled, or when nobody will finish it: the
set is gone, is not enrolled any more or is not OnDelete.

${addressHelp('optional')}
  -w, --watch          wait for the end
      --timeout        longest wait, for example 90s, 10m or 1h30m; default 0, which is for ever

It reads the StatefulSet and its pods (get, list, watch) and writes nothing.
Exit codes: 0 complete or, without --watch, under way; 1 stalled, aborted, timed out, no such set or no access; 2 wrong usage.
`

interface Arguments extends Address {
  watch: boolean
  /** As given, for the message. */
  timeout: string
  /** Absent for ever. */
  timeoutMs: number | undefined
}

/** The command `status`. @returns the exit code @throws InputError for a rollout that will not come to its end */
export async function status(args: string[], { env, stdout, stderr }: Surroundings): Promise<0> {
  const given = statusArguments(args, env)
  await withAccess(given, async ({ client, target, trouble }) => {
    const first = await readLive(client, target)
    let shown = { state: 'progressing', text: '' } as Verdict
    let told: string | undefined
    const look = (live: Live | undefined): true | undefined => {
      const next = verdict(live, first.set)
      if (next.text !== shown.text && !isBad(next)) stdout.write(`${span(next.text).text}\n`)
      shown = next
      const failing = trouble()
      if (failing !== told && failing !== undefined) stderr.write(`${failing}\n`)
      told = failing
      return isBad(next) || next.state === 'complete' ? true : undefined
    }
    if (!given.watch) look(first)
    else if ((await watchUntil(client, target, first, look, given.timeoutMs)) === undefined) {
      throw new InputError(`timed out after ${given.timeout}: ${span(shown.text).text}`)
    }
    if (isBad(shown)) throw new InputError(span(shown.text).text)
  })
  return 0
}

function isBad({ state }: Verdict): boolean {
  return state === 'stalled' || state === 'aborted'
}

/** @throws UsageError or the error of parseArgs for a wrong call */
export function statusArguments(args: string[], env: Environment): Arguments {
  const { values, positionals } = parseArgs({
    // Users know these from `kubectl rollout status`.
    args: args.flatMap((arg) => (arg === '--watch=true' ? ['--watch'] : arg === '--watch=false' ? [] : [arg])),
    allowPositionals: true,
    options: {
      ...addressOptions,
      watch: { type: 'boolean', short: 'w', default: false },
      timeout: { type: 'string' },
    },
  })
  const { watch, timeout = '0' } = values
  if (!watch && values.timeout !== undefined) throw new UsageError('--timeout is for --watch')
  const timeoutMs = duration('--timeout', timeout)
  const address = addressOf(values, positionals, env, 'optional')
  return { ...address, watch, timeout, timeoutMs: timeoutMs === 0 ? undefined : timeoutMs }
}
