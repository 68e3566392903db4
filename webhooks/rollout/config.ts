import { parseBoolean } from '../booleans.ts'
import { own } from '../contract/objects.ts'
import type { ObservationSpec } from '../../crds/types/observation.ts'
import { shown } from '../contract/validate.ts'
import type { KubeObject } from '../contract/types.ts'
import type { HookSettings } from '../settings.ts'
import { configPrefix, grafanaPaused, groupLabel } from './names.ts'

/** What an Event on the StatefulSet should say, `Observation.spec.rollout.warnings`. */
export type Warning = NonNullable<NonNullable<ObservationSpec['rollout']>['warnings']>[number]

/** A number of pods, or a share of the replicas. */
export type Budget = { pods: number } | { percent: number }

/** How a StatefulSet is to be rolled: its annotations, else the settings. */
export interface RolloutConfig {
  delaySeconds: number
  maxUnavailable: Budget
  halfSplit: boolean
  /** Absent leaves each pod its own. */
  gracePeriodSeconds: number | undefined
  /** 0 is for ever. */
  readyTimeoutSeconds: number
  useEviction: boolean
  paused: boolean
  /** Revision that need not wait for the delay. */
  startNow: string | undefined
  /** Rollout group; absent for a set on its own. */
  group: string | undefined
  /** Annotations that cannot be understood, and what counts instead. */
  warnings: Warning[]
}

const grafanaMaxUnavailable = 'rollout-max-unavailable'
const pausedKey = `${configPrefix}paused`

/** A year: more than anybody waits, and less than what overflows the timers of others. */
const maxSeconds = 31_536_000

/**
 * Reads how a StatefulSet is to be rolled. What cannot be understood falls back to the careful side, with a warning: one
 * pod at a time, paused; times and the half split fall back to the settings.
 */
export function rolloutConfig({ metadata }: Pick<KubeObject, 'metadata'>, settings: HookSettings): RolloutConfig {
  const warnings: Warning[] = []
  const read = <T>(
    key: string,
    parse: (text: string) => T | undefined,
    accepted: string,
    fallback: T,
  ): T | undefined => {
    const text = own(metadata.annotations, key)
    if (text === undefined) return undefined
    const value = parse(text)
    if (value === undefined) {
      const message = `${key}: ${shown(text)} is not accepted; accepted: ${accepted}`
      warnings.push({ reason: 'InvalidConfig', message })
    }
    return value ?? fallback
  }
  const seconds = (key: string, fallback: number): number =>
    read(
      configPrefix + key,
      wholeSeconds,
      `a whole number of seconds, 0 to ${maxSeconds}; ${fallback} is used`,
      fallback,
    ) ?? fallback
  const budget = (key: string): Budget | undefined =>
    read<Budget>(key, parseBudget, 'a number, at least 1, or a percentage from 1% to 100%; 1 is used', { pods: 1 })
  const { RO_POD_TERMINATION_GRACE_PERIOD: gracePeriod } = settings
  const ownGracePeriod = read<number | undefined>(
    `${configPrefix}grace-period-seconds`,
    wholeSeconds,
    `a whole number of seconds, 0 to ${maxSeconds}; the setting is used`,
    gracePeriod,
  )
  const halfSplit = read(
    `${configPrefix}half-split`,
    truth,
    `true or false; ${settings.RO_ENABLE_HALF_SPLIT} is used`,
    settings.RO_ENABLE_HALF_SPLIT,
  )
  read(pausedKey, truth, 'true or false; it counts as true', true)
  const group = own(metadata.labels, groupLabel)
  return {
    delaySeconds: seconds('delay-seconds', settings.RO_DELAY_SECONDS),
    maxUnavailable: budget(`${configPrefix}max-unavailable`) ??
      budget(grafanaMaxUnavailable) ??
      parseBudget(settings.RO_MAX_UNAVAILABLE) ?? { pods: 1 },
    halfSplit: halfSplit ?? settings.RO_ENABLE_HALF_SPLIT,
    gracePeriodSeconds: ownGracePeriod ?? gracePeriod,
    readyTimeoutSeconds: seconds('ready-timeout-seconds', settings.RO_READY_TIMEOUT_SECONDS),
    useEviction: settings.RO_USE_EVICTION,
    paused: isPaused({ metadata }),
    startNow: startNow({ metadata }),
    group: group === '' ? undefined : group,
    warnings,
  }
}

/** Whether the user has paused the rollouts of a StatefulSet. What is neither true nor false counts as true. */
export function isPaused({ metadata }: Pick<KubeObject, 'metadata'>): boolean {
  const text = own(metadata.annotations, pausedKey)
  return (
    (text !== undefined && truth(text) !== false) || own(metadata.annotations, grafanaPaused)?.toLowerCase() === 'true'
  )
}

/** The revision that the user wants to be rolled out without delay. */
export function startNow({ metadata }: Pick<KubeObject, 'metadata'>): string | undefined {
  return own(metadata.annotations, `${configPrefix}start-now`)
}

/** The number of pods that may be down of so many. A share is rounded down, to at least 1. */
export function resolvedBudget(budget: Budget, replicas: number): number {
  if ('pods' in budget) return budget.pods
  return Math.max(1, Math.floor((replicas * budget.percent) / 100))
}

/** `3` or `10%`; at least 1 and at most 100%. */
export function parseBudget(text: string): Budget | undefined {
  const [, digits = '', percent] = /^(\d{1,6})(%?)$/.exec(text.trim()) ?? []
  const value = Number(digits)
  if (value < 1 || (percent === '%' && value > 100)) return undefined
  return percent === '%' ? { percent: value } : { pods: value }
}

function wholeSeconds(text: string): number | undefined {
  const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : NaN
  return value <= maxSeconds ? value : undefined
}

function truth(text: string): boolean | undefined {
  return parseBoolean(text.trim())
}
