import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './alive.ts'

/** The owner touches its lock this often … */
const heartbeatMs = 5_000
/** … and one untouched for so long has no owner, even if its process id lives: ids come again, and containers have their own. */
const staleMs = 60_000

/**
 * Runs `body` while holding a lock file that names this process. Waits for a living owner, takes over from a dead one.
 * It only saves work. Two holders at once (two that take over together, a machine that slept) must do no harm; here
 * each builds in its own folder and the last step is a rename.
 */
export async function withLock<T>(file: string, report: (line: string) => void, body: () => Promise<T>): Promise<T> {
  await acquire(file, report)
  const heartbeat = setInterval(() => {
    const now = new Date()
    utimes(file, now, now).catch(() => undefined) // taken over; see above
  }, heartbeatMs)
  try {
    return await body()
  } finally {
    clearInterval(heartbeat)
    if ((await owner(file))?.pid === process.pid) await rm(file, { force: true })
  }
}

async function acquire(file: string, report: (line: string) => void): Promise<void> {
  let told = false
  while (!(await created(file))) {
    const holder = await owner(file)
    if (holder === undefined) continue
    const { pid, ageMs } = holder
    if (ageMs > staleMs || (pid !== undefined && !isAlive(pid))) {
      report(`taking over the lock of process ${pid ?? 'unknown'}, which is gone`)
      await rm(file, { force: true })
      continue
    }
    if (!told) report(`waiting for process ${pid ?? 'unknown'}, which is compiling it (lock: ${file})`)
    told = true
    await sleep(500)
  }
}

async function created(file: string): Promise<boolean> {
  try {
    await writeFile(file, `${process.pid}\n`, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    await rm(file, { force: true }) // created, but the disk was full
    throw error
  }
}

/** Undefined when there is no lock; without a pid when its owner has not written it yet, or never could. */
async function owner(file: string): Promise<{ pid: number | undefined; ageMs: number } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)])
    return { pid: /^\d+\n/.test(text) ? Number(text) : undefined, ageMs: Date.now() - mtimeMs }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
