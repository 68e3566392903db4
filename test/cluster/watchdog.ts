import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * Waits for the parent's end of the pipe to close, whatever closes it, then kills every registered process group and
 * removes the folder. Renaming `run` first makes registration and sweep exclude each other.
 */
const sweep = `
while read -r _; do :; done
mv "$1/run" "$1/ended"
for file in "$1"/ended/*; do kill -s KILL -- "-\${file##*/}"; done
if [ -e "$1/failed" ]; then mkdir -p "$2" && cp "$1"/logs/* "$2"; fi
tries=0 # a dying process may still put a file into its folder
until rm -rf "$1" || [ $tries -eq 100 ]; do tries=$((tries + 1)); sleep 0.05; done
`

/** Registers a process under its own id before it becomes its command; refuses to run once the sweep has begun. */
const announce = '{ echo >"$0/run/$$"; } 2>/dev/null || exit 125; exec "$@"'

/**
 * Sees to it that processes and their folder never outlive this process. The kernel closes the pipe to the watchdog
 * when this process ends in any way (return, Ctrl-C, uncaught exception, SIGKILL), and a regular end takes the same
 * path. A process counts from the moment its command starts: it must be started with `wrap`, leading its own group.
 */
export class Watchdog {
  readonly #dir: string
  readonly #keepLogsIn: string
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #onExit = (code: number): void => {
    if (code === 0 || !existsSync(this.#dir)) return
    this.keepLogs()
    process.stderr.write(`logs of ${basename(this.#dir)} are kept in ${this.#keepLogsIn}\n`)
  }

  /** `dir` exists and belongs to the watchdog from now on; `dir/logs` of a failed run is copied to `keepLogsIn`. */
  constructor(dir: string, keepLogsIn: string) {
    this.#dir = dir
    this.#keepLogsIn = keepLogsIn
    mkdirSync(join(dir, 'run'))
    mkdirSync(join(dir, 'logs'))
    this.#process = spawn('/bin/sh', ['-c', sweep, 'watchdog', dir, keepLogsIn], {
      cwd: '/',
      detached: true, // Ctrl-C in a terminal goes to the whole foreground group
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#ended = new Promise((resolve) => this.#process.once('exit', resolve).once('error', resolve))
    process.once('exit', this.#onExit)
  }

  /** Program and arguments that register themselves and become the command. */
  wrap(command: string, args: readonly string[]): [program: string, args: string[]] {
    return ['/bin/sh', ['-c', announce, this.#dir, command, ...args]]
  }

  /** A process and its group have gone, so that their id may be used for another. */
  forget(pid: number): void {
    rmSync(join(this.#dir, 'run', String(pid)), { force: true })
  }

  keepLogs(): void {
    writeFileSync(join(this.#dir, 'failed'), '')
  }

  /** Kills what still runs and removes the folder. */
  async end(): Promise<void> {
    process.removeListener('exit', this.#onExit)
    this.#process.stdin?.end()
    await this.#ended
  }
}
