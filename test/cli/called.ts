import { Readable } from 'node:stream'
import { run } from '../../cli/commands.ts'
import type { Environment } from '../../webhooks/environment.ts'

/** Runs the program in this process. @returns its exit code and what it wrote */
export async function called(
  args: string[],
  env: Environment = {},
  input = '',
): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const stdout = { write: (text: string) => out.push(text) }
  const stderr = { write: (text: string) => err.push(text) }
  const code = await run(args, { env, stdin: Readable.from([input]), stdout, stderr })
  return { code, out: out.join(''), err: err.join('') }
}
