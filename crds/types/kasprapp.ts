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
   * Settings of the runtime; each key becomes an environment variable K_<NAME>. Keys that are not listed here are passed on as K_ and the key in upper case.
   */
  config?: {
    tableDir?: string
    /**
     * A whole number; its text is accepted too.
     */
    topicReplicationFactor?: unknown
    topicPartitions?: number | string
    /**
     * true or false; 1 and 0 and the words of YAML 1.1 are accepted too.
     */
    topicAllowDeclare?: unknown
    keySerializer?: string
    valueSerializer?: string
    /**
     * true or false; 1 and 0 and the words of YAML 1.1 are accepted too.
     */
    schedulerEnabled?: unknown
    /**
     * true or false; 1 and 0 and the words of YAML 1.1 are accepted too.
     */
    schedulerCronEnabled?: unknown
    /**
     * true or false; 1 and 0 and the words of YAML 1.1 are accepted too.
     */
    schedulerDebugStatsEnabled?: unknown
    /**
     * A whole number; its text is accepted too.
     */
    schedulerTopicPartitions?: unknown
    /**
     * A number; its text is accepted too.
     */
    schedulerCheckpointSaveIntervalSeconds?: unknown
    /**
     * A whole number; its text is accepted too.
     */
    schedulerDispatcherDefaultCheckpointLookbackDays?: unknown
    /**
     * A number; its text is accepted too.
     */
    schedulerDispatcherCheckpointInterval?: unknown
    /**
     * A number; its text is accepted too.
     */
    schedulerJanitorCheckpointInterval?: unknown
    /**
     * A number; its text is accepted too.
     */
    schedulerJanitorCleanIntervalSeconds?: unknown
    /**
     * A number; its text is accepted too.
     */
    schedulerJanitorHighwaterOffsetSeconds?: unknown
    /**
     * A number; its text is accepted too.
     */
    schedulerCronTickIntervalSeconds?: unknown
    /**
     * A number; its text is accepted too.
     */
    schedulerCronTickBufferSeconds?: unknown
    /**
     * A number; its text is accepted too.
     */
    schedulerCronMinIntervalSeconds?: unknown
    /**
     * A whole number; its text is accepted too.
     */
    storeRocksdbWriteBufferSize?: unknown
    /**
     * A whole number; its text is accepted too.
     */
    storeRocksdbMaxWriteBufferNumber?: unknown
    /**
     * A whole number; its text is accepted too.
     */
    storeRocksdbTargetFileSizeBase?: unknown
    /**
     * A whole number; its text is accepted too.
     */
    storeRocksdbBlockCacheSize?: unknown
    /**
     * A whole number; its text is accepted too.
     */
    storeRocksdbBlockCacheCompressedSize?: unknown
    /**
     * A whole number; its text is accepted too.
     */
    storeRocksdbBloomFilterSize?: unknown
    /**
     * true or false; 1 and 0 and the words of YAML 1.1 are accepted too.
     */
    storeRocksdbSetCacheIndexAndFilterBlocks?: unknown
    webBasePath?: string
    /**
     * HTTP port of the members.
     */
    webPort?: unknown
    webMetricsBasePath?: string
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
    /**
     * Names of template.pod.resourceClaims that this container uses.
     */
    claims?: {
      name: string
      request?: string
    }[]
  }
  /**
   * Restarts a member that no longer answers GET /status/ on its web port. It answers while it rebalances and recovers. Left out, there is no such probe; {} is one with the defaults.
   */
  livenessProbe?: {
    /**
     * Default 3.
     */
    failureThreshold?: number
    /**
     * Default 15.
     */
    initialDelaySeconds?: number
    /**
     * Default 10.
     */
    periodSeconds?: number
    /**
     * Default 1.
     */
    successThreshold?: number
    /**
     * Default 5.
     */
    timeoutSeconds?: number
  }
  /**
   * A member that does not answer GET /status/ on its web port gets no traffic. Left out, there is no such probe; {} is one with the defaults.
   */
  readinessProbe?: {
    /**
     * Default 3.
     */
    failureThreshold?: number
    /**
     * Default 15.
     */
    initialDelaySeconds?: number
    /**
     * Default 10.
     */
    periodSeconds?: number
    /**
     * Default 1.
     */
    successThreshold?: number
    /**
     * Default 5.
     */
    timeoutSeconds?: number
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
  /**
   * Python packages that are installed before a member starts.
   */
  pythonPackages?: {
    /**
     * What pip is to install, without blanks: a name with extras, versions and marker (pandas[sql]>=2,<3), or an address (git+https://${TOKEN}@host/org/repo.git@v1, git+ssh://…, git@host:path, https://….whl). ${NAME} and $NAME stand for variables of template.pythonPackagesInitContainer.env.
     *
     * @minItems 1
     * @maxItems 200
     */
    packages: [string, ...string[]]
    /**
     * Package index, http:// or https://; left out, pypi.org.
     */
    indexUrl?: string
    /**
     * Further indexes.
     *
     * @maxItems 20
     *
     * Items: Package index, http:// or https://; left out, pypi.org.
     */
    extraIndexUrls?:
      | []
      | [string]
      | [string, string]
      | [string, string, string]
      | [string, string, string, string]
      | [string, string, string, string, string]
      | [string, string, string, string, string, string]
      | [string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string, string, string, string, string, string]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
    /**
     * Hosts, with or without port, that are used although their certificate cannot be checked.
     *
     * @maxItems 20
     */
    trustedHosts?:
      | []
      | [string]
      | [string, string]
      | [string, string, string]
      | [string, string, string, string]
      | [string, string, string, string, string]
      | [string, string, string, string, string, string]
      | [string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string, string, string, string, string]
      | [string, string, string, string, string, string, string, string, string, string, string, string, string, string]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
      | [
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
          string,
        ]
    /**
     * Login for indexUrl and extraIndexUrls. pypi.org gets it only when no other index is named.
     */
    credentials?: {
      secretRef: {
        name: string
        usernameKey?: string
        passwordKey?: string
      }
    }
    /**
     * Where installed packages are kept for the next pod.
     */
    cache?: {
      /**
       * pvc is a volume that all pods share, gcs a bucket of Google Cloud Storage.
       */
      type?: 'pvc' | 'gcs'
      /**
       * Whether there is a shared volume; false installs anew in every pod. Means nothing for gcs.
       */
      enabled?: boolean
      /**
       * StorageClass of the shared volume; left out, the default class of the cluster.
       */
      storageClass?: string
      /**
       * Size of the shared volume, default 256Mi. It can only grow.
       */
      size?: string
      accessMode?: 'ReadWriteMany'
      /**
       * Whether the shared volume is deleted together with the app, default true.
       */
      deleteClaim?: boolean
      gcs?: {
        bucket: string
        /**
         * Start of the object keys; default kaspr-packages/
         */
        prefix?: string
        /**
         * Larger archives are not uploaded; default 1Gi.
         */
        maxArchiveSize?: string
        /**
         * Key file of a service account.
         */
        secretRef: {
          name: string
          key?: string
        }
      }
    }
    installPolicy?: {
      /**
       * Further attempts after the first, default 3.
       */
      retries?: number
      /**
       * Seconds that one attempt may take, default 600.
       */
      timeout?: number
      /**
       * block (default) keeps a member from starting without its packages.
       */
      onFailure?: 'block' | 'allow'
    }
    /**
     * Resources of the install container.
     */
    resources?: {
      limits?: {
        [k: string]: number | string
      }
      requests?: {
        [k: string]: number | string
      }
    }
  }
  /**
   * Additions to the objects of the app.
   */
  template?: {
    serviceAccount?: {
      metadata?: {
        labels?: {
          [k: string]: string
        }
        annotations?: {
          [k: string]: string
        }
      }
    }
    service?: {
      metadata?: {
        labels?: {
          [k: string]: string
        }
        annotations?: {
          [k: string]: string
        }
      }
    }
    pod?: {
      metadata?: {
        labels?: {
          [k: string]: string
        }
        annotations?: {
          [k: string]: string
        }
      }
      imagePullSecrets?: {
        name: string
      }[]
      securityContext?: {
        appArmorProfile?: {
          type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
          localhostProfile?: string
        }
        fsGroup?: number
        fsGroupChangePolicy?: 'Always' | 'OnRootMismatch'
        runAsGroup?: number
        runAsNonRoot?: boolean
        runAsUser?: number
        seLinuxOptions?: {
          level?: string
          role?: string
          type?: string
          user?: string
        }
        seLinuxChangePolicy?: 'MountOption' | 'Recursive'
        seccompProfile?: {
          type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
          localhostProfile?: string
        }
        supplementalGroups?: number[]
        supplementalGroupsPolicy?: 'Merge' | 'Strict'
        sysctls?: {
          name: string
          value: string
        }[]
        windowsOptions?: {
          gmsaCredentialSpec?: string
          gmsaCredentialSpecName?: string
          hostProcess?: boolean
          runAsUserName?: string
        }
      }
      terminationGracePeriodSeconds?: number
      nodeSelector?: {
        [k: string]: string
      }
      affinity?: {
        nodeAffinity?: {
          preferredDuringSchedulingIgnoredDuringExecution?: {
            weight: number
            preference: {
              matchExpressions?: {
                key: string
                operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'
                values?: string[]
              }[]
              matchFields?: {
                key: 'metadata.name'
                operator: 'In' | 'NotIn'
                /**
                 * @minItems 1
                 * @maxItems 1
                 */
                values: [string]
              }[]
            }
          }[]
          requiredDuringSchedulingIgnoredDuringExecution?: {
            /**
             * @minItems 1
             */
            nodeSelectorTerms: [
              {
                matchExpressions?: {
                  key: string
                  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'
                  values?: string[]
                }[]
                matchFields?: {
                  key: 'metadata.name'
                  operator: 'In' | 'NotIn'
                  /**
                   * @minItems 1
                   * @maxItems 1
                   */
                  values: [string]
                }[]
              },
              ...{
                matchExpressions?: {
                  key: string
                  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'
                  values?: string[]
                }[]
                matchFields?: {
                  key: 'metadata.name'
                  operator: 'In' | 'NotIn'
                  /**
                   * @minItems 1
                   * @maxItems 1
                   */
                  values: [string]
                }[]
              }[],
            ]
          }
        }
        podAffinity?: {
          preferredDuringSchedulingIgnoredDuringExecution?: {
            weight: number
            podAffinityTerm: {
              labelSelector?: {
                matchExpressions?: {
                  key: string
                  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
                  values?: string[]
                }[]
                matchLabels?: {
                  [k: string]: string
                }
              }
              matchLabelKeys?: string[]
              mismatchLabelKeys?: string[]
              namespaceSelector?: {
                matchExpressions?: {
                  key: string
                  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
                  values?: string[]
                }[]
                matchLabels?: {
                  [k: string]: string
                }
              }
              namespaces?: string[]
              topologyKey: string
            }
          }[]
          requiredDuringSchedulingIgnoredDuringExecution?: {
            labelSelector?: {
              matchExpressions?: {
                key: string
                operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
                values?: string[]
              }[]
              matchLabels?: {
                [k: string]: string
              }
            }
            matchLabelKeys?: string[]
            mismatchLabelKeys?: string[]
            namespaceSelector?: {
              matchExpressions?: {
                key: string
                operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
                values?: string[]
              }[]
              matchLabels?: {
                [k: string]: string
              }
            }
            namespaces?: string[]
            topologyKey: string
          }[]
        }
        podAntiAffinity?: {
          preferredDuringSchedulingIgnoredDuringExecution?: {
            weight: number
            podAffinityTerm: {
              labelSelector?: {
                matchExpressions?: {
                  key: string
                  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
                  values?: string[]
                }[]
                matchLabels?: {
                  [k: string]: string
                }
              }
              matchLabelKeys?: string[]
              mismatchLabelKeys?: string[]
              namespaceSelector?: {
                matchExpressions?: {
                  key: string
                  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
                  values?: string[]
                }[]
                matchLabels?: {
                  [k: string]: string
                }
              }
              namespaces?: string[]
              topologyKey: string
            }
          }[]
          requiredDuringSchedulingIgnoredDuringExecution?: {
            labelSelector?: {
              matchExpressions?: {
                key: string
                operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
                values?: string[]
              }[]
              matchLabels?: {
                [k: string]: string
              }
            }
            matchLabelKeys?: string[]
            mismatchLabelKeys?: string[]
            namespaceSelector?: {
              matchExpressions?: {
                key: string
                operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
                values?: string[]
              }[]
              matchLabels?: {
                [k: string]: string
              }
            }
            namespaces?: string[]
            topologyKey: string
          }[]
        }
      }
      tolerations?: {
        effect?: '' | 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
        key?: string
        operator?: '' | 'Exists' | 'Equal' | 'Lt' | 'Gt'
        tolerationSeconds?: number
        value?: string
      }[]
      topologySpreadConstraints?: {
        labelSelector?: {
          matchExpressions?: {
            key: string
            operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
            values?: string[]
          }[]
          matchLabels?: {
            [k: string]: string
          }
        }
        matchLabelKeys?: string[]
        maxSkew: number
        minDomains?: number
        nodeAffinityPolicy?: 'Honor' | 'Ignore'
        nodeTaintsPolicy?: 'Honor' | 'Ignore'
        topologyKey: string
        whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway'
      }[]
      priorityClassName?: string
      schedulerName?: string
      hostAliases?: {
        ip: string
        hostnames?: string[]
      }[]
      enableServiceLinks?: boolean
      /**
       * Claims of devices, for resources.claims.
       */
      resourceClaims?: {
        name: string
        resourceClaimName?: string
        resourceClaimTemplateName?: string
      }[]
      /**
       * @maxItems 100
       */
      volumes?: {
        name: string
        secret?: {
          secretName: string
          defaultMode?: number
          optional?: boolean
          items?: {
            key: string
            path: string
            mode?: number
          }[]
        }
        configMap?: {
          name: string
          defaultMode?: number
          optional?: boolean
          items?: {
            key: string
            path: string
            mode?: number
          }[]
        }
        emptyDir?: {
          medium?: string
          sizeLimit?: number | string
        }
        persistentVolumeClaim?: {
          claimName: string
          readOnly?: boolean
        }
        csi?: {
          driver: string
          fsType?: string
          nodePublishSecretRef?: {
            name: string
          }
          readOnly?: boolean
          volumeAttributes?: {
            [k: string]: string
          }
        }
        projected?: {
          defaultMode?: number
          sources: {
            secret?: {
              name: string
              optional?: boolean
              items?: {
                key: string
                path: string
                mode?: number
              }[]
            }
            configMap?: {
              name: string
              optional?: boolean
              items?: {
                key: string
                path: string
                mode?: number
              }[]
            }
            downwardAPI?: {
              items?: {
                path: string
                mode?: number
                fieldRef: {
                  apiVersion?: '' | 'v1'
                  fieldPath: string
                }
              }[]
            }
            serviceAccountToken?: {
              path: string
              audience?: string
              expirationSeconds?: number
            }
          }[]
        }
        downwardAPI?: {
          defaultMode?: number
          items?: {
            path: string
            mode?: number
            fieldRef: {
              apiVersion?: '' | 'v1'
              fieldPath: string
            }
          }[]
        }
        hostPath?: {
          path: string
          type?:
            '' | 'DirectoryOrCreate' | 'Directory' | 'FileOrCreate' | 'File' | 'Socket' | 'CharDevice' | 'BlockDevice'
        }
        nfs?: {
          path: string
          server: string
          readOnly?: boolean
        }
        ephemeral?: {
          volumeClaimTemplate: {
            metadata?: {
              labels?: {
                [k: string]: string
              }
              annotations?: {
                [k: string]: string
              }
            }
            spec: {
              /**
               * @minItems 1
               */
              accessModes: [
                'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod',
                ...('ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod')[],
              ]
              storageClassName?: string
              volumeMode?: 'Filesystem' | 'Block'
              resources: {
                limits?: {
                  [k: string]: number | string
                }
                requests: {
                  [k: string]: number | string
                }
              }
            }
          }
        }
        image?: {
          reference: string
          pullPolicy?: '' | 'Always' | 'IfNotPresent' | 'Never'
        }
      }[]
    }
    kasprContainer?: {
      /**
       * Further variables; one of a name that the app has already replaces it.
       *
       * @maxItems 500
       */
      env?: {
        name: string
        value?: string
        valueFrom?: {
          secretKeyRef?: {
            name: string
            key: string
            optional?: boolean
          }
          configMapKeyRef?: {
            name: string
            key: string
            optional?: boolean
          }
          fieldRef?: {
            apiVersion?: '' | 'v1'
            fieldPath: string
          }
        }
      }[]
      securityContext?: {
        allowPrivilegeEscalation?: boolean
        appArmorProfile?: {
          type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
          localhostProfile?: string
        }
        capabilities?: {
          add?: string[]
          drop?: string[]
        }
        privileged?: boolean
        procMount?: 'Default' | 'Unmasked'
        readOnlyRootFilesystem?: boolean
        runAsGroup?: number
        runAsNonRoot?: boolean
        runAsUser?: number
        seLinuxOptions?: {
          level?: string
          role?: string
          type?: string
          user?: string
        }
        seccompProfile?: {
          type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
          localhostProfile?: string
        }
        windowsOptions?: {
          gmsaCredentialSpec?: string
          gmsaCredentialSpecName?: string
          hostProcess?: boolean
          runAsUserName?: string
        }
      }
      /**
       * @maxItems 100
       */
      volumeMounts?: {
        name: string
        mountPath: string
        mountPropagation?: 'None' | 'HostToContainer' | 'Bidirectional'
        readOnly?: boolean
        recursiveReadOnly?: 'Disabled' | 'IfPossible' | 'Enabled'
        subPath?: string
        subPathExpr?: string
      }[]
    }
    pythonPackagesInitContainer?: {
      /**
       * Further variables; one of a name that the app has already replaces it.
       *
       * @maxItems 500
       */
      env?: {
        name: string
        value?: string
        valueFrom?: {
          secretKeyRef?: {
            name: string
            key: string
            optional?: boolean
          }
          configMapKeyRef?: {
            name: string
            key: string
            optional?: boolean
          }
          fieldRef?: {
            apiVersion?: '' | 'v1'
            fieldPath: string
          }
        }
      }[]
      securityContext?: {
        allowPrivilegeEscalation?: boolean
        appArmorProfile?: {
          type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
          localhostProfile?: string
        }
        capabilities?: {
          add?: string[]
          drop?: string[]
        }
        privileged?: boolean
        procMount?: 'Default' | 'Unmasked'
        readOnlyRootFilesystem?: boolean
        runAsGroup?: number
        runAsNonRoot?: boolean
        runAsUser?: number
        seLinuxOptions?: {
          level?: string
          role?: string
          type?: string
          user?: string
        }
        seccompProfile?: {
          type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
          localhostProfile?: string
        }
        windowsOptions?: {
          gmsaCredentialSpec?: string
          gmsaCredentialSpecName?: string
          hostProcess?: boolean
          runAsUserName?: string
        }
      }
      /**
       * @maxItems 100
       */
      volumeMounts?: {
        name: string
        mountPath: string
        mountPropagation?: 'None' | 'HostToContainer' | 'Bidirectional'
        readOnly?: boolean
        recursiveReadOnly?: 'Disabled' | 'IfPossible' | 'Enabled'
        subPath?: string
        subPathExpr?: string
      }[]
    }
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
  /**
   * The topics that the app consumes have changed, and no rebalance has taken them up yet. Always false without static membership, and absent as long as nothing is known.
   */
  rebalanceRequired?: boolean
  members?: {
    id: number
    leader?: boolean | null
    rebalancing?: boolean | null
    recovering?: boolean | null
    reachable?: boolean
    lastTransitionTime?: string
    podUID?: string
    podCreationTime?: string
    rebalancingSince?: string
    /**
     * Looks in a row that found the member hung in a rebalance; with three its pod is deleted.
     */
    hungStrikes?: number
    lastStrikeTime?: string
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
  /**
   * What the install container reported last.
   */
  pythonPackages?: {
    /**
     * Hash of the wanted set of packages.
     */
    hash?: string
    /**
     * Where installed packages are kept.
     */
    cacheMode?: 'ephemeral' | 'persistent' | 'gcs'
    /**
     * Packages as the spec names them; references to variables are not expanded.
     */
    installed?: string[]
    lastInstallTime?: string
    /**
     * For example 45s.
     */
    installDuration?: string
    /**
     * Pod that installed them.
     */
    installedBy?: string
    warnings?: string[]
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
    version: { type: 'string', maxLength: 63 },
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
          properties: {
            secretName: {
              type: 'string',
              minLength: 1,
              maxLength: 253,
              pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
            },
            passwordKey: {
              type: 'string',
              minLength: 1,
              maxLength: 253,
              pattern: '^([-_a-zA-Z0-9]|[.][-_a-zA-Z0-9])[-._a-zA-Z0-9]*$',
            },
          },
        },
      },
    },
    config: {
      type: 'object',
      properties: {
        tableDir: { type: 'string', minLength: 1 },
        topicReplicationFactor: {},
        topicPartitions: { type: ['integer', 'string'], pattern: '^\\s*[+-]?[0-9]+\\s*$', maxLength: 20 },
        topicAllowDeclare: {},
        keySerializer: { type: 'string' },
        valueSerializer: { type: 'string' },
        schedulerEnabled: {},
        schedulerCronEnabled: {},
        schedulerDebugStatsEnabled: {},
        schedulerTopicPartitions: {},
        schedulerCheckpointSaveIntervalSeconds: {},
        schedulerDispatcherDefaultCheckpointLookbackDays: {},
        schedulerDispatcherCheckpointInterval: {},
        schedulerJanitorCheckpointInterval: {},
        schedulerJanitorCleanIntervalSeconds: {},
        schedulerJanitorHighwaterOffsetSeconds: {},
        schedulerCronTickIntervalSeconds: {},
        schedulerCronTickBufferSeconds: {},
        schedulerCronMinIntervalSeconds: {},
        storeRocksdbWriteBufferSize: {},
        storeRocksdbMaxWriteBufferNumber: {},
        storeRocksdbTargetFileSizeBase: {},
        storeRocksdbBlockCacheSize: {},
        storeRocksdbBlockCacheCompressedSize: {},
        storeRocksdbBloomFilterSize: {},
        storeRocksdbSetCacheIndexAndFilterBlocks: {},
        webBasePath: { type: 'string' },
        webPort: {},
        webMetricsBasePath: { type: 'string' },
      },
    },
    resources: {
      type: 'object',
      properties: {
        limits: {
          type: 'object',
          additionalProperties: {
            type: ['integer', 'string'],
            pattern: '^[+]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$',
          },
        },
        requests: {
          type: 'object',
          additionalProperties: {
            type: ['integer', 'string'],
            pattern: '^[+]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$',
          },
        },
        claims: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string', minLength: 1 },
              request: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
            },
          },
        },
      },
    },
    livenessProbe: {
      type: 'object',
      properties: {
        failureThreshold: { type: 'integer', format: 'int32', minimum: 1 },
        initialDelaySeconds: { type: 'integer', format: 'int32', minimum: 0 },
        periodSeconds: { type: 'integer', format: 'int32', minimum: 1 },
        successThreshold: { type: 'integer', format: 'int32', minimum: 1, maximum: 1 },
        timeoutSeconds: { type: 'integer', format: 'int32', minimum: 1 },
      },
    },
    readinessProbe: {
      type: 'object',
      properties: {
        failureThreshold: { type: 'integer', format: 'int32', minimum: 1 },
        initialDelaySeconds: { type: 'integer', format: 'int32', minimum: 0 },
        periodSeconds: { type: 'integer', format: 'int32', minimum: 1 },
        successThreshold: { type: 'integer', format: 'int32', minimum: 1 },
        timeoutSeconds: { type: 'integer', format: 'int32', minimum: 1 },
      },
    },
    storage: {
      type: 'object',
      default: { type: 'ephemeral' },
      required: ['type'],
      properties: {
        type: { type: 'string', enum: ['ephemeral', 'persistent-claim'] },
        class: {
          type: 'string',
          maxLength: 253,
          pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$',
        },
        size: {
          type: 'string',
          maxLength: 32,
          pattern: '^[+]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$',
        },
        deleteClaim: { type: 'boolean', default: false },
      },
    },
    pythonPackages: {
      type: 'object',
      required: ['packages'],
      properties: {
        packages: {
          type: 'array',
          minItems: 1,
          maxItems: 200,
          items: { type: 'string', minLength: 1, maxLength: 1000 },
        },
        indexUrl: { type: 'string', maxLength: 1000, pattern: '^https?://[!#-&*-\\[\\]-_a-~]+$' },
        extraIndexUrls: {
          type: 'array',
          maxItems: 20,
          items: { type: 'string', maxLength: 1000, pattern: '^https?://[!#-&*-\\[\\]-_a-~]+$' },
        },
        trustedHosts: {
          type: 'array',
          maxItems: 20,
          items: { type: 'string', maxLength: 300, pattern: '^[-A-Za-z0-9.:_\\[\\]]+$' },
        },
        credentials: {
          type: 'object',
          required: ['secretRef'],
          properties: {
            secretRef: {
              type: 'object',
              required: ['name'],
              properties: {
                name: {
                  type: 'string',
                  minLength: 1,
                  maxLength: 253,
                  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                },
                usernameKey: {
                  type: 'string',
                  minLength: 1,
                  maxLength: 253,
                  pattern: '^([-_a-zA-Z0-9]|[.][-_a-zA-Z0-9])[-._a-zA-Z0-9]*$',
                  default: 'username',
                },
                passwordKey: {
                  type: 'string',
                  minLength: 1,
                  maxLength: 253,
                  pattern: '^([-_a-zA-Z0-9]|[.][-_a-zA-Z0-9])[-._a-zA-Z0-9]*$',
                  default: 'password',
                },
              },
            },
          },
        },
        cache: {
          type: 'object',
          properties: {
            type: { type: 'string', enum: ['pvc', 'gcs'], default: 'pvc' },
            enabled: { type: 'boolean', default: false },
            storageClass: {
              type: 'string',
              maxLength: 253,
              pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$',
            },
            size: {
              type: 'string',
              maxLength: 32,
              pattern: '^[+]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$',
            },
            accessMode: { type: 'string', enum: ['ReadWriteMany'], default: 'ReadWriteMany' },
            deleteClaim: { type: 'boolean' },
            gcs: {
              type: 'object',
              required: ['bucket', 'secretRef'],
              properties: {
                bucket: { type: 'string', minLength: 1, maxLength: 222 },
                prefix: { type: 'string', maxLength: 500 },
                maxArchiveSize: {
                  type: 'string',
                  maxLength: 32,
                  pattern: '^\\s*[0-9]+([.][0-9]+)?\\s*([kKMGTmgt]|[KMGT]i)?\\s*$',
                },
                secretRef: {
                  type: 'object',
                  required: ['name'],
                  properties: {
                    name: {
                      type: 'string',
                      minLength: 1,
                      maxLength: 253,
                      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                    },
                    key: {
                      type: 'string',
                      minLength: 1,
                      maxLength: 253,
                      pattern: '^([-_a-zA-Z0-9]|[.][-_a-zA-Z0-9])[-._a-zA-Z0-9]*$',
                      default: 'sa.json',
                    },
                  },
                },
              },
            },
          },
        },
        installPolicy: {
          type: 'object',
          properties: {
            retries: { type: 'integer', format: 'int32', minimum: 0, maximum: 100 },
            timeout: { type: 'integer', format: 'int32', minimum: 60, maximum: 86400 },
            onFailure: { type: 'string', enum: ['block', 'allow'] },
          },
        },
        resources: {
          type: 'object',
          properties: {
            limits: {
              type: 'object',
              additionalProperties: {
                type: ['integer', 'string'],
                pattern: '^[+]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$',
              },
            },
            requests: {
              type: 'object',
              additionalProperties: {
                type: ['integer', 'string'],
                pattern: '^[+]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$',
              },
            },
          },
        },
      },
    },
    template: {
      type: 'object',
      properties: {
        serviceAccount: {
          type: 'object',
          properties: {
            metadata: {
              type: 'object',
              properties: {
                labels: {
                  type: 'object',
                  additionalProperties: {
                    type: 'string',
                    maxLength: 63,
                    pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                  },
                },
                annotations: { type: 'object', additionalProperties: { type: 'string' } },
              },
            },
          },
        },
        service: {
          type: 'object',
          properties: {
            metadata: {
              type: 'object',
              properties: {
                labels: {
                  type: 'object',
                  additionalProperties: {
                    type: 'string',
                    maxLength: 63,
                    pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                  },
                },
                annotations: { type: 'object', additionalProperties: { type: 'string' } },
              },
            },
          },
        },
        pod: {
          type: 'object',
          properties: {
            metadata: {
              type: 'object',
              properties: {
                labels: {
                  type: 'object',
                  additionalProperties: {
                    type: 'string',
                    maxLength: 63,
                    pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                  },
                },
                annotations: { type: 'object', additionalProperties: { type: 'string' } },
              },
            },
            imagePullSecrets: {
              type: 'array',
              items: { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } } },
            },
            securityContext: {
              type: 'object',
              properties: {
                appArmorProfile: {
                  type: 'object',
                  required: ['type'],
                  properties: {
                    type: { type: 'string', enum: ['RuntimeDefault', 'Unconfined', 'Localhost'] },
                    localhostProfile: { type: 'string', minLength: 1, maxLength: 4095 },
                  },
                },
                fsGroup: { type: 'integer', format: 'int64', minimum: 0, maximum: 2147483647 },
                fsGroupChangePolicy: { type: 'string', enum: ['Always', 'OnRootMismatch'] },
                runAsGroup: { type: 'integer', format: 'int64', minimum: 0, maximum: 2147483647 },
                runAsNonRoot: { type: 'boolean' },
                runAsUser: { type: 'integer', format: 'int64', minimum: 0, maximum: 2147483647 },
                seLinuxOptions: {
                  type: 'object',
                  properties: {
                    level: { type: 'string' },
                    role: { type: 'string' },
                    type: { type: 'string' },
                    user: { type: 'string' },
                  },
                },
                seLinuxChangePolicy: { type: 'string', enum: ['MountOption', 'Recursive'] },
                seccompProfile: {
                  type: 'object',
                  required: ['type'],
                  properties: {
                    type: { type: 'string', enum: ['RuntimeDefault', 'Unconfined', 'Localhost'] },
                    localhostProfile: { type: 'string', minLength: 1, maxLength: 4095 },
                  },
                },
                supplementalGroups: {
                  type: 'array',
                  items: { type: 'integer', format: 'int64', minimum: 0, maximum: 2147483647 },
                },
                supplementalGroupsPolicy: { type: 'string', enum: ['Merge', 'Strict'] },
                sysctls: {
                  type: 'array',
                  items: {
                    type: 'object',
                    required: ['name', 'value'],
                    properties: {
                      name: {
                        type: 'string',
                        maxLength: 253,
                        pattern: '^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$',
                      },
                      value: { type: 'string' },
                    },
                  },
                },
                windowsOptions: {
                  type: 'object',
                  properties: {
                    gmsaCredentialSpec: { type: 'string' },
                    gmsaCredentialSpecName: {
                      type: 'string',
                      minLength: 1,
                      maxLength: 253,
                      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                    },
                    hostProcess: { type: 'boolean' },
                    runAsUserName: { type: 'string' },
                  },
                },
              },
            },
            terminationGracePeriodSeconds: { type: 'integer', format: 'int64', minimum: 0 },
            nodeSelector: {
              type: 'object',
              additionalProperties: {
                type: 'string',
                maxLength: 63,
                pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
              },
            },
            affinity: {
              type: 'object',
              properties: {
                nodeAffinity: {
                  type: 'object',
                  properties: {
                    preferredDuringSchedulingIgnoredDuringExecution: {
                      type: 'array',
                      items: {
                        type: 'object',
                        required: ['preference', 'weight'],
                        properties: {
                          weight: { type: 'integer', format: 'int32', minimum: 1, maximum: 100 },
                          preference: {
                            type: 'object',
                            properties: {
                              matchExpressions: {
                                type: 'array',
                                items: {
                                  type: 'object',
                                  required: ['key', 'operator'],
                                  properties: {
                                    key: {
                                      type: 'string',
                                      minLength: 1,
                                      maxLength: 317,
                                      pattern:
                                        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                    },
                                    operator: {
                                      type: 'string',
                                      enum: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'],
                                    },
                                    values: {
                                      type: 'array',
                                      items: {
                                        type: 'string',
                                        maxLength: 63,
                                        pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                      },
                                    },
                                  },
                                },
                              },
                              matchFields: {
                                type: 'array',
                                items: {
                                  type: 'object',
                                  required: ['key', 'operator', 'values'],
                                  properties: {
                                    key: { type: 'string', enum: ['metadata.name'] },
                                    operator: { type: 'string', enum: ['In', 'NotIn'] },
                                    values: { type: 'array', minItems: 1, maxItems: 1, items: { type: 'string' } },
                                  },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                    requiredDuringSchedulingIgnoredDuringExecution: {
                      type: 'object',
                      required: ['nodeSelectorTerms'],
                      properties: {
                        nodeSelectorTerms: {
                          type: 'array',
                          minItems: 1,
                          items: {
                            type: 'object',
                            properties: {
                              matchExpressions: {
                                type: 'array',
                                items: {
                                  type: 'object',
                                  required: ['key', 'operator'],
                                  properties: {
                                    key: {
                                      type: 'string',
                                      minLength: 1,
                                      maxLength: 317,
                                      pattern:
                                        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                    },
                                    operator: {
                                      type: 'string',
                                      enum: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'],
                                    },
                                    values: {
                                      type: 'array',
                                      items: {
                                        type: 'string',
                                        maxLength: 63,
                                        pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                      },
                                    },
                                  },
                                },
                              },
                              matchFields: {
                                type: 'array',
                                items: {
                                  type: 'object',
                                  required: ['key', 'operator', 'values'],
                                  properties: {
                                    key: { type: 'string', enum: ['metadata.name'] },
                                    operator: { type: 'string', enum: ['In', 'NotIn'] },
                                    values: { type: 'array', minItems: 1, maxItems: 1, items: { type: 'string' } },
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
                podAffinity: {
                  type: 'object',
                  properties: {
                    preferredDuringSchedulingIgnoredDuringExecution: {
                      type: 'array',
                      items: {
                        type: 'object',
                        required: ['podAffinityTerm', 'weight'],
                        properties: {
                          weight: { type: 'integer', format: 'int32', minimum: 1, maximum: 100 },
                          podAffinityTerm: {
                            type: 'object',
                            required: ['topologyKey'],
                            properties: {
                              labelSelector: {
                                type: 'object',
                                properties: {
                                  matchExpressions: {
                                    type: 'array',
                                    items: {
                                      type: 'object',
                                      required: ['key', 'operator'],
                                      properties: {
                                        key: {
                                          type: 'string',
                                          minLength: 1,
                                          maxLength: 317,
                                          pattern:
                                            '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                        },
                                        operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
                                        values: {
                                          type: 'array',
                                          items: {
                                            type: 'string',
                                            maxLength: 63,
                                            pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                          },
                                        },
                                      },
                                    },
                                  },
                                  matchLabels: {
                                    type: 'object',
                                    additionalProperties: {
                                      type: 'string',
                                      maxLength: 63,
                                      pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                    },
                                  },
                                },
                              },
                              matchLabelKeys: {
                                type: 'array',
                                items: {
                                  type: 'string',
                                  minLength: 1,
                                  maxLength: 317,
                                  pattern:
                                    '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                },
                              },
                              mismatchLabelKeys: {
                                type: 'array',
                                items: {
                                  type: 'string',
                                  minLength: 1,
                                  maxLength: 317,
                                  pattern:
                                    '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                },
                              },
                              namespaceSelector: {
                                type: 'object',
                                properties: {
                                  matchExpressions: {
                                    type: 'array',
                                    items: {
                                      type: 'object',
                                      required: ['key', 'operator'],
                                      properties: {
                                        key: {
                                          type: 'string',
                                          minLength: 1,
                                          maxLength: 317,
                                          pattern:
                                            '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                        },
                                        operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
                                        values: {
                                          type: 'array',
                                          items: {
                                            type: 'string',
                                            maxLength: 63,
                                            pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                          },
                                        },
                                      },
                                    },
                                  },
                                  matchLabels: {
                                    type: 'object',
                                    additionalProperties: {
                                      type: 'string',
                                      maxLength: 63,
                                      pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                    },
                                  },
                                },
                              },
                              namespaces: {
                                type: 'array',
                                items: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
                              },
                              topologyKey: {
                                type: 'string',
                                minLength: 1,
                                maxLength: 317,
                                pattern:
                                  '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                              },
                            },
                          },
                        },
                      },
                    },
                    requiredDuringSchedulingIgnoredDuringExecution: {
                      type: 'array',
                      items: {
                        type: 'object',
                        required: ['topologyKey'],
                        properties: {
                          labelSelector: {
                            type: 'object',
                            properties: {
                              matchExpressions: {
                                type: 'array',
                                items: {
                                  type: 'object',
                                  required: ['key', 'operator'],
                                  properties: {
                                    key: {
                                      type: 'string',
                                      minLength: 1,
                                      maxLength: 317,
                                      pattern:
                                        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                    },
                                    operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
                                    values: {
                                      type: 'array',
                                      items: {
                                        type: 'string',
                                        maxLength: 63,
                                        pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                      },
                                    },
                                  },
                                },
                              },
                              matchLabels: {
                                type: 'object',
                                additionalProperties: {
                                  type: 'string',
                                  maxLength: 63,
                                  pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                },
                              },
                            },
                          },
                          matchLabelKeys: {
                            type: 'array',
                            items: {
                              type: 'string',
                              minLength: 1,
                              maxLength: 317,
                              pattern:
                                '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                            },
                          },
                          mismatchLabelKeys: {
                            type: 'array',
                            items: {
                              type: 'string',
                              minLength: 1,
                              maxLength: 317,
                              pattern:
                                '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                            },
                          },
                          namespaceSelector: {
                            type: 'object',
                            properties: {
                              matchExpressions: {
                                type: 'array',
                                items: {
                                  type: 'object',
                                  required: ['key', 'operator'],
                                  properties: {
                                    key: {
                                      type: 'string',
                                      minLength: 1,
                                      maxLength: 317,
                                      pattern:
                                        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                    },
                                    operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
                                    values: {
                                      type: 'array',
                                      items: {
                                        type: 'string',
                                        maxLength: 63,
                                        pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                      },
                                    },
                                  },
                                },
                              },
                              matchLabels: {
                                type: 'object',
                                additionalProperties: {
                                  type: 'string',
                                  maxLength: 63,
                                  pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                },
                              },
                            },
                          },
                          namespaces: {
                            type: 'array',
                            items: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
                          },
                          topologyKey: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 317,
                            pattern:
                              '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                          },
                        },
                      },
                    },
                  },
                },
                podAntiAffinity: {
                  type: 'object',
                  properties: {
                    preferredDuringSchedulingIgnoredDuringExecution: {
                      type: 'array',
                      items: {
                        type: 'object',
                        required: ['podAffinityTerm', 'weight'],
                        properties: {
                          weight: { type: 'integer', format: 'int32', minimum: 1, maximum: 100 },
                          podAffinityTerm: {
                            type: 'object',
                            required: ['topologyKey'],
                            properties: {
                              labelSelector: {
                                type: 'object',
                                properties: {
                                  matchExpressions: {
                                    type: 'array',
                                    items: {
                                      type: 'object',
                                      required: ['key', 'operator'],
                                      properties: {
                                        key: {
                                          type: 'string',
                                          minLength: 1,
                                          maxLength: 317,
                                          pattern:
                                            '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                        },
                                        operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
                                        values: {
                                          type: 'array',
                                          items: {
                                            type: 'string',
                                            maxLength: 63,
                                            pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                          },
                                        },
                                      },
                                    },
                                  },
                                  matchLabels: {
                                    type: 'object',
                                    additionalProperties: {
                                      type: 'string',
                                      maxLength: 63,
                                      pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                    },
                                  },
                                },
                              },
                              matchLabelKeys: {
                                type: 'array',
                                items: {
                                  type: 'string',
                                  minLength: 1,
                                  maxLength: 317,
                                  pattern:
                                    '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                },
                              },
                              mismatchLabelKeys: {
                                type: 'array',
                                items: {
                                  type: 'string',
                                  minLength: 1,
                                  maxLength: 317,
                                  pattern:
                                    '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                },
                              },
                              namespaceSelector: {
                                type: 'object',
                                properties: {
                                  matchExpressions: {
                                    type: 'array',
                                    items: {
                                      type: 'object',
                                      required: ['key', 'operator'],
                                      properties: {
                                        key: {
                                          type: 'string',
                                          minLength: 1,
                                          maxLength: 317,
                                          pattern:
                                            '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                        },
                                        operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
                                        values: {
                                          type: 'array',
                                          items: {
                                            type: 'string',
                                            maxLength: 63,
                                            pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                          },
                                        },
                                      },
                                    },
                                  },
                                  matchLabels: {
                                    type: 'object',
                                    additionalProperties: {
                                      type: 'string',
                                      maxLength: 63,
                                      pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                    },
                                  },
                                },
                              },
                              namespaces: {
                                type: 'array',
                                items: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
                              },
                              topologyKey: {
                                type: 'string',
                                minLength: 1,
                                maxLength: 317,
                                pattern:
                                  '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                              },
                            },
                          },
                        },
                      },
                    },
                    requiredDuringSchedulingIgnoredDuringExecution: {
                      type: 'array',
                      items: {
                        type: 'object',
                        required: ['topologyKey'],
                        properties: {
                          labelSelector: {
                            type: 'object',
                            properties: {
                              matchExpressions: {
                                type: 'array',
                                items: {
                                  type: 'object',
                                  required: ['key', 'operator'],
                                  properties: {
                                    key: {
                                      type: 'string',
                                      minLength: 1,
                                      maxLength: 317,
                                      pattern:
                                        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                    },
                                    operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
                                    values: {
                                      type: 'array',
                                      items: {
                                        type: 'string',
                                        maxLength: 63,
                                        pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                      },
                                    },
                                  },
                                },
                              },
                              matchLabels: {
                                type: 'object',
                                additionalProperties: {
                                  type: 'string',
                                  maxLength: 63,
                                  pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                },
                              },
                            },
                          },
                          matchLabelKeys: {
                            type: 'array',
                            items: {
                              type: 'string',
                              minLength: 1,
                              maxLength: 317,
                              pattern:
                                '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                            },
                          },
                          mismatchLabelKeys: {
                            type: 'array',
                            items: {
                              type: 'string',
                              minLength: 1,
                              maxLength: 317,
                              pattern:
                                '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                            },
                          },
                          namespaceSelector: {
                            type: 'object',
                            properties: {
                              matchExpressions: {
                                type: 'array',
                                items: {
                                  type: 'object',
                                  required: ['key', 'operator'],
                                  properties: {
                                    key: {
                                      type: 'string',
                                      minLength: 1,
                                      maxLength: 317,
                                      pattern:
                                        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                                    },
                                    operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
                                    values: {
                                      type: 'array',
                                      items: {
                                        type: 'string',
                                        maxLength: 63,
                                        pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                      },
                                    },
                                  },
                                },
                              },
                              matchLabels: {
                                type: 'object',
                                additionalProperties: {
                                  type: 'string',
                                  maxLength: 63,
                                  pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                },
                              },
                            },
                          },
                          namespaces: {
                            type: 'array',
                            items: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
                          },
                          topologyKey: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 317,
                            pattern:
                              '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                          },
                        },
                      },
                    },
                  },
                },
              },
            },
            tolerations: {
              type: 'array',
              items: {
                type: 'object',
                properties: {
                  effect: { type: 'string', enum: ['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
                  key: {
                    type: 'string',
                    maxLength: 317,
                    pattern:
                      '^(([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$',
                  },
                  operator: { type: 'string', enum: ['', 'Exists', 'Equal', 'Lt', 'Gt'] },
                  tolerationSeconds: { type: 'integer', format: 'int64' },
                  value: { type: 'string' },
                },
              },
            },
            topologySpreadConstraints: {
              type: 'array',
              items: {
                type: 'object',
                required: ['maxSkew', 'topologyKey', 'whenUnsatisfiable'],
                properties: {
                  labelSelector: {
                    type: 'object',
                    properties: {
                      matchExpressions: {
                        type: 'array',
                        items: {
                          type: 'object',
                          required: ['key', 'operator'],
                          properties: {
                            key: {
                              type: 'string',
                              minLength: 1,
                              maxLength: 317,
                              pattern:
                                '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                            },
                            operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
                            values: {
                              type: 'array',
                              items: {
                                type: 'string',
                                maxLength: 63,
                                pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                              },
                            },
                          },
                        },
                      },
                      matchLabels: {
                        type: 'object',
                        additionalProperties: {
                          type: 'string',
                          maxLength: 63,
                          pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                        },
                      },
                    },
                  },
                  matchLabelKeys: {
                    type: 'array',
                    items: {
                      type: 'string',
                      minLength: 1,
                      maxLength: 317,
                      pattern:
                        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                    },
                  },
                  maxSkew: { type: 'integer', format: 'int32', minimum: 1 },
                  minDomains: { type: 'integer', format: 'int32', minimum: 1 },
                  nodeAffinityPolicy: { type: 'string', enum: ['Honor', 'Ignore'] },
                  nodeTaintsPolicy: { type: 'string', enum: ['Honor', 'Ignore'] },
                  topologyKey: {
                    type: 'string',
                    minLength: 1,
                    maxLength: 317,
                    pattern:
                      '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$',
                  },
                  whenUnsatisfiable: { type: 'string', enum: ['DoNotSchedule', 'ScheduleAnyway'] },
                },
              },
            },
            priorityClassName: {
              type: 'string',
              maxLength: 253,
              pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$',
            },
            schedulerName: { type: 'string' },
            hostAliases: {
              type: 'array',
              items: {
                type: 'object',
                required: ['ip'],
                properties: {
                  ip: { type: 'string', minLength: 1, maxLength: 45 },
                  hostnames: {
                    type: 'array',
                    items: {
                      type: 'string',
                      minLength: 1,
                      maxLength: 253,
                      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                    },
                  },
                },
              },
            },
            enableServiceLinks: { type: 'boolean' },
            resourceClaims: {
              type: 'array',
              items: {
                type: 'object',
                required: ['name'],
                properties: {
                  name: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
                  resourceClaimName: {
                    type: 'string',
                    minLength: 1,
                    maxLength: 253,
                    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                  },
                  resourceClaimTemplateName: {
                    type: 'string',
                    minLength: 1,
                    maxLength: 253,
                    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                  },
                },
              },
            },
            volumes: {
              type: 'array',
              maxItems: 100,
              items: {
                type: 'object',
                required: ['name'],
                properties: {
                  name: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
                  secret: {
                    type: 'object',
                    required: ['secretName'],
                    properties: {
                      secretName: { type: 'string', minLength: 1 },
                      defaultMode: { type: 'integer', format: 'int32', minimum: 0, maximum: 511 },
                      optional: { type: 'boolean' },
                      items: {
                        type: 'array',
                        items: {
                          type: 'object',
                          required: ['key', 'path'],
                          properties: {
                            key: { type: 'string', minLength: 1 },
                            path: { type: 'string', minLength: 1 },
                            mode: { type: 'integer', format: 'int32', minimum: 0, maximum: 511 },
                          },
                        },
                      },
                    },
                  },
                  configMap: {
                    type: 'object',
                    required: ['name'],
                    properties: {
                      name: { type: 'string', minLength: 1 },
                      defaultMode: { type: 'integer', format: 'int32', minimum: 0, maximum: 511 },
                      optional: { type: 'boolean' },
                      items: {
                        type: 'array',
                        items: {
                          type: 'object',
                          required: ['key', 'path'],
                          properties: {
                            key: { type: 'string', minLength: 1 },
                            path: { type: 'string', minLength: 1 },
                            mode: { type: 'integer', format: 'int32', minimum: 0, maximum: 511 },
                          },
                        },
                      },
                    },
                  },
                  emptyDir: {
                    type: 'object',
                    properties: {
                      medium: { type: 'string' },
                      sizeLimit: {
                        type: ['integer', 'string'],
                        pattern: '^[+]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$',
                      },
                    },
                  },
                  persistentVolumeClaim: {
                    type: 'object',
                    required: ['claimName'],
                    properties: { claimName: { type: 'string', minLength: 1 }, readOnly: { type: 'boolean' } },
                  },
                  csi: {
                    type: 'object',
                    required: ['driver'],
                    properties: {
                      driver: {
                        type: 'string',
                        maxLength: 63,
                        pattern: '^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*$',
                      },
                      fsType: { type: 'string' },
                      nodePublishSecretRef: {
                        type: 'object',
                        required: ['name'],
                        properties: {
                          name: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 253,
                            pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                          },
                        },
                      },
                      readOnly: { type: 'boolean' },
                      volumeAttributes: { type: 'object', additionalProperties: { type: 'string' } },
                    },
                  },
                  projected: {
                    type: 'object',
                    required: ['sources'],
                    properties: {
                      defaultMode: { type: 'integer', format: 'int32', minimum: 0, maximum: 511 },
                      sources: {
                        type: 'array',
                        items: {
                          type: 'object',
                          properties: {
                            secret: {
                              type: 'object',
                              required: ['name'],
                              properties: {
                                name: { type: 'string', minLength: 1 },
                                optional: { type: 'boolean' },
                                items: {
                                  type: 'array',
                                  items: {
                                    type: 'object',
                                    required: ['key', 'path'],
                                    properties: {
                                      key: { type: 'string', minLength: 1 },
                                      path: { type: 'string', minLength: 1 },
                                      mode: { type: 'integer', format: 'int32', minimum: 0, maximum: 511 },
                                    },
                                  },
                                },
                              },
                            },
                            configMap: {
                              type: 'object',
                              required: ['name'],
                              properties: {
                                name: { type: 'string', minLength: 1 },
                                optional: { type: 'boolean' },
                                items: {
                                  type: 'array',
                                  items: {
                                    type: 'object',
                                    required: ['key', 'path'],
                                    properties: {
                                      key: { type: 'string', minLength: 1 },
                                      path: { type: 'string', minLength: 1 },
                                      mode: { type: 'integer', format: 'int32', minimum: 0, maximum: 511 },
                                    },
                                  },
                                },
                              },
                            },
                            downwardAPI: {
                              type: 'object',
                              properties: {
                                items: {
                                  type: 'array',
                                  items: {
                                    type: 'object',
                                    required: ['path', 'fieldRef'],
                                    properties: {
                                      path: { type: 'string', minLength: 1 },
                                      mode: { type: 'integer', format: 'int32', minimum: 0, maximum: 511 },
                                      fieldRef: {
                                        type: 'object',
                                        required: ['fieldPath'],
                                        properties: {
                                          apiVersion: { type: 'string', enum: ['', 'v1'] },
                                          fieldPath: {
                                            type: 'string',
                                            minLength: 1,
                                            pattern:
                                              "^metadata[.](name|namespace|uid|labels|annotations|(labels|annotations)\\['[-A-Za-z0-9_./]+'\\])$",
                                          },
                                        },
                                      },
                                    },
                                  },
                                },
                              },
                            },
                            serviceAccountToken: {
                              type: 'object',
                              required: ['path'],
                              properties: {
                                path: { type: 'string', minLength: 1 },
                                audience: { type: 'string' },
                                expirationSeconds: {
                                  type: 'integer',
                                  format: 'int64',
                                  minimum: 600,
                                  maximum: 4294967296,
                                  default: 3600,
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                  },
                  downwardAPI: {
                    type: 'object',
                    properties: {
                      defaultMode: { type: 'integer', format: 'int32', minimum: 0, maximum: 511 },
                      items: {
                        type: 'array',
                        items: {
                          type: 'object',
                          required: ['path', 'fieldRef'],
                          properties: {
                            path: { type: 'string', minLength: 1 },
                            mode: { type: 'integer', format: 'int32', minimum: 0, maximum: 511 },
                            fieldRef: {
                              type: 'object',
                              required: ['fieldPath'],
                              properties: {
                                apiVersion: { type: 'string', enum: ['', 'v1'] },
                                fieldPath: {
                                  type: 'string',
                                  minLength: 1,
                                  pattern:
                                    "^metadata[.](name|namespace|uid|labels|annotations|(labels|annotations)\\['[-A-Za-z0-9_./]+'\\])$",
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                  },
                  hostPath: {
                    type: 'object',
                    required: ['path'],
                    properties: {
                      path: { type: 'string', minLength: 1 },
                      type: {
                        type: 'string',
                        enum: [
                          '',
                          'DirectoryOrCreate',
                          'Directory',
                          'FileOrCreate',
                          'File',
                          'Socket',
                          'CharDevice',
                          'BlockDevice',
                        ],
                      },
                    },
                  },
                  nfs: {
                    type: 'object',
                    required: ['path', 'server'],
                    properties: {
                      path: { type: 'string', pattern: '^/' },
                      server: { type: 'string', minLength: 1 },
                      readOnly: { type: 'boolean' },
                    },
                  },
                  ephemeral: {
                    type: 'object',
                    required: ['volumeClaimTemplate'],
                    properties: {
                      volumeClaimTemplate: {
                        type: 'object',
                        required: ['spec'],
                        properties: {
                          metadata: {
                            type: 'object',
                            properties: {
                              labels: {
                                type: 'object',
                                additionalProperties: {
                                  type: 'string',
                                  maxLength: 63,
                                  pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
                                },
                              },
                              annotations: { type: 'object', additionalProperties: { type: 'string' } },
                            },
                          },
                          spec: {
                            type: 'object',
                            required: ['accessModes', 'resources'],
                            properties: {
                              accessModes: {
                                type: 'array',
                                minItems: 1,
                                items: {
                                  type: 'string',
                                  enum: ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'],
                                },
                              },
                              storageClassName: {
                                type: 'string',
                                maxLength: 253,
                                pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$',
                              },
                              volumeMode: { type: 'string', enum: ['Filesystem', 'Block'] },
                              resources: {
                                type: 'object',
                                required: ['requests'],
                                properties: {
                                  limits: {
                                    type: 'object',
                                    additionalProperties: {
                                      type: ['integer', 'string'],
                                      pattern:
                                        '^[+]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$',
                                    },
                                  },
                                  requests: {
                                    type: 'object',
                                    additionalProperties: {
                                      type: ['integer', 'string'],
                                      pattern:
                                        '^[+]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$',
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
                  image: {
                    type: 'object',
                    required: ['reference'],
                    properties: {
                      reference: { type: 'string', minLength: 1 },
                      pullPolicy: { type: 'string', enum: ['', 'Always', 'IfNotPresent', 'Never'] },
                    },
                  },
                },
              },
            },
          },
        },
        kasprContainer: {
          type: 'object',
          properties: {
            env: {
              type: 'array',
              maxItems: 500,
              items: {
                type: 'object',
                required: ['name'],
                properties: {
                  name: { type: 'string', minLength: 1, maxLength: 253, pattern: '^[ -<>-~]+$' },
                  value: { type: 'string' },
                  valueFrom: {
                    type: 'object',
                    properties: {
                      secretKeyRef: {
                        type: 'object',
                        required: ['name', 'key'],
                        properties: {
                          name: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 253,
                            pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                          },
                          key: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 253,
                            pattern: '^([-_a-zA-Z0-9]|[.][-_a-zA-Z0-9])[-._a-zA-Z0-9]*$',
                          },
                          optional: { type: 'boolean' },
                        },
                      },
                      configMapKeyRef: {
                        type: 'object',
                        required: ['name', 'key'],
                        properties: {
                          name: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 253,
                            pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                          },
                          key: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 253,
                            pattern: '^([-_a-zA-Z0-9]|[.][-_a-zA-Z0-9])[-._a-zA-Z0-9]*$',
                          },
                          optional: { type: 'boolean' },
                        },
                      },
                      fieldRef: {
                        type: 'object',
                        required: ['fieldPath'],
                        properties: {
                          apiVersion: { type: 'string', enum: ['', 'v1'] },
                          fieldPath: {
                            type: 'string',
                            minLength: 1,
                            pattern:
                              "^(metadata[.](name|namespace|uid|(labels|annotations)\\['[-A-Za-z0-9_./]+'\\])|spec[.](nodeName|serviceAccountName)|status[.](hostIP|hostIPs|podIP|podIPs))$",
                          },
                        },
                      },
                    },
                  },
                },
              },
            },
            securityContext: {
              type: 'object',
              properties: {
                allowPrivilegeEscalation: { type: 'boolean' },
                appArmorProfile: {
                  type: 'object',
                  required: ['type'],
                  properties: {
                    type: { type: 'string', enum: ['RuntimeDefault', 'Unconfined', 'Localhost'] },
                    localhostProfile: { type: 'string', minLength: 1, maxLength: 4095 },
                  },
                },
                capabilities: {
                  type: 'object',
                  properties: {
                    add: { type: 'array', items: { type: 'string' } },
                    drop: { type: 'array', items: { type: 'string' } },
                  },
                },
                privileged: { type: 'boolean' },
                procMount: { type: 'string', enum: ['Default', 'Unmasked'] },
                readOnlyRootFilesystem: { type: 'boolean' },
                runAsGroup: { type: 'integer', format: 'int64', minimum: 0, maximum: 2147483647 },
                runAsNonRoot: { type: 'boolean' },
                runAsUser: { type: 'integer', format: 'int64', minimum: 0, maximum: 2147483647 },
                seLinuxOptions: {
                  type: 'object',
                  properties: {
                    level: { type: 'string' },
                    role: { type: 'string' },
                    type: { type: 'string' },
                    user: { type: 'string' },
                  },
                },
                seccompProfile: {
                  type: 'object',
                  required: ['type'],
                  properties: {
                    type: { type: 'string', enum: ['RuntimeDefault', 'Unconfined', 'Localhost'] },
                    localhostProfile: { type: 'string', minLength: 1, maxLength: 4095 },
                  },
                },
                windowsOptions: {
                  type: 'object',
                  properties: {
                    gmsaCredentialSpec: { type: 'string' },
                    gmsaCredentialSpecName: {
                      type: 'string',
                      minLength: 1,
                      maxLength: 253,
                      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                    },
                    hostProcess: { type: 'boolean' },
                    runAsUserName: { type: 'string' },
                  },
                },
              },
            },
            volumeMounts: {
              type: 'array',
              maxItems: 100,
              items: {
                type: 'object',
                required: ['name', 'mountPath'],
                properties: {
                  name: { type: 'string', minLength: 1 },
                  mountPath: { type: 'string', minLength: 1 },
                  mountPropagation: { type: 'string', enum: ['None', 'HostToContainer', 'Bidirectional'] },
                  readOnly: { type: 'boolean' },
                  recursiveReadOnly: { type: 'string', enum: ['Disabled', 'IfPossible', 'Enabled'] },
                  subPath: { type: 'string' },
                  subPathExpr: { type: 'string' },
                },
              },
            },
          },
        },
        pythonPackagesInitContainer: {
          type: 'object',
          properties: {
            env: {
              type: 'array',
              maxItems: 500,
              items: {
                type: 'object',
                required: ['name'],
                properties: {
                  name: { type: 'string', minLength: 1, maxLength: 253, pattern: '^[ -<>-~]+$' },
                  value: { type: 'string' },
                  valueFrom: {
                    type: 'object',
                    properties: {
                      secretKeyRef: {
                        type: 'object',
                        required: ['name', 'key'],
                        properties: {
                          name: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 253,
                            pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                          },
                          key: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 253,
                            pattern: '^([-_a-zA-Z0-9]|[.][-_a-zA-Z0-9])[-._a-zA-Z0-9]*$',
                          },
                          optional: { type: 'boolean' },
                        },
                      },
                      configMapKeyRef: {
                        type: 'object',
                        required: ['name', 'key'],
                        properties: {
                          name: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 253,
                            pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                          },
                          key: {
                            type: 'string',
                            minLength: 1,
                            maxLength: 253,
                            pattern: '^([-_a-zA-Z0-9]|[.][-_a-zA-Z0-9])[-._a-zA-Z0-9]*$',
                          },
                          optional: { type: 'boolean' },
                        },
                      },
                      fieldRef: {
                        type: 'object',
                        required: ['fieldPath'],
                        properties: {
                          apiVersion: { type: 'string', enum: ['', 'v1'] },
                          fieldPath: {
                            type: 'string',
                            minLength: 1,
                            pattern:
                              "^(metadata[.](name|namespace|uid|(labels|annotations)\\['[-A-Za-z0-9_./]+'\\])|spec[.](nodeName|serviceAccountName)|status[.](hostIP|hostIPs|podIP|podIPs))$",
                          },
                        },
                      },
                    },
                  },
                },
              },
            },
            securityContext: {
              type: 'object',
              properties: {
                allowPrivilegeEscalation: { type: 'boolean' },
                appArmorProfile: {
                  type: 'object',
                  required: ['type'],
                  properties: {
                    type: { type: 'string', enum: ['RuntimeDefault', 'Unconfined', 'Localhost'] },
                    localhostProfile: { type: 'string', minLength: 1, maxLength: 4095 },
                  },
                },
                capabilities: {
                  type: 'object',
                  properties: {
                    add: { type: 'array', items: { type: 'string' } },
                    drop: { type: 'array', items: { type: 'string' } },
                  },
                },
                privileged: { type: 'boolean' },
                procMount: { type: 'string', enum: ['Default', 'Unmasked'] },
                readOnlyRootFilesystem: { type: 'boolean' },
                runAsGroup: { type: 'integer', format: 'int64', minimum: 0, maximum: 2147483647 },
                runAsNonRoot: { type: 'boolean' },
                runAsUser: { type: 'integer', format: 'int64', minimum: 0, maximum: 2147483647 },
                seLinuxOptions: {
                  type: 'object',
                  properties: {
                    level: { type: 'string' },
                    role: { type: 'string' },
                    type: { type: 'string' },
                    user: { type: 'string' },
                  },
                },
                seccompProfile: {
                  type: 'object',
                  required: ['type'],
                  properties: {
                    type: { type: 'string', enum: ['RuntimeDefault', 'Unconfined', 'Localhost'] },
                    localhostProfile: { type: 'string', minLength: 1, maxLength: 4095 },
                  },
                },
                windowsOptions: {
                  type: 'object',
                  properties: {
                    gmsaCredentialSpec: { type: 'string' },
                    gmsaCredentialSpecName: {
                      type: 'string',
                      minLength: 1,
                      maxLength: 253,
                      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
                    },
                    hostProcess: { type: 'boolean' },
                    runAsUserName: { type: 'string' },
                  },
                },
              },
            },
            volumeMounts: {
              type: 'array',
              maxItems: 100,
              items: {
                type: 'object',
                required: ['name', 'mountPath'],
                properties: {
                  name: { type: 'string', minLength: 1 },
                  mountPath: { type: 'string', minLength: 1 },
                  mountPropagation: { type: 'string', enum: ['None', 'HostToContainer', 'Bidirectional'] },
                  readOnly: { type: 'boolean' },
                  recursiveReadOnly: { type: 'string', enum: ['Disabled', 'IfPossible', 'Enabled'] },
                  subPath: { type: 'string' },
                  subPathExpr: { type: 'string' },
                },
              },
            },
          },
        },
      },
    },
  },
}
