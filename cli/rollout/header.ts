import { enabledLabel } from '../../webhooks/rollout/names.ts'
import type { RolloutModel, UiState } from './model.ts'
import { span } from './text.ts'
import type { Line, Span, Style } from './text.ts'

/** One row of the header; a row without data is not there. */
export interface Row {
  label: string
  value: string
  style?: Style
}

const statuses: Record<UiState, { text: string; style: Style }> = {
  Idle: { text: 'Nothing to do', style: 'green' },
  Scheduled: { text: 'Scheduled', style: 'blue' },
  Rolling: { text: 'Rolling', style: 'yellow' },
  NeedsAction: { text: 'Update detected, operator idle', style: 'red' },
}

/** The rows above the pods: which set, how it stands, and what this state makes worth knowing. */
export function headerRows(model: RolloutModel): Row[] {
  const { text, style } = statuses[model.uiState]
  return [
    { label: 'StatefulSet', value: `${model.namespace}/${model.name}`, style: 'bold' },
    { label: 'Status', value: text, style },
    { label: 'Summary', value: summary(model) },
    ...(model.enrolled ? [] : [notEnrolled]),
    ...rowsOf[model.uiState](model),
    ...row('Replicas', model.replicas === 0 ? undefined : String(model.replicas)),
  ]
}

/** The header in two lines, for small screens. */
export function shortHeader(model: RolloutModel): Line[] {
  const { text, style } = statuses[model.uiState]
  const title: Span[] = [span(`${model.namespace}/${model.name}`, 'bold'), span(' · '), span(text, style)]
  if (!model.enrolled) title.push(span(' · not enrolled', 'yellow'))
  const { batchIndex, rangeName } = model.recorded
  const place = model.uiState === 'Rolling' && rangeName !== undefined && batchIndex !== undefined
  return [title, [span(`${summary(model)}${place ? `, ${rangeName} batch ${activeBatch(model) ?? ''}` : ''}`)]]
}

/** One line for logs; it changes only when the rollout has moved. */
export function plainLine(model: RolloutModel): string {
  const { recorded, uiState, target } = model
  const parts = [`${model.namespace}/${model.name} ${statuses[uiState].text}: ${summary(model)}`]
  if (!model.enrolled) parts.push('not enrolled')
  if (target !== undefined) parts.push(`revision ${shortRevision(target)}`)
  if (uiState === 'Rolling') {
    const range = activeRange(model)
    const batch = activeBatch(model)
    if (range !== undefined) parts.push(`range ${range}`)
    if (batch !== undefined) parts.push(`batch ${batch}`)
    if (recorded.batch.length > 0) parts.push(`ordinals ${batchOrdinals(model) ?? ''}`)
    if (recorded.stalledAt !== undefined) parts.push(`stalled since ${localTime(recorded.stalledAt)}`)
  }
  if (uiState !== 'Idle' && recorded.message !== undefined) parts.push(recorded.message)
  return span(parts.join('; ')).text
}

/** Local time as `YYYY-MM-DD HH:MM:SS`; the text itself if it is no time. */
export function localTime(time: number | string): string {
  if (typeof time === 'string') return time
  const date = new Date(time * 1000)
  if (Number.isNaN(date.getTime())) return String(time)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}

const notEnrolled: Row = {
  label: 'Operator',
  value: `not enrolled: label ${enabledLabel} is not "true"`,
  style: 'yellow',
}

const rowsOf: Record<UiState, (model: RolloutModel) => Row[]> = {
  Idle: ({ recorded, target }) => [
    ...timeRow('Last Update', recorded.updatedAt),
    ...row('Current Revision', target && shortRevision(target)),
  ],
  Scheduled: (model) => [
    ...timeRow('Planned At', model.recorded.plannedAt),
    ...row('Starts In', model.startsInSeconds === undefined ? undefined : duration(model.startsInSeconds)),
    ...row('Max Unavailable', model.recorded.maxUnavailable),
    ...row('Half Split', halfSplit(model.recorded.halfSplit)),
    ...desired(model),
    ...row('Message', model.recorded.message),
  ],
  Rolling: (model) => [
    ...row('Active Range', activeRange(model)),
    ...row('Active Batch', activeBatch(model)),
    ...row('Current Batch Ordinals', batchOrdinals(model)),
    ...timeRow('Started', model.recorded.startedAt),
    ...timeRow('Last Update', model.recorded.updatedAt),
    ...timeRow('Stalled since', model.recorded.stalledAt, 'red'),
    ...desired(model),
    ...row('Message', model.recorded.message),
  ],
  NeedsAction: (model) => [
    ...row('Hint', 'pods are not on the update revision and the annotations show no active rollout'),
    ...desired(model),
  ],
}

function summary({ uiState, counts, replicas, workRemaining }: RolloutModel): string {
  const { newReady, newNotReady, oldReady, oldNotReady, missing } = counts
  const old = oldReady + oldNotReady
  switch (uiState) {
    case 'Idle':
      return `All pods NEW+Ready (${newReady}/${replicas})`
    case 'Scheduled': {
      const ready = oldReady > 0 ? `, ${oldReady} ready on old revision` : ''
      return old > 0 ? `${counted(old, 'pod')} need${old === 1 ? 's' : ''} update${ready}` : 'No pods need update'
    }
    case 'Rolling':
      return `Old->New progress: NEW+Ready ${newReady}/${replicas}, Remaining ${workRemaining}`
    case 'NeedsAction': {
      const parts = [
        old > 0 ? `${counted(old, 'pod')} on old revision` : '',
        newNotReady > 0 ? `${counted(newNotReady, 'new pod')} not ready` : '',
        missing > 0 ? `${counted(missing, 'pod')} missing` : '',
      ].filter((part) => part !== '')
      return parts.length > 0 ? parts.join(', ') : 'Work detected'
    }
  }
}

/** The range that is rolled, for example `upper_range (1/2)`. */
export function activeRange({ recorded: { rangeName, rangeIndex, rangeTotal } }: RolloutModel): string | undefined {
  if (rangeName === undefined) return undefined
  return rangeIndex === undefined ? rangeName : `${rangeName} (${ofTotal(rangeIndex, rangeTotal)})`
}

/** The batch of it, for example `3/8`. */
export function activeBatch({ recorded: { batchIndex, batchTotal } }: RolloutModel): string | undefined {
  return batchIndex === undefined ? undefined : ofTotal(batchIndex, batchTotal)
}

const shownOrdinals = 10

function batchOrdinals({ recorded: { batch: ordinals } }: RolloutModel): string | undefined {
  if (ordinals.length === 0) return undefined
  const more = ordinals.length - shownOrdinals
  return `${ordinals.slice(0, shownOrdinals).join(', ')}${more > 0 ? ` ... (+${more} more)` : ''}`
}

function desired({ target }: RolloutModel): Row[] {
  return row('Desired Revision', target && shortRevision(target))
}

/** Revisions are named `<set>-<hash>`; the hash alone tells them apart. */
function shortRevision(revision: string): string {
  const dash = revision.lastIndexOf('-')
  return dash < 0 ? revision : `…${revision.slice(dash)}`
}

function halfSplit(value: boolean | undefined): string | undefined {
  if (value === undefined) return undefined
  return value ? 'enabled' : 'disabled'
}

/** `1h 02m 03s`, `2m 03s`, `3s`; `due` when nothing is left. */
function duration(seconds: number): string {
  if (seconds <= 0) return 'due'
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  if (hours > 0) return `${hours}h ${two(minutes)}m ${two(rest)}s`
  return minutes > 0 ? `${minutes}m ${two(rest)}s` : `${rest}s`
}

function timeRow(label: string, time: number | string | undefined, style?: Style): Row[] {
  return row(label, time === undefined ? undefined : localTime(time), style)
}

function row(label: string, value: string | number | undefined, style: Style = 'plain'): Row[] {
  return value === undefined || value === '' ? [] : [{ label, value: String(value), style }]
}

function ofTotal(index: number, total: number | undefined): string {
  return total === undefined ? String(index) : `${index}/${total}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
