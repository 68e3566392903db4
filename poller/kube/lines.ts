/** A line that exceeds the limit: the stream is no watch, or something is very wrong with it. */
const maxLineBytes = 64 * 1024 * 1024

/**
 * Splits a byte stream into lines (without the line feed). Works on bytes, so that a character or a line cut in two by
 * chunk borders comes out whole. Empty lines are skipped; a last line without line feed is given too.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...pending, chunk.subarray(start, end)])
      pending = []
      pendingBytes = 0
      start = end + 1
      if (line.length > 0) yield line.toString('utf8')
    }
    if (start < chunk.length) {
      pending.push(chunk.subarray(start))
      pendingBytes += chunk.length - start
      if (pendingBytes > maxLineBytes) throw new Error(`A line of more than ${maxLineBytes} bytes`)
    }
  }
  if (pending.length > 0) yield Buffer.concat(pending).toString('utf8')
}
