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
 * POSTs bodies, on each connection the next as soon as the last is answered. The bodies are dealt out to the connections,
 * each of which sends its own in turn; one body alone is sent by all.
 *
 * @throws if any answer is no success, or a connection fails
 */
export async function load(url: string, bodies: readonly string[], seconds: number): Promise<Load> {
  const latencies: number[] = []
  const headers = { 'content-type': 'application/json' }
  let client = 0
  const { requests, errors, non2xx, duration } = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(
      {
        url,
        method: 'POST',
        headers,
        connections,
        duration: seconds,
        setupClient(connection) {
          const own = bodies.length === 1 ? bodies : bodies.filter((_, index) => index % connections === client)
          connection.setRequests(own.map((body) => ({ method: 'POST', headers, body })))
          client++
        },
      },
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
