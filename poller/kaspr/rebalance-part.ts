import { hashOf } from '../../webhooks/contract/hash.ts'
import { isMap } from '../../webhooks/contract/objects.ts'
import type { Sensor, SensorState } from '../../webhooks/sensors/sensor.ts'
import type { Clock } from '../clock.ts'
import type { Act } from '../controller.ts'
import type { KubeClient } from '../kube/client.ts'
import { TokenBuckets } from '../kube/token-buckets.ts'
import type { AppPart, Look, PartReport } from './part.ts'
import { decide } from './rebalance.ts'
import { isPending, removeAnnotation, sendSignal } from './rebalance-acts.ts'
import type { Decision, Facts, Outcomes, RebalanceLimits, Step } from './rebalance-draft.ts'
import type { SignalOptions } from './signal.ts'
import { unsettled } from './statefulsets.ts'

export interface RebalanceOptions extends RebalanceLimits, SignalOptions {
  client: KubeClient
  clock: Clock
  /** Check everything and send no signal. */
  dryRun?: boolean
  sensor?: Pick<Sensor, 'onRebalanceTriggered' | 'onRebalanceComplete'>
}

/** Signals of all apps of this replica together: a change of everything must not shake everything at once. */
const overall = { burst: 20, everyMs: 3_000 }
/** Before the API server is turned to again after a failure. */
const apiPauseMs = 10_000

/** What is kept of an app until the next look reports it. */
interface Memory extends Outcomes {
  /** Value of the annotation that was served. */
  annotation?: string | undefined
  /** What the sensor gave at the beginning of the signal of that time. */
  sensed?: { time: string; state: SensorState }
}

/** Has the members of an app rebalance when its topics have changed, and when somebody asks for it by annotation. */
export class Rebalances implements AppPart {
  readonly fields = ['subscriptions', 'rebalance'] as const
  readonly #options: RebalanceOptions
  readonly #bucket: TokenBuckets
  /** By uid of the Observation. */
  readonly #memories = new Map<string, Memory>()

  constructor(options: RebalanceOptions) {
    this.#options = options
    this.#bucket = new TokenBuckets(overall, options.clock, 1)
  }

  forget(uid: string): void {
    this.#memories.delete(uid)
  }

  look(look: Look): PartReport {
    const uid = look.observation.metadata.uid ?? ''
    const memory = this.#memories.get(uid) ?? {}
    this.#memories.set(uid, memory)
    const before = { applied: look.previous?.subscriptions?.applied, state: look.previous?.rebalance }
    const decision = decide(before, factsOf(look), memory, this.#options, () => this.#bucket.take(''))
    const { applied, state, events, steps, againMs } = decision
    return {
      report: {
        ...(applied !== undefined && { subscriptions: { applied } }),
        ...(Object.keys(state).length > 0 && { rebalance: state }),
      },
      events: events.map((event) => ({ ...event, target: look.target, message: messageOf(event, look) })),
      againMs,
      acts: [...steps.map((step) => this.#act(step, look, decision, memory)), ...this.#sense(decision, look, memory)],
    }
  }

  #act(step: Step, look: Look, { state }: Decision, memory: Memory): Act {
    const { client } = this.#options
    switch (step.do) {
      case 'readParent':
        return this.#turningToApi(memory, async (abort) => {
          memory.inherited = await isPending(client, look, abort)
        })
      case 'removeAnnotation':
        return this.#turningToApi(memory, async (abort) => {
          await removeAnnotation(client, look, memory.annotation, abort)
          if (state.manual !== undefined) memory.removed = state.manual.time
        })
      case 'signal':
        return async (abort) => {
          const { signal } = step
          const needsAnnotation = signal.reason === 'manual' && state.manual?.phase === 'serving'
          const sent = await sendSignal(this.#options, look, { signal, needsAnnotation }, abort)
          memory.signal = { time: signal.time, outcome: sent.outcome }
          if (needsAnnotation) memory.annotation = sent.annotation
          if (sent.outcome.result !== 'accepted') return
          const event = { ...appOf(look), triggerReason: signal.reason }
          memory.sensed = { time: signal.time, state: this.#options.sensor?.onRebalanceTriggered(event) }
        }
    }
  }

  #turningToApi(memory: Memory, act: Act): Act {
    return async (abort) => {
      try {
        await act(abort)
      } catch {
        memory.pausedUntil = this.#options.clock.date().getTime() + apiPauseMs
      }
    }
  }

  /** Told once the report is written, so that a lost write tells nothing twice. */
  #sense({ finished }: Decision, look: Look, memory: Memory): Act[] {
    const { sensor, clock } = this.#options
    if (finished === undefined || sensor === undefined) return []
    const { signal, success, accepted } = finished
    const state = memory.sensed?.time === signal.time ? memory.sensed.state : undefined
    const durationSeconds = (clock.date().getTime() - Date.parse(signal.time)) / 1000
    const event = { ...appOf(look), triggerReason: signal.reason, success }
    return [
      () => {
        sensor.onRebalanceComplete({ ...event, ...(accepted && state === undefined && { durationSeconds }) }, state)
        return Promise.resolve()
      },
    ]
  }
}

function appOf({ namespace, spec }: Look): { app: string; namespace: string } {
  return { app: spec.app.name, namespace }
}

/** Failures read as kaspr-operator writes them. */
function messageOf({ reason, message }: Decision['events'][number], { namespace, spec }: Look): string {
  if (reason !== 'RebalanceRequestFailed') return message
  return `Rebalance request failed for '${spec.app.name}' in '${namespace}' namespace: ${message}`
}

function factsOf(look: Look): Facts {
  const { spec, now, running, answers, set } = look
  const pods = look.pods
    .filter(({ metadata }) => metadata.name.startsWith(`${spec.statefulSet}-`))
    .map((pod) => ({ pod, id: Number(pod.metadata.name.slice(spec.statefulSet.length + 1)) }))
    .filter(({ id }) => Number.isInteger(id))
    .sort((a, b) => a.id - b.id)
  const carried = new Set(pods.map(({ pod }) => pod.subscriptions))
  const [oldest] = pods.filter(({ pod }) => pod.running).sort((a, b) => createdAt(a.pod) - createdAt(b.pod))
  return {
    now: now.getTime(),
    wanted: spec.subscriptions,
    readable: spec.replicas !== undefined,
    polled: spec.enabled,
    automatic: spec.autoRebalance === true,
    manual: spec.manualRebalance !== undefined,
    members: running.map(({ id, uid, creationTime }) => {
      const answer = answers.get(uid)
      const said = answer?.result === 'Success' ? answer.flags : undefined
      return { id, podUID: uid, createdAt: time(creationTime), said }
    }),
    unsettled: unsettled(set, spec.replicas),
    unsettledItself: unsettled(set, undefined),
    stale: pods.filter(({ pod }) => pod.subscriptions !== spec.subscriptions).map(({ id }) => id),
    carried: carried.size === 1 ? pods[0]?.pod.subscriptions : undefined,
    oldest: oldest?.pod.subscriptions,
    holdings: () => holdingsOf(look),
  }
}

function createdAt({ metadata }: Look['pods'][number]): number {
  return time(metadata.creationTimestamp)
}

function time(text: string | undefined): number {
  return text === undefined ? 0 : Date.parse(text)
}

/** Which pods there are, and which partitions each holds, as hashes. */
function holdingsOf({ running, answers }: Look): ReturnType<Facts['holdings']> {
  const held: unknown[] = []
  for (const { uid } of running) {
    const answer = answers.get(uid)
    if (answer?.result !== 'Success' || answer.flags.rebalancing || answer.assignment === undefined) return undefined
    held.push(sorted(answer.assignment))
  }
  return { pods: hashOf(running.map(({ uid }) => uid)), partitions: hashOf(held) }
}

/** Partitions come in any order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(String).sort()
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)])) : value
}
