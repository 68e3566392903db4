// Generated from crds/kasprwebviews.yaml by `npm run generate`. Do not edit.

export interface KasprWebViewSpec {
  /**
   * Without effect. The webview is called as the resource.
   */
  name?: string
  description?: string
  request: {
    method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'HEAD' | 'OPTIONS'
    /**
     * May hold parameters: /orders/{id}.
     */
    path: string
  }
  response?: {
    /**
     * Left out, text/plain.
     */
    contentType?: 'text/html' | 'application/json' | 'text/plain' | 'application/octet-stream'
    /**
     * Status of a success; left out, 200.
     */
    statusCode?: number
    headers?: {
      [k: string]: number | string
    }
    bodySelector?: {
      onSuccess?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      onError?: {
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
    statusCodeSelector?: {
      onSuccess?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      onError?: {
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
    headersSelector?: {
      onSuccess?: {
        /**
         * Python source.
         */
        python: string
        /**
         * Function to call; left out, the first one defined.
         */
        entrypoint?: string
      }
      onError?: {
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
      name?: string
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

export interface KasprWebViewStatus {
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

/** Schema of KasprWebView.spec as the API server enforces it, CEL rules apart. */
export const kasprWebViewSpecSchema: object = {
  type: 'object',
  required: ['request'],
  properties: {
    name: { type: 'string' },
    description: { type: 'string' },
    request: {
      type: 'object',
      required: ['method', 'path'],
      properties: {
        method: { type: 'string', enum: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'] },
        path: { type: 'string' },
      },
    },
    response: {
      type: 'object',
      properties: {
        contentType: {
          type: 'string',
          enum: ['text/html', 'application/json', 'text/plain', 'application/octet-stream'],
        },
        statusCode: { type: 'integer', format: 'int32' },
        headers: {
          type: 'object',
          additionalProperties: { type: ['integer', 'string'], minimum: -9007199254740991, maximum: 9007199254740991 },
        },
        bodySelector: {
          type: 'object',
          properties: {
            onSuccess: {
              type: 'object',
              required: ['python'],
              properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
            },
            onError: {
              type: 'object',
              required: ['python'],
              properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
            },
          },
        },
        statusCodeSelector: {
          type: 'object',
          properties: {
            onSuccess: {
              type: 'object',
              required: ['python'],
              properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
            },
            onError: {
              type: 'object',
              required: ['python'],
              properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
            },
          },
        },
        headersSelector: {
          type: 'object',
          properties: {
            onSuccess: {
              type: 'object',
              required: ['python'],
              properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
            },
            onError: {
              type: 'object',
              required: ['python'],
              properties: { python: { type: 'string' }, entrypoint: { type: 'string' } },
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
