import type { Settings, SettingsSchema } from '../webhooks/environment.ts'
import { enrolmentDependencies, enrolmentSettings } from '../webhooks/settings.ts'

/** Settings of `poll`, as environment variables. docs/settings.md is generated from this. */
export const pollerSettings = {
  type: 'object',
  properties: {
    METRICS_PORT: {
      type: 'integer',
      default: 8000,
      minimum: 0,
      maximum: 65535,
      description: 'Port of metrics and health. 0 takes any free port and logs it.',
    },
    LOG_LEVEL: {
      type: 'string',
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      default: 'info',
      description: 'Lowest level that is logged.',
    },
    METRICS_DETAIL: {
      type: 'string',
      enum: ['full', 'app', 'namespace'],
      default: 'full',
      description:
        'What metrics tell apart: everything; no members and child resources; nothing below namespaces. The label then is `*`. Above about a thousand apps, `app` or `namespace` keeps scrapes small.',
    },
    POD_NAME: {
      type: 'string',
      minLength: 1,
      description:
        'Name of this replica: its Lease and its Events carry it. In a pod, set it to `metadata.name`; not set: the host name.',
    },
    POD_NAMESPACE: {
      type: 'string',
      minLength: 1,
      default: 'default',
      description: 'Namespace of the Leases by which replicas share the work: the same for all replicas.',
    },
    LEASE_DURATION_SECONDS: {
      type: 'number',
      default: 15,
      minimum: 1,
      maximum: 3600,
      description:
        'Time after which the work of a replica that died goes to others. Renewed three times as often. The same for all replicas.',
    },
    POLL_INTERVAL_SECONDS: {
      type: 'number',
      default: 30,
      minimum: 0.1,
      maximum: 86_400,
      description: 'Time between two rounds to the members of an app; a fifth more or less at random.',
    },
    POLL_FAST_INTERVAL_SECONDS: {
      type: 'number',
      default: 10,
      minimum: 0.1,
      maximum: 86_400,
      description:
        'The same while a member is rebalancing or recovering or has just been started, and the first pause after a member that did not answer (doubled up to 60 s).',
    },
    MEMBER_TIMEOUT_SECONDS: {
      type: 'number',
      default: 10,
      exclusiveMinimum: 0,
      maximum: 3600,
      description: 'Longest wait for the answer of one member.',
    },
    MEMBER_CONNECT_TIMEOUT_SECONDS: {
      type: 'number',
      default: 3,
      exclusiveMinimum: 0,
      maximum: 3600,
      description: 'Longest wait for a connection to one member; part of MEMBER_TIMEOUT_SECONDS.',
    },
    CLIENT_STATUS_CHECK_TIMEOUT_SECONDS: {
      type: 'number',
      default: 15,
      exclusiveMinimum: 0,
      maximum: 3600,
      description: 'Longest round to all members of one app. Answers that arrive by then count.',
    },
    POLL_CONCURRENCY: {
      type: 'integer',
      default: 256,
      minimum: 1,
      maximum: 65_536,
      description: 'Members asked at once by this replica.',
    },
    POLL_CONCURRENCY_PER_APP: {
      type: 'integer',
      default: 16,
      minimum: 1,
      maximum: 65_536,
      description: 'Members of one app asked at once.',
    },
    HUNG_TERMINATIONS_MAX: {
      type: 'integer',
      default: 5,
      minimum: 1,
      maximum: 1000,
      description:
        'Pods of hung members of one app that are deleted within a poll interval, and that may be without a ready successor at a time.',
    },
    HUNG_TERMINATIONS_PER_MINUTE: {
      type: 'number',
      default: 30,
      exclusiveMinimum: 0,
      maximum: 100_000,
      description: 'Pods of hung members that this replica deletes in a minute, over all apps.',
    },
    HUNG_GRACE_SECONDS: {
      type: 'integer',
      default: 10,
      minimum: 1,
      maximum: 3600,
      description: 'Time that a hung member has to end by itself when its pod is deleted.',
    },
    HUNG_TIMEOUT_SECONDS: {
      type: 'number',
      default: 15,
      exclusiveMinimum: 0,
      maximum: 3600,
      description: 'Longest wait for the API server at each step of a deletion.',
    },
    POLLER_DRY_RUN: {
      type: 'boolean',
      default: false,
      description:
        'Look, and tell by Events what would be done to members, pods, claims and StatefulSets, without doing it. Reports are written, and the annotation of a request for a rebalance is removed.',
    },
    REBALANCE_CONFIRM_SECONDS: {
      type: 'number',
      default: 60,
      minimum: 0.1,
      maximum: 3600,
      description:
        'Time in which a rebalance must be seen after a member accepted the signal for it; else another member is asked.',
    },
    REBALANCE_MIN_INTERVAL_SECONDS: {
      type: 'number',
      default: 60,
      minimum: 0,
      maximum: 86_400,
      description: 'Least time between two automatic rebalance signals to one app.',
    },
    REBALANCE_BACKOFF_SECONDS: {
      type: 'number',
      default: 30,
      minimum: 0.1,
      maximum: 3600,
      description: 'Pause after a rebalance signal that came to nothing; doubled each time, up to ten times as long.',
    },
    ...enrolmentSettings,
    RO_POLL_SECONDS: {
      type: 'integer',
      default: 10,
      minimum: 1,
      maximum: 300,
      description:
        'Longest time between two looks at a rollout that is planned or runs; changes are looked at as they come.',
    },
    RO_COUNTDOWN_LOG_INTERVAL: {
      type: 'integer',
      default: 60,
      minimum: 1,
      maximum: 31_536_000,
      description: 'Seconds between two lines of the log that count down to the start of a rollout.',
    },
    RO_JSON_LOGS: {
      type: 'boolean',
      default: false,
      description: 'Log milestones of rollouts as JSON, one object per line, and not as `[namespace/name] text`.',
    },
    SHUTDOWN_SECONDS: {
      type: 'number',
      default: 10,
      minimum: 0,
      maximum: 3600,
      description: 'Time to come to an end after SIGTERM. Keep it below `terminationGracePeriodSeconds` of the pod.',
    },
  },
  dependencies: enrolmentDependencies,
} as const satisfies SettingsSchema

/** Values of the settings of `poll`. */
export type PollerSettings = Settings<typeof pollerSettings>
