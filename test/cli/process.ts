import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { packagePath } from '../../webhooks/package-root.ts'
import { until } from '../webhooks/until.ts'

/** A Node process of this package. */
export interface Running {
  stdout(): string
  stderr(): string
  kill(signal: NodeJS.Signals): void
  /** Exit code; null if a signal ended it. */
  exited: Promise<number | null>
  /** The port that a server among them says it listens on. */
  port(): Promise<number>
}

/** Starts a compiled file of this package with exactly this environment; it ends with the test. */
export function startNode(t: Test, file: string, args: string[] = [], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [packagePath('dist', file), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err]: [string[], string[]] = [[], []]
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text))
  const exited = once(child, 'close').then(([code]: (number | null)[]) => code ?? null)
  t.teardown(() => child.kill('SIGKILL'))
  const listening = /listening at https?:\/\/[^"]*:(\d+)"/
  return {
    stdout: () => out.join(''),
    stderr: () => err.join(''),
    kill: (signal) => void child.kill(signal),
    exited,
    async port() {
      await until(() => listening.test(out.join('')) || child.exitCode !== null, 20_000)
      return Number(listening.exec(out.join(''))?.[1])
    },
  }
}
