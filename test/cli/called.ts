import { Readable } from 'node:stream'
import { program as main } from '../../cli/commands.ts'
import { type Program, runProgram } from '../../cli/program.ts'
import type { Environment } from '../../webhooks/environment.ts'

/** Runs a program, by default `kaspr-metacontroller`, in this process. @returns its exit code and what it wrote */
export async function called(
  args: string[],
  env: Environment = {},
  input = '',
  program: Program = main,
): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const stdout = { write: (text: string) => out.push(text) }
  const stderr = { write: (text: string) => err.push(text) }
  const code = await runProgram(program, args, { env, stdin: Readable.from([input]), stdout, stderr })
  return { code, out: out.join(''), err: err.join('') }
}
