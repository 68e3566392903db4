import { own } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { readSettings } from '../../webhooks/environment.ts'
import { type RolloutConfig, rolloutConfig } from '../../webhooks/rollout/config.ts'
import { enrolled } from '../../webhooks/rollout/enrolled.ts'
import { enabledLabel, recordPrefix } from '../../webhooks/rollout/names.ts'
import { type RecordValues, type RolloutRecord, readRecord } from '../../webhooks/rollout/record.ts'
import { type HookSettings, hookSettings } from '../../webhooks/settings.ts'

/**
 * What the operator has written down on a StatefulSet, for people. The operator takes what it cannot read for absent; here
 * states and times that cannot be read are their text, because whoever has to correct it must see it.
 */
export interface Recorded extends Omit<RolloutRecord, 'state' | 'plannedAt' | 'startedAt' | 'updatedAt' | 'stalledAt'> {
  /** Of RolloutState, or whatever text is there; undefined where nothing was ever recorded. */
  state: string | undefined
  /** Times: Unix seconds, or the text itself. */
  plannedAt: number | string | undefined
  startedAt: number | string | undefined
  updatedAt: number | string | undefined
  stalledAt: number | string | undefined
}

/** Reads what is recorded on a set. */
export function recorded({ metadata: { annotations } }: KubeObject): Recorded {
  const record = readRecord(annotations)
  const text = (key: keyof RecordValues): string | undefined => {
    const value = own(annotations, recordPrefix + key)
    return value === '' ? undefined : value
  }
  return {
    ...record,
    state: text('state'),
    plannedAt: record.plannedAt ?? text('planned-at'),
    startedAt: record.startedAt ?? text('started-at'),
    updatedAt: record.updatedAt ?? text('updated-at'),
    stalledAt: record.stalledAt ?? text('stalled-at'),
  }
}

/** What a set itself asks for. What it leaves to the operator's settings is not known outside of the operator. */
export interface Wishes extends Pick<RolloutConfig, 'paused' | 'startNow'> {
  /** Seconds between plan and start, if the set has a valid one. */
  delaySeconds: number | undefined
}

/** Reads the configuration of a set. */
export function wishes(set: KubeObject): Wishes {
  const { paused, startNow, delaySeconds } = rolloutConfig(set, { ...defaults(), RO_DELAY_SECONDS: NaN })
  return { paused, startNow, delaySeconds: Number.isNaN(delaySeconds) ? undefined : delaySeconds }
}

/**
 * Whether an operator looks after the set, as far as can be told without its settings: the label says so or, without a
 * label, a rollout is recorded (an operator that is set up for a single set asks for no label).
 */
export function looksEnrolled(set: KubeObject): boolean {
  if (own(set.metadata.labels, enabledLabel) !== undefined) return enrolled(set, defaults())
  return readRecord(set.metadata.annotations).state !== 'none'
}

let settings: HookSettings | undefined

function defaults(): HookSettings {
  return (settings ??= readSettings(hookSettings, {}))
}
