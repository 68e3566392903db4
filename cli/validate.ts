import { parseArgs } from 'node:util'
import type { Surroundings } from './program.ts'
import { UsageError } from './errors.ts'
import { findingText, readObjects } from './input.ts'

export const validateHelp = `Usage: kaspr-metacontroller validate -f FILE|DIR|- ...

Checks manifests of our kinds without a cluster and prints one line for each problem:
file:line: kind/name: field: problem, accepted: ...

  -f, --filename  file, directory (all .yaml, .yml and .json below it) or - for standard input; may be given several times

Exit codes: 0 no problem, 1 problems or unreadable input, 2 wrong usage.
Objects of other kinds are passed over with a note. A component whose app is not among the files is no problem.

Only the API server can check what depends on the object as it was before: that config.topicPartitions and storage.class do
not change, and that storage.size does not shrink.
`

/** The command \`validate\`. @returns the exit code */
export async function validate(args: string[], { stdin, stdout, stderr }: Surroundings): Promise<0 | 1> {
  const { values } = parseArgs({ args, options: { filename: { type: 'string', short: 'f', multiple: true } } })
  if (values.filename === undefined) throw new UsageError('no files given: accepted is -f FILE, -f DIR or -f -')
  const { objects, findings, passedOver } = await readObjects(values.filename, stdin)
  for (const note of passedOver) stderr.write(`${note}\n`)
  for (const finding of findings) stdout.write(`${findingText(finding)}\n`)
  if (findings.length > 0) {
    stderr.write(`${counted(findings.length, 'problem')}\n`)
    return 1
  }
  stdout.write(`${counted(objects.length, 'object')} without problems\n`)
  return 0
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
