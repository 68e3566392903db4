// Generated from crds/kaspragents.yaml by `npm run generate`. Do not edit.

export interface KasprAgentSpec {
  description?: string
  /**
   * Process each input partition in isolation.
   */
  isolatedPartitions?: boolean
  /**
   * Where events come from.
   */
  input: {
    /**
     * Create the topic or channel when it is absent.
     */
    declare?: boolean
    topic?: {
      /**
       * One topic, or several separated by commas.
       */
      name?: string
      /**
       * Regular expression of topic names.
       */
      pattern?: string
      keySerializer?: 'raw' | 'json' | 'pickle' | 'binary'
      valueSerializer?: 'raw' | 'json' | 'pickle' | 'binary'
      partitions?: number
      /**
       * Seconds.
       */
      retention?: number
      compacting?: boolean
      deleting?: boolean
      replicas?: number
      config?: {
        [k: string]: string
      }
    }
    channel?: {
      name: string
    }
    /**
     * Process events in batches.
     */
    take?: {
      max: number
      /**
       * For example 10s.
       */
      within: string
    }
  }
  output?: {
    topics?: {
      name?: string
      nameSelector?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      ack?: boolean
      keySerializer?: 'raw' | 'json' | 'pickle' | 'binary'
      valueSerializer?: 'raw' | 'json' | 'pickle' | 'binary'
      keySelector?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      valueSelector?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      partitionSelector?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      headersSelector?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      predicate?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      passThrough?: boolean
      declare?: boolean
      partitions?: number
      retention?: number
      replicas?: number
      compacting?: boolean
      deleting?: boolean
      config?: {
        [k: string]: string
      }
    }[]
  }
  processors?: {
    pipeline: string[]
    init?: {
      /**
       * Python source.
       */
      python: string
      /**
       * Function to call; left out, the first one defined.
       */
      entrypoint?: string
    }
    operations: {
      name: string
      tables?: {
        name: string
        /**
         * Name of the Python parameter that receives the table.
         */
        paramName: string
      }[]
      map?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      filter?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      topicSend?: {
        name?: string
        nameSelector?: {
          /**
           * Python source.
           */
          python: string
          /**
           * Function to call; left out, the first one defined.
           */
          entrypoint?: string
        }
        ack?: boolean
        keySerializer?: 'raw' | 'json' | 'pickle' | 'binary'
        valueSerializer?: 'raw' | 'json' | 'pickle' | 'binary'
        keySelector?: {
          /**
           * Python source.
           */
          python: string
          /**
           * Function to call; left out, the first one defined.
           */
          entrypoint?: string
        }
        valueSelector?: {
          /**
           * Python source.
           */
          python: string
          /**
           * Function to call; left out, the first one defined.
           */
          entrypoint?: string
        }
        partitionSelector?: {
          /**
           * Python source.
           */
          python: string
          /**
           * Function to call; left out, the first one defined.
           */
          entrypoint?: string
        }
        headersSelector?: {
          /**
           * Python source.
           */
          python: string
          /**
           * Function to call; left out, the first one defined.
           */
          entrypoint?: string
        }
        predicate?: {
          /**
           * Python source.
           */
          python: string
          /**
           * Function to call; left out, the first one defined.
           */
          entrypoint?: string
        }
        passThrough?: boolean
        declare?: boolean
        partitions?: number
        retention?: number
        replicas?: number
        compacting?: boolean
        deleting?: boolean
        config?: {
          [k: string]: string
        }
      }
    }[]
  }
  [k: string]: unknown
}

export interface KasprAgentStatus {
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

/** Schema of KasprAgent.spec as the API server enforces it, CEL rules apart. */
export const kasprAgentSpecSchema: object = {
  type: 'object',
  required: ['input'],
  properties: {
    description: { type: 'string' },
    isolatedPartitions: { type: 'boolean', default: false },
    input: {
      type: 'object',
      properties: {
        declare: { type: 'boolean' },
        topic: {
          type: 'object',
          properties: {
            name: { type: 'string', minLength: 1 },
            pattern: { type: 'string', minLength: 1 },
            keySerializer: { type: 'string', enum: ['raw', 'json', 'pickle', 'binary'] },
            valueSerializer: { type: 'string', enum: ['raw', 'json', 'pickle', 'binary'] },
            partitions: { type: 'integer', format: 'int32' },
            retention: { type: 'integer', format: 'int64' },
            compacting: { type: 'boolean' },
            deleting: { type: 'boolean' },
            replicas: { type: 'integer', format: 'int32' },
            config: { type: 'object', additionalProperties: { type: 'string' } },
          },
        },
        channel: { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } } },
        take: {
          type: 'object',
          required: ['max', 'within'],
          properties: {
            max: { type: 'integer', format: 'int32' },
            within: { type: 'string', pattern: '^\\d+[smhd]$' },
          },
        },
      },
    },
    output: {
      type: 'object',
      properties: {
        topics: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              name: { type: 'string', minLength: 1 },
              nameSelector: {
                type: 'object',
                required: ['python'],
                properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
              },
              ack: { type: 'boolean' },
              keySerializer: { type: 'string', enum: ['raw', 'json', 'pickle', 'binary'] },
              valueSerializer: { type: 'string', enum: ['raw', 'json', 'pickle', 'binary'] },
              keySelector: {
                type: 'object',
                required: ['python'],
                properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
              },
              valueSelector: {
                type: 'object',
                required: ['python'],
                properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
              },
              partitionSelector: {
                type: 'object',
                required: ['python'],
                properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
              },
              headersSelector: {
                type: 'object',
                required: ['python'],
                properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
              },
              predicate: {
                type: 'object',
                required: ['python'],
                properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
              },
              passThrough: { type: 'boolean' },
              declare: { type: 'boolean' },
              partitions: { type: 'integer', format: 'int32' },
              retention: { type: 'integer', format: 'int64' },
              replicas: { type: 'integer', format: 'int32' },
              compacting: { type: 'boolean' },
              deleting: { type: 'boolean' },
              config: { type: 'object', additionalProperties: { type: 'string' } },
            },
          },
        },
      },
    },
    processors: {
      type: 'object',
      required: ['pipeline', 'operations'],
      properties: {
        pipeline: { type: 'array', items: { type: 'string' } },
        init: {
          type: 'object',
          required: ['python'],
          properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
        },
        operations: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string', minLength: 1 },
              tables: {
                type: 'array',
                items: {
                  type: 'object',
                  required: ['name', 'paramName'],
                  properties: {
                    name: { type: 'string', minLength: 1 },
                    paramName: { type: 'string', pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' },
                  },
                },
              },
              map: {
                type: 'object',
                required: ['python'],
                properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
              },
              filter: {
                type: 'object',
                required: ['python'],
                properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
              },
              topicSend: {
                type: 'object',
                properties: {
                  name: { type: 'string', minLength: 1 },
                  nameSelector: {
                    type: 'object',
                    required: ['python'],
                    properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
                  },
                  ack: { type: 'boolean' },
                  keySerializer: { type: 'string', enum: ['raw', 'json', 'pickle', 'binary'] },
                  valueSerializer: { type: 'string', enum: ['raw', 'json', 'pickle', 'binary'] },
                  keySelector: {
                    type: 'object',
                    required: ['python'],
                    properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
                  },
                  valueSelector: {
                    type: 'object',
                    required: ['python'],
                    properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
                  },
                  partitionSelector: {
                    type: 'object',
                    required: ['python'],
                    properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
                  },
                  headersSelector: {
                    type: 'object',
                    required: ['python'],
                    properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
                  },
                  predicate: {
                    type: 'object',
                    required: ['python'],
                    properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
                  },
                  passThrough: { type: 'boolean' },
                  declare: { type: 'boolean' },
                  partitions: { type: 'integer', format: 'int32' },
                  retention: { type: 'integer', format: 'int64' },
                  replicas: { type: 'integer', format: 'int32' },
                  compacting: { type: 'boolean' },
                  deleting: { type: 'boolean' },
                  config: { type: 'object', additionalProperties: { type: 'string' } },
                },
              },
            },
          },
        },
      },
    },
  },
}
