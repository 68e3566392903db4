import { parseArgs } from 'node:util'
import { SettingsError, type Environment } from '../webhooks/environment.ts'
import { packageVersion } from '../webhooks/version.ts'
import { InputError, UsageError } from './errors.ts'
import type { Input } from './manifests.ts'

/** The outside of a command: `process`, or a stand-in. */
export interface Surroundings {
  env: Environment
  stdin: Input
  stdout: { write(text: string): unknown }
  stderr: { write(text: string): unknown }
}

interface Command {
  summary: string
  /** Answer to `--help`. */
  help(): Promise<string>
  /** Its modules are loaded when it runs: each command starts with what it needs. */
  run(args: string[], surroundings: Surroundings): Promise<0 | 1>
}

const commands: ReadonlyMap<string, Command> = new Map([
  [
    'serve',
    {
      summary: 'run the hook service that Metacontroller calls, until SIGTERM',
      help: () => serverHelp('serve', 'Runs the hook service that Metacontroller calls.'),
      async run(args, { env }) {
        parseArgs({ args, options: {} })
        const { serve } = await import('../webhooks/main.ts')
        await serve(env)
        return 0
      },
    },
  ],
  [
    'poll',
    {
      summary: 'run the poller, which looks at what Observations name and reports in them, until SIGTERM',
      help: () => serverHelp('poll', 'Runs the poller, which looks at what Observations name and reports in them.'),
      async run(args, { env }) {
        parseArgs({ args, options: {} })
        const { poll } = await import('../poller/main.ts')
        await poll(env)
        return 0
      },
    },
  ],
  [
    'render',
    {
      summary: 'print the objects that the hooks want for manifests, without a cluster',
      help: async () => (await import('./render.ts')).renderHelp,
      run: async (args, surroundings) => (await import('./render.ts')).render(args, surroundings),
    },
  ],
  [
    'validate',
    {
      summary: 'check manifests without a cluster, one line for each problem',
      help: async () => (await import('./validate.ts')).validateHelp,
      run: async (args, surroundings) => (await import('./validate.ts')).validate(args, surroundings),
    },
  ],
  [
    'rollout',
    {
      summary: 'show the rollout of an OnDelete StatefulSet, live',
      help: async () => (await import('./rollout.ts')).rolloutHelp,
      run: async (args, surroundings) => (await import('./rollout.ts')).rollout(args, surroundings),
    },
  ],
])

/**
 * Runs the program. Commands that serve return when they are up and leave the process running.
 *
 * @param args what follows the program's name
 * @returns the exit code: 0 for success, 1 for bad input or a failure, 2 for a wrong call
 */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<0 | 1 | 2> {
  const [first, ...rest] = args
  try {
    if (first === undefined) throw new UsageError('no command given')
    if (isHelp(first) || first === 'help') {
      surroundings.stdout.write(help())
      return 0
    }
    if (first === '--version') {
      surroundings.stdout.write(`${packageVersion()}\n`)
      return 0
    }
    const command = commands.get(first)
    if (command === undefined) throw new UsageError(`no command ${JSON.stringify(first)}`)
    if (rest.some(isHelp)) {
      surroundings.stdout.write(await command.help())
      return 0
    }
    return await command.run(rest, surroundings)
  } catch (error) {
    const [code, message] = failure(error)
    surroundings.stderr.write(`kaspr-metacontroller: ${message}\n`)
    return code
  }
}

function isHelp(word: string | undefined): boolean {
  return word === '--help' || word === '-h'
}

function failure(error: unknown): [code: 1 | 2, message: string] {
  if (error instanceof UsageError || isParseArgsError(error)) {
    return [2, `${error.message}\nSee kaspr-metacontroller --help.`]
  }
  if (error instanceof InputError) return [1, error.message]
  if (error instanceof SettingsError) return [1, `settings are wrong\n${error.message}`]
  // Anything else is a mistake in this program: its stack is what a report needs.
  return [1, error instanceof Error ? (error.stack ?? error.message) : String(error)]
}

function isParseArgsError(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS')
}

async function serverHelp(name: string, about: string): Promise<string> {
  return `Usage: kaspr-metacontroller ${name}

${about} It runs until SIGTERM or SIGINT.
Settings are environment variables, see docs/settings.md. ENV_FILE names a dotenv file with more of them.
Exit codes: 0 after a signal, 1 wrong settings or a failure, 2 wrong usage.
`
}

function help(): string {
  const width = Math.max(...[...commands.keys()].map((name) => name.length))
  const lines = [...commands].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return `Usage: kaspr-metacontroller <command>

Commands:
${lines.join('\n')}

Options:
  --help     show this; after a command, what it takes
  --version  show the version

Settings are environment variables, see docs/settings.md.
Exit codes: 0 success, 1 bad input or failure, 2 wrong usage.
`
}
