/** Events about rollouts: each is told once, in order, whatever the poller has looked at. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { observationStatusSchema } from '../../crds/types/observation.ts'
import { announce, type Announced } from '../../poller/rollout/announcements.ts'
import type { Announcement } from '../../poller/rollout/event-texts.ts'
import { shapeCheck } from '../../webhooks/contract/validate.ts'
import { noon } from '../webhooks/rollout-world.ts'
import { Course, type Happening, happenings, momentOf, type MomentChanges } from './rollout-moments.ts'

t.setTimeout(120_000)

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 150)

const planned = { state: 'planned', 'planned-at': String(noon - 10), 'target-revision': 'web-new' }
const rolling = { ...planned, state: 'rolling', 'started-at': String(noon - 5) }
const done = { ...rolling, state: 'done' }
const again = { 'planned-at': String(noon - 1), 'target-revision': 'web-c' }
const mixed = 'new new old old'
const updated = 'new new new new'

const wasPlanned: Announced = { state: 'planned', plannedAt: noon - 10, targetRevision: 'web-new' }
const wasRolling: Announced = { ...wasPlanned, state: 'rolling' }
const wasDone: Announced = { state: 'done', plannedAt: noon - 10 }

void t.test('Events by what was told and what is there', (t) => {
  const withC = (record: Record<string, string>): Record<string, string> => ({ ...record, 'target-revision': 'web-c' })
  const table: [name: string, last: Announced | undefined, now: MomentChanges, reasons: string][] = [
    ['first sight: never rolled', undefined, {}, ''],
    ['first sight: done', undefined, { record: done }, ''],
    ['first sight: planned', undefined, { record: planned }, 'NewRevision RolloutScheduled'],
    ['first sight: rolling', undefined, { record: rolling }, 'RolloutStarted'],
    ['first sight: held', undefined, { record: rolling, order: { paused: true } }, 'RolloutStarted RolloutPaused'],
    ['planned', { state: 'none' }, { record: planned }, 'NewRevision RolloutScheduled'],
    ['planned again', { state: 'done', plannedAt: 5 }, { record: planned }, 'NewRevision RolloutScheduled'],
    ['planned again at once', wasDone, { record: planned }, 'NewRevision RolloutScheduled'],
    ['planned still', wasPlanned, { record: planned }, ''],
    ['another revision while planned', wasPlanned, { record: withC(planned) }, 'NewRevision'],
    ['started', wasPlanned, { record: rolling }, 'RolloutDelayElapsed RolloutStarted'],
    [
      'another revision, started',
      wasPlanned,
      { record: withC(rolling) },
      'NewRevision RolloutDelayElapsed RolloutStarted',
    ],
    ['nothing to do', wasPlanned, { record: { ...planned, state: 'done' } }, 'RolloutAlreadyComplete'],
    ['aborted before its start', wasPlanned, { record: { ...planned, state: 'none' } }, 'RolloutAborted'],
    ['all at once', wasPlanned, { record: done }, 'RolloutDelayElapsed RolloutStarted RolloutCompleted'],
    ['planned time removed by hand', wasPlanned, { record: { state: 'planned', 'target-revision': 'web-new' } }, ''],
    ['another start', wasPlanned, { record: { ...planned, 'planned-at': String(noon) } }, 'RolloutScheduled'],
    ['rolling still', wasRolling, { record: rolling }, ''],
    ['interrupted', wasRolling, { record: withC(rolling) }, 'RolloutInterrupted'],
    ['interrupted, completed', wasRolling, { record: withC(done) }, 'RolloutInterrupted RolloutCompleted'],
    ['completed', wasRolling, { record: done }, 'RolloutCompleted'],
    ['aborted', wasRolling, { record: { ...rolling, state: 'none' } }, 'RolloutAborted'],
    ['done still', wasDone, { record: done }, ''],
    ['done, for a revision without pods to update', wasDone, { record: withC(done) }, ''],
    [
      'a whole rollout unseen',
      { state: 'none' },
      { record: done },
      'NewRevision RolloutScheduled RolloutDelayElapsed RolloutStarted RolloutCompleted',
    ],
    [
      'completed unseen, then planned',
      wasRolling,
      { record: { ...planned, ...again }, pods: updated },
      'RolloutCompleted NewRevision RolloutScheduled',
    ],
    [
      'ended unseen, who knows how, then planned',
      wasRolling,
      { record: { ...planned, ...again }, pods: mixed },
      'RolloutInterrupted NewRevision RolloutScheduled',
    ],
    [
      'a plan ended unseen, then another started',
      wasPlanned,
      { record: { ...rolling, ...again }, pods: updated },
      'RolloutAlreadyComplete NewRevision RolloutScheduled RolloutDelayElapsed RolloutStarted',
    ],
    [
      'a plan gave way to another',
      wasPlanned,
      { record: { ...planned, ...again }, pods: mixed },
      'NewRevision RolloutScheduled',
    ],
    ['paused', wasRolling, { record: rolling, order: { paused: true } }, 'RolloutPaused'],
    ['paused still', { ...wasRolling, paused: true }, { record: rolling, order: { paused: true } }, ''],
    ['resumed', { ...wasRolling, paused: true }, { record: rolling }, 'RolloutResumed'],
    [
      'over while paused',
      { ...wasRolling, paused: true },
      { record: done, order: { paused: true } },
      'RolloutCompleted',
    ],
    ['paused without a rollout', wasDone, { record: done, order: { paused: true } }, ''],
    ['no index', wasDone, { record: done, pods: [{ uid: 'a', name: 'web-x' }] }, 'MissingPodIndex'],
    [
      'no index still',
      { ...wasDone, missingPodIndex: true },
      { record: done, pods: [{ uid: 'a', name: 'web-x' }] },
      '',
    ],
    ['no index, not ours', wasDone, { record: done, pods: [{ uid: 'a' }], strategy: 'RollingUpdate' }, ''],
  ]
  for (const [name, last, now, reasons] of table) {
    const { events, announced } = announce(last, momentOf(now))
    t.same(events.map(({ reason }) => reason).join(' '), reasons, name)
    t.same(announce(announced, momentOf(now)).events, [], `${name}: told once`)
  }
  t.end()
})

void t.test('texts', (t) => {
  const messages = (last: Announced | undefined, now: MomentChanges): string[] =>
    announce(last, momentOf(now)).events.map(({ type, message }) => `${type}: ${message}`)
  const facts = { 'pods-to-update': '4', 'max-unavailable': '2', 'half-split': 'true' }
  t.same(messages({ state: 'none' }, { record: { ...done, ...facts } }), [
    'Normal: [shop/web] web-new is a new revision: 4 of 4 pods to update',
    'Normal: [shop/web] rollout to web-new is due 600 s after its detection, at 2026-01-01T00:09:50Z',
    'Normal: [shop/web] the delay before the rollout to web-new is over',
    'Normal: [shop/web] rollout to web-new has started: 4 of 4 pods to update, at most 2 unavailable at once, upper half first',
    'Normal: [shop/web] rollout to web-new is complete: all pods are updated and available',
  ])
  t.same(messages(wasPlanned, { record: { ...planned, state: 'done' } }), [
    'Normal: [shop/web] nothing is left to roll out: all pods are of revision web-new',
  ])
  t.same(messages(wasRolling, { record: { ...rolling, ...facts, 'target-revision': 'web-c' } }), [
    'Normal: [shop/web] rollout to web-new has given way to one to web-c: 4 of 4 pods to update',
  ])
  const message = 'aborted: the update strategy is no longer OnDelete'
  t.same(messages(wasRolling, { record: { ...rolling, state: 'none', message } }), [
    'Warning: [shop/web] rollout to web-new aborted: the update strategy is no longer OnDelete',
  ])
  t.same(messages(wasRolling, { record: { ...rolling, state: 'none' } }), [
    'Warning: [shop/web] rollout to web-new aborted: the StatefulSet is not enrolled any more',
  ])
  t.same(messages(wasRolling, { record: rolling, order: { paused: true } }), [
    'Normal: [shop/web] rollout to web-new is paused: no pod is deleted until it is resumed',
  ])
  t.same(messages({ ...wasRolling, paused: true }, { record: rolling }), [
    'Normal: [shop/web] rollout to web-new is resumed',
  ])
  const stalled = { ...rolling, 'stalled-at': String(noon), 'current-batch-ordinals': '[2, 3]' }
  t.same(messages(wasRolling, { record: stalled, pods: 'old old NEW -' }), [
    'Warning: [shop/web] rollout to web-new is stalled since 2026-01-01T00:00:00Z: batch 2, 3; not available: 2 (Running/CrashLoopBackOff), 3 (missing)',
  ])
  const [many = ''] = messages(wasRolling, { record: stalled, pods: '', replicas: 40 })
  t.match(many, /: 0 \(missing\), .*9 \(missing\), \.\.\.$/, 'at most 10 ordinals')
  const strangers = Array.from({ length: 6 }, (_, index) => ({ uid: `uid-${index}`, name: `web-x${index}` }))
  t.same(messages(wasDone, { record: done, pods: strangers }), [
    'Warning: [shop/web] nothing can be rolled out: pods without a label apps.kubernetes.io/pod-index that agrees with their name: web-x0, web-x1, web-x2, web-x3, web-x4, ...',
  ])
  t.end()
})

void t.test('each warning is told once for as long as it stands', (t) => {
  const warning = (message: string): { reason: string; message: string } => ({ reason: 'InvalidConfig', message })
  const told = (last: Announced, ...messages: string[]): ReturnType<typeof announce> =>
    announce(last, momentOf({ order: { warnings: messages.map(warning) } }))
  const first = told({ state: 'none' }, 'a', 'b', 'a')
  t.same(first.events, [
    { type: 'Warning', reason: 'InvalidConfig', message: '[shop/web] a' },
    { type: 'Warning', reason: 'InvalidConfig', message: '[shop/web] b' },
  ])
  const second = told(first.announced, 'c', 'b')
  t.same(
    second.events.map(({ message }) => message),
    ['[shop/web] c'],
  )
  const corrected = told(second.announced)
  t.same(corrected, { announced: { state: 'none' }, events: [] })
  t.equal(told(corrected.announced, 'b').events.length, 1)
  t.end()
})

void t.test('a stall is told at once and every 30 minutes', (t) => {
  const stalledAt = noon + 2
  const look = (last: Announced, now: number): ReturnType<typeof announce> =>
    announce(last, momentOf({ record: { ...rolling, 'stalled-at': String(stalledAt) }, now }))
  const first = look(wasRolling, noon)
  t.equal(first.events.length, 1)
  t.same(look(first.announced, noon + 1).events, [], 'the clock of the hook may be ahead')
  t.equal(first.againSeconds, 1802)
  const quiet = look(first.announced, noon + 1801)
  t.same([quiet.announced, quiet.events, quiet.againSeconds], [first.announced, [], 1])
  const reminder = look(quiet.announced, noon + 1802)
  t.equal(reminder.events[0]?.reason, 'RolloutStalled')
  t.same(look(reminder.announced, noon + 2000).events, [])
  const late = look(reminder.announced, noon + 20_000)
  t.equal(late.events.length, 1, 'one for all that were missed')

  const cleared = announce(first.announced, momentOf({ record: rolling }))
  t.same(cleared, { announced: wasRolling, events: [] })
  const record = { ...rolling, 'stalled-at': String(stalledAt + 100) }
  t.equal(announce(first.announced, momentOf({ record, now: stalledAt + 101 })).events.length, 1, 'another stall')
  t.end()
})

void t.test('what is unknown tells nothing and forgets nothing', (t) => {
  const last: Announced = { ...wasRolling, missingPodIndex: true }
  const result = announce(last, momentOf({ record: rolling, observedGeneration: 1 }))
  t.same(result, { announced: last, events: [] })
  t.end()
})

void t.test('what is remembered stays the same from batch to batch', (t) => {
  const course = new Course({ replicas: 12, 'max-unavailable': 2 })
  const states = new Set<string>()
  let announced: Announced | undefined
  const look = (): void => {
    announced = announce(announced, course.look()).announced
    states.add(JSON.stringify(announced))
  }
  look()
  course.template('web-b')
  for (let round = 0; round < 30; round++) {
    course.pass(1)
    course.sync()
    look()
    course.delete()
    look()
    course.ready(true)
    look()
  }
  t.same(
    [...states].map((state) => (JSON.parse(state) as Announced).state),
    ['none', 'planned', 'rolling', 'done'],
  )
  t.end()
})

/** Events of each row of the state machine. */
const rowEvents: Readonly<Record<string, string[]>> = {
  T2: ['RolloutAborted'],
  T7: ['NewRevision', 'RolloutScheduled'],
  T8: ['NewRevision'],
  T9: ['RolloutAlreadyComplete'],
  T13: ['RolloutDelayElapsed', 'RolloutStarted'],
  T14: ['RolloutInterrupted'],
  T15: ['RolloutCompleted'],
}

const steps = new Set(Object.values(rowEvents).flat())

const walkOf = (...often: Happening[]): fc.Arbitrary<{ happening: Happening; isSeen: boolean }[]> => {
  const happening = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...often) },
    { weight: 1, arbitrary: fc.constantFrom(...(Object.keys(happenings) as Happening[])) },
  )
  return fc.array(fc.record({ happening, isSeen: fc.boolean() }), { minLength: 30, maxLength: 150 })
}

const walk = walkOf('delete', 'allReady', 'sync')

const isStatus = shapeCheck(observationStatusSchema)

/** A poller whose memory is what the API server keeps. */
class Teller {
  #stored: string | undefined

  /** @returns the Events of this look */
  look(course: Course): Announcement[] {
    const last = this.#stored === undefined ? undefined : (JSON.parse(this.#stored) as Announced)
    const moment = course.look()
    const { announced, events } = announce(last, moment)
    assert.ok(isStatus({ rollout: { setUid: 'uid-web', announced } }), 'fits the schema')
    const repeated = announce(announced, moment)
    assert.deepEqual([repeated.announced, repeated.events], [announced, []], 'a second look tells and changes nothing')
    for (const { message } of events) assert.match(message, /^\[shop\/web] \S/)
    this.#stored = JSON.stringify(announced)
    return events
  }
}

const reasonsOf = (events: Announcement[]): string[] => events.map(({ reason }) => reason)

void t.test('looking after every sync tells exactly the Events of the rows that decided', (t) => {
  const property = fc.property(walk, (walk) => {
    const course = new Course({ 'delay-seconds': 2 })
    const teller = new Teller()
    let isPaused = false
    let isUnnumbered = false
    teller.look(course)
    for (const { happening } of walk) {
      if (happening !== 'sync') happenings[happening](course)
      course.pass(1)
      const row = course.sync()
      const reasons = reasonsOf(teller.look(course))
      assert.deepEqual(
        reasons.filter((reason) => steps.has(reason)),
        rowEvents[row] ?? [],
        row,
      )
      if (row === 'T18') assert.ok(reasons.includes('RolloutStalled'))
      if (row === 'T5') assert.equal(reasons.includes('MissingPodIndex'), !isUnnumbered)
      isUnnumbered = row === 'T5' || (isUnnumbered && (row === 'T2' || row === 'T2b'))
      const { order, record } = course.look()
      const isHeld = order.paused && (record.state === 'planned' || record.state === 'rolling')
      assert.equal(reasons.includes('RolloutPaused'), isHeld && !isPaused)
      isPaused = isHeld
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
  t.end()
})

/** The states that Events take a rollout through; what is not in a row may not be told in its state. */
const grammar: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  idle: { NewRevision: 'new' },
  new: { RolloutScheduled: 'planned' },
  planned: {
    NewRevision: 'planned',
    RolloutScheduled: 'planned',
    RolloutDelayElapsed: 'due',
    RolloutAlreadyComplete: 'idle',
    RolloutAborted: 'idle',
  },
  due: { RolloutStarted: 'rolling' },
  rolling: {
    RolloutInterrupted: 'rolling',
    RolloutCompleted: 'idle',
    RolloutAborted: 'idle',
    // After an end that nobody has seen.
    NewRevision: 'new',
  },
}

void t.test(
  'looking now and then loses no step and repeats none: the Events lead to the state that is recorded',
  (t) => {
    const property = fc.property(walk, (walk) => {
      const course = new Course({ 'delay-seconds': 0 })
      const teller = new Teller()
      teller.look(course)
      let state = 'idle'
      for (const { happening, isSeen } of walk) {
        if (happening !== 'sync') happenings[happening](course)
        course.pass(1)
        course.sync()
        if (!isSeen) continue
        for (const reason of reasonsOf(teller.look(course)).filter((reason) => steps.has(reason))) {
          const next = grammar[state]?.[reason]
          assert.ok(next !== undefined, `${reason} while ${state}`)
          state = next
        }
        const { record } = course.look()
        assert.equal(state, record.state === 'none' || record.state === 'done' ? 'idle' : record.state)
      }
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns }))
    t.end()
  },
)

void t.test('what is told as complete has been: all pods were of its revision', (t) => {
  const often = walkOf('delete', 'allReady', 'templateB', 'templateC', 'rolling', 'onDelete')
  const property = fc.property(often, (walk) => {
    const course = new Course({ 'delay-seconds': 0 })
    const teller = new Teller()
    const complete = new Set<string | undefined>()
    for (const { happening, isSeen } of walk) {
      if (happening !== 'sync') happenings[happening](course)
      course.pass(1)
      course.sync()
      const [revision, ...others] = new Set(course.look().reported.map((pod) => pod.revision))
      if (others.length === 0) complete.add(revision)
      if (!isSeen) continue
      for (const { reason, message } of teller.look(course)) {
        const [, told] = /rollout to (\S+) is complete/.exec(message) ?? []
        assert.ok(reason !== 'RolloutCompleted' || complete.has(told), message)
      }
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
  t.end()
})
