import t from 'tap'
import { pause, resume, start } from '../../cli/rollout/change.ts'
import type { Change } from '../../cli/rollout/change.ts'
import { verdict } from '../../cli/rollout/verdict.ts'
import type { Verdict } from '../../cli/rollout/verdict.ts'
import { many, newRevision, noon, oldRevision, world } from './rollout-world.ts'
import type { World } from './rollout-world.ts'

process.env['TZ'] = 'UTC'

const to = (revision: string, more: Record<string, string> = {}): Record<string, string> => ({
  'target-revision': revision,
  'last-revision': revision,
  ...more,
})
const planned = to(newRevision, { state: 'planned', 'planned-at': String(noon) })
const rolling = to(newRevision, {
  state: 'rolling',
  'range-name': 'upper_range',
  'range-index': '1',
  'range-total': '2',
  'batch-index': '1',
  'batch-total': '1',
  'current-batch-ordinals': '[2, 3]',
})
const stalled = { ...rolling, 'stalled-at': String(noon), message: 'not available: 2 (Running/CrashLoopBackOff)' }
const done = to(newRevision, { state: 'done' })
const wish = (key: string, value: string): Record<string, string> => ({ [`config.rollout-operator/${key}`]: value })

void t.test('status: one verdict and one line for each way a rollout can stand', async (t) => {
  const table: [name: string, given: World, state: Verdict['state'], text: RegExp][] = [
    [
      'never rolled',
      {},
      'complete',
      /^statefulset "web" successfully rolled out: 4 of 4 pods updated, 4 available, rev/,
    ],
    ['done', { annotations: done }, 'complete', new RegExp(`, revision ${newRevision}$`)],
    ['no pods wanted', { pods: [] }, 'complete', /0 of 0 pods updated/],
    ['updated by hand, nobody rolls it', { labels: {} }, 'complete', /successfully/],
    ['updated by hand after an abort', { annotations: to(oldRevision, { state: 'none' }) }, 'complete', /successfully/],
    // Complete is what holds for the template of this moment, and nothing else.
    [
      'a template that Kubernetes has not seen',
      { annotations: done, metadata: { generation: 2 }, status: { observedGeneration: 1 } },
      'progressing',
      /^Waiting for statefulset "web" spec update to be observed$/,
    ],
    [
      'a template that the operator has not seen',
      { pods: many(4, 'old'), annotations: to(oldRevision, { state: 'done' }) },
      'progressing',
      /0 of 4 pods updated, 4 available; waits for the operator to take up revision web-6c9f4d7b58$/,
    ],
    ['done for another revision', { annotations: to(oldRevision, { state: 'done' }) }, 'progressing', /next step$/],
    ['all new, still rolling', { annotations: rolling }, 'progressing', /batch 1\/1 of upper_range .*next step$/],
    ['all new, still planned', { annotations: planned }, 'progressing', /planned at/],
    [
      'all ready, one not for long enough',
      { annotations: done, status: { availableReplicas: 3 } },
      'progressing',
      /4 of 4 pods updated, 3 available; waits for the next step$/,
    ],
    ['done, one not ready', { pods: ['new', 'new-unready'], annotations: done }, 'progressing', /waits for web-1$/],
    ['done, one terminating', { pods: ['new', 'terminating'], annotations: done }, 'progressing', /waits for web-1$/],
    ['done, one missing', { pods: ['new', 'gone'], annotations: done }, 'progressing', /waits for web-1$/],
    ['being created', { pods: many(7, 'gone') }, 'progressing', /waits for web-0, web-1, web-2, web-3, web-4, \.\.\.$/],
    [
      'rolling',
      { pods: ['old', 'old', 'new-unready', 'gone'], annotations: rolling },
      'progressing',
      /^Waiting for statefulset "web" rollout to finish: 1 of 4 pods updated, 2 available; batch 1\/1 of upper_range \(1\/2\); waits for web-2, web-3$/,
    ],
    [
      'planned, delay not known',
      { pods: many(2, 'old'), annotations: planned },
      'progressing',
      /planned at 2026-03-01 12:00:00$/,
    ],
    [
      'planned, delay known',
      { pods: many(2, 'old'), annotations: planned, overrides: wish('delay-seconds', '600') },
      'progressing',
      /starts at 2026-03-01 12:10:00$/,
    ],
    [
      'planned, started by hand',
      { pods: many(2, 'old'), annotations: planned, overrides: wish('start-now', newRevision) },
      'progressing',
      /starts now$/,
    ],
    [
      'planned, held by its group',
      { pods: many(2, 'old'), annotations: { ...planned, message: 'waits for api of the rollout group g' } },
      'progressing',
      /; planned at .*; waits for api of the rollout group g$/,
    ],
    [
      'none, with something in the way',
      { pods: many(2, 'old'), annotations: { message: 'pods without a label' } },
      'progressing',
      /take up revision .*; pods without a label$/,
    ],
    [
      'planned, paused',
      { pods: ['old'], annotations: planned, overrides: wish('paused', 'true') },
      'paused',
      /; paused$/,
    ],
    [
      'rolling, paused',
      { pods: ['old'], annotations: rolling, overrides: wish('paused', 'yes') },
      'paused',
      /; paused$/,
    ],
    ['paused by what nobody understands', { pods: ['old'], overrides: wish('paused', '?') }, 'paused', /; paused$/],
    [
      'paused while stalled',
      { pods: ['old'], annotations: stalled, overrides: wish('paused', 'true') },
      'paused',
      /paused/,
    ],
    ['paused, nothing to do', { annotations: done, overrides: wish('paused', 'true') }, 'complete', /successfully/],
    [
      'rolling, all pods ready but too young',
      {
        pods: ['old', 'old', 'new', 'new'],
        annotations: rolling,
        status: { availableReplicas: 2 },
        minReadySeconds: 60,
      },
      'progressing',
      /; waits until all pods have been ready for 60 s$/,
    ],
    [
      'rolling, all pods ready and old enough',
      { pods: ['old', 'old', 'new', 'new'], annotations: rolling, minReadySeconds: 60 },
      'progressing',
      /; waits for the next step$/,
    ],
    [
      'stalled',
      { pods: ['old', 'old', 'new-unready', 'new'], annotations: stalled },
      'stalled',
      /^statefulset "web" rollout stalled: 2 of 4 .*; not available: 2 \(Running\/CrashLoopBackOff\)$/,
    ],
    [
      'stalled before the change that repairs it',
      { pods: many(4, 'old'), annotations: { ...stalled, ...to(oldRevision) } },
      'progressing',
      /take up revision/,
    ],
    [
      'stalled, written by nobody knows whom',
      { annotations: { ...stalled, 'stalled-at': 'ages' } },
      'progressing',
      /batch/,
    ],
    ['stalled, repaired by itself', { annotations: { ...stalled } }, 'stalled', /stalled/],
    [
      'stalled, and a change that Kubernetes has not seen',
      { pods: ['old'], annotations: stalled, metadata: { generation: 2 }, status: { observedGeneration: 1 } },
      'progressing',
      /spec update/,
    ],
    ['RollingUpdate', { strategy: 'RollingUpdate' }, 'aborted', /aborted: .*updateStrategy.type is RollingUpdate/],
    ['deleted', { metadata: { deletionTimestamp: '2026-03-01T12:00:00Z' } }, 'aborted', /it is being deleted$/],
    ['nobody rolls it', { pods: ['old'], labels: {} }, 'aborted', /not enrolled: label rollout-operator\/enabled/],
    [
      'opted out',
      { pods: ['old'], labels: { 'rollout-operator/enabled': 'false' }, annotations: rolling },
      'aborted',
      /not enrolled/,
    ],
    ['a single target has no label', { pods: ['old'], labels: {}, annotations: planned }, 'progressing', /planned/],
  ]
  for (const [name, given, state, text] of table) {
    const live = world(given)
    t.match(verdict(live, live.set), { state, text }, name)
  }
})

void t.test('status: what has become of the set since somebody began to wait', async (t) => {
  const { set: before } = world({ pods: ['old'], annotations: rolling })
  t.match(verdict(undefined, before), { state: 'aborted', text: 'statefulset "web" rollout aborted: it is gone' })
  const table: [name: string, given: World, state: Verdict['state'], text: RegExp][] = [
    ['made anew, and at rest', { metadata: { uid: 'another' } }, 'aborted', /it was deleted and made anew$/],
    ['label removed, records stay', { pods: ['old'], annotations: rolling, labels: {} }, 'aborted', /not enrolled/],
    ['label removed, all updated', { annotations: rolling, labels: {} }, 'complete', /successfully/],
  ]
  for (const [name, given, state, text] of table) t.match(verdict(world(given), before), { state, text }, name)
})

void t.test('pause, resume and start: what is written, and what makes no sense', async (t) => {
  const paused = wish('paused', 'true')
  const old: World = { pods: many(2, 'old') }
  const unenrolled = /not enrolled: label rollout-operator\/enabled is not "true"$/
  const write = (annotations: Record<string, string | null>, done: string | RegExp): object => ({
    kind: 'write',
    annotations,
    done,
  })
  const wishes = {
    pause: ({ set }: ReturnType<typeof world>) => pause(set),
    resume: ({ set }: ReturnType<typeof world>) => resume(set),
    start,
  }
  const startNew = write(wish('start-now', newRevision), `starts revision ${newRevision}`)
  const key = 'config.rollout-operator/paused'
  const table: [verb: keyof typeof wishes, name: string, given: World, change: object][] = [
    ['pause', 'any', {}, write({ [key]: 'true' }, 'paused')],
    ['pause', 'was false', { overrides: wish('paused', 'false') }, write({ [key]: 'true' }, 'paused')],
    ['pause', 'paused', { overrides: paused }, { kind: 'nothing', because: 'already paused' }],
    ['pause', 'not enrolled', { labels: {} }, write({ [key]: 'true' }, unenrolled)],
    ['pause', 'RollingUpdate', { strategy: 'RollingUpdate' }, { kind: 'refuse', because: /works with OnDelete only/ }],
    ['resume', 'paused', { overrides: paused }, write({ [key]: null }, 'resumed')],
    ['resume', 'paused, somehow', { overrides: wish('paused', '') }, write({ [key]: null }, 'resumed')],
    ['resume', 'not paused', { overrides: wish('paused', 'no') }, { kind: 'nothing', because: 'not paused' }],
    ['resume', 'paused for somebody else', { overrides: { 'grafana.com/rollout-paused': 'true' } }, { kind: 'refuse' }],
    ['start', 'planned', { ...old, annotations: planned }, startNew],
    ['start', 'not planned yet', { ...old, annotations: to(oldRevision, { state: 'done' }) }, startNew],
    ['start', 'asked for an earlier one', { ...old, overrides: wish('start-now', oldRevision) }, startNew],
    ['start', 'pods that do not tell', { pods: ['unlabelled'] }, startNew],
    ['start', 'asked before', { ...old, overrides: wish('start-now', newRevision) }, { kind: 'nothing' }],
    ['start', 'rolling', { ...old, annotations: rolling }, { kind: 'nothing', because: 'already rolling' }],
    ['start', 'done', { annotations: done }, { kind: 'refuse', because: /^no rollout is pending/ }],
    ['start', 'a pod is missing', { pods: ['new', 'gone'] }, { kind: 'refuse', because: /^no rollout is pending/ }],
    ['start', 'paused', { ...old, overrides: paused }, { kind: 'refuse', because: /is paused: resume it first$/ }],
    ['start', 'not enrolled', { ...old, labels: {} }, { kind: 'refuse', because: unenrolled }],
    ['start', 'RollingUpdate', { ...old, strategy: 'RollingUpdate' }, { kind: 'refuse', because: /OnDelete only/ }],
    ['start', 'not observed', { metadata: { generation: 2 }, status: { observedGeneration: 1 } }, { kind: 'later' }],
    ['start', 'no revision', { target: '' }, { kind: 'later' }],
  ]
  for (const [verb, name, given, expected] of table) {
    const change: Change = wishes[verb](world(given))
    t.match(change, expected, `${verb}: ${name}`)
    if (change.kind === 'write') t.match(change.annotations, (expected as { annotations: object }).annotations)
  }
})
