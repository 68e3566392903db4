import type { BaseLogger } from 'pino'
import { sameJson } from '../../webhooks/contract/objects.ts'
import { shardLabel } from '../../webhooks/contract/shard.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { type EnrolmentSettings, enrolled, isSingleTarget } from '../../webhooks/rollout/enrolled.ts'
import { setRule } from '../../webhooks/rollout/names.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import { type ReportedPod, type RolloutReport, podFacts } from '../../webhooks/rollout/pods.ts'
import { readRecord } from '../../webhooks/rollout/record.ts'
import { readSet } from '../../webhooks/rollout/stateful-set.ts'
import type { Clock } from '../clock.ts'
import type { Act, Report, Reporter } from '../controller.ts'
import type { ObjectEvent } from '../kube/events.ts'
import { Informer } from '../kube/informer.ts'
import type { KubeClient } from '../kube/client.ts'
import { read } from '../kube/read.ts'
import { selectorText } from '../kube/selector.ts'
import type { StoreEvent } from '../kube/store.ts'
import { FairLimit } from '../limit.ts'
import type { Observation } from '../observation.ts'
import { announce } from './announcements.ts'
import { type Failure, deletePods } from './deletion.ts'
import { groupOf, isBusy } from './groups.ts'
import { Leftovers } from './leftovers.ts'
import type { RolloutMetrics } from './metrics.ts'
import type { Milestone } from './milestone.ts'
import { milestones } from './milestones.ts'
import type { Moment } from './moment.ts'
import { type Facts, permission } from './permission.ts'
import { type RolloutPod, podSelector, trimPod } from './pods.ts'
import { conditions, progress } from './progress.ts'
import { factsReport, urgency } from './report.ts'
import { sameSet, trimSet } from './stateful-sets.ts'

export interface RolloutsOptions {
  client: KubeClient
  clock: Clock
  settings: EnrolmentSettings
  /** Has the Observations that the index files under the key looked at soon. */
  wake: (index: string, key: string) => void
  /** Whether this replica may act on the shard at this moment. */
  mayAct: (shard: number) => boolean
  /** Longest time between two looks. */
  intervalMs: number
  /** For each request of a deletion. */
  timeoutMs: number
  dryRun: boolean
  /** Takes milestones, for the log. */
  log: (milestone: Milestone) => void
  /** Seconds between two lines of the countdown. */
  countdownSeconds: number
  metrics: Pick<RolloutMetrics, 'observe' | 'onPodsDeleted' | 'forget'>
  logger?: BaseLogger
}

/** Facts that no decision hangs on are written so often, and only during a rollout. */
const throttleMs = 5_000
/** Pause after a deletion that came to nothing; doubled each time. */
const firstPauseMs = 1_000
const longestPauseMs = 60_000
/** Sets whose pods are deleted at once by this replica. */
export const setsAtOnce = 16

const bySet = 'rolloutSet'
const byGroup = 'rolloutGroup'
const byOwner = 'owner'

/** What is kept in memory for an Observation. All that matters is in the report. */
interface Memory {
  /** The last look, for what is logged and measured. */
  moment?: Moment
  /** What the last attempt to delete came to, if to nothing, and when the next one is due. */
  failure?: { batchId: string; reason: string; pauseMs: number; until: number }
}

/** Watches the pods of enrolled StatefulSets, and deletes those that the hooks have named. */
export class Rollouts implements Reporter {
  readonly member = 'rollout'
  /** Each change of a pod may free the next batch, and a look without news costs nothing. */
  readonly minIntervalMs = 50
  readonly index = {
    [bySet]: (observation: Observation): string[] => keysOf(observation, ({ statefulSet }) => statefulSet.name),
    [byGroup]: (observation: Observation): string[] => keysOf(observation, ({ group }) => group),
  }
  readonly pods: Informer<RolloutPod>
  readonly sets: Informer
  readonly #options: RolloutsOptions
  readonly #memories = new Map<string, Memory>()
  #isSynced = false
  readonly #leftovers: Leftovers
  readonly #limit = new FairLimit(setsAtOnce, setsAtOnce)

  constructor(options: RolloutsOptions) {
    this.#options = options
    this.#leftovers = new Leftovers(options)
    const { client, logger, settings, wake } = options
    const common = { client, ...(logger && { logger }) }
    const namespace = isSingleTarget(settings) ? `/namespaces/${settings.RO_TARGET_NAMESPACE?.trim()}` : ''
    this.pods = new Informer<RolloutPod>({
      ...common,
      path: `/api/v1${namespace}/pods`,
      labelSelector: podSelector,
      trim: trimPod,
      index: { [byOwner]: ({ owner }) => (owner === undefined ? [] : [owner.uid]) },
      onEvent: ({ object: { metadata, owner, fact }, old }) => {
        if (owner === undefined || (old !== undefined && sameJson(old.fact, fact))) return
        wake(bySet, `${metadata.namespace}/${owner.name}`)
      },
    })
    this.sets = new Informer({
      ...common,
      path: `/apis/apps/v1${namespace}/statefulsets`,
      trim: trimSet,
      index: { [byGroup]: groupKeys },
      onEvent: (event) => this.#onSet(event),
    })
  }

  /** Watches that run only once there is something to roll out: clusters without rollouts pay nothing for them. */
  watches(): [resource: string, watch: Informer<RolloutPod> | Informer][] {
    return [
      ['rollout_pods', this.pods],
      ['rollout_statefulsets', this.sets],
    ]
  }

  forget(observation: Observation): void {
    const { namespace = '', uid = '' } = observation.metadata
    this.#memories.delete(uid)
    this.#leftovers.forget(uid)
    this.#options.metrics.forget(namespace, orderOf(observation).statefulSet.name)
  }

  async report(observation: Observation, now: Date, signal: AbortSignal): Promise<Report> {
    await this.#synced(signal)
    const order = orderOf(observation)
    const { namespace = '' } = observation.metadata
    const set = this.sets.get(namespace, order.statefulSet.name)
    if (set?.metadata.uid !== order.statefulSet.uid || !enrolled(set, this.#options.settings)) {
      return { ...nothing, ...this.#leftovers.due(observation, order, now) }
    }
    // Between a change of the template and the answer of the StatefulSet controller nothing can be judged.
    if (set.metadata.deletionTimestamp !== undefined || readSet(set).target === undefined) {
      return { ...nothing, againMs: this.#options.intervalMs }
    }
    return this.#reportOf(observation, order, set, now, signal)
  }

  async #reportOf(
    observation: Observation,
    order: RolloutOrder,
    set: KubeObject,
    now: Date,
    signal: AbortSignal,
  ): Promise<Report> {
    const { namespace = '' } = observation.metadata
    const { intervalMs } = this.#options
    const seconds = Math.floor(now.getTime() / 1000)
    const last = observation.status?.['rollout'] as RolloutReport | undefined
    const previous = last?.setUid === set.metadata.uid ? last : undefined
    const seen = { set, pods: this.#podsOf(set), others: this.#others(set) }
    const { announced, problem, pauseMs } = this.#plan(observation, order, seen, seconds)
    const unclear = (previous?.deleting?.uids ?? []).filter((podUID) => !announced.includes(podUID))
    const pods = await this.#clarified(namespace, order, seen.pods, unclear, signal)

    const facts = factsReport({ ...seen, pods, order, previous, announced })
    const moment = momentOf(namespace, set, order, pods, seconds)
    const telling = announce(previous?.announced, moment)
    const againMs = Math.min(intervalMs, pauseMs, secondsMs(telling.againSeconds), this.#tell(observation, moment))
    const report: RolloutReport = { ...facts, progress: progress(moment), announced: telling.announced }
    const said = conditions(moment, facts.group?.blockedBy, problem)
    const dueMs = this.#dueMs(observation, now, urgency(set, order, previous, report, seconds), said)
    if (dueMs > 0 && announced.length === 0) return { ...nothing, againMs: Math.min(againMs, dueMs) }
    const target = { ...setRule, namespace, name: order.statefulSet.name, uid: order.statefulSet.uid }
    const events: ObjectEvent[] = telling.events.map((event) => ({ ...event, target }))
    const acts = this.#deletions(observation, order, selectorText(set), announced)
    return { report, condition: watching, conditions: said, againMs, events, acts }
  }

  /** Logs and measures what has happened since the last look; gives milliseconds until the next line of the countdown. */
  #tell({ metadata: { uid = '' } }: Observation, moment: Moment): number {
    const { metrics, log, countdownSeconds } = this.#options
    const memory = this.#memoryOf(uid)
    const { records, againSeconds } = milestones(memory.moment, moment, { countdownSeconds })
    for (const milestone of records) log(milestone)
    metrics.observe(memory.moment, moment)
    memory.moment = moment
    return secondsMs(againSeconds)
  }

  /** The pods to delete now, by uid; else what stands in the way, and for how long. */
  #plan(
    { metadata: { uid = '' } }: Observation,
    order: RolloutOrder,
    facts: Facts,
    seconds: number,
  ): { announced: string[]; problem: string | undefined; pauseMs: number } {
    const { dryRun, settings, clock } = this.#options
    const { failure } = this.#memoryOf(uid)
    const current = failure?.batchId === order.batch?.id ? failure : undefined
    const restMs = (current?.until ?? 0) - clock.now()
    const { ordinals } = permission(facts, order, settings, seconds)
    const isHeld = dryRun || restMs > 0
    const dry = dryRun && ordinals.length > 0 ? `Dry run: ${ordinals.join(', ')} would be deleted` : undefined
    return {
      announced: facts.pods
        .filter(({ ordinal }) => !isHeld && ordinal !== undefined && ordinals.includes(ordinal))
        .map((pod) => pod.uid),
      problem: dry ?? current?.reason,
      pauseMs: restMs > 0 ? restMs : Infinity,
    }
  }

  /** Milliseconds until the report is to be written; 0 for now. */
  #dueMs(
    observation: Observation,
    now: Date,
    urgent: ReturnType<typeof urgency>,
    told: NonNullable<Report['conditions']>,
  ): number {
    // Who waits for a condition takes none that is about an earlier generation. With a batch, its announcement says it all.
    const { metadata, status } = observation
    const hasBatch = orderOf(observation).batch !== undefined
    const isNews = told.some(({ type, status: value, reason }) => {
      const known = status?.conditions?.find((condition) => condition.type === type)
      const isCurrent = hasBatch || known?.observedGeneration === metadata.generation
      return known?.status !== value || known.reason !== reason || !isCurrent
    })
    if (isNews || urgent === 'now' || status?.lastObservedTime === undefined) return 0
    if (urgent === 'never') return Infinity
    const waited = now.getTime() - Date.parse(status.lastObservedTime)
    return Math.min(throttleMs, Math.max(0, throttleMs - waited))
  }

  /** Deletes the announced pods, as long as nothing stands in the way. */
  #deletions(observation: Observation, order: RolloutOrder, selector: string, announced: readonly string[]): Act[] {
    if (announced.length === 0) return []
    const { metrics } = this.#options
    const { namespace = '', uid = '', labels } = observation.metadata
    const shard = Number(labels?.[shardLabel] ?? NaN)
    const mayAct = (): boolean => this.#options.mayAct(shard)
    const watched = (name: string): RolloutPod | undefined => this.pods.get(namespace, name)
    const target = { namespace, order, selector, watched, podUIDs: announced, mayAct }
    const memory = this.#memoryOf(uid)
    const remove: Act = async (signal) => {
      const known = this.pods.indexed(byOwner, order.statefulSet.uid)
      const versions = new Map(known.map(({ metadata }) => [metadata.uid, metadata.resourceVersion]))
      const outcome = await this.#limit.run(uid, signal, () => deletePods(this.#options, target, signal))
      for (const pod of outcome.leaving) this.pods.adopt(pod, versions.get(pod.metadata.uid))
      metrics.onPodsDeleted(namespace, order.statefulSet.name, outcome.deleted)
      if (outcome.failure === undefined) delete memory.failure
      else this.#failed(memory, order, namespace, outcome.failure)
    }
    return [remove]
  }

  #failed(memory: Memory, { batch, statefulSet }: RolloutOrder, namespace: string, failure: Failure): void {
    const { clock, logger } = this.#options
    const batchId = batch?.id ?? ''
    const lastMs = memory.failure?.batchId === batchId ? memory.failure.pauseMs : 0
    const pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, lastMs * 2))
    memory.failure = { batchId, reason: failure.reason, pauseMs, until: clock.now() + pauseMs }
    logger?.info({ namespace, name: statefulSet.name, ...failure, pauseMs }, 'pods of a rollout were not deleted')
  }

  /**
   * The pods with what can be known about those whose deletion was announced and that are not to be deleted now. The watch may be
   * behind, so they are read.
   */
  async #clarified(
    namespace: string,
    { statefulSet }: RolloutOrder,
    pods: ReportedPod[],
    unclear: readonly string[],
    signal: AbortSignal,
  ): Promise<ReportedPod[]> {
    const { client, timeoutMs } = this.#options
    return Promise.all(
      pods.map(async (pod) => {
        if (pod.terminating === true || !unclear.includes(pod.uid)) return pod
        const path = `/api/v1/namespaces/${namespace}/pods/${pod.name ?? `${statefulSet.name}-${pod.ordinal}`}`
        const live = await read({ client, timeoutMs }, path, signal)
        return live?.metadata.uid === pod.uid ? trimPod(live).fact : { ...pod, terminating: true }
      }),
    )
  }

  /** Starts the watches with the first look at a rollout, and waits until all is known that they watch. */
  async #synced(signal: AbortSignal): Promise<void> {
    if (this.#isSynced) return
    const watches = this.watches().map(([, watch]) => watch)
    for (const watch of watches) watch.start()
    let abandon = (): void => undefined
    const stopped = new Promise<never>((_, reject) => (abandon = () => reject(signal.reason as Error)))
    signal.addEventListener('abort', abandon)
    await Promise.race([Promise.all(watches.map(({ synced }) => synced)), stopped]).finally(() =>
      signal.removeEventListener('abort', abandon),
    )
    this.#isSynced = true
  }

  /** Pods that the set controls, by ordinal. */
  #podsOf({ metadata }: KubeObject): ReportedPod[] {
    return this.pods
      .indexed(byOwner, metadata.uid ?? '')
      .map(({ fact }) => fact)
      .sort((a, b) => (a.ordinal ?? Infinity) - (b.ordinal ?? Infinity) || (a.uid < b.uid ? -1 : 1))
  }

  #others(set: KubeObject): KubeObject[] {
    return groupKeys(set).flatMap((key) => this.sets.indexed(byGroup, key))
  }

  #onSet({ type, object, old }: StoreEvent<KubeObject>): void {
    const { namespace, name } = object.metadata
    if (old === undefined || !sameSet(old, object)) this.#options.wake(bySet, `${namespace}/${name}`)
    const isNews = type !== 'modified' || old === undefined || isBusy(old) !== isBusy(object)
    if (isNews) for (const key of groupKeys(object)) this.#options.wake(byGroup, key)
  }

  #memoryOf(uid: string): Memory {
    const memory = this.#memories.get(uid) ?? {}
    this.#memories.set(uid, memory)
    return memory
  }
}

/** Nothing is to be written. */
const nothing = {
  report: {},
  condition: { status: 'True', reason: 'Watching', message: '' },
  isWithheld: true,
} as const satisfies Partial<Report>

const watching = {
  status: 'True',
  reason: 'Watching',
  message: 'The pods of the StatefulSet are watched',
} as const

function secondsMs(seconds = Infinity): number {
  return seconds * 1000
}

function momentOf(
  namespace: string,
  set: KubeObject,
  order: RolloutOrder,
  reported: readonly ReportedPod[],
  now: number,
): Moment {
  const read = readSet(set)
  const { uid: setUid, target } = read
  const { currentRevision } = (set['status'] ?? {}) as { currentRevision?: string }
  return {
    namespace,
    set: read,
    currentRevision,
    record: readRecord(set.metadata.annotations),
    order,
    reported,
    pods: target === undefined ? undefined : podFacts({ setUid }, reported, read, target, now),
    now,
  }
}

/** The API server has checked it against the schema. */
function orderOf({ spec }: Observation): RolloutOrder {
  return spec['rollout'] as RolloutOrder
}

function keysOf(observation: Observation, name: (order: RolloutOrder) => string | undefined): string[] {
  if (observation.spec['rollout'] === undefined) return []
  const key = name(orderOf(observation))
  return key === undefined ? [] : [`${observation.metadata.namespace}/${key}`]
}

function groupKeys(set: KubeObject): string[] {
  const group = groupOf(set)
  return group === undefined ? [] : [`${set.metadata.namespace}/${group}`]
}
