// Generated from crds/kasprjoins.yaml by `npm run generate`. Do not edit.

export interface KasprJoinSpec {
  /**
   * Without effect. The join is called as the resource.
   */
  name?: string
  description?: string
  /**
   * KasprTable of the same app whose changes drive the join.
   */
  leftTable: string
  /**
   * KasprTable of the same app that is looked up.
   */
  rightTable: string
  /**
   * Takes a value of the left table and gives the key in the right one.
   */
  extractor: {
    /**
     * Python source.
     */
    python: string
    /**
     * Function to call; left out, the first one defined.
     */
    entrypoint?: string
  }
  /**
   * inner gives nothing when the right side is missing, left gives it as None.
   */
  type?: 'inner' | 'left'
  /**
   * Channel of the results; left out, <name>-channel.
   */
  outputChannel?: string
  [k: string]: unknown
}

export interface KasprJoinStatus {
  observedGeneration?: number
  /**
   * ConfigMap that holds the definition.
   */
  configMap?: string
  /**
   * Hash of the definition that the ConfigMap holds.
   */
  hash?: string
  leftTable?: {
    name?: string
  }
  rightTable?: {
    name?: string
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

/** Schema of KasprJoin.spec as the API server enforces it, CEL rules apart. */
export const kasprJoinSpecSchema: object = {
  type: 'object',
  required: ['leftTable', 'rightTable', 'extractor'],
  properties: {
    name: { type: 'string' },
    description: { type: 'string' },
    leftTable: { type: 'string', minLength: 1 },
    rightTable: { type: 'string', minLength: 1 },
    extractor: {
      type: 'object',
      required: ['python'],
      properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
    },
    type: { type: 'string', enum: ['inner', 'left'], default: 'inner' },
    outputChannel: { type: 'string' },
  },
}
