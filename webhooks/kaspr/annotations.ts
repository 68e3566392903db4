import type { ObservationSpec } from '../../crds/types/observation.ts'
import { own } from '../contract/objects.ts'
import type { KubeObject } from '../contract/types.ts'
import type { HookSettings } from '../settings.ts'

/** What an Event on the app should say, `Observation.spec.kasprApp.warnings`. */
export type Warning = NonNullable<NonNullable<ObservationSpec['kasprApp']>['warnings']>[number]

/** What the annotations of an app ask the poller for. */
export interface AppAnnotations {
  /** `kaspr.io/auto-rebalance`, else the setting. */
  autoRebalance: boolean
  /** Value of `kaspr.io/rebalance`, cut if it is long; whatever it is, its presence asks for one rebalance. */
  manualRebalance: string | undefined
  /** `kaspr.io/hung-member-detection-enabled` and `kaspr.io/hung-rebalancing-threshold-seconds`, else the settings. */
  hungMembers: { enabled: boolean; thresholdSeconds: number }
  /** Values that cannot be understood; what they are about has the setting's value. */
  warnings: Warning[]
}

const truths = ['true', '1', 'yes']
const untruths = ['false', '0', 'no', '']
const thresholdAnnotation = 'kaspr.io/hung-rebalancing-threshold-seconds'

/** Whether an app is paused. Only the one word pauses: an existing manifest must not change its meaning. */
export function isPaused({ metadata }: KubeObject): boolean {
  return own(metadata.annotations, 'kaspr.io/pause-reconciliation')?.toLowerCase() === 'true'
}

/** Whether the members of an app keep their place in the consumer group over a restart; again one word only. */
export function hasStaticMembership({ metadata }: KubeObject): boolean {
  return own(metadata.annotations, 'kaspr.io/disable-static-group-membership')?.toLowerCase() !== 'true'
}

/** Reads what else the annotations of an app ask for. */
export function appAnnotations({ metadata }: KubeObject, settings: HookSettings): AppAnnotations {
  const warnings: Warning[] = []
  const annotation = (name: string): string | undefined => own(metadata.annotations, name)
  // Anything that is not one of the accepted words is off, as it always was.
  const isOn = (name: string, fallback: boolean): boolean => {
    const value = annotation(name)
    if (value === undefined) return fallback
    const word = value.toLowerCase()
    if (!truths.includes(word) && !untruths.includes(word)) {
      warnings.push(invalid(name, value, `${truths.join(', ')}, or false, 0, no; it counts as false`))
    }
    return truths.includes(word)
  }
  const autoRebalance = isOn('kaspr.io/auto-rebalance', settings.AUTO_REBALANCE_ENABLED)
  const enabled = isOn('kaspr.io/hung-member-detection-enabled', settings.HUNG_MEMBER_DETECTION_ENABLED)
  const value = annotation(thresholdAnnotation)
  const threshold = wholeSeconds(value)
  if (value !== undefined && threshold === undefined) {
    const fallback = settings.HUNG_REBALANCING_THRESHOLD_SECONDS
    warnings.push(invalid(thresholdAnnotation, value, `a whole number from 1 to 86400; ${fallback} is used`))
  }
  return {
    autoRebalance,
    manualRebalance: annotation('kaspr.io/rebalance')?.slice(0, 100),
    hungMembers: { enabled, thresholdSeconds: threshold ?? settings.HUNG_REBALANCING_THRESHOLD_SECONDS },
    warnings,
  }
}

function wholeSeconds(value: string | undefined): number | undefined {
  if (value === undefined || !/^\s*\+?\d{1,6}\s*$/.test(value)) return undefined
  const seconds = Number(value)
  return seconds >= 1 && seconds <= 86_400 ? seconds : undefined
}

function invalid(name: string, value: string, accepted: string): Warning {
  const shown = value.length > 40 ? `${value.slice(0, 40)}…` : value
  return { reason: 'InvalidAnnotation', message: `${name}: ${JSON.stringify(shown)}, accepted: ${accepted}` }
}
