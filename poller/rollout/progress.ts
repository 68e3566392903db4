import type { Condition } from '../../webhooks/contract/types.ts'
import { unfit } from '../../webhooks/rollout/holds.ts'
import { isOpen } from '../../webhooks/rollout/record.ts'
import type { RolloutReport } from '../../webhooks/rollout/pods.ts'
import type { Moment } from './moment.ts'

type Progress = NonNullable<RolloutReport['progress']>
type Said = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

/** Most ordinals that are listed in a column. */
const listedOrdinals = 10
/** Longest text of the column; what is recorded may have been written by hand. */
const batchLength = 128

/** Where a rollout stands, for the columns of `kubectl get`. */
export function progress({ set, record, order, pods }: Moment): Progress {
  const isUnderWay = isOpen(record.state)
  const stopped = order.paused ? 'paused' : record.stalledAt === undefined ? undefined : 'stalled'
  return {
    state: (isUnderWay ? stopped : undefined) ?? record.state,
    ...(pods && {
      updated: `${Math.max(0, set.replicas - pods.old.size - pods.absent.size)}/${set.replicas}`,
      // In between nobody would write it anew when a pod becomes ready, or stops being so.
      ...(isUnderWay && { available: `${set.replicas - pods.unavailable.size}/${set.replicas}` }),
    }),
    ...(record.state === 'rolling' && record.batch.length > 0 && { batch: batchText({ record }) }),
  }
}

/** For example `upper_range 4/8 [14, 15]`. */
function batchText({ record }: Pick<Moment, 'record'>): string {
  const { rangeName = '', batchIndex = 0, batchTotal = 0, batch } = record
  const ordinals = batch.slice(0, listedOrdinals).join(', ')
  const text = `${rangeName} ${batchIndex}/${batchTotal} [${ordinals}${batch.length > listedOrdinals ? ', ...' : ''}]`
  return text.trim().slice(0, batchLength)
}

/**
 * The conditions of a rollout: Complete is what to wait for, Progressing says whether it gets on by itself, Stalled whether
 * somebody has to look after it.
 *
 * @param blockedBy member of the rollout group that goes first
 * @param problem why the last deletion came to nothing
 */
export function conditions(moment: Moment, blockedBy: string | undefined, problem: string | undefined): Said[] {
  const { stalledAt, message = '' } = moment.record
  const stalled =
    stalledAt === undefined
      ? says('Stalled', 'False', 'NotStalled', 'Nothing is overdue')
      : says('Stalled', 'True', 'ReadyTimeout', message)
  return [...course(moment, blockedBy, problem), stalled]
}

function course(moment: Moment, blockedBy: string | undefined, problem: string | undefined): Said[] {
  const { record, pods } = moment
  const hurdle = hurdleOf(moment)
  if (hurdle !== undefined) return unfinished(...hurdle)
  if (isOpen(record.state)) return unfinished(...underWay(moment, blockedBy, problem))
  if (pods === undefined || pods.old.size > 0) {
    return unfinished('Outdated', `${pods?.old.size ?? 'Some'} pods are not of the target revision`)
  }
  const text = 'All pods are of the target revision'
  return [says('Complete', 'True', 'UpToDate', text), says('Progressing', 'False', 'UpToDate', text)]
}

type Course = [reason: string, text: string, progressing?: Condition['status']]

function unfinished(...[reason, text, progressing = 'False']: Course): Said[] {
  return [says('Complete', 'False', reason, text), says('Progressing', progressing, reason, text)]
}

/** A rollout that is planned or runs: what holds it up or, if nothing does, how far it is. */
function underWay(moment: Moment, blockedBy: string | undefined, problem: string | undefined): Course {
  const { record, order } = moment
  const { state, stalledAt, message } = record
  if (order.paused) return ['Paused', 'The rollout is paused']
  if (blockedBy !== undefined) return ['WaitsForGroup', `${blockedBy} of the rollout group ${order.group} goes first`]
  if (state === 'planned') {
    const starts = new Date(((record.plannedAt ?? moment.now) + order.delaySeconds) * 1000)
    return ['Planned', message ?? `The rollout starts at ${starts.toISOString().replace('.000Z', 'Z')}`, 'True']
  }
  if (problem !== undefined) return ['DeletionFailed', problem]
  if (stalledAt !== undefined) return ['Stalled', message ?? '']
  return ['Rolling', record.batch.length === 0 ? 'The rollout has started' : `Batch ${batchText(moment)}`, 'True']
}

/** What about the set itself rules out that it is rolled. */
function hurdleOf({ set, reported }: Moment): [reason: string, text: string] | undefined {
  if (!set.onDelete) return ['NotOnDelete', 'The update strategy is not OnDelete']
  const text = unfit(set, reported)
  return text === undefined ? undefined : ['Unfit', text]
}

function says(type: string, status: Condition['status'], reason: string, message: string): Said {
  return { type, status, reason, message }
}
