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

/** One thing that a program does. */
export interface Command {
  summary: string
  /** Answer to `--help`. */
  help(): string | Promise<string>
  /**
   * Its modules are loaded when it runs: each command starts with what it needs.
   *
   * @returns the exit code
   * @throws UsageError for a wrong call, InputError for what the user can put right
   */
  run(args: string[], surroundings: Surroundings): Promise<0 | 1>
}

/** Commands under a name that users type. */
export interface Program {
  name: string
  commands: ReadonlyMap<string, Command>
  /** What the help says after the commands, one or more lines. */
  notes: string
}

/**
 * Runs a program. Commands that serve return when they are up and leave the process running.
 *
 * @param args what follows the program's name
 * @returns the exit code: 0 for success, 1 for bad input or a failure, 2 for a wrong call
 */
export async function runProgram(
  program: Program,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<0 | 1 | 2> {
  const [first, ...rest] = args
  try {
    if (first === undefined) throw new UsageError('no command given')
    if (isHelp(first) || first === 'help') {
      surroundings.stdout.write(help(program))
      return 0
    }
    if (first === '--version') {
      surroundings.stdout.write(`${packageVersion()}\n`)
      return 0
    }
    const command = program.commands.get(first)
    if (command === undefined) throw new UsageError(`no command ${JSON.stringify(first)}`)
    if (rest.some(isHelp)) {
      surroundings.stdout.write(await command.help())
      return 0
    }
    return await command.run(rest, surroundings)
  } catch (error) {
    const [code, message] = failure(program, error)
    surroundings.stderr.write(`${program.name}: ${message}\n`)
    return code
  }
}

/** Runs a program as this process; sets its exit code. */
export async function runProcess(program: Program): Promise<void> {
  // A reader that has seen enough (`render … | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
  process.exitCode = await runProgram(program, process.argv.slice(2), process)
}

function isHelp(word: string | undefined): boolean {
  return word === '--help' || word === '-h'
}

function failure({ name }: Program, error: unknown): [code: 1 | 2, message: string] {
  if (error instanceof UsageError || isParseArgsError(error)) {
    return [2, `${error.message}\nSee ${name} --help.`]
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

function help({ name, commands, notes }: Program): string {
  const width = Math.max(...[...commands.keys()].map((command) => command.length))
  const lines = [...commands].map(([command, { summary }]) => `  ${command.padEnd(width)}  ${summary}`)
  return `Usage: ${name} <command>

Commands:
${lines.join('\n')}

Options:
  --help     show this; after a command, what it takes
  --version  show the version

${notes}
Exit codes: 0 success, 1 bad input or failure, 2 wrong usage.
`
}
