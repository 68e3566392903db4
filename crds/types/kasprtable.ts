// Generated from crds/kasprtables.yaml by `npm run generate`. Do not edit.

export interface KasprTableSpec {
  /**
   * Without effect. The table is called as the resource.
   */
  name?: string
  description?: string
  /**
   * Every member holds the whole table instead of its partitions.
   */
  global?: boolean
  defaultSelector?: {
    /**
     * Python source.
     */
    python: string
    /**
     * Function to call; left out, the first one defined.
     */
    entrypoint?: string
  }
  keySerializer?: 'raw' | 'json'
  valueSerializer?: 'raw' | 'json'
  /**
   * Partitions of the changelog topic.
   */
  partitions?: number
  extraTopicConfigs?: {
    [k: string]: number | string
  }
  options?: {
    [k: string]: number | string
  }
  window?: {
    tumbling?: {
      size: number | string
      /**
       * How long the data of a window is kept, for example 1h.
       */
      expires?: string
    }
    hopping?: {
      size: number | string
      step: number | string
      expires?: string
    }
    /**
     * Clock that assigns an event to a window.
     */
    relativeTo?: 'stream' | 'now' | 'custom'
    relativeToSelector?: {
      /**
       * Python source.
       */
      python: string
      /**
       * Function to call; left out, the first one defined.
       */
      entrypoint?: string
    }
  }
  [k: string]: unknown
}

export interface KasprTableStatus {
  observedGeneration?: number
  /**
   * ConfigMap that holds the definition.
   */
  configMap?: string
  /**
   * Hash of the definition that the ConfigMap holds.
   */
  hash?: string
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

/** Schema of KasprTable.spec as the API server enforces it, CEL rules apart. */
export const kasprTableSpecSchema: object = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    description: { type: 'string' },
    global: { type: 'boolean', default: false },
    defaultSelector: {
      type: 'object',
      required: ['python'],
      properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
    },
    keySerializer: { type: 'string', enum: ['raw', 'json'] },
    valueSerializer: { type: 'string', enum: ['raw', 'json'] },
    partitions: { type: 'integer', format: 'int32' },
    extraTopicConfigs: {
      type: 'object',
      additionalProperties: { type: ['integer', 'string'], minimum: -9007199254740991, maximum: 9007199254740991 },
    },
    options: {
      type: 'object',
      additionalProperties: { type: ['integer', 'string'], minimum: -9007199254740991, maximum: 9007199254740991 },
    },
    window: {
      type: 'object',
      properties: {
        tumbling: {
          type: 'object',
          required: ['size'],
          properties: {
            size: { type: ['integer', 'string'], minimum: 0, maximum: 999999999, pattern: '^[0-9]{1,9}[smhd]?$' },
            expires: { type: 'string' },
          },
        },
        hopping: {
          type: 'object',
          required: ['size', 'step'],
          properties: {
            size: { type: ['integer', 'string'], minimum: 0, maximum: 999999999, pattern: '^[0-9]{1,9}[smhd]?$' },
            step: { type: ['integer', 'string'], minimum: 0, maximum: 999999999, pattern: '^[0-9]{1,9}[smhd]?$' },
            expires: { type: 'string' },
          },
        },
        relativeTo: { type: 'string', enum: ['stream', 'now', 'custom'] },
        relativeToSelector: {
          type: 'object',
          required: ['python'],
          properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
        },
      },
    },
  },
}
