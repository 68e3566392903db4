import type { ObjectEvent } from '../kube/events.ts'
import type { Flags } from './members.ts'
import type { KasprAppReport } from './part.ts'
import type { SignalResult } from './signal.ts'

/** `status.kasprApp.rebalance` of an Observation. */
export type RebalanceState = NonNullable<KasprAppReport['rebalance']>
/** A signal under way; an app has one at most. */
export type Signal = NonNullable<RebalanceState['signal']>

/** One running member in a look. */
export interface Peer {
  id: number
  podUID: string
  /** Milliseconds since 1970. */
  createdAt: number
  /** What it answered in this look; undefined if it did not. */
  said: Flags | undefined
}

/** What a look sees of an app, as far as rebalances depend on it. */
export interface Facts {
  /** Milliseconds since 1970. */
  now: number
  /** Hash of the topics that the members should consume; undefined where no rebalance is ever due. */
  wanted: string | undefined
  /** Whether the spec of the app can be read; if not, what is wanted is not known. */
  readable: boolean
  /** Members are polled. */
  polled: boolean
  /** A rebalance may be asked for when topics have changed. */
  automatic: boolean
  /** The app carries the annotation that asks for a rebalance, as far as the hooks know. */
  manual: boolean
  /** Running members by ordinal. */
  members: Peer[]
  /** Why the StatefulSet is not settled: with as many members as the app wants, and as many as the set itself wants. */
  unsettled: string[]
  unsettledItself: string[]
  /** Ordinals of the pods that were not started with the wanted topics. */
  stale: number[]
  /** Hash of the topics that all pods were started with; undefined if they differ. */
  carried: string | undefined
  /** Hash of the topics that the oldest running pod was started with. */
  oldest: string | undefined
  /** What the members hold; undefined unless all told, and rest. */
  holdings: () => Signal['holdings']
}

/** What came of acts, and is in no report yet. */
export interface Outcomes {
  /** Whether a rebalance was pending for the parent when it was first seen. */
  inherited?: boolean
  /** Of the signal of that time. `held`: not sent after all; `gone`: nor will it be, the annotation is not there. */
  signal?: { time: string; outcome: SignalResult | { result: 'held'; why: string } | { result: 'gone' } }
  /** Time of the request whose annotation is not there, or is another one by now. */
  removed?: string
  /** After a failure: when to turn to the API server again, milliseconds since 1970. */
  pausedUntil?: number
}

/** Times in milliseconds. */
export interface RebalanceLimits {
  /** In which something must be seen of a rebalance that was accepted. */
  confirmMs: number
  /** Between automatic signals. */
  minIntervalMs: number
  /** First pause after a signal that came to nothing. */
  backoffMs: number
}

/** What is to be done once the report is written. */
export type Step = { do: 'readParent' } | { do: 'signal'; signal: Signal } | { do: 'removeAnnotation' }

export interface Decision {
  /** For `subscriptions.applied`. */
  applied: string | undefined
  state: RebalanceState
  events: Pick<ObjectEvent, 'type' | 'reason' | 'message'>[]
  steps: Step[]
  /** A signal came to its end: for sensors. */
  finished?: { signal: Signal; success: boolean; accepted: boolean }
  /** Milliseconds to the next look, at the latest. */
  againMs: number
}

/** A decision in the making. */
export interface Draft extends Decision {
  facts: Facts
  outcomes: Outcomes
  limits: RebalanceLimits
  /** Takes one from what all apps may do together; false if there is none. */
  take: () => boolean
}

/** What nothing that is wanted is equal to: a rebalance for other topics may or may not have taken place. */
export const unknown = 'unknown'

/** Takes the step now, or when the pause after a failure is over. */
export function turnToApi(draft: Draft, step: Step): void {
  const waitMs = (draft.outcomes.pausedUntil ?? 0) - draft.facts.now
  if (waitMs <= 0) draft.steps.push(step)
  else draft.againMs = Math.min(draft.againMs, waitMs)
}

/** Members whose state is not known: they may be rebalancing. */
export function silentMembers({ members, polled }: Facts): string[] {
  const silent = members.filter(({ said }) => said === undefined)
  return polled && silent.length > 0 ? [`members that do not answer: ${ids(silent)}`] : []
}

/** Why the members cannot be asked as they are now. */
export function restlessMembers({ members, polled }: Facts): string[] {
  if (!polled) return []
  const restless = members.filter(({ said }) => said?.rebalancing === true)
  if (restless.length > 0) return [`members that are rebalancing: ${ids(restless)}`]
  return members.some(({ said }) => said?.leader === true) ? [] : ['no leader is known']
}

function ids(members: readonly Peer[]): string {
  return members.map(({ id }) => id).join(', ')
}

/** Writes the intent to ask the next member: the leader, then the others in order of their numbers, then from the start. */
export function ask(draft: Draft, reason: Signal['reason']): void {
  const { state, facts } = draft
  const leader = facts.members.find(({ said }) => said?.leader === true)
  if (leader === undefined) return
  if (state.attempts?.leader !== leader.podUID) {
    const { passed: _, refusals: __, ...attempts } = state.attempts ?? {}
    state.attempts = { ...attempts, leader: leader.podUID }
  }
  const others = facts.members.filter((member) => member !== leader && member.said !== undefined)
  const { passed = [] } = state.attempts
  let member = [leader, ...others].find(({ id }) => !passed.includes(id))
  if (member === undefined) {
    delete state.attempts.passed
    member = leader
  }
  const { carried, now } = facts
  const holdings = facts.holdings()
  const signal: Signal = {
    phase: 'asking',
    reason,
    member: member.id,
    podUID: member.podUID,
    time: stamp(now),
    ...(carried !== undefined && { target: carried }),
    ...(holdings !== undefined && { holdings }),
  }
  state.signal = signal
  draft.steps.push({ do: 'signal', signal })
}

/** The namespace and the app are added where they are known. */
export function failure(problem: string): Decision['events'][number] {
  return { type: 'Warning', reason: 'RebalanceRequestFailed', message: problem }
}

/** With milliseconds, because waits are counted from it. */
export function stamp(now: number): string {
  return new Date(now).toISOString()
}
