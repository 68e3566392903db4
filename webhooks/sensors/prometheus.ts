import { Counter, type Registry } from 'prom-client'
import type { BaseLogger } from 'pino'
import { SensorDelegate } from './delegate.ts'
import {
  type AppEvent,
  type ComponentEvent,
  type MemberEvent,
  type PartialSensor,
  type ReconcileStart,
  type ResourceEvent,
  type Sensor,
  errorClass,
} from './sensor.ts'
import { type MetricsDetail, Series } from './series.ts'

type Event<H extends keyof Sensor> = Parameters<Sensor[H]>[0]

export interface SensorsOptions {
  registry: Registry
  /** Decides which metrics are registered: each process has those that it feeds. */
  process: 'serve' | 'poll'
  detail: MetricsDetail
  logger?: Pick<BaseLogger, 'error'>
  /** Milliseconds that only go forward; for tests. */
  ticks?: () => number
}

/** The sensors of a process: a delegate with the Prometheus sensor, whose failures are counted. */
export function createSensors({ registry, logger, ...options }: SensorsOptions): SensorDelegate {
  const errors = new Counter({
    name: 'kasprop_sensor_errors_total',
    help: 'Hooks of sensors that failed. Nothing else is affected.',
    labelNames: ['sensor', 'hook'],
    registers: [registry],
  })
  const onError = (sensor: string, hook: string): void => errors.inc({ sensor, hook })
  const sensor = new PrometheusSensor({ registry, ...options })
  return new SensorDelegate({ onError, ...(logger === undefined ? {} : { logger }) }, [sensor])
}

/** What the sensor keeps between a beginning and its end. */
interface Begun {
  startedMs: number
  trigger?: string
}

/** Turns what is sensed into the metrics of definitions.ts. */
export class PrometheusSensor implements PartialSensor {
  readonly name = 'PrometheusSensor'
  readonly #series: Series
  readonly #ticks: () => number

  constructor({ registry, process, detail, ticks }: Omit<SensorsOptions, 'logger'>) {
    this.#series = new Series(registry, process, detail)
    this.#ticks = ticks ?? (() => performance.now())
  }

  onReconcileStart({ triggerSource }: ReconcileStart): Begun {
    return { startedMs: this.#ticks(), trigger: triggerSource }
  }

  onReconcileComplete(event: Event<'onReconcileComplete'>, state: unknown): void {
    const labels = componentLabels(event)
    if (event.error !== undefined) {
      this.#series.add('reconcile_errors_total', { ...labels, error_type: errorClass(event.error) })
    }
    const begun = state as Begun | undefined
    if (begun?.trigger === undefined) return
    const ended = { ...labels, trigger_source: begun.trigger, result: result(event) }
    this.#series.observe('reconcile_duration_seconds', ended, this.#since(begun))
    this.#series.add('reconcile_total', ended)
  }

  onReconcileQueued(event: Event<'onReconcileQueued'>): void {
    this.#series.set('reconcile_queue_depth', componentLabels(event), event.queueDepth)
  }

  onReconcileDequeued(event: Event<'onReconcileDequeued'>): void {
    const labels = componentLabels(event)
    this.#series.set('reconcile_queue_depth', labels, event.queueDepth)
    this.#series.observe('reconcile_queue_wait_seconds', labels, event.waitSeconds)
  }

  onResourceSyncStart(): Begun {
    return { startedMs: this.#ticks() }
  }

  onResourceSyncComplete(event: Event<'onResourceSyncComplete'>, state: unknown): void {
    const labels = resourceLabels(event)
    const ended = { ...labels, operation: event.operation, result: result(event) }
    this.#series.add('resource_sync_total', ended)
    if (state !== undefined) {
      this.#series.observe('resource_sync_duration_seconds', ended, this.#since(state as Begun))
    }
    if (event.error !== undefined) {
      this.#series.add('resource_sync_errors_total', { ...labels, error_type: errorClass(event.error) })
    }
  }

  onResourceDriftDetected(event: Event<'onResourceDriftDetected'>): void {
    const labels = resourceLabels(event)
    for (const field of event.driftFields) {
      this.#series.add('resource_drift_detected_total', { ...labels, drift_field: field })
    }
  }

  onRebalanceTriggered(): Begun {
    return { startedMs: this.#ticks() }
  }

  onRebalanceComplete(event: Event<'onRebalanceComplete'>, state: unknown): void {
    const labels = { ...appLabels(event), trigger_reason: event.triggerReason, result: result(event) }
    this.#series.add('rebalance_total', labels)
    const seconds = event.durationSeconds ?? (state === undefined ? undefined : this.#since(state as Begun))
    if (seconds !== undefined) this.#series.observe('rebalance_duration_seconds', labels, seconds)
  }

  onMemberStateChange(event: Event<'onMemberStateChange'>): void {
    const labels = { ...memberLabels(event), from_state: event.from, to_state: event.to }
    this.#series.add('member_state_transitions_total', labels)
  }

  onHungMemberDetected(event: Event<'onHungMemberDetected'>): void {
    const labels = memberLabels(event)
    this.#series.add('hung_members_detected_total', labels)
    this.#series.set('hung_member_consecutive_detections', labels, event.strikes)
    this.#series.set('hung_member_duration_seconds', labels, event.hungSeconds)
  }

  onMemberTerminated(event: Event<'onMemberTerminated'>): void {
    const labels = memberLabels(event)
    const withReason = { ...labels, reason: event.reason }
    if (!event.success) {
      this.#series.add('member_termination_failures_total', withReason)
      return
    }
    this.#series.add('member_terminations_total', withReason)
    this.#series.set('hung_member_consecutive_detections', labels, 0)
    this.#series.set('hung_member_duration_seconds', labels, 0)
  }

  onPackageInstallStart(): Begun {
    return { startedMs: this.#ticks() }
  }

  onPackageInstallComplete(event: Event<'onPackageInstallComplete'>, state: unknown): void {
    const labels = appLabels(event)
    const { errorType, retries = 0 } = event
    this.#series.add('package_install_total', { ...labels, result: result(event) })
    const seconds = event.durationSeconds ?? (state === undefined ? undefined : this.#since(state as Begun))
    if (seconds !== undefined) this.#series.observe('package_install_duration_seconds', labels, seconds)
    if (retries > 0) this.#series.add('package_install_retries_total', labels, retries)
    if (errorType !== undefined) this.#series.add('package_install_errors_total', { ...labels, error_type: errorType })
    if (errorType === 'timeout') this.#series.add('package_install_timeouts_total', labels)
  }

  onPackageConfigUpdated(event: Event<'onPackageConfigUpdated'>): void {
    const labels = appLabels(event)
    this.#series.set('package_auth_enabled', labels, Number(event.authEnabled))
    this.#series.set('package_custom_index_enabled', labels, Number(event.customIndexEnabled))
  }

  onPackageCacheUsageUpdated(event: Event<'onPackageCacheUsageUpdated'>): void {
    const labels = appLabels(event)
    const { totalBytes: total, usedBytes: used, availableBytes: available } = event
    for (const [type, bytes] of Object.entries({ total, used, available })) {
      this.#series.set('package_cache_usage_bytes', { ...labels, type }, bytes)
    }
    this.#series.set('package_cache_usage_percent', labels, event.usedPercent)
  }

  onStatusUpdate(event: Event<'onStatusUpdate'>): void {
    const labels = appLabels(event)
    for (const field of event.fields) this.#series.add('status_updates_total', { ...labels, update_field: field })
  }

  onAppGone({ namespace, app }: AppEvent): void {
    this.#series.remove(namespace, app)
  }

  onComponentGone({ namespace, app, component }: ComponentEvent): void {
    this.#series.remove(namespace, app, { label: 'component_name', value: component })
  }

  onMemberGone({ namespace, app, memberId }: MemberEvent): void {
    this.#series.remove(namespace, app, { label: 'member_id', value: String(memberId) })
  }

  /** Number of series that name an app. */
  describe(): Record<string, unknown> {
    return { series: this.#series.size }
  }

  #since({ startedMs }: Begun): number {
    return (this.#ticks() - startedMs) / 1000
  }
}

function result({ success }: { success: boolean }): 'success' | 'failure' {
  return success ? 'success' : 'failure'
}

function appLabels({ app, namespace }: AppEvent): { app_name: string; namespace: string } {
  return { app_name: app, namespace }
}

function componentLabels({ app, component, namespace }: ComponentEvent): Record<string, string> {
  return { app_name: app, component_name: component, namespace }
}

function memberLabels({ app, namespace, memberId }: MemberEvent): Record<string, string> {
  return { app_name: app, namespace, member_id: String(memberId) }
}

function resourceLabels({
  app,
  component,
  namespace,
  resourceName,
  resourceType,
}: ResourceEvent): Record<string, string> {
  return {
    app_name: app,
    component_name: component,
    resource_name: resourceName,
    namespace,
    resource_type: resourceType,
  }
}
