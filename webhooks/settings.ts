import type { Settings, SettingsSchema } from './environment.ts'

const objectName = '^\\s*[a-z0-9]([-a-z0-9.]*[a-z0-9])?\\s*$'

/** Which StatefulSets are rolled out: settings of `serve` that `poll` must have alike. */
export const enrolmentSettings = {
  RO_TARGET_NAMESPACE: {
    type: 'string',
    pattern: objectName,
    accepted: 'the name of a namespace',
    description:
      'Namespace of the one StatefulSet that is rolled out, set together with RO_TARGET_STATEFUL_SET. Not set: every StatefulSet with the label `rollout-operator/enabled: "true"` is.',
  },
  RO_TARGET_STATEFUL_SET: {
    type: 'string',
    pattern: objectName,
    accepted: 'the name of a StatefulSet',
    description: 'Name of the one StatefulSet that is rolled out, whatever its labels.',
  },
  RO_WATCH_NAMESPACES: {
    type: 'string',
    default: '',
    pattern: '^[-a-z0-9,\\s]*$',
    accepted: 'names of namespaces, separated by commas',
    description:
      'Namespaces whose labelled StatefulSets are rolled out, separated by commas. Empty: all. Not read for a single StatefulSet.',
  },
} as const satisfies SettingsSchema['properties']

/** One StatefulSet needs both its namespace and its name. */
export const enrolmentDependencies = {
  RO_TARGET_NAMESPACE: ['RO_TARGET_STATEFUL_SET'],
  RO_TARGET_STATEFUL_SET: ['RO_TARGET_NAMESPACE'],
} as const satisfies SettingsSchema['dependencies']

/** Settings of `serve`, as environment variables. docs/settings.md is generated from this. */
export const hookSettings = {
  type: 'object',
  properties: {
    HOST: {
      type: 'string',
      default: '0.0.0.0',
      minLength: 1,
      description: 'Address to listen on. `::` listens on IPv4 and IPv6.',
    },
    PORT: {
      type: 'integer',
      default: 8080,
      minimum: 0,
      maximum: 65535,
      description: 'Port of hooks, health, metrics and OpenAPI document. 0 takes any free port and logs it.',
    },
    LOG_LEVEL: {
      type: 'string',
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      default: 'info',
      description: 'Lowest level that is logged. At `info` only failed calls are, at `debug` every call is.',
    },
    METRICS_DETAIL: {
      type: 'string',
      enum: ['full', 'app', 'namespace'],
      default: 'full',
      description:
        'What metrics tell apart: everything; no members and child resources; nothing below namespaces. The label then is `*`. Above about a thousand apps, `app` or `namespace` keeps scrapes small.',
    },
    HOOK_TOKEN: {
      type: 'string',
      secret: true,
      pattern: '^\\s*[!-~]+\\s*$',
      accepted: 'a token of printable ASCII characters without blanks',
      description:
        'Bearer token that hook calls must carry (`webhook.authorization` of the Metacontroller manifests). Not set: every caller is answered. White space around it is ignored, as Metacontroller does.',
    },
    TLS_CERT: {
      type: 'string',
      minLength: 1,
      accepted: 'the path of a PEM file',
      description: 'File with the server certificate and its chain. Set together with TLS_KEY; not set: plain HTTP.',
    },
    TLS_KEY: {
      type: 'string',
      minLength: 1,
      accepted: 'the path of a PEM file',
      description: 'File with the private key of TLS_CERT.',
    },
    TLS_CLIENT_CA: {
      type: 'string',
      minLength: 1,
      accepted: 'the path of a PEM file',
      description:
        'File with the certificate authorities of clients. When set, hook calls must present a client certificate (`webhook.clientTLS`); health and metrics need none.',
    },
    BODY_LIMIT_BYTES: {
      type: 'integer',
      default: 67_108_864,
      minimum: 1_048_576,
      maximum: 536_870_912,
      description:
        'Largest request. One request holds a parent, all its children and all its related objects, complete with managed fields.',
    },
    HOOK_TIMEOUT_SECONDS: {
      type: 'number',
      default: 8,
      exclusiveMinimum: 0,
      maximum: 3600,
      description:
        'Calls that have no answer after this time get 503. Keep it below `webhook.timeout` of the Metacontroller manifests (10 s by default), so that the reason reaches the Event.',
    },
    HOOK_CALLS_MAX: {
      type: 'integer',
      default: 128,
      minimum: 1,
      maximum: 100_000,
      description:
        'Calls in progress at once; more get 429 and come again after a second. Must be above the number of controllers times `--workers` of Metacontroller (5 by default).',
    },
    SHUTDOWN_SECONDS: {
      type: 'number',
      default: 20,
      minimum: 0,
      maximum: 3600,
      description:
        'Time that running calls have to finish after SIGTERM. Keep it below `terminationGracePeriodSeconds` of the pod.',
    },
    KASPR_IMAGE_REGISTRY: {
      type: 'string',
      default: '',
      description: 'Registry to put in front of every Kaspr image, explicit ones included.',
    },
    INITIAL_MAX_REPLICAS: {
      type: 'integer',
      default: 1,
      minimum: 1,
      description: 'Replicas of an app that goes from 0 to more; the HPA takes it from there.',
    },
    HPA_SCALE_UP_POLICY_PODS_PER_STEP: {
      type: 'integer',
      default: 4,
      minimum: 1,
      description: 'Pods that the HPA of an app may add per period.',
    },
    HPA_SCALE_UP_POLICY_PERIOD_SECONDS: {
      type: 'integer',
      default: 60,
      minimum: 1,
      maximum: 1800,
      description: 'Length of that period; Kubernetes allows up to 1800.',
    },
    CLIENT_STATUS_CHECK_ENABLED: {
      type: 'boolean',
      default: true,
      description: 'Poll the members of apps. Off: no members in the status, no automatic or manual rebalance.',
    },
    AUTO_REBALANCE_ENABLED: {
      type: 'boolean',
      default: true,
      description:
        'Ask for a rebalance when the topics that an app consumes have changed. The annotation `kaspr.io/auto-rebalance` of an app overrides it.',
    },
    HUNG_MEMBER_DETECTION_ENABLED: {
      type: 'boolean',
      default: true,
      description:
        'Delete the pods of members that hang in a rebalance. The annotation `kaspr.io/hung-member-detection-enabled` of an app overrides it.',
    },
    HUNG_REBALANCING_THRESHOLD_SECONDS: {
      type: 'integer',
      default: 300,
      minimum: 1,
      maximum: 86_400,
      description:
        'Time in a rebalance after which a member counts as hung. The annotation `kaspr.io/hung-rebalancing-threshold-seconds` of an app overrides it.',
    },
    READY_NEEDS_MEMBERS: {
      type: 'boolean',
      default: true,
      description:
        'An app whose members are all unreachable is not Ready. Off: readiness looks at the StatefulSet only, as in kaspr-operator.',
    },
    ...enrolmentSettings,
    RO_DELAY_SECONDS: {
      type: 'integer',
      default: 600,
      minimum: 0,
      maximum: 31_536_000,
      description:
        'Time between the detection of a new revision and its rollout; further changes meanwhile join it. The annotation `config.rollout-operator/delay-seconds` of a StatefulSet overrides it.',
    },
    RO_ENABLE_HALF_SPLIT: {
      type: 'boolean',
      default: true,
      description:
        'Roll the upper half of the ordinals before the lower one. The annotation `config.rollout-operator/half-split` of a StatefulSet overrides it.',
    },
    RO_MAX_UNAVAILABLE: {
      type: 'string',
      default: '2',
      pattern: '^([1-9]\\d{0,5}|([1-9]\\d?|100)%)$',
      accepted: 'an integer, at least 1, or a percentage from 1% to 100%',
      description:
        'Pods of a StatefulSet that may be unavailable at once, those counted that are down for other reasons. A percentage of the replicas is rounded down, to at least 1. The annotation `config.rollout-operator/max-unavailable` of a StatefulSet overrides it.',
    },
    RO_POD_TERMINATION_GRACE_PERIOD: {
      type: 'integer',
      minimum: 0,
      maximum: 31_536_000,
      description:
        'Grace period in seconds that deletions of pods carry. Not set: each pod has its own. The annotation `config.rollout-operator/grace-period-seconds` of a StatefulSet overrides it.',
    },
    RO_READY_TIMEOUT_SECONDS: {
      type: 'integer',
      default: 1800,
      minimum: 0,
      maximum: 31_536_000,
      description:
        'Time that a batch has to become available; then the rollout is reported as stalled, and goes on waiting. 0 never reports. The annotation `config.rollout-operator/ready-timeout-seconds` of a StatefulSet overrides it.',
    },
    RO_USE_EVICTION: {
      type: 'boolean',
      default: false,
      description: 'Evict pods instead of deleting them, so that PodDisruptionBudgets are honoured.',
    },
  },
  dependencies: {
    TLS_CERT: ['TLS_KEY'],
    TLS_KEY: ['TLS_CERT'],
    TLS_CLIENT_CA: ['TLS_CERT', 'TLS_KEY'],
    ...enrolmentDependencies,
  },
} as const satisfies SettingsSchema

/** Values of the settings of `serve`. */
export type HookSettings = Settings<typeof hookSettings>
