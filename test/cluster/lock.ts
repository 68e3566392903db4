import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** The owner touches its lock this often … */
const heartbeatMs = 5_000
/** … and one untouched for so long has no owner, even if its process id lives (it may be a new process, or a container's). */
const staleMs = 60_000

/**
 * Runs `body` while holding a lock file that names this process. Waits for a living owner, takes over from a dead one.
 * It only saves work: two holders at once (a machine that slept) must do no harm, here because each builds in its own
 * folder and the last step is a rename.
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
  const mine = `${file}.${randomUUID()}`
  let told = false
  try {
    for (;;) {
      await writeFile(mine, `${process.pid}\n`)
      if (await linked(mine, file)) return
      const holder = await owner(file)
      if (holder === undefined) continue
      if (holder.ageMs > staleMs || !isAlive(holder.pid)) {
        report(`taking over the lock of process ${holder.pid}, which is gone`)
        await rename(file, mine).catch(ignoreMissing)
        continue
      }
      if (!told) report(`waiting for process ${holder.pid}, which is compiling it (lock: ${file})`)
      told = true
      await sleep(500)
    }
  } finally {
    await rm(mine, { force: true })
  }
}

/** Hard links are made atomically, with the content there from the start. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function owner(file: string): Promise<{ pid: number; ageMs: number } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)])
    return { pid: Number.parseInt(text, 10) || 0, ageMs: Date.now() - mtimeMs }
  } catch (error) {
    ignoreMissing(error)
    return undefined
  }
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
