import type { KubeObject } from '../../webhooks/contract/types.ts'

/** What the operator has written down on a StatefulSet. Malformed numbers and lists count as absent. */
export interface Recorded {
  /** `none`, `planned`, `rolling`, `done`, or whatever text is there. */
  state: string | undefined
  targetRevision: string | undefined
  /** Times: Unix seconds, or the text itself if it is no integer. */
  plannedAt: number | string | undefined
  startedAt: number | string | undefined
  updatedAt: number | string | undefined
  stalledAt: number | string | undefined
  maxUnavailable: number | undefined
  halfSplit: boolean | undefined
  rangeName: string | undefined
  rangeIndex: number | undefined
  rangeTotal: number | undefined
  batchIndex: number | undefined
  batchTotal: number | undefined
  batchOrdinals: number[]
  message: string | undefined
}

const prefix = 'rollout-operator/'
const enabledLabel = 'rollout-operator/enabled'

/** Reads the annotations `rollout-operator/*` of a set. */
export function recorded(set: KubeObject): Recorded {
  const text = (key: string): string | undefined => annotation(set, `${prefix}${key}`)
  const time = (key: string): number | string | undefined => integer(text(key)) ?? text(key)
  return {
    state: text('state'),
    targetRevision: text('target-revision'),
    plannedAt: time('planned-at'),
    startedAt: time('started-at'),
    updatedAt: time('updated-at'),
    stalledAt: time('stalled-at'),
    maxUnavailable: integer(text('max-unavailable')),
    halfSplit: truth(text('half-split')),
    rangeName: text('range-name'),
    rangeIndex: integer(text('range-index')),
    rangeTotal: integer(text('range-total')),
    batchIndex: integer(text('batch-index')),
    batchTotal: integer(text('batch-total')),
    batchOrdinals: ordinals(text('current-batch-ordinals')),
    message: text('message'),
  }
}

/**
 * Whether an operator looks after the set: the label says so or, without a label, a state is recorded (an operator that is
 * set up for a single set asks for no label).
 */
export function looksEnrolled(set: KubeObject): boolean {
  const { labels = {} } = set.metadata
  const label = Object.hasOwn(labels, enabledLabel) ? labels[enabledLabel] : undefined
  return label === undefined ? annotation(set, `${prefix}state`) !== undefined : label === 'true'
}

/** Seconds between plan and start as this set overrides them; undefined without a valid override. */
export function delayOverride(set: KubeObject): number | undefined {
  const seconds = integer(annotation(set, 'config.rollout-operator/delay-seconds'))
  return seconds !== undefined && seconds >= 0 ? seconds : undefined
}

/** The integer that a decimal text stands for. */
export function integer(text: string | undefined): number | undefined {
  const value = text !== undefined && /^[+-]?\d+$/.test(text.trim()) ? Number(text) : NaN
  return Number.isSafeInteger(value) ? value : undefined
}

/** Empty texts count as absent. */
function annotation({ metadata: { annotations = {} } }: KubeObject, key: string): string | undefined {
  const text = Object.hasOwn(annotations, key) ? annotations[key] : undefined
  return text === '' ? undefined : text
}

function truth(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text.toLowerCase() === 'true'
}

function ordinals(text: string | undefined): number[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(list) && list.every((item) => Number.isSafeInteger(item)) ? (list as number[]) : []
  } catch {
    return []
  }
}
