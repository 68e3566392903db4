import autocannon from 'autocannon'

/** What one run of load gave. */
export interface Load {
  requestsPerSecond: number
  /** Milliseconds from request to answer, one for each answer. */
  latencies: number[]
}

/** As many connections as Metacontroller has workers for a controller, unless told otherwise. */
const connections = 5

/**
 * POSTs one body again and again, on each connection the next as soon as the last is answered.
 *
 * @throws if any answer is no success, or a connection fails
 */
export async function load(url: string, body: string, seconds: number): Promise<Load> {
  const latencies: number[] = []
  const headers = { 'content-type': 'application/json' }
  const { requests, errors, non2xx, duration } = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(
      { url, method: 'POST', headers, body, connections, duration: seconds },
      (error: Error | null | undefined, result) => (error == null ? resolve(result) : reject(error)),
    )
    run.on('response', (_client, _code, _bytes, ms) => latencies.push(ms))
  })
  if (errors > 0 || non2xx > 0) throw new Error(`${url}: ${errors} failed calls, ${non2xx} refused ones`)
  return { requestsPerSecond: requests.total / duration, latencies }
}

/** The value below which that share of the numbers lies; 0.5 is the median. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
