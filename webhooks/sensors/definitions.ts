/** A metric of sensors, without the prefix `kasprop_`. */
export interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  labels: readonly string[]
  /** Upper bounds, for a histogram. */
  buckets?: readonly number[]
  /** Which process feeds it. */
  in: readonly ('serve' | 'poll')[]
}

const app = ['app_name', 'namespace'] as const
const component = ['app_name', 'component_name', 'namespace'] as const
const resource = ['app_name', 'component_name', 'resource_name', 'namespace', 'resource_type'] as const
const minutes = [1, 5, 10, 30, 60, 120, 300, 600]
const hooks = ['serve'] as const
const poller = ['poll'] as const
const both = ['serve', 'poll'] as const

/** The metrics of kaspr-operator: names, labels and buckets are those that its users' dashboards and alerts name. */
export const definitions = {
  reconcile_duration_seconds: {
    type: 'histogram',
    help: 'Time of one look at an app or component: a hook call, or a run of the poller.',
    labels: [...component, 'trigger_source', 'result'],
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    in: both,
  },
  reconcile_total: {
    type: 'counter',
    help: 'Looks at an app or component.',
    labels: [...component, 'trigger_source', 'result'],
    in: both,
  },
  reconcile_errors_total: {
    type: 'counter',
    help: 'Looks that failed, by class of the error.',
    labels: [...component, 'error_type'],
    in: both,
  },
  reconcile_queue_depth: {
    type: 'gauge',
    help: "1 while the app is due and waits for a worker of the poller; their sum is the queue's length.",
    labels: component,
    in: poller,
  },
  reconcile_queue_wait_seconds: {
    type: 'histogram',
    help: 'Time the app was due and waited for a worker of the poller.',
    labels: component,
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
    in: poller,
  },
  rebalance_duration_seconds: {
    type: 'histogram',
    help: 'Time from the acceptance of a rebalance signal to the end of the rebalance.',
    labels: [...app, 'trigger_reason', 'result'],
    buckets: minutes,
    in: poller,
  },
  rebalance_total: {
    type: 'counter',
    help: 'Rebalances that were asked for and came to an end.',
    labels: [...app, 'trigger_reason', 'result'],
    in: poller,
  },
  member_state_transitions_total: {
    type: 'counter',
    help: 'Changes of a member between STABLE, REBALANCING, RECOVERING and UNREACHABLE.',
    labels: [...app, 'member_id', 'from_state', 'to_state'],
    in: poller,
  },
  hung_members_detected_total: {
    type: 'counter',
    help: 'Strikes against members that hang in rebalancing.',
    labels: [...app, 'member_id'],
    in: poller,
  },
  hung_member_consecutive_detections: {
    type: 'gauge',
    help: 'Strikes in a row; 0 after the member was terminated.',
    labels: [...app, 'member_id'],
    in: poller,
  },
  hung_member_duration_seconds: {
    type: 'gauge',
    help: 'How long a member that got a strike had been rebalancing; 0 after it was terminated.',
    labels: [...app, 'member_id'],
    in: poller,
  },
  member_terminations_total: {
    type: 'counter',
    help: 'Pods of members that were deleted.',
    labels: [...app, 'member_id', 'reason'],
    in: poller,
  },
  member_termination_failures_total: {
    type: 'counter',
    help: 'Pods of members that were to be deleted and could not be.',
    labels: [...app, 'member_id', 'reason'],
    in: poller,
  },
  resource_sync_duration_seconds: {
    type: 'histogram',
    help: 'Time from an answer that changes a child to the first call of the same replica that shows the change.',
    labels: [...resource, 'operation', 'result'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10],
    in: hooks,
  },
  resource_sync_total: {
    type: 'counter',
    help: 'Children that answers changed; failure: the change was not seen within 60 s.',
    labels: [...resource, 'operation', 'result'],
    in: hooks,
  },
  resource_sync_errors_total: {
    type: 'counter',
    help: 'Changes of children that were not seen within 60 s.',
    labels: [...resource, 'error_type'],
    in: hooks,
  },
  resource_drift_detected_total: {
    type: 'counter',
    help: 'Children that somebody else changed or deleted.',
    labels: [...resource, 'drift_field'],
    in: hooks,
  },
  status_updates_total: {
    type: 'counter',
    help: 'Fields that changed: in the status of an app (serve), in the report about it (poll).',
    labels: [...app, 'update_field'],
    in: both,
  },
  package_install_duration_seconds: {
    type: 'histogram',
    help: 'Time that an installation of Python packages took.',
    labels: app,
    buckets: minutes,
    in: poller,
  },
  package_install_total: {
    type: 'counter',
    help: 'Installations of Python packages that came to an end.',
    labels: [...app, 'result'],
    in: poller,
  },
  package_install_errors_total: {
    type: 'counter',
    help: 'Installations that failed, by kind of error.',
    labels: [...app, 'error_type'],
    in: poller,
  },
  package_auth_enabled: {
    type: 'gauge',
    help: '1 if packages are installed with credentials.',
    labels: app,
    in: hooks,
  },
  package_custom_index_enabled: {
    type: 'gauge',
    help: '1 if packages come from an index of the spec.',
    labels: app,
    in: hooks,
  },
  package_cache_usage_bytes: {
    type: 'gauge',
    help: 'Space of the packages volume, as the installation in a pod found it.',
    labels: [...app, 'type'],
    in: poller,
  },
  package_cache_usage_percent: {
    type: 'gauge',
    help: 'Used part of that space.',
    labels: app,
    in: poller,
  },
  package_install_retries_total: {
    type: 'counter',
    help: 'Attempts that installations needed after the first.',
    labels: app,
    in: poller,
  },
  package_install_timeouts_total: {
    type: 'counter',
    help: 'Installations that took too long.',
    labels: app,
    in: poller,
  },
} as const satisfies Record<string, MetricDefinition>

export type MetricName = keyof typeof definitions
