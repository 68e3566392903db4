/** The log of rollouts: which lines come, in which order, with which fields, and how they are written. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { milestoneLog } from '../../poller/rollout/milestone-log.ts'
import type { Milestone } from '../../poller/rollout/milestone.ts'
import { milestones } from '../../poller/rollout/milestones.ts'
import type { Moment } from '../../poller/rollout/moment.ts'
import { noon } from '../webhooks/rollout-world.ts'
import { Course, type Happening, happenings, momentOf, type MomentChanges } from './rollout-moments.ts'

t.setTimeout(120_000)

const options = { countdownSeconds: 60 }

/** Follows a course as one process does. */
class Follower {
  #previous: Moment | undefined
  readonly records: Milestone[] = []

  look(course: Course): Milestone[] {
    const now = course.look()
    const { records } = milestones(this.#previous, now, options)
    this.#previous = now
    this.records.push(...records)
    return records
  }

  lines(level?: string): string[] {
    const shown = this.records.filter((record) => level === undefined || record.level === level)
    return shown.map(({ event, message }) => `${event}: ${message}`)
  }
}

/** Takes a course to its end, with a look after every step. */
function finish(course: Course, follower: Follower): void {
  for (let round = 0; round < 50 && course.look().record.state !== 'done'; round++) {
    for (const happening of ['sync', 'delete', 'allReady', 'sync'] as const) {
      happenings[happening](course)
      follower.look(course)
      course.pass(1)
    }
  }
}

void t.test('a rollout from its plan to its end', (t) => {
  const course = new Course({ replicas: 5, 'max-unavailable': 2, 'delay-seconds': 100 })
  const follower = new Follower()
  follower.look(course)
  course.template('web-b')
  course.sync()
  follower.look(course)
  for (let passed = 0; passed < 100; passed += 10) {
    course.pass(10)
    course.sync()
    follower.look(course)
  }
  finish(course, follower)
  t.same(follower.lines('info'), [
    'revision_detected: web-b is a new revision: 5 of 5 pods to update',
    'rollout_scheduled: rollout to web-b is due 100 s after its detection, at 2026-01-01T00:01:40Z',
    'rollout_countdown: rollout to web-b starts in 100 s; waited 0 s of 100 s',
    'rollout_countdown: rollout to web-b starts in 40 s; waited 60 s of 100 s',
    'rollout_delay_elapsed: the delay before the rollout to web-b is over',
    'rollout_started: rollout to web-b has started: 5 of 5 pods to update, at most 2 unavailable at once, upper half first',
    'rollout_split: first the upper 3 pods (2, 3, 4), then the lower 2 (0, 1)',
    'rollout_range_started: range upper_range (1 of 2): 2, 3, 4',
    'rollout_batches_created: batches: 2, each of up to 2 pods',
    'rollout_batch_deleting: batch 1 of 2 in upper_range (2, 3): to be deleted web-2, web-3',
    'rollout_batch_waiting: batch 1 of 2 in upper_range (2, 3): waiting until its pods are available',
    'rollout_batch_ready: batch 1 of 2 in upper_range (2, 3) is ready after 2 s; 2 of 3 pods of the range are',
    'rollout_batch_deleting: batch 2 of 2 in upper_range (4): to be deleted web-4',
    'rollout_batch_waiting: batch 2 of 2 in upper_range (4): waiting until its pods are available',
    'rollout_batch_ready: batch 2 of 2 in upper_range (4) is ready after 3 s; 3 of 3 pods of the range are',
    'rollout_range_started: range lower_range (2 of 2): 0, 1',
    'rollout_batches_created: batches: 1, each of up to 2 pods',
    'rollout_batch_deleting: batch 1 of 1 in lower_range (0, 1): to be deleted web-0, web-1',
    'rollout_batch_waiting: batch 1 of 1 in lower_range (0, 1): waiting until its pods are available',
    'rollout_batch_ready: batch 1 of 1 in lower_range (0, 1) is ready after 3 s; 2 of 2 pods of the range are',
    'rollout_completed: rollout to web-b is complete: all pods are updated and available',
  ])
  t.same(follower.lines('debug'), [
    'statefulset_update_detected: the update revision is web-b',
    'revision_complete: all pods are of revision web-b',
  ])
  const who = follower.records.map(({ namespace, statefulset }) => `${namespace}/${statefulset}`)
  t.same([...new Set(who)], ['shop/web'])
  t.end()
})

const planned = { state: 'planned', 'planned-at': String(noon - 100), 'target-revision': 'web-new' }
const rolling = {
  ...planned,
  state: 'rolling',
  'started-at': String(noon - 50),
  'pods-to-update': '4',
  'max-unavailable': '2',
  'half-split': 'true',
}
const batch = {
  ...rolling,
  'range-name': 'upper_range',
  'range-index': '1',
  'range-total': '2',
  'batch-index': '1',
  'batch-total': '1',
  'current-batch-ordinals': '[2, 3]',
  'batch-started-at': String(noon - 15),
}

const told = (before: MomentChanges, after: MomentChanges): Milestone[] =>
  milestones(momentOf({ now: noon - 10, ...before }), momentOf(after), options).records

/** Fields of a record beside those that all have. */
function fieldsOf({ level, event, message, namespace, statefulset, ...fields }: Milestone): object {
  assert.ok(level && event && message && namespace && statefulset)
  return fields
}

void t.test('lines and their fields', (t) => {
  const batchOf = { range_name: 'upper_range', batch_index: 1, total_batches: 1, batch_ordinals: [2, 3] }
  const table: [name: string, before: MomentChanges, after: MomentChanges, lines: [event: string, fields: object][]][] =
    [
      [
        'planned',
        {},
        { record: { ...planned, 'planned-at': String(noon) } },
        [
          ['info revision_detected', { current_revision: 'web-old', update_revision: 'web-new' }],
          ['info rollout_scheduled', { delay_seconds: 600, countdown_interval: 60 }],
          ['info rollout_countdown', { remaining_seconds: 600, waited_seconds: 0, total_delay_seconds: 600 }],
        ],
      ],
      [
        'an interval has passed',
        { record: planned, now: noon + 19 },
        { record: planned, now: noon + 21 },
        [['info rollout_countdown', { remaining_seconds: 479, waited_seconds: 121, total_delay_seconds: 600 }]],
      ],
      ['within an interval', { record: planned, now: noon + 21 }, { record: planned, now: noon + 79 }, []],
      ['the delay is over', { record: planned }, { record: planned, now: noon + 500 }, []],
      [
        'time of the plan was missing',
        { record: { state: 'planned' } },
        { record: { ...planned, 'planned-at': String(noon) } },
        [['info rollout_planned', { delay_seconds: 600 }]],
      ],
      [
        'started, whole',
        { record: planned },
        { record: { ...rolling, 'half-split': 'false' } },
        [
          ['info rollout_delay_elapsed', {}],
          [
            'info rollout_started',
            {
              update_revision: 'web-new',
              pods_to_update: 4,
              total_replicas: 4,
              max_unavailable: 2,
              half_split_enabled: false,
            },
          ],
          ['info rollout_single_range', { total_replicas: 4 }],
        ],
      ],
      [
        'interrupted',
        { record: rolling },
        { record: { ...rolling, 'target-revision': 'web-c' } },
        [
          ['info rollout_interrupted', { old_revision: 'web-new', new_revision: 'web-c' }],
          [
            'info rollout_split',
            {
              upper_range_ordinals: [2, 3],
              lower_range_ordinals: [0, 1],
              upper_range_count: 2,
              lower_range_count: 2,
            },
          ],
        ],
      ],
      [
        'first batch',
        { record: rolling },
        { record: batch, pods: 'old old old OLD' },
        [
          [
            'info rollout_range_started',
            { range_index: 1, total_ranges: 2, range_name: 'upper_range', range_ordinals: [2, 3], range_count: 2 },
          ],
          ['info rollout_batches_created', { range_name: 'upper_range', total_batches: 1, max_unavailable: 2 }],
          ['info rollout_batch_deleting', { ...batchOf, pod_names: ['web-2', 'web-3'], pod_count: 2 }],
        ],
      ],
      [
        'deleted',
        { record: batch, pods: 'old old old old' },
        { record: batch, pods: 'old old - NEW', now: noon - 6 },
        [['info rollout_batch_waiting', batchOf]],
      ],
      [
        'not there yet',
        { record: batch, pods: 'old old - NEW' },
        { record: batch, pods: 'old old - NEW' },
        [['info rollout_batch_progress', { ...batchOf, not_created: [2] }]],
      ],
      [
        'not ready yet',
        { record: batch, pods: 'old old new NEW' },
        { record: batch, pods: 'old old new NEW' },
        [
          [
            'info rollout_batch_progress',
            { ...batchOf, ready_count: 1, not_ready: ['web-3(Running/CrashLoopBackOff)'] },
          ],
        ],
      ],
      [
        'not deleted yet',
        { record: batch, pods: 'old old new old' },
        { record: batch, pods: 'old old new old' },
        [['info rollout_batch_progress', { ...batchOf, ready_count: 1, not_ready: ['web-3(not deleted yet)'] }]],
      ],
      [
        'less than ten seconds',
        { record: batch, pods: 'old old new NEW', now: noon - 4 },
        { record: batch, pods: 'old old new NEW' },
        [],
      ],
      [
        'ready',
        { record: batch, pods: 'old old new NEW' },
        { record: batch, pods: 'old old new new', now: noon + 5 },
        [['info rollout_batch_ready', { ...batchOf, completed_in_range: 2, total_in_range: 2 }]],
      ],
      [
        'stalled',
        { record: batch, pods: 'old old new NEW' },
        { record: { ...batch, 'stalled-at': String(noon) }, pods: 'old old new NEW' },
        [['warn rollout_stalled', { batch_ordinals: [2, 3], waited_seconds: 15, not_available: [3] }]],
      ],
      [
        'aborted',
        { record: rolling },
        { record: { ...rolling, state: 'none' }, strategy: 'RollingUpdate' },
        [
          ['info skip_wrong_strategy', { strategy_type: 'RollingUpdate' }],
          ['warn rollout_aborted', { update_revision: 'web-new' }],
        ],
      ],
      [
        'nothing to do',
        { record: planned, pods: 'new new new old' },
        { record: { ...planned, state: 'done' }, pods: 'new new new new' },
        [
          ['debug revision_complete', { update_revision: 'web-new' }],
          ['info rollout_already_complete', { update_revision: 'web-new' }],
        ],
      ],
      [
        'completed',
        { record: rolling, pods: 'new new new old' },
        { record: { ...rolling, state: 'done' }, pods: 'new new new new' },
        [
          ['debug revision_complete', { update_revision: 'web-new' }],
          ['info rollout_completed', { update_revision: 'web-new', total_replicas: 4 }],
        ],
      ],
      [
        'no ordinals',
        {},
        { pods: [{ uid: 'a', name: 'web-a' }, { uid: 'b' }] },
        [['error missing_pod_index_label', { missing_pods: ['web-a', 'b'] }]],
      ],
      ['no pods', {}, { pods: '' }, [['debug no_pods_found', {}]]],
      ['a status of before', {}, { observedGeneration: 1 }, [['debug no_update_revision', {}]]],
      ['paused', { record: rolling }, { record: rolling, order: { paused: true } }, [['info rollout_paused', {}]]],
      ['resumed', { record: rolling, order: { paused: true } }, { record: rolling }, [['info rollout_resumed', {}]]],
      ['another set of that name', { uid: 'uid-before' }, { record: rolling }, []],
    ]
  for (const [name, before, after, lines] of table) {
    const records = told(before, after)
    t.same(
      records.map((record) => [`${record.level} ${record.event}`, fieldsOf(record)]),
      lines,
      name,
    )
  }
  t.end()
})

void t.test('the first look of a process logs nothing, and knows when the countdown goes on', (t) => {
  const first = (changes: MomentChanges): ReturnType<typeof milestones> =>
    milestones(undefined, momentOf(changes), options)
  t.same(first({ record: planned }), { records: [], againSeconds: 20 })
  t.same(first({ record: planned, order: { delaySeconds: 115 } }), { records: [] }, 'the start comes first')
  t.same(first({ record: planned, order: { paused: true } }), { records: [] })
  t.same(first({ record: rolling }), { records: [] })
  t.end()
})

void t.test('whatever happens, a look at the same again logs nothing', (t) => {
  const names = Object.keys(happenings) as Happening[]
  const walk = fc.array(fc.constantFrom(...names, 'sync' as const, 'delete' as const, 'allReady' as const), {
    maxLength: 100,
  })
  const property = fc.property(walk, (walk) => {
    const course = new Course({ 'delay-seconds': 30 })
    const follower = new Follower()
    for (const happening of walk) {
      happenings[happening](course)
      course.sync()
      for (const { message } of follower.look(course)) assert.doesNotMatch(message, /undefined|\?|NaN/)
      assert.deepEqual(follower.look(course), [])
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 100) }))
  t.end()
})

void t.test('lines as they are written', (t) => {
  const written = (level: string, json: boolean): string[] => {
    const lines: string[] = []
    const log = milestoneLog({
      level,
      json,
      write: (line) => void lines.push(line),
      date: () => new Date('2026-01-01T00:00:00.5Z'),
    })
    told({ record: batch }, { record: { ...batch, 'stalled-at': '1', message: 'not\navailable: 2' } }).forEach(log)
    told({}, { pods: '' }).forEach(log)
    return lines
  }
  const text = '[shop/web] rollout to web-new is stalled: not available: 2\n'
  t.same(written('info', false), [text])
  t.same(written('debug', false), [text, '[shop/web] none of 4 pods is there\n'])
  t.same(written('error', false), [])
  t.same(written('silent', true), [])
  const [line = ''] = written('warn', true)
  t.ok(line.endsWith('}\n'))
  t.same(JSON.parse(line), {
    level: 'warn',
    time: '2026-01-01T00:00:00.500Z',
    event: 'rollout_stalled',
    message: 'rollout to web-new is stalled: not\navailable: 2',
    namespace: 'shop',
    statefulset: 'web',
    batch_ordinals: [2, 3],
    waited_seconds: 15,
    not_available: [],
  })
  t.end()
})
