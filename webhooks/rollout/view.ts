import { type ObservationStatus, observationStatusSchema } from '../../crds/types/observation.ts'
import { objectNamed } from '../contract/objects.ts'
import type { DecoratorRequest, KubeObject } from '../contract/types.ts'
import { shapeCheck } from '../contract/validate.ts'
import type { HookContext } from '../hooks.ts'
import { type RolloutConfig, resolvedBudget, rolloutConfig } from './config.ts'
import { observationName, observationRule } from './names.ts'
import { type PodFacts, type RolloutReport, podFacts } from './pods.ts'
import { type RolloutRecord, readRecord } from './record.ts'
import { type RolloutSet, readSet } from './stateful-set.ts'

/** Everything that a sync of a StatefulSet decides from. */
export interface RolloutView {
  set: RolloutSet
  config: RolloutConfig
  record: RolloutRecord
  /** How many pods may be down, and how ranges are made: fixed while a rollout runs, else as configured. */
  plan: { maxUnavailable: number; halfSplit: boolean }
  /** The poller's report; absent before its first, or when it is about a set of the same name that is gone. */
  report: RolloutReport | undefined
  /** Unix seconds. */
  now: number
}

/** A view of a set whose target and pods are known. */
export interface KnownView extends RolloutView {
  target: string
  pods: PodFacts
  report: RolloutReport
}

/** Reads a request into the view. */
export function rolloutView(request: DecoratorRequest, { settings, now }: HookContext): RolloutView {
  const set = readSet(request.object)
  const config = rolloutConfig(request.object, settings)
  const record = readRecord(request.object.metadata.annotations)
  return {
    set,
    config,
    record,
    plan: planOf(set, config, record),
    report: reportOf(observationOf(request), set.uid),
    now: Math.floor(now.getTime() / 1000),
  }
}

/** The view with its pods, once target revision and a complete list of pods are known. */
export function knownView(view: RolloutView): KnownView | undefined {
  const { set, report, now } = view
  if (set.target === undefined || report?.pods === undefined) return undefined
  return { ...view, report, target: set.target, pods: podFacts(report, report.pods, set, set.target, now) }
}

/** The Observation of the set, if Metacontroller has seen it already. */
export function observationOf({ object, attachments }: DecoratorRequest): KubeObject | undefined {
  return objectNamed(attachments, observationRule, observationName(object.metadata.name))
}

/**
 * What is recorded at the start of a rollout holds until its end: a change of configuration in between is for the next
 * one. Only a percentage is resolved anew when the number of replicas has changed.
 */
function planOf(set: RolloutSet, config: RolloutConfig, record: RolloutRecord): RolloutView['plan'] {
  const maxUnavailable = resolvedBudget(config.maxUnavailable, set.replicas)
  if (record.state !== 'rolling') return { maxUnavailable, halfSplit: config.halfSplit }
  const isResized = 'percent' in config.maxUnavailable && record.replicas !== set.replicas
  return {
    maxUnavailable: isResized ? maxUnavailable : (record.maxUnavailable ?? maxUnavailable),
    halfSplit: record.halfSplit ?? config.halfSplit,
  }
}

/** The report about this very set. One of another shape, which the API server would not have stored, is none. */
function reportOf(observation: KubeObject | undefined, uid: string): RolloutReport | undefined {
  const status = observation?.['status']
  if (!isStatus(status)) return undefined
  const { rollout } = status
  return rollout?.setUid === uid ? rollout : undefined
}

const isStatus = shapeCheck<ObservationStatus>(observationStatusSchema)
