import type { BaseLogger } from 'pino'
import type { PartialSensor, Sensor, SensorState } from './sensor.ts'

export interface DelegateOptions {
  logger?: Pick<BaseLogger, 'error'>
  /** Counts failures of sensors. */
  onError?: (sensor: string, hook: string) => void
}

type Hook = Exclude<keyof Sensor, 'describe'>
type Event<H extends Hook> = Parameters<Sensor[H]>[0]
type States = ReadonlyMap<PartialSensor, unknown>

/** A sensor that fails again and again is logged once in this time. */
const logIntervalMs = 60_000

/**
 * Tells every sensor, in the order they were added. A failure of one is logged and counted; it reaches neither the other
 * sensors nor the caller. Without sensors it does nothing.
 *
 * What sensors return at a beginning is kept apart for each of them, so at the end each gets what it gave, or nothing.
 */
export class SensorDelegate implements Sensor {
  readonly #options: DelegateOptions
  readonly #sensors = new Set<PartialSensor>()
  readonly #loggedMs = new Map<string, number>()

  constructor(options: DelegateOptions = {}, sensors: Iterable<PartialSensor> = []) {
    this.#options = options
    for (const sensor of sensors) this.add(sensor)
  }

  /** Has the sensor told from now on; no effect if it is already. */
  add(sensor: PartialSensor): void {
    this.#sensors.add(sensor)
  }

  remove(sensor: PartialSensor): void {
    this.#sensors.delete(sensor)
  }

  clear(): void {
    this.#sensors.clear()
  }

  onReconcileStart(event: Event<'onReconcileStart'>): SensorState {
    return this.#start('onReconcileStart', event)
  }

  onReconcileComplete(event: Event<'onReconcileComplete'>, state: SensorState): void {
    this.#complete('onReconcileComplete', event, state)
  }

  onReconcileQueued(event: Event<'onReconcileQueued'>): void {
    this.#tell('onReconcileQueued', event)
  }

  onReconcileDequeued(event: Event<'onReconcileDequeued'>): void {
    this.#tell('onReconcileDequeued', event)
  }

  onResourceSyncStart(event: Event<'onResourceSyncStart'>): SensorState {
    return this.#start('onResourceSyncStart', event)
  }

  onResourceSyncComplete(event: Event<'onResourceSyncComplete'>, state: SensorState): void {
    this.#complete('onResourceSyncComplete', event, state)
  }

  onResourceDriftDetected(event: Event<'onResourceDriftDetected'>): void {
    this.#tell('onResourceDriftDetected', event)
  }

  onRebalanceTriggered(event: Event<'onRebalanceTriggered'>): SensorState {
    return this.#start('onRebalanceTriggered', event)
  }

  onRebalanceComplete(event: Event<'onRebalanceComplete'>, state: SensorState): void {
    this.#complete('onRebalanceComplete', event, state)
  }

  onMemberStateChange(event: Event<'onMemberStateChange'>): void {
    this.#tell('onMemberStateChange', event)
  }

  onHungMemberDetected(event: Event<'onHungMemberDetected'>): void {
    this.#tell('onHungMemberDetected', event)
  }

  onMemberTerminated(event: Event<'onMemberTerminated'>): void {
    this.#tell('onMemberTerminated', event)
  }

  onPackageInstallStart(event: Event<'onPackageInstallStart'>): SensorState {
    return this.#start('onPackageInstallStart', event)
  }

  onPackageInstallComplete(event: Event<'onPackageInstallComplete'>, state: SensorState): void {
    this.#complete('onPackageInstallComplete', event, state)
  }

  onPackageConfigUpdated(event: Event<'onPackageConfigUpdated'>): void {
    this.#tell('onPackageConfigUpdated', event)
  }

  onPackageCacheUsageUpdated(event: Event<'onPackageCacheUsageUpdated'>): void {
    this.#tell('onPackageCacheUsageUpdated', event)
  }

  onStatusUpdate(event: Event<'onStatusUpdate'>): void {
    this.#tell('onStatusUpdate', event)
  }

  onAppGone(event: Event<'onAppGone'>): void {
    this.#tell('onAppGone', event)
  }

  onComponentGone(event: Event<'onComponentGone'>): void {
    this.#tell('onComponentGone', event)
  }

  onMemberGone(event: Event<'onMemberGone'>): void {
    this.#tell('onMemberGone', event)
  }

  /** What each sensor holds, by its name. */
  describe(): Record<string, unknown> {
    const own = [...this.#sensors].map((sensor) => [
      sensor.name,
      this.#try(sensor, 'describe', () => sensor.describe?.()),
    ])
    return Object.fromEntries(own.map(([name, value]) => [name, value ?? {}])) as Record<string, unknown>
  }

  #tell<H extends Hook>(hook: H, event: Event<H>): void {
    for (const sensor of this.#sensors) this.#call(sensor, hook, event)
  }

  #start<H extends Hook>(hook: H, event: Event<H>): States | undefined {
    let states: Map<PartialSensor, unknown> | undefined
    for (const sensor of this.#sensors) {
      const state = this.#call(sensor, hook, event)
      if (state != null) (states ??= new Map()).set(sensor, state)
    }
    return states
  }

  #complete<H extends Hook>(hook: H, event: Event<H>, states: SensorState): void {
    const own = states instanceof Map ? (states as States) : undefined
    for (const sensor of this.#sensors) this.#call(sensor, hook, event, own?.get(sensor))
  }

  #call<H extends Hook>(sensor: PartialSensor, hook: H, event: Event<H>, state?: unknown): unknown {
    // One event type per hook; tsc does not follow that through the key.
    const method = sensor[hook] as ((event: Event<H>, state?: unknown) => unknown) | undefined
    return method === undefined ? undefined : this.#try(sensor, hook, () => method.call(sensor, event, state))
  }

  #try(sensor: PartialSensor, hook: string, run: () => unknown): unknown {
    try {
      const result = run()
      // A hook may well be an async function: TypeScript takes it for one without result.
      if (result instanceof Promise) result.catch((error: unknown) => this.#failed(sensor.name, hook, error))
      return result
    } catch (error) {
      this.#failed(sensor.name, hook, error)
      return undefined
    }
  }

  #failed(sensor: string, hook: string, error: unknown): void {
    const { logger, onError } = this.#options
    onError?.(sensor, hook)
    const key = `${sensor}.${hook}`
    const now = performance.now()
    if (now - (this.#loggedMs.get(key) ?? -Infinity) < logIntervalMs) return
    this.#loggedMs.set(key, now)
    logger?.error({ err: error, sensor, hook }, `Error in ${key}`)
  }
}
