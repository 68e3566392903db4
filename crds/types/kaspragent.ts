// Generated from crds/kaspragents.yaml by `npm run generate`. Do not edit.

export interface KasprAgentSpec {
  description?: string
  /**
   * Process each input partition in isolation.
   */
  isolatedPartitions?: boolean
  /**
   * Where events come from. With both, the topic is read.
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
        [k: string]: number | string
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
    /**
     * @maxItems 256
     */
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
      /**
       * Wait until Kafka has acknowledged.
       */
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
      /**
       * Hand the value on to the next operation.
       */
      passThrough?: boolean
      /**
       * Create the topic when it is absent.
       */
      declare?: boolean
      partitions?: number
      /**
       * Seconds.
       */
      retention?: number
      replicas?: number
      compacting?: boolean
      deleting?: boolean
      config?: {
        [k: string]: number | string
      }
    }[]
  }
  processors?: {
    /**
     * Names of operations in the order in which they run.
     *
     * @maxItems 256
     */
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
    /**
     * @maxItems 256
     */
    operations: {
      name: string
      /**
       * Tables of the app that the function gets as parameters.
       *
       * @maxItems 64
       */
      tables?: {
        /**
         * Name of a KasprTable of the same app.
         */
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
        /**
         * Wait until Kafka has acknowledged.
         */
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
        /**
         * Hand the value on to the next operation.
         */
        passThrough?: boolean
        /**
         * Create the topic when it is absent.
         */
        declare?: boolean
        partitions?: number
        /**
         * Seconds.
         */
        retention?: number
        replicas?: number
        compacting?: boolean
        deleting?: boolean
        config?: {
          [k: string]: number | string
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
            retention: { type: 'integer', format: 'int64', minimum: -9007199254740991, maximum: 9007199254740991 },
            compacting: { type: 'boolean' },
            deleting: { type: 'boolean' },
            replicas: { type: 'integer', format: 'int32' },
            config: {
              type: 'object',
              additionalProperties: {
                type: ['integer', 'string'],
                minimum: -9007199254740991,
                maximum: 9007199254740991,
              },
            },
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
          maxItems: 256,
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
              retention: { type: 'integer', format: 'int64', minimum: -9007199254740991, maximum: 9007199254740991 },
              replicas: { type: 'integer', format: 'int32' },
              compacting: { type: 'boolean' },
              deleting: { type: 'boolean' },
              config: {
                type: 'object',
                additionalProperties: {
                  type: ['integer', 'string'],
                  minimum: -9007199254740991,
                  maximum: 9007199254740991,
                },
              },
            },
          },
        },
      },
    },
    processors: {
      type: 'object',
      required: ['pipeline', 'operations'],
      properties: {
        pipeline: { type: 'array', maxItems: 256, items: { type: 'string' } },
        init: {
          type: 'object',
          required: ['python'],
          properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
        },
        operations: {
          type: 'array',
          maxItems: 256,
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string', minLength: 1 },
              tables: {
                type: 'array',
                maxItems: 64,
                items: {
                  type: 'object',
                  required: ['name', 'paramName'],
                  properties: {
                    name: { type: 'string', minLength: 1 },
                    paramName: { type: 'string', maxLength: 255, pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' },
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
                  retention: {
                    type: 'integer',
                    format: 'int64',
                    minimum: -9007199254740991,
                    maximum: 9007199254740991,
                  },
                  replicas: { type: 'integer', format: 'int32' },
                  compacting: { type: 'boolean' },
                  deleting: { type: 'boolean' },
                  config: {
                    type: 'object',
                    additionalProperties: {
                      type: ['integer', 'string'],
                      minimum: -9007199254740991,
                      maximum: 9007199254740991,
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
}
