// Generated from crds/kasprapps.yaml by `npm run generate`. Do not edit.

export interface KasprAppSpec {
  /**
   * Version of the Kaspr runtime. Left out, the app follows the default of the operator.
   */
  version?: string
  /**
   * Container image; wins over version.
   */
  image?: string
  /**
   * Number of members. 0 stops the app and keeps its claims.
   */
  replicas?: number
  /**
   * Kafka brokers, host:port separated by commas.
   */
  bootstrapServers: string
  /**
   * Present, even empty, the connection to Kafka uses TLS.
   */
  tls?: {
    [k: string]: unknown
  }
  authentication: {
    /**
     * plain without a username is no authentication.
     */
    type: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    username?: string
    passwordSecret?: {
      secretName: string
      passwordKey: string
    }
  }
  /**
   * Settings of the runtime; each key becomes an environment variable K_<NAME>. Keys that are not listed in the documentation are passed on as K_ and the key in upper case.
   */
  config?: {
    [k: string]: unknown
  }
  /**
   * Resources of the member container.
   */
  resources?: {
    limits?: {
      [k: string]: number | string
    }
    requests?: {
      [k: string]: number | string
    }
    claims?: {
      name: string
      request?: string
    }[]
  }
  /**
   * Where tables are kept.
   */
  storage?: {
    /**
     * ephemeral tables live as long as the pod and are rebuilt from Kafka.
     */
    type: 'ephemeral' | 'persistent-claim'
    /**
     * StorageClass of the claims; left out, the default class of the cluster.
     */
    class?: string
    /**
     * Size of each claim, or the limit of an ephemeral volume.
     */
    size?: string
    /**
     * Whether the claims are deleted together with the app.
     */
    deleteClaim?: boolean
  }
  [k: string]: unknown
}

export interface KasprAppStatus {
  observedGeneration?: number
  /**
   * Version that runs.
   */
  kasprVersion?: string
  /**
   * Available members of the wanted ones, for example 2/3.
   */
  availableMembers?: string
  rolloutInProgress?: boolean
  /**
   * Rebalancing members of the available ones.
   */
  rebalancingMembers?: string
  members?: {
    id: number
    leader?: boolean | null
    rebalancing?: boolean | null
    recovering?: boolean | null
    reachable?: boolean
    lastTransitionTime?: string
    podUID?: string
    podCreationTime?: string
    [k: string]: unknown
  }[]
  /**
   * Components that the pods mount, by name. A hash is that of the component's definition.
   */
  linkedResources?: {
    agents?: {
      name: string
      hash?: string
      topicName?: string
      topicPattern?: string
    }[]
    webviews?: {
      name: string
      hash?: string
    }[]
    tables?: {
      name: string
      hash?: string
      /**
       * What the runtime calls the table.
       */
      tableName?: string
    }[]
    tasks?: {
      name: string
      hash?: string
    }[]
    joins?: {
      name: string
      hash?: string
    }[]
  }
  conditions?: {
    type: string
    status: 'True' | 'False' | 'Unknown'
    reason: string
    message?: string
    lastTransitionTime: string
    observedGeneration: number
  }[]
  [k: string]: unknown
}

/** Schema of KasprApp.spec as the API server enforces it, CEL rules apart. */
export const kasprAppSpecSchema: object = {
  type: 'object',
  required: ['bootstrapServers', 'authentication'],
  properties: {
    version: { type: 'string' },
    image: { type: 'string' },
    replicas: { type: 'integer', format: 'int32', minimum: 0, default: 1 },
    bootstrapServers: { type: 'string', minLength: 1 },
    tls: { type: 'object' },
    authentication: {
      type: 'object',
      required: ['type'],
      properties: {
        type: { type: 'string', enum: ['plain', 'scram-sha-256', 'scram-sha-512'] },
        username: { type: 'string', minLength: 1 },
        passwordSecret: {
          type: 'object',
          required: ['secretName', 'passwordKey'],
          properties: { secretName: { type: 'string', minLength: 1 }, passwordKey: { type: 'string', minLength: 1 } },
        },
      },
    },
    config: { type: 'object' },
    resources: {
      type: 'object',
      properties: {
        limits: { type: 'object', additionalProperties: { type: ['integer', 'string'] } },
        requests: { type: 'object', additionalProperties: { type: ['integer', 'string'] } },
        claims: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string', minLength: 1 }, request: { type: 'string' } },
          },
        },
      },
    },
    storage: {
      type: 'object',
      default: { type: 'ephemeral' },
      required: ['type'],
      properties: {
        type: { type: 'string', enum: ['ephemeral', 'persistent-claim'] },
        class: { type: 'string' },
        size: {
          type: 'string',
          pattern: '^[+]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$',
        },
        deleteClaim: { type: 'boolean', default: false },
      },
    },
  },
}
