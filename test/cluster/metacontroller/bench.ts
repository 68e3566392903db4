import { join } from 'node:path'
import type { Test } from 'tap'
import { packagePath } from '../../../webhooks/package-root.ts'
import { startPlane } from '../plane.ts'
import type { Plane } from '../plane.ts'
import { Lab, parentKind } from './lab.ts'
import type { Row } from './lab.ts'
import { labBinding, labCrd, labRole, labServiceAccount } from './lab-kinds.ts'
import { recordRequests } from './recording-proxy.ts'
import type { RecordingProxy } from './recording-proxy.ts'
import { HookServer } from './scripted-hooks.ts'
import { startMetacontroller } from './start.ts'
import type { Metacontroller } from './start.ts'

/** A control plane with one Metacontroller behind a recording proxy, and a server for scripted hooks. */
export class Bench {
  readonly plane: Plane
  readonly proxy: RecordingProxy
  readonly hookServer: HookServer
  readonly #bin: string
  readonly #kubeconfig: string
  #shared: Metacontroller | undefined
  #launched = 0

  private constructor(parts: { plane: Plane; proxy: RecordingProxy; hookServer: HookServer; bin: string }) {
    this.plane = parts.plane
    this.proxy = parts.proxy
    this.hookServer = parts.hookServer
    this.#bin = parts.bin
    this.#kubeconfig = join(parts.plane.dir, 'proxied.kubeconfig')
  }

  /** `bin`: a real Metacontroller, or empty for the stand-in. */
  static async start(bin: string, rows: Row[]): Promise<Bench> {
    const plane = await startPlane({ name: 'conformance', nodes: 0, scheduler: false })
    await plane.kubectl(['apply', '-f', packagePath('test', 'cluster', 'metacontroller', 'crds.yaml')])
    const crds = ['Thing', 'Note', 'Wide', 'Wideparent', ...rows.map((row) => parentKind(row.name))].map(labCrd)
    const items = [...crds, labServiceAccount, labRole, labBinding]
    await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
    await plane.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
    const serviceAccount = await plane.serviceAccountKubeconfig('default', 'metacontroller')
    const proxy = await recordRequests(serviceAccount, join(plane.dir, 'proxied.kubeconfig'))
    const hookServer = new HookServer()
    await hookServer.listen()
    return new Bench({ plane, proxy, hookServer, bin })
  }

  /** Starts a Metacontroller of this bench's kind. */
  launch(args: string[] = []): Promise<Metacontroller> {
    const spawn = this.plane.spawn.bind(this.plane)
    const name = `metacontroller-${++this.#launched}`
    return startMetacontroller({ name, bin: this.#bin, kubeconfig: this.#kubeconfig, spawn, args })
  }

  /** Starts the Metacontroller that all rows share. */
  async launchShared(): Promise<void> {
    this.#shared = await this.launch()
  }

  /** Stops it, for rows that start their own. */
  async stopShared(): Promise<void> {
    await this.#shared?.stop()
    this.#shared = undefined
  }

  /** Runs a row and gives the objects it left. */
  async run(row: Row, t: Test): Promise<unknown> {
    const lab = new Lab(this, row, t, this.#bin ? 'real' : 'stand-in')
    try {
      await lab.open()
      await row.run(lab)
      t.equal(this.#shared?.running.exit, undefined, 'the shared Metacontroller is still running')
      return await lab.finalObjects()
    } finally {
      await lab.close()
    }
  }

  async stop(): Promise<void> {
    await this.stopShared()
    await this.proxy.close()
    await this.hookServer.close()
    await this.plane.stop()
  }
}
