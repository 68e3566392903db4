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
    /**
     * Members that the app asks for; absent while its spec cannot be read.
     */
    replicas?: number
    /**
     * Hash of the topics that the members should consume. Absent where no rebalance is ever due: without static membership, and while the spec cannot be read.
     */
    subscriptions?: string
    /**
     * Whether a rebalance may be asked for when the subscriptions have changed.
     */
    autoRebalance?: boolean
    /**
     * Value of the annotation kaspr.io/rebalance, cut if it is long, while the app carries it.
     */
    manualRebalance?: string
    /**
     * When a member counts as hung.
     */
    hungMembers?: {
      enabled: boolean
      thresholdSeconds: number
    }
    /**
     * What may be deleted: pods of hung members, and the StatefulSet (never its pods) so that it is made again with larger claims. Nothing while the app is paused, invalid or being deleted, and the StatefulSet only while the hooks would make it again at once.
     */
    mayDelete?: ('HungMembers' | 'StatefulSet')[]
    /**
     * Data claims of the members, one for each; absent for ephemeral storage.
     */
    storage?: {
      /**
       * Name of the claim template.
       */
      claim: string
      /**
       * Size that the app asks for.
       */
      size: string
    }
    /**
     * Python packages that the pods should have; absent without any.
     */
    packages?: {
      /**
       * Option --set of the install container.
       */
      set: string
    }
    /**
     * What the user should know and no condition says; each becomes one Event on the app.
     *
     * @maxItems 64
     */
    warnings?: {
      reason: string
      message: string
    }[]
    /**
     * Claims to be kept as large as this.
     */
    claims?: {
      name: string
      /**
       * The claim outlives the app: it is created here, without an owner; one that the app still owns is released. Otherwise the app's hooks create it, and here it only grows.
       */
      keep: boolean
      size: string
      accessModes: string[]
      storageClassName?: string
      labels?: {
        [k: string]: string
      }
    }[]
  }
  /**
   * Rollout of an OnDelete StatefulSet.
   */
  rollout?: {
    /**
     * The StatefulSet this is about.
     */
    statefulSet: {
      name: string
      uid: string
    }
    /**
     * Pods of the whole set that may be unavailable at once, those counted that are down for other reasons. Fixed from the start of a rollout to its end or the next template.
     */
    maxUnavailable: number
    /**
     * Time between the detection of a new revision and its rollout, for countdown lines.
     */
    delaySeconds: number
    /**
     * Time that a batch has to become available before the rollout counts as stalled; 0 is for ever.
     */
    readyTimeoutSeconds: number
    /**
     * Grace period of deletions; absent leaves each pod its own.
     */
    gracePeriodSeconds?: number
    /**
     * Whether pods are evicted, so that PodDisruptionBudgets count, instead of deleted.
     */
    useEviction: boolean
    /**
     * Whether the user has paused the rollout. There is no batch then.
     */
    paused: boolean
    /**
     * Value of the label rollout-group; absent for a set without group.
     */
    group?: string
    /**
     * Pods that may be deleted, as far as they are not of the target revision and the budget allows it at that moment. Absent when nothing may be deleted.
     */
    batch?: {
      /**
       * Tells this batch from every other one of the set.
       */
      id: string
      targetRevision: string
      /**
       * Ordinals of the pods, ascending.
       */
      ordinals: number[]
    }
    /**
     * What the user should know and no annotation says; each becomes one Event on the set.
     *
     * @maxItems 64
     */
    warnings?: {
      reason: string
      message: string
    }[]
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
  /**
   * Facts about the pods of a StatefulSet; what follows from them is decided by the hooks.
   */
  rollout?: {
    /**
     * uid of the StatefulSet the report is about; a report about another uid is ignored.
     */
    setUid: string
    /**
     * metadata.generation of the StatefulSet when the pods were listed.
     */
    specGeneration?: number
    /**
     * All pods that the set controls, from a complete list. Absent until there was one, which is not the same as empty.
     */
    pods?: {
      uid: string
      /**
       * From the label apps.kubernetes.io/pod-index; absent if it is not there or disagrees with the name.
       */
      ordinal?: number
      /**
       * Name of the pod, of one without ordinal.
       */
      name?: string
      /**
       * Label controller-revision-hash.
       */
      revision?: string
      /**
       * Last transition of the condition Ready, while it is True.
       */
      readySince?: string
      /**
       * Whether it is being deleted.
       */
      terminating?: boolean
      /**
       * Why it is not ready, for example Running/CrashLoopBackOff.
       */
      reason?: string
    }[]
    /**
     * Pods whose deletion is announced. They count as unavailable until a complete list, made after the deletion, shows otherwise.
     */
    deleting?: {
      batchId: string
      uids: string[]
    }
    /**
     * Pods that were deleted on the way to a revision, since the rollout was planned.
     */
    deleted?: {
      targetRevision: string
      /**
       * Start of the rollout that they are counted for, Unix seconds: a set can be rolled to one revision twice.
       */
      startedAt?: number
      count: number
    }
    /**
     * Where the rollout stands, for people.
     */
    progress?: {
      /**
       * State of the rollout; paused and stalled ones are planned or rolling.
       */
      state: 'none' | 'planned' | 'rolling' | 'done' | 'paused' | 'stalled'
      /**
       * Pods of the target revision, for example 6/16.
       */
      updated?: string
      /**
       * Available pods, for example 14/16; absent while nothing is planned or rolled out.
       */
      available?: string
      /**
       * For example upper_range 4/8 [14, 15].
       */
      batch?: string
    }
    /**
     * The rollout group, for a set with the label rollout-group.
     */
    group?: {
      /**
       * The label's value that this is about.
       */
      name: string
      /**
       * Name of a member that is rolling or has unavailable pods; absent when the way is free.
       */
      blockedBy?: string
    }
    /**
     * How far Events have told the rollout, so that none is lost and none is told twice. It stays the same from one batch to the next.
     */
    announced?: {
      state: 'none' | 'planned' | 'rolling' | 'done'
      /**
       * When this rollout was planned, in Unix seconds; it tells one rollout from the next.
       */
      plannedAt?: number
      /**
       * Revision of a rollout that is planned or runs.
       */
      targetRevision?: string
      /**
       * Whether a rollout that is planned or runs is paused.
       */
      paused?: boolean
      /**
       * When it was last told that the rollout is stalled, in Unix seconds; absent while it is not.
       */
      stalledAt?: number
      /**
       * Whether there are pods without a certain ordinal.
       */
      missingPodIndex?: boolean
      /**
       * Warnings of the spec that are told already, by hash.
       *
       * @maxItems 64
       */
      warned?: string[]
    }
  }
  kasprApp?: {
    /**
     * uid of the KasprApp the report is about; a report about another uid is ignored.
     */
    appUid: string
    /**
     * Members that answered, of those that run, for example 2/3.
     */
    reachable?: string
    /**
     * Replicas of the StatefulSet when it was last seen, to restore them after its loss.
     */
    lastReplicas?: number
    /**
     * Which topics the members are known to consume.
     */
    subscriptions?: {
      /**
       * Hash of the topics that the last finished rebalance (or the first look) took up; the word unknown when a rebalance for other topics may or may not have taken place.
       */
      applied: string
    }
    /**
     * The rebalance that is under way or due. Times carry milliseconds, because waits are counted from them.
     */
    rebalance?: {
      /**
       * What a rebalance that is due waits for.
       */
      deferred?: string
      /**
       * Why the last signal came to nothing.
       */
      problem?: string
      /**
       * When the last automatic signal was sent, until the next may follow.
       */
      signalledAt?: string
      /**
       * Signals that came to nothing.
       */
      attempts?: {
        /**
         * Hash of the topics that the failures are about.
         */
        wanted?: string
        failures?: number
        /**
         * No automatic signal before that.
         */
        retryAt?: string
        /**
         * uid of the pod that was the leader.
         */
        leader?: string
        /**
         * How often it has refused.
         */
        refusals?: number
        /**
         * Ordinals of members that are not asked again until the others have been.
         */
        passed?: number[]
      }
      /**
       * The signal that is under way.
       */
      signal?: {
        /**
         * About to be sent; sent or not, nobody knows; accepted, and nothing seen of it yet; the members are rebalancing.
         */
        phase: 'asking' | 'unclear' | 'accepted' | 'rebalancing'
        reason: 'subscription_change' | 'manual'
        /**
         * Ordinal of the asked member.
         */
        member: number
        podUID: string
        /**
         * When it was decided.
         */
        time: string
        /**
         * Hash of the topics that all pods were started with; they are taken up when it is done.
         */
        target?: string
        /**
         * Hashes of the uids of the pods, and of the partitions that they held then.
         */
        holdings?: {
          pods: string
          partitions: string
        }
      }
      /**
       * A request by the annotation kaspr.io/rebalance, until it and the annotation are gone.
       */
      manual?: {
        /**
         * Tried; taken by a member, the annotation is to go; over.
         */
        phase: 'serving' | 'accepted' | 'ended'
        /**
         * When it was first tried.
         */
        time: string
        tries: number
        retryAt?: string
        /**
         * The annotation is gone.
         */
        removed?: boolean
      }
    }
    /**
     * Members that are hung, and what is being done about them; absent when there is nothing to tell.
     */
    hung?: {
      /**
       * Ordinals of the members that three looks in a row have found hung.
       */
      due: number[]
      /**
       * Pods of hung members that were to be deleted in the last five minutes. Each is announced here before it is deleted.
       */
      terminations: {
        /**
         * Ordinal of the pod.
         */
        id: number
        podUID: string
        /**
         * When it was announced.
         */
        time: string
        /**
         * Withdrawn is what was found unfit at the last moment, Failed what the API server refused; both are tried again while the member hangs.
         */
        state: 'Announced' | 'Terminated' | 'Withdrawn' | 'Failed' | 'DryRun'
        /**
         * Why it was withdrawn or failed.
         */
        message?: string
      }[]
    }
    /**
     * How far the growing of the data claims has come; absent when there is nothing to grow.
     */
    storage?: {
      /**
       * Size in the claim template of the StatefulSet.
       */
      from: string
      /**
       * Size that the claims grow to.
       */
      size: string
      /**
       * Growing while claims are made larger, then Replacing: the StatefulSet is deleted without its pods and made again with the larger template.
       */
      phase: 'Growing' | 'Replacing'
      /**
       * What it waits for.
       */
      problem?: {
        reason: string
        message: string
      }
    }
    /**
     * What keeps the poller from doing what it is asked for; empty or absent when nothing does.
     */
    problems?: {
      /**
       * What it is about.
       */
      of: 'Claims' | 'Members'
      reason: string
      message: string
    }[]
    /**
     * Warnings of the spec that are told already, by hash.
     */
    warned?: string[]
    /**
     * The install container of one pod: of one that installs the wanted set, if there is such a pod.
     */
    packages?: {
      /**
       * Name of the pod.
       */
      pod: string
      /**
       * Option --set of the container: which set it installs.
       */
      set?: string
      state: 'waiting' | 'running' | 'terminated'
      /**
       * Why it waits.
       */
      reason?: string
      exitCode?: number
      /**
       * Its last termination message: after a success, JSON that says when, how long and where it was installed. While it waits, without one, why.
       */
      message?: string
    }
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
      /**
       * While it is rebalancing, or was when it was last heard of: when rebalancing, recovering or the pod last changed.
       */
      rebalancingSince?: string
      /**
       * Looks in a row that found it hung; with three its pod is to be deleted.
       */
      hungStrikes?: number
      /**
       * When the last of them was counted.
       */
      lastStrikeTime?: string
    }[]
  }
}

/** Schema of Observation.status as the API server enforces it, CEL rules apart. */
export const observationStatusSchema: object = {
  type: 'object',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64' },
    lastObservedTime: { type: 'string', format: 'date-time' },
    conditions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'status', 'reason', 'message', 'lastTransitionTime', 'observedGeneration'],
        properties: {
          type: { type: 'string', minLength: 1 },
          status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
          reason: { type: 'string', minLength: 1 },
          message: { type: 'string' },
          lastTransitionTime: { type: 'string', format: 'date-time' },
          observedGeneration: { type: 'integer', format: 'int64' },
        },
      },
    },
    rollout: {
      type: 'object',
      required: ['setUid'],
      properties: {
        setUid: { type: 'string', minLength: 1 },
        specGeneration: { type: 'integer', format: 'int64' },
        pods: {
          type: 'array',
          items: {
            type: 'object',
            required: ['uid'],
            properties: {
              uid: { type: 'string', minLength: 1 },
              ordinal: { type: 'integer', format: 'int32', minimum: 0 },
              name: { type: 'string' },
              revision: { type: 'string' },
              readySince: { type: 'string', format: 'date-time' },
              terminating: { type: 'boolean' },
              reason: { type: 'string', maxLength: 128 },
            },
          },
        },
        deleting: {
          type: 'object',
          required: ['batchId', 'uids'],
          properties: {
            batchId: { type: 'string', minLength: 1 },
            uids: { type: 'array', items: { type: 'string', minLength: 1 } },
          },
        },
        deleted: {
          type: 'object',
          required: ['targetRevision', 'count'],
          properties: {
            targetRevision: { type: 'string', minLength: 1 },
            startedAt: { type: 'integer', format: 'int64' },
            count: { type: 'integer', format: 'int32', minimum: 0 },
          },
        },
        progress: {
          type: 'object',
          required: ['state'],
          properties: {
            state: { type: 'string', enum: ['none', 'planned', 'rolling', 'done', 'paused', 'stalled'] },
            updated: { type: 'string' },
            available: { type: 'string' },
            batch: { type: 'string', maxLength: 128 },
          },
        },
        group: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string', minLength: 1 }, blockedBy: { type: 'string', maxLength: 253 } },
        },
        announced: {
          type: 'object',
          required: ['state'],
          properties: {
            state: { type: 'string', enum: ['none', 'planned', 'rolling', 'done'] },
            plannedAt: { type: 'integer', format: 'int64', minimum: 0 },
            targetRevision: { type: 'string', maxLength: 253 },
            paused: { type: 'boolean' },
            stalledAt: { type: 'integer', format: 'int64', minimum: 0 },
            missingPodIndex: { type: 'boolean' },
            warned: { type: 'array', maxItems: 64, items: { type: 'string', maxLength: 16 } },
          },
        },
      },
    },
    kasprApp: {
      type: 'object',
      required: ['appUid', 'members'],
      properties: {
        appUid: { type: 'string' },
        reachable: { type: 'string' },
        lastReplicas: { type: 'integer', format: 'int32', minimum: 0 },
        subscriptions: { type: 'object', required: ['applied'], properties: { applied: { type: 'string' } } },
        rebalance: {
          type: 'object',
          properties: {
            deferred: { type: 'string' },
            problem: { type: 'string' },
            signalledAt: { type: 'string', format: 'date-time' },
            attempts: {
              type: 'object',
              properties: {
                wanted: { type: 'string' },
                failures: { type: 'integer', format: 'int32', minimum: 1 },
                retryAt: { type: 'string', format: 'date-time' },
                leader: { type: 'string' },
                refusals: { type: 'integer', format: 'int32', minimum: 1 },
                passed: { type: 'array', items: { type: 'integer', format: 'int32' } },
              },
            },
            signal: {
              type: 'object',
              required: ['phase', 'reason', 'member', 'podUID', 'time'],
              properties: {
                phase: { type: 'string', enum: ['asking', 'unclear', 'accepted', 'rebalancing'] },
                reason: { type: 'string', enum: ['subscription_change', 'manual'] },
                member: { type: 'integer', format: 'int32', minimum: 0 },
                podUID: { type: 'string' },
                time: { type: 'string', format: 'date-time' },
                target: { type: 'string' },
                holdings: {
                  type: 'object',
                  required: ['pods', 'partitions'],
                  properties: { pods: { type: 'string' }, partitions: { type: 'string' } },
                },
              },
            },
            manual: {
              type: 'object',
              required: ['phase', 'time', 'tries'],
              properties: {
                phase: { type: 'string', enum: ['serving', 'accepted', 'ended'] },
                time: { type: 'string', format: 'date-time' },
                tries: { type: 'integer', format: 'int32', minimum: 0 },
                retryAt: { type: 'string', format: 'date-time' },
                removed: { type: 'boolean' },
              },
            },
          },
        },
        hung: {
          type: 'object',
          required: ['due', 'terminations'],
          properties: {
            due: { type: 'array', items: { type: 'integer', format: 'int32', minimum: 0 } },
            terminations: {
              type: 'array',
              items: {
                type: 'object',
                required: ['id', 'podUID', 'time', 'state'],
                properties: {
                  id: { type: 'integer', format: 'int32', minimum: 0 },
                  podUID: { type: 'string', minLength: 1 },
                  time: { type: 'string', format: 'date-time' },
                  state: { type: 'string', enum: ['Announced', 'Terminated', 'Withdrawn', 'Failed', 'DryRun'] },
                  message: { type: 'string' },
                },
              },
            },
          },
        },
        storage: {
          type: 'object',
          required: ['from', 'size', 'phase'],
          properties: {
            from: { type: 'string' },
            size: { type: 'string' },
            phase: { type: 'string', enum: ['Growing', 'Replacing'] },
            problem: {
              type: 'object',
              required: ['reason', 'message'],
              properties: { reason: { type: 'string', minLength: 1 }, message: { type: 'string' } },
            },
          },
        },
        problems: {
          type: 'array',
          items: {
            type: 'object',
            required: ['of', 'reason', 'message'],
            properties: {
              of: { type: 'string', enum: ['Claims', 'Members'] },
              reason: { type: 'string', minLength: 1 },
              message: { type: 'string' },
            },
          },
        },
        warned: { type: 'array', items: { type: 'string' } },
        packages: {
          type: 'object',
          required: ['pod', 'state'],
          properties: {
            pod: { type: 'string', minLength: 1 },
            set: { type: 'string' },
            state: { type: 'string', enum: ['waiting', 'running', 'terminated'] },
            reason: { type: 'string' },
            exitCode: { type: 'integer', format: 'int32' },
            message: { type: 'string' },
          },
        },
        members: {
          type: 'array',
          items: {
            type: 'object',
            required: ['id', 'podUID', 'reachable'],
            properties: {
              id: { type: 'integer', format: 'int32', minimum: 0 },
              podUID: { type: 'string' },
              podCreationTime: { type: 'string', format: 'date-time' },
              reachable: { type: 'boolean' },
              leader: { type: 'boolean', nullable: true },
              rebalancing: { type: 'boolean', nullable: true },
              recovering: { type: 'boolean', nullable: true },
              lastKnown: {
                type: 'object',
                required: ['leader', 'rebalancing', 'recovering'],
                properties: {
                  leader: { type: 'boolean' },
                  rebalancing: { type: 'boolean' },
                  recovering: { type: 'boolean' },
                },
              },
              lastTransitionTime: { type: 'string', format: 'date-time' },
              rebalancingSince: { type: 'string', format: 'date-time' },
              hungStrikes: { type: 'integer', format: 'int32', minimum: 1, maximum: 3 },
              lastStrikeTime: { type: 'string', format: 'date-time' },
            },
          },
        },
      },
    },
  },
}
