import type { Clock } from './clock.ts'
import type { AppEvent, Sensor, SensorState } from '../webhooks/sensors/sensor.ts'

export interface QueueSensingOptions {
  sensor: Sensor
  clock: Clock
  /** The app that a key of the queue stands for; undefined for any other key, or if it is gone. */
  appOf: (key: string) => AppEvent | undefined
  /** Told at each look at an app but its first: seconds since the one before. */
  onLag: (seconds: number) => void
}

/** Tells sensors of the looks of the work queue at apps: due, begun, ended. */
export class QueueSensing {
  readonly #options: QueueSensingOptions
  /** By key: when it was last begun, and what belongs to that look until its end. */
  readonly #looks = new Map<string, { beganMs: number; state: SensorState }>()

  constructor(options: QueueSensingOptions) {
    this.#options = options
  }

  due(key: string): void {
    const app = this.#options.appOf(key)
    if (app !== undefined) this.#options.sensor.onReconcileQueued({ component: app.app, queueDepth: 1, ...app })
  }

  begun(key: string, waitSeconds: number): void {
    const { sensor, clock, appOf, onLag } = this.#options
    const app = appOf(key)
    if (app === undefined) return
    const who = { component: app.app, ...app }
    sensor.onReconcileDequeued({ waitSeconds, queueDepth: 0, ...who })
    const state = sensor.onReconcileStart({ generation: 0, triggerSource: 'poll', ...who })
    const beganMs = clock.now()
    const last = this.#looks.get(key)
    if (last !== undefined) onLag((beganMs - last.beganMs) / 1000)
    this.#looks.set(key, { beganMs, state })
  }

  /** `error`: why the look failed. */
  ended(key: string, error: unknown): void {
    const app = this.#options.appOf(key)
    const look = this.#looks.get(key)
    const state = look?.state
    if (look !== undefined) look.state = undefined
    if (app === undefined) return
    const who = { component: app.app, ...app }
    this.#options.sensor.onReconcileComplete({ success: error === undefined, error, ...who }, state)
  }

  /** The app of this key is gone, or somebody else's now. */
  forget(key: string): void {
    this.#looks.delete(key)
  }
}
