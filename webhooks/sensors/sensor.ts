/**
 * What can be sensed of the operators' work, in both processes. Hooks and poller tell what happens; sensors turn it into
 * metrics, or anything else. In brackets each hook's name in kaspr-operator, whose sensors had the same hooks.
 */

/** A Kaspr app. */
export interface AppEvent {
  /** Name of the KasprApp. */
  app: string
  namespace: string
}

/** A parent of hooks: an app, or one of its components. */
export interface ComponentEvent extends AppEvent {
  /** Name of the component; for an app itself its own name. */
  component: string
}

/** What made a parent be looked at: a kind of hook call, or the poller's own schedule. */
export type TriggerSource = 'sync' | 'customize' | 'finalize' | 'poll'

export interface ReconcileStart extends ComponentEvent {
  /** `metadata.generation`; 0 if there is none. */
  generation: number
  triggerSource: TriggerSource
}

/** How something ended. */
export interface Outcome {
  success: boolean
  /** What went wrong. Metrics name its class (`errorClass`). */
  error?: unknown
}

/** A child. */
export interface ResourceEvent extends ComponentEvent {
  resourceName: string
  /** `service`, `headless_service`, `service_account`, `config_map`, `pvc`, `hpa`, `stateful_set`, `observation`. */
  resourceType: string
}

export type Operation = 'create' | 'patch' | 'delete'

/** The part of a child that somebody else changed; `deleted` if the child itself is gone. */
export type DriftField = 'spec' | 'data' | 'deleted'

export type RebalanceReason = 'subscription_change' | 'manual'

export interface MemberEvent extends AppEvent {
  /** Ordinal of the pod. */
  memberId: number
}

export type MemberState = 'STABLE' | 'REBALANCING' | 'RECOVERING' | 'UNREACHABLE'

/** Why packages could not be installed. */
export type PackageError = 'timeout' | 'network' | 'invalid_package' | 'unknown'

/** What a sensor wants to be given back when that ends which has just begun. Null and undefined: nothing. */
export type SensorState = unknown

/**
 * All hooks: what hooks and poller call. Calls are fast, never throw and are not awaited.
 *
 * A hook for a beginning gives a state, which goes as second argument to the hook for its end; it may be lost on the
 * way (a restart), and then is undefined.
 */
export interface Sensor {
  /** A parent is looked at: a hook call or a run of the poller [on_reconcile_start]. */
  onReconcileStart(event: ReconcileStart): SensorState
  /** [on_reconcile_complete] */
  onReconcileComplete(event: ComponentEvent & Outcome, state: SensorState): void
  /** A parent is due and waits for a worker of the poller [on_reconcile_queued]. */
  onReconcileQueued(event: ComponentEvent & { queueDepth: number }): void
  /** Its turn has come [on_reconcile_dequeued]. */
  onReconcileDequeued(event: ComponentEvent & { waitSeconds: number; queueDepth: number }): void
  /** An answer asks for a child to be made, changed or removed [on_resource_sync_start]. */
  onResourceSyncStart(event: ResourceEvent): SensorState
  /** It has been, or has not been in time [on_resource_sync_complete]. */
  onResourceSyncComplete(event: ResourceEvent & Outcome & { operation: Operation }, state: SensorState): void
  /** Somebody else changed or deleted a child [on_resource_drift_detected]. */
  onResourceDriftDetected(event: ResourceEvent & { driftFields: readonly DriftField[] }): void
  /** A rebalance has been asked for and accepted [on_rebalance_triggered]. */
  onRebalanceTriggered(event: AppEvent & { triggerReason: RebalanceReason }): SensorState
  /** It is over, or was given up [on_rebalance_complete]. `durationSeconds`: if the beginning was before a restart. */
  onRebalanceComplete(
    event: AppEvent & { triggerReason: RebalanceReason; success: boolean; durationSeconds?: number },
    state: SensorState,
  ): void
  /** A member reports another state than before [on_member_state_change]. */
  onMemberStateChange(event: MemberEvent & { from: MemberState; to: MemberState }): void
  /** A strike against a member that hangs in rebalancing [on_hung_member_detected]. */
  onHungMemberDetected(event: MemberEvent & { strikes: number; hungSeconds: number }): void
  /** Its pod was deleted, or could not be (`success: false`) [on_member_terminated]. */
  onMemberTerminated(event: MemberEvent & { reason: 'hung'; success: boolean }): void
  /** [on_package_install_start] */
  onPackageInstallStart(event: AppEvent): SensorState
  /**
   * Once for each end of an installation in a pod [on_package_install_complete]. `durationSeconds`: if it is known from
   * the pod; else it counts from the start.
   */
  onPackageInstallComplete(
    event: AppEvent & { success: boolean; errorType?: PackageError; retries?: number; durationSeconds?: number },
    state: SensorState,
  ): void
  /** What an app's packages are installed with [on_package_config_updated]. */
  onPackageConfigUpdated(event: AppEvent & { authEnabled: boolean; customIndexEnabled: boolean }): void
  /** [on_package_cache_usage_updated] */
  onPackageCacheUsageUpdated(
    event: AppEvent & { totalBytes: number; usedBytes: number; availableBytes: number; usedPercent: number },
  ): void
  /** Fields of an app's status or report that change [on_status_update]. */
  onStatusUpdate(event: AppEvent & { fields: readonly string[] }): void

  /** An app is gone, or looked after by another replica now. Not in kaspr-operator. */
  onAppGone(event: AppEvent): void
  /** The same for a component. Not in kaspr-operator. */
  onComponentGone(event: ComponentEvent): void
  /** The app has no member of this ordinal any more. Not in kaspr-operator. */
  onMemberGone(event: MemberEvent): void

  /** What the sensor holds, for people who debug [asdict]. */
  describe(): Record<string, unknown>
}

/** A sensor has the hooks it cares for; the others are no-ops, as those of the base class in kaspr-operator. */
export type PartialSensor = Partial<Sensor> & {
  /** Names it in logs and metrics; unique in a delegate. */
  readonly name: string
}

/** Class name of an error, as label of a metric. */
export function errorClass(error: unknown): string {
  return error instanceof Error ? error.constructor.name : 'Error'
}
