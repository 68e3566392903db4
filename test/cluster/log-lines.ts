import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const tailBytes = 64 * 1024

/**
 * Error lines as the components write them: klog's `E`/`F` prefix, a JSON `level`, cobra's `Error:`, a Go panic, an
 * `Error` of Node.
 */
const errorLine =
  /^[EF]\d{4} |"level": ?"(error|fatal|panic|ERROR)"|^(Error|panic|fatal error|\w*Error)\b.*:|command failed/

/** The last line of a log that names an error, else its last line that is not blank; `''` for an empty or missing log. */
export function lastRelevantLine(file: string): string {
  const lines = tail(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return (lines.findLast((line) => errorLine.test(line)) ?? lines.at(-1) ?? '').slice(0, 500)
}

function tail(file: string): string {
  let fd
  try {
    fd = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(fd)
    const buffer = Buffer.alloc(Math.min(size, tailBytes))
    const read = readSync(fd, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8', 0, read)
  } finally {
    closeSync(fd)
  }
}
