import { UsageError } from './errors.ts'

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Longest delay of a timer. */
const maxMs = 2 ** 31 - 1

/**
 * A duration as kubectl takes it: `90s`, `10m`, `1h30m`, `1.5h`, or `0`.
 *
 * @returns milliseconds
 * @throws UsageError that names the option
 */
export function duration(option: string, text: string): number {
  const parts = [...text.matchAll(/(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)/g)]
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join('') === text
  const ms = parts.reduce((sum, [, number, unit]) => sum + Number(number) * unitMs[unit as keyof typeof unitMs], 0)
  if ((isWhole && ms <= maxMs) || text === '0') return ms
  throw new UsageError(
    `${option} ${JSON.stringify(text)}: accepted is a duration such as 90s, 10m or 1h30m, at most 24 days`,
  )
}
