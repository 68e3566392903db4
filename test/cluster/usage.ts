import { readFile } from 'node:fs/promises'
import type { Running } from './processes.ts'

/** What a process has used since its start. */
export interface Usage {
  cpuSeconds: number
  peakMiB: number
}

/** CPU seconds and peak memory of a process, from Linux's accounting. */
export async function usageOf({ pid }: Pick<Running, 'pid'>): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ])
  // Fields 14 and 15 (utime, stime) in ticks of 10 ms; the name in parentheses may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    peakMiB: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
  }
}
