import { readFile } from 'node:fs/promises'
import { packagePath } from '../../../webhooks/package-root.ts'
import { freePort } from '../addresses.ts'
import { describeExit } from '../processes.ts'
import type { Exit, Running } from '../processes.ts'
import { until } from '../until.ts'

export interface MetacontrollerOptions {
  /** Path of the kubeconfig it works with; decides what it may do. */
  kubeconfig: string
  /** Path of a real Metacontroller; default `$METACONTROLLER_BIN`; empty or without one the stand-in is started. */
  bin?: string | undefined
  /** Of the process and its log; default `metacontroller`. Processes of one name share a log. */
  name?: string
  /** Further flags, which both have to know. */
  args?: readonly string[]
  /** How to start a process: `plane.spawn` or the like. */
  spawn: (name: string, command: string, args: readonly string[]) => Running
}

/** A running Metacontroller, real or played. */
export interface Metacontroller {
  kind: 'real' | 'stand-in'
  /** For example `http://127.0.0.1:20001/metrics`. */
  metricsUrl: string
  /** Resolves when the process has ended, wanted or not; never rejects. */
  exited: Promise<Exit>
  /** The process itself, with its id and its log. */
  running: Running
  /** The first line of the log that begins with `panic:`: why it crashed, if it did. */
  panic(): Promise<string | undefined>
  /** SIGTERM, and SIGKILL if that does not help. */
  stop(): Promise<Exit>
  /** SIGKILL. */
  kill(): Promise<Exit>
}

/**
 * Starts a Metacontroller and waits until it says that it is ready. Its CRDs have to be there. Throws with the last line
 * of its log if it ends before.
 */
export async function startMetacontroller(options: MetacontrollerOptions): Promise<Metacontroller> {
  const { bin = process.env['METACONTROLLER_BIN'], kubeconfig, name = 'metacontroller', args = [], spawn } = options
  const metrics = `127.0.0.1:${await freePort()}`
  const health = `127.0.0.1:${await freePort()}`
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    '--client-go-qps=200',
    '--client-go-burst=400',
    '--discovery-interval=2s',
    `--metrics-address=${metrics}`,
    `--health-probe-bind-address=${health}`,
    ...args,
  ]
  const main = packagePath('dist', 'test', 'cluster', 'metacontroller', 'main.js')
  const running = bin
    ? spawn(name, bin, flags)
    : spawn(name, process.execPath, ['--enable-source-maps', main, ...flags])
  const ended = new AbortController()
  void running.exited.then(() => ended.abort(new Error(describeExit(running))))
  await until('Metacontroller to be ready', async () => (await fetch(`http://${health}/readyz`)).ok, {
    limitMs: 60_000,
    signal: ended.signal,
  })
  return {
    kind: bin ? 'real' : 'stand-in',
    metricsUrl: `http://${metrics}/metrics`,
    exited: running.exited,
    running,
    panic: async () => (await readFile(running.logFile, 'utf8')).split('\n').find((line) => line.startsWith('panic:')),
    stop: () => running.stop(),
    kill: () => {
      running.kill('SIGKILL')
      return running.exited
    },
  }
}
