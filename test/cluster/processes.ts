import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { lastRelevantLine } from './log-lines.ts'
import { Watchdog } from './watchdog.ts'

/** How a process ended: an exit code or the signal that killed it. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A process that was started here and is watched. */
export interface Running {
  readonly name: string
  readonly pid: number
  /** Standard output and error, appended over restarts under the same name. */
  readonly logFile: string
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<Exit>
  /** Undefined while it runs. */
  readonly exit: Exit | undefined
  /** Sends a signal (default SIGTERM) as a kubelet would: SIGKILL to the whole process group, others to the process. */
  kill(signal?: NodeJS.Signals): void
  /** SIGTERM, and SIGKILL after the limit (default 10 s). */
  stop(limitMs?: number): Promise<Exit>
}

export interface Output {
  stdout: string
  stderr: string
  exit: Exit
}

/** Processes in one temporary folder; none outlives this process, and the folder goes with them. */
export class Processes {
  /** Working directory of the processes; logs are in `logs/`. */
  readonly dir: string
  readonly #watchdog: Watchdog
  readonly #running = new Set<Running>()

  /** `dir` exists, is empty, and is removed at the end; logs of a failed run are copied to `keepLogsIn`. */
  constructor(dir: string, keepLogsIn: string) {
    this.dir = dir
    this.#watchdog = new Watchdog(dir, keepLogsIn)
  }

  /** Starts a process that logs to a file; `env` is its whole environment. What cannot be run exits with code 127. */
  spawn(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv): Running {
    const logFile = join(this.dir, 'logs', `${name}.log`)
    const log = openSync(logFile, 'a')
    const child = this.#start(command, args, env, ['ignore', log, log])
    closeSync(log)
    return this.#watch(name, child, logFile)
  }

  /** Runs a command to its end and gives what it wrote. */
  async run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, input = ''): Promise<Output> {
    const child = this.#start(command, args, env, ['pipe', 'pipe', 'pipe'])
    const { stdin, stdout, stderr } = child
    if (stdin === null || stdout === null || stderr === null) throw new Error('unreachable: all three are pipes')
    stdin.on('error', () => undefined) // it may end without reading
    stdin.end(input)
    const [out, err, exit] = await Promise.all([text(stdout), text(stderr), this.#watch(command, child, '').exited])
    return { stdout: out, stderr: err, exit }
  }

  /** Processes that run now, in the order of their start. */
  running(): Running[] {
    return [...this.#running]
  }

  /** Kills what still runs and removes the folder; with `failed`, the logs are kept. */
  async end(failed: boolean): Promise<void> {
    if (failed) this.#watchdog.keepLogs()
    await this.#watchdog.end()
    await Promise.all(this.running().map((running) => running.exited))
  }

  #start(
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    stdio: ('ignore' | 'pipe' | number)[],
  ): ChildProcess {
    const [program, wrapped] = this.#watchdog.wrap(command, args)
    return spawn(program, wrapped, { cwd: this.dir, env, detached: true, stdio })
  }

  #watch(name: string, child: ChildProcess, logFile: string): Running {
    const { pid } = child
    if (pid === undefined) throw new Error(`${name} cannot be started: no /bin/sh, or no more processes are allowed`)
    const running = watch(name, child, pid, logFile)
    this.#running.add(running)
    child.once('exit', () => {
      send(-pid, 'SIGKILL') // what it left behind in its group
      this.#watchdog.forget(pid)
      this.#running.delete(running)
    })
    return running
  }
}

/** What ended a process, with the last line of its log that tells something and where to read the rest. */
export function describeExit({ name, exit, logFile }: Running): string {
  const how = exit?.signal == null ? `exited with code ${exit?.code ?? 'unknown'}` : `was killed by ${exit.signal}`
  return `${name} ${how}: ${lastRelevantLine(logFile) || 'it logged nothing'} (log: ${logFile})`
}

function watch(name: string, child: ChildProcess, pid: number, logFile: string): Running {
  let exit: Exit | undefined
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve((exit = { code, signal })))
  })
  const kill = (signal: NodeJS.Signals = 'SIGTERM'): void => {
    if (exit === undefined) send(signal === 'SIGKILL' ? -pid : pid, signal)
  }
  return {
    name,
    pid,
    logFile,
    exited,
    get exit() {
      return exit
    },
    kill,
    async stop(limitMs = 10_000) {
      kill('SIGTERM')
      const timer = setTimeout(() => kill('SIGKILL'), limitMs)
      const result = await exited
      clearTimeout(timer)
      return result
    },
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
