import t from 'tap'
import { conditions, progress } from '../../poller/rollout/progress.ts'
import type { Moment } from '../../poller/rollout/moment.ts'
import { noon, pods } from '../webhooks/rollout-world.ts'
import { momentOf } from './rollout-moments.ts'
import type { MomentChanges } from './rollout-moments.ts'

const planned = { state: 'planned', 'target-revision': 'web-new', 'planned-at': String(noon) }
const rolling = {
  state: 'rolling',
  'target-revision': 'web-new',
  'started-at': String(noon),
  'range-name': 'upper_range',
  'batch-index': '1',
  'batch-total': '2',
  'current-batch-ordinals': '[2, 3]',
}

void t.test('columns', (t) => {
  const rows: [why: string, moment: MomentChanges, columns: ReturnType<typeof progress>][] = [
    ['nothing was ever rolled', { pods: 'old old old OLD' }, { state: 'none', updated: '0/4' }],
    ['planned', { record: planned, pods: 'old old NEW old' }, { state: 'planned', updated: '1/4', available: '3/4' }],
    [
      'rolling',
      { record: rolling, pods: 'old old gone -' },
      { state: 'rolling', updated: '0/4', available: '2/4', batch: 'upper_range 1/2 [2, 3]' },
    ],
    ['no batch yet', { record: { state: 'rolling' } }, { state: 'rolling', updated: '0/4', available: '4/4' }],
    ['done', { record: { state: 'done' }, pods: 'new new new new' }, { state: 'done', updated: '4/4' }],
    ['paused', { record: planned, order: { paused: true } }, { state: 'paused', updated: '0/4', available: '4/4' }],
    [
      'paused while nothing is rolled out',
      { record: { state: 'done' }, pods: 'new new new new', order: { paused: true } },
      { state: 'done', updated: '4/4' },
    ],
    [
      'stalled',
      { record: { state: 'rolling', 'stalled-at': '1' }, pods: 'new new new NEW' },
      { state: 'stalled', updated: '4/4', available: '3/4' },
    ],
    [
      'stalled some time ago',
      { record: { state: 'done', 'stalled-at': '1' }, pods: 'new new new new' },
      { state: 'done', updated: '4/4' },
    ],
    ['no pods at all', { pods: '' }, { state: 'none', updated: '0/4' }],
    ['none wanted', { replicas: 0, pods: '' }, { state: 'none', updated: '0/0' }],
    ['the target is not known', { target: '' }, { state: 'none' }],
  ]
  for (const [why, moment, columns] of rows) t.strictSame(progress(momentOf(moment)), columns, why)
  t.end()
})

void t.test('a long batch is cut, and so is what was written by hand: the schema takes 128 characters', (t) => {
  const of = (record: Record<string, string>): string =>
    progress(momentOf({ record: { ...rolling, ...record } })).batch ?? ''
  const eleven = JSON.stringify(Array.from({ length: 11 }, (_, index) => index))
  t.equal(of({ 'current-batch-ordinals': eleven }), 'upper_range 1/2 [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]')
  t.equal(of({ 'range-name': 'x'.repeat(200) }).length, 128)
  t.end()
})

/** Status and reason of the three conditions. */
function said(moment: Moment, blockedBy?: string, problem?: string): Record<string, string> {
  const list = conditions(moment, blockedBy, problem)
  return Object.fromEntries(list.map(({ type, status, reason }) => [type, `${status} ${reason}`]))
}

void t.test('conditions', (t) => {
  const rows: [
    why: string,
    moment: MomentChanges,
    expected: string,
    more?: [blockedBy?: string | undefined, problem?: string],
  ][] = [
    ['up to date', { record: { state: 'done' }, pods: 'new new new new' }, 'UpToDate'],
    ['up to date, never rolled', { pods: 'new new new new' }, 'UpToDate'],
    ['up to date, although one is down', { record: { state: 'done' }, pods: 'new new new NEW' }, 'UpToDate'],
    ['outdated, no plan yet', { pods: 'new new new old' }, 'Outdated'],
    ['the target is not known', { target: '' }, 'Outdated'],
    ['planned', { record: planned }, 'True Planned'],
    ['rolling', { record: rolling }, 'True Rolling'],
    ['all are new, and not yet available', { record: rolling, pods: 'new new new NEW' }, 'True Rolling'],
    ['paused', { record: rolling, order: { paused: true } }, 'Paused'],
    ['paused before the start', { record: planned, order: { paused: true } }, 'Paused'],
    ['paused, and nothing to do', { pods: 'new new new new', order: { paused: true } }, 'UpToDate'],
    ['waits for the group', { record: planned, order: { group: 'g' } }, 'WaitsForGroup', ['web-0']],
    ['a deletion failed', { record: rolling }, 'DeletionFailed', [undefined, 'no rights']],
    ['a deletion failed of what is over', { record: planned }, 'True Planned', [undefined, 'no rights']],
    ['another strategy', { record: rolling, strategy: 'RollingUpdate' }, 'NotOnDelete'],
    ['too many replicas', { replicas: 5001, pods: 'old' }, 'Unfit'],
    [
      'a pod without ordinal',
      { pods: [...pods('new new new'), { uid: 'x', name: 'web-3', revision: 'web-old' }] },
      'Unfit',
    ],
  ]
  for (const [why, changes, expected, more = []] of rows) {
    const reason = expected.replace('True ', '')
    t.strictSame(
      said(momentOf(changes), ...more),
      {
        Complete: `${reason === 'UpToDate' ? 'True' : 'False'} ${reason}`,
        Progressing: `${expected.startsWith('True') ? 'True' : 'False'} ${reason}`,
        Stalled: 'False NotStalled',
      },
      why,
    )
  }
  t.end()
})

void t.test('messages tell what a person would ask next', (t) => {
  const message = (
    changes: MomentChanges,
    ...more: [blockedBy?: string | undefined, problem?: string]
  ): string | undefined => conditions(momentOf(changes), ...more).find(({ type }) => type === 'Progressing')?.message
  t.equal(message({ pods: 'new old old new' }), '2 pods are not of the target revision')
  t.equal(message({ record: planned }), 'The rollout starts at 2026-01-01T00:10:00Z')
  t.equal(message({ record: { ...planned, message: 'waits for web-0' } }), 'waits for web-0')
  t.equal(message({ record: rolling }), 'Batch upper_range 1/2 [2, 3]')
  t.equal(message({ record: { state: 'rolling' } }), 'The rollout has started')
  t.equal(message({ record: rolling, order: { group: 'g' } }, 'a'), 'a of the rollout group g goes first')
  t.equal(message({ record: rolling }, undefined, 'no rights'), 'no rights')
  t.match(message({ replicas: 5001, pods: 'old' }), /^5001 replicas/)
  t.match(message({ pods: [{ uid: 'x', name: 'web-x' }] }), /web-x$/)
  t.end()
})

void t.test('a stall is a condition of its own, and nothing goes on by itself', (t) => {
  const stalled = { ...rolling, 'stalled-at': String(noon), message: 'not available: 3 (Pending)' }
  t.match(conditions(momentOf({ record: stalled }), undefined, undefined), [
    { type: 'Complete', status: 'False', reason: 'Stalled' },
    { type: 'Progressing', status: 'False', reason: 'Stalled', message: 'not available: 3 (Pending)' },
    { type: 'Stalled', status: 'True', reason: 'ReadyTimeout', message: 'not available: 3 (Pending)' },
  ])
  t.end()
})
