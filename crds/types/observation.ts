// Generated from crds/observations.yaml by `npm run generate`. Do not edit.

/**
 * What to look at and what may be done; exactly one member is set.
 */
export interface ObservationSpec {
  /**
   * Members of a Kaspr app.
   */
  kasprApp?: {
    /**
     * The KasprApp this is about.
     */
    app: {
      name: string
      uid: string
    }
    /**
     * Name of the StatefulSet that runs the members.
     */
    statefulSet: string
    /**
     * Labels that all member pods carry.
     */
    selector: {
      [k: string]: string
    }
    /**
     * HTTP port of the members.
     */
    port: number
    /**
     * Whether members are polled at all.
     */
    enabled: boolean
  }
}

/**
 * What the poller saw; absent until the first report.
 */
export interface ObservationStatus {
  observedGeneration?: number
  /**
   * When the report last changed (an unchanged world is not written again).
   */
  lastObservedTime?: string
  conditions?: {
    type: string
    status: 'True' | 'False' | 'Unknown'
    reason: string
    message: string
    lastTransitionTime: string
    observedGeneration: number
  }[]
  kasprApp?: {
    /**
     * uid of the KasprApp the report is about; a report about another uid is ignored.
     */
    appUid: string
    /**
     * Members that answered, of those that run, for example 2/3.
     */
    reachable: string
    /**
     * Replicas of the StatefulSet when it was last seen, to restore them after its loss.
     */
    lastReplicas?: number
    members: {
      /**
       * Ordinal of the pod.
       */
      id: number
      podUID: string
      podCreationTime?: string
      /**
       * Whether the member answered the last poll.
       */
      reachable: boolean
      leader?: boolean | null
      rebalancing?: boolean | null
      recovering?: boolean | null
      /**
       * What the member said last, while it does not answer.
       */
      lastKnown?: {
        leader: boolean
        rebalancing: boolean
        recovering: boolean
      }
      /**
       * When leader, rebalancing, recovering or the pod last changed.
       */
      lastTransitionTime?: string
    }[]
  }
}

/** Schema of Observation.spec as the API server enforces it, CEL rules apart. */
export const observationSpecSchema: object = {
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  properties: {
    kasprApp: {
      type: 'object',
      required: ['app', 'statefulSet', 'selector', 'port', 'enabled'],
      properties: {
        app: {
          type: 'object',
          required: ['name', 'uid'],
          properties: { name: { type: 'string', minLength: 1 }, uid: { type: 'string', minLength: 1 } },
        },
        statefulSet: { type: 'string', minLength: 1 },
        selector: { type: 'object', minProperties: 1, additionalProperties: { type: 'string' } },
        port: { type: 'integer', format: 'int32', minimum: 1, maximum: 65535 },
        enabled: { type: 'boolean' },
      },
    },
  },
}
