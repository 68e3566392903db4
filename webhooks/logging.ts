import { pino, type DestinationStream, type Logger } from 'pino'

export type { Logger } from 'pino'

/**
 * The log of a process: JSON lines with level names and ISO times, to standard output. Written synchronously, so that
 * nothing is lost in a crash.
 *
 * @param level one of pino's levels, or `silent`
 * @param stream where lines go instead, for tests
 */
export function createLogger(level: string, stream?: DestinationStream): Logger {
  const options = {
    level,
    // Pod and container are added by whatever collects the lines.
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return stream === undefined ? pino(options) : pino(options, stream)
}
