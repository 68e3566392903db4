import { isDeepStrictEqual } from 'node:util'
import type { BaseLogger } from 'pino'
import type { Condition, KubeObject } from '../webhooks/contract/types.ts'
import type { Clock } from './clock.ts'
import { ApiError } from './kube/client.ts'
import type { KubeClient } from './kube/client.ts'
import type { ObjectEvent } from './kube/events.ts'
import { Informer } from './kube/informer.ts'
import type { StoreEvent } from './kube/store.ts'
import { trimMetadata } from './kube/trim.ts'
import { observationPath, observationsPath, timestamp } from './observation.ts'
import type { Observation, ObservationStatus } from './observation.ts'
import { WorkQueue } from './queue.ts'
import type { QueueOptions } from './queue.ts'
import { shardLabel } from '../webhooks/contract/shard.ts'
import { shardSelector } from './shards.ts'

/** What a reporter saw, complete: it replaces the last report. Without anything that changes in an unchanged world. */
export interface Report {
  report: object
  /** Of type `Reporting`. */
  condition: Pick<Condition, 'status' | 'reason' | 'message'>
  /** Conditions of other types, always the same ones in the same order. */
  conditions?: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>[]
  /** What is new need not be written yet: the last report stays as it is. */
  isWithheld?: boolean
  /** Milliseconds until the next look. */
  againMs: number
  /** Recorded once the report is written, so that a lost write repeats none. */
  events?: ObjectEvent[]
  /**
   * Effects on the outside, one after the other, once the report that announces them is written: a crash in between is seen
   * by the next look. What came of them is told by that look, which follows soon.
   */
  acts?: Act[]
  /**
   * Why something could not be looked at. What is told is written and done; then the look counts as failed, and is repeated
   * after a back-off.
   */
  failure?: Error
}

/** Does one thing that cannot be taken back. It looks again just before, bounds its time, and does not throw. */
export type Act = (signal: AbortSignal) => Promise<void>

/** Looks at the outside world for one kind of Observation. */
export interface Reporter {
  /** The member of spec it reads, and of status it fills. */
  readonly member: string
  /** Least time between two looks at one Observation, milliseconds; default: that of the queue. */
  readonly minIntervalMs?: number
  /** Indexes under which `wake` finds Observations of this kind. */
  readonly index: Record<string, (observation: Observation) => string[]>
  /**
   * Looks and tells; `now` is the time for what is written.
   * Throws only if nothing can be told: then nothing is written, and the look is repeated after a back-off.
   */
  report: (observation: Observation, now: Date, signal: AbortSignal) => Promise<Report>
  /** The Observation is gone, or now somebody else's. */
  forget: (observation: Observation) => void
}

export interface ControllerOptions {
  client: KubeClient
  clock: Clock
  reporters: Reporter[]
  mayAct: (shard: number) => boolean
  record: (event: ObjectEvent) => void
  queue: Omit<QueueOptions, 'run' | 'clock'>
  logger?: BaseLogger
  onWrite?: (result: 'written' | 'conflict' | 'failed') => void
}

/** Pause between first looks, so that a start with thousands of Observations is no stampede (10,000 take 30 s). */
const firstLookSpacingMs = 3
/** Next try while another replica may still act on the shard. */
const notOursMs = 2_000
/** Next look after acts: soon, but an act that changes nothing must not keep the poller and the members busy. */
const afterActsMs = 250

/** Observations in, reports out: one look per Observation at a time, a write only when something changed. */
export class Controller {
  readonly observations: Informer<Observation>
  readonly queue: WorkQueue
  readonly #options: ControllerOptions
  readonly #reporters: Map<string, Reporter>
  #nextFirstLook = 0

  constructor(options: ControllerOptions) {
    this.#options = options
    this.#reporters = new Map(options.reporters.map((reporter) => [reporter.member, reporter]))
    this.observations = new Informer<Observation>({
      client: options.client,
      path: observationsPath,
      labelSelector: shardSelector([]),
      trim,
      index: Object.assign({}, ...options.reporters.map(({ index }) => index)) as Reporter['index'],
      onEvent: (event) => this.#onEvent(event),
      ...(options.logger && { logger: options.logger }),
    })
    this.queue = new WorkQueue({
      ...options.queue,
      minIntervalOf: (key) => this.#minIntervalMs(key),
      clock: options.clock,
      run: (key, signal) => this.#look(key, signal),
    })
  }

  /** Watches exactly the Observations of these shards from now on. */
  select(shards: readonly number[]): void {
    this.observations.select(shardSelector(shards))
  }

  /** Something changed for the Observations that the index files under the key: look soon. */
  wake(index: string, key: string): void {
    for (const observation of this.observations.indexed(index, key)) this.queue.add(keyOf(observation))
  }

  #onEvent({ type, object, old }: StoreEvent<Observation>): void {
    if (type === 'deleted') {
      this.queue.forget(keyOf(object))
      this.#reporterOf(object)?.forget(object)
    } else if (type === 'added') {
      const now = this.#options.clock.now()
      this.#nextFirstLook = Math.max(now, this.#nextFirstLook) + firstLookSpacingMs
      this.queue.add(keyOf(object), this.#nextFirstLook - firstLookSpacingMs - now)
    } else if (object.metadata.generation !== old?.metadata.generation) {
      // Changes of status are our own.
      this.queue.add(keyOf(object))
    }
  }

  #minIntervalMs(key: string): number | undefined {
    const observation = this.#observationOf(key)
    return observation && this.#reporterOf(observation)?.minIntervalMs
  }

  #observationOf(key: string): Observation | undefined {
    const [namespace, name = ''] = key.split('/')
    return this.observations.get(namespace, name)
  }

  #reporterOf(observation: Observation): Reporter | undefined {
    const [member] = Object.keys(observation.spec)
    return member === undefined ? undefined : this.#reporters.get(member)
  }

  /** One run of the queue; gives the time until the next. */
  async #look(key: string, signal: AbortSignal): Promise<number | undefined> {
    const observation = this.#observationOf(key)
    if (observation === undefined) return undefined
    if (!this.#isOurs(observation)) return notOursMs
    const reporter = this.#reporterOf(observation)
    const now = this.#options.clock.date()
    if (reporter === undefined) {
      const message = `This version cannot observe: ${Object.keys(observation.spec).join()}`
      const condition = { status: 'False', reason: 'Unsupported', message } as const
      await this.#write(observation, nextStatus(observation, undefined, { report: {}, condition }, now))
      return undefined
    }
    const report = await reporter.report(observation, now, signal)
    const status =
      report.isWithheld === true ? observation.status : nextStatus(observation, reporter.member, report, now)
    if (status !== undefined && status !== observation.status) {
      // The look took its time, and the shard may have gone to somebody else.
      if (!this.#isOurs(observation)) return notOursMs
      const result = await this.#write(observation, status)
      if (result === 'conflict') return 0
      // Nothing is announced, so nothing may be done. The watch will tell.
      if (result === 'gone') return report.againMs
    }
    for (const event of report.events ?? []) this.#options.record(event)
    const acted = await this.#act(observation, report.acts ?? [], signal)
    if (report.failure !== undefined) throw report.failure
    return acted ? Math.min(afterActsMs, report.againMs) : report.againMs
  }

  /** Whether anything was done. */
  async #act(observation: Observation, acts: Act[], signal: AbortSignal): Promise<boolean> {
    let acted = false
    for (const act of acts) {
      signal.throwIfAborted()
      if (!this.#isOurs(observation)) break
      await act(signal)
      acted = true
    }
    return acted
  }

  #isOurs({ metadata }: Observation): boolean {
    return this.#options.mayAct(Number(metadata.labels?.[shardLabel] ?? NaN))
  }

  /** Replaces the status of the version that was looked at. After a conflict, the Observation is read anew. */
  async #write(observation: Observation, status: ObservationStatus): Promise<'written' | 'conflict' | 'gone'> {
    const { client, onWrite } = this.#options
    const { namespace = '', name, uid, resourceVersion } = observation.metadata
    const path = observationPath(namespace, name)
    try {
      const body = { ...observation, metadata: { namespace, name, uid, resourceVersion }, status }
      const written = await client.request<Observation>({ method: 'PUT', path: `${path}/status`, body })
      onWrite?.('written')
      this.observations.adopt(written, resourceVersion)
      return 'written'
    } catch (error) {
      const isConflict = error instanceof ApiError && error.status === 409
      onWrite?.(isConflict ? 'conflict' : 'failed')
      if (error instanceof ApiError && error.status === 404) return 'gone'
      if (!isConflict) throw error
      this.observations.adopt(await client.request<Observation>({ path }), resourceVersion)
      return 'conflict'
    }
  }
}

/**
 * The status after a report; the observed one itself if that says the same already. `lastObservedTime` moves only with
 * a change, `lastTransitionTime` only with the condition's status.
 */
export function nextStatus(
  observation: Observation,
  member: string | undefined,
  { report, condition, conditions = [] }: Pick<Report, 'report' | 'condition' | 'conditions'>,
  now: Date,
): ObservationStatus {
  const observed = observation.status ?? {}
  const observedGeneration = observation.metadata.generation ?? 0
  const next: ObservationStatus = {
    observedGeneration,
    conditions: [{ type: 'Reporting', ...condition }, ...conditions].map((said) => {
      const last = observed.conditions?.find(({ type }) => type === said.type)
      const lastTransitionTime = last?.status === said.status ? last.lastTransitionTime : timestamp(now)
      return { ...said, lastTransitionTime, observedGeneration }
    }),
    ...(member !== undefined && { [member]: report }),
  }
  const { lastObservedTime, ...rest } = observed
  if (lastObservedTime !== undefined && isDeepStrictEqual(rest, next)) return observed
  return { ...next, lastObservedTime: timestamp(now) }
}

/** Only what is used stays in memory. */
function trim(object: KubeObject): Observation {
  const { apiVersion, kind, metadata, spec, status } = object as Observation
  return {
    apiVersion,
    kind,
    metadata: trimMetadata(metadata, [shardLabel]),
    spec,
    ...(status !== undefined && { status }),
  }
}

function keyOf({ metadata }: Observation): string {
  return `${metadata.namespace}/${metadata.name}`
}
