/** What the conditions of an app say of its members, claims and objects. */
import t from 'tap'
import type { CompositeResponse, KubeObject } from '../../webhooks/contract/types.ts'
import { answered, app, carriedOut, condition, healthySet, report, sync } from './kaspr-app-world.ts'

void t.test('health', async (t) => {
  const first = sync(app())
  const rows: [
    what: string,
    set: Record<string, unknown>,
    members: Record<string, unknown>[],
    env: Record<string, string>,
    ready: object,
    progressing: object,
  ][] = [
    [
      'one of three missing',
      { ...healthySet(3), availableReplicas: 2 },
      report.members,
      {},
      { status: 'False', reason: 'NotReady' },
      { status: 'True', reason: 'Reconciling' },
    ],
    [
      'half-way through a rollout',
      { ...healthySet(3), updatedReplicas: 1, updateRevision: 'r2' },
      report.members,
      {},
      { status: 'False' },
      { status: 'True', reason: 'Reconciling' },
    ],
    [
      'not seen by the StatefulSet controller',
      { ...healthySet(3), observedGeneration: 0 },
      report.members,
      {},
      { status: 'False' },
      { status: 'True', reason: 'NewSpec' },
    ],
    [
      'nobody answers',
      healthySet(3),
      report.members.map((member) => ({ ...member, reachable: false })),
      {},
      { status: 'Unknown', reason: 'MembersUnreachable' },
      { status: 'False' },
    ],
    [
      'nobody answers, by the original rule',
      healthySet(3),
      report.members.map((member) => ({ ...member, reachable: false })),
      { READY_NEEDS_MEMBERS: 'false' },
      { status: 'True' },
      { status: 'False' },
    ],
    ['not polled yet', healthySet(3), [], {}, { status: 'True', reason: 'Healthy' }, { status: 'False' }],
  ]
  for (const [what, status, members, env, ready, progressing] of rows) {
    const children = carriedOut(first, 3, { ...report, members }).map((child) =>
      child.kind === 'StatefulSet' ? { ...child, status } : child,
    )
    const answer = sync(answered(app(), first), children, [], env)
    t.match(condition(answer, 'Ready'), ready, what)
    t.match(condition(answer, 'Progressing'), progressing, what)
  }
  const stopped = app({ replicas: 0 })
  const stop = sync(stopped)
  t.match(
    condition(sync(answered(stopped, stop), carriedOut(stop, 0)), 'Ready'),
    { status: 'True' },
    'a stopped app is healthy at 0/0',
  )
})

void t.test('what the poller cannot do is a condition', async (t) => {
  const spec = { storage: { type: 'persistent-claim', size: '1Gi' } }
  const first = sync(app(spec))
  const after = (more: object, size = '1Gi'): CompositeResponse =>
    sync(app({ storage: { ...spec.storage, size } }), carriedOut(first, 3, { ...report, ...more }))
  const growth = { from: '1Gi', size: '2Gi', phase: 'Growing' }
  const problem = { reason: 'ExpansionNotAllowed', message: 'StorageClass slow does not allow it' }
  const rows: [what: string, answer: CompositeResponse, status: string, reason: string, message: RegExp][] = [
    ['as it should be', after({}), 'True', 'AsSpecified', /as large/],
    ['not taken up yet', after({}, '2Gi'), 'False', 'Growing', /from 1Gi to 2Gi/],
    ['the same size', after({}, '1024Mi'), 'True', 'AsSpecified', /as large/],
    ['smaller', after({}, '512Mi'), 'False', 'CannotShrink', /stay 1Gi.*512Mi \(spec\.storage\.size\)/],
    ['under way', after({ storage: growth }, '2Gi'), 'False', 'Growing', /from 1Gi to 2Gi/],
    ['at the end', after({ storage: { ...growth, phase: 'Replacing' } }, '2Gi'), 'False', 'Replacing', /its pods stay/],
    ['stuck', after({ storage: { ...growth, problem } }, '2Gi'), 'False', problem.reason, /slow does not allow/],
    ['a claim', after({ problems: [{ of: 'Claims', ...problem }] }), 'False', problem.reason, /slow does not allow/],
    ['members', after({ problems: [{ of: 'Members', ...problem }] }), 'True', 'AsSpecified', /as large/],
  ]
  for (const [what, answer, status, reason, message] of rows) {
    t.match(condition(answer, 'StorageReady'), { status, reason, message }, what)
  }
  t.equal(condition(sync(app()), 'StorageReady'), undefined, 'an app without claims has none')
  const degraded = after({ problems: [{ of: 'Members', reason: 'PollingDegraded', message: 'most are silent' }] })
  t.match(condition(degraded, 'PollingDegraded'), { status: 'True', message: 'most are silent' })
  t.equal(condition(after({}), 'PollingDegraded'), undefined)
})

void t.test('H10: hung members come before all but an error; strikes are in the status', async (t) => {
  const first = sync(app())
  const members = report.members.map((member) => ({ ...member, hungStrikes: 2 }))
  const progressing = { status: 'False', reason: 'ReconcileComplete', message: 'All resources are in desired state' }
  const rows: [what: string, parent: KubeObject, due: number[], ready: object, progressing: object][] = [
    ['nobody is due', app(), [], { status: 'True', reason: 'Healthy' }, progressing],
    [
      'before health',
      app(),
      [0, 3],
      {
        status: 'False',
        reason: 'HungMembers',
        message: 'Members [0, 3] hung in rebalancing state - terminating pods',
      },
      progressing,
    ],
    [
      'before a new spec',
      { ...app(), metadata: { ...app().metadata, generation: 9 } },
      [1],
      { reason: 'HungMembers' },
      progressing,
    ],
    ['after an error', app({ replicas: 'x' }), [1], { reason: 'Error' }, { status: 'False', reason: 'Error' }],
  ]
  for (const [what, parent, due, ready, expected] of rows) {
    const seen = { ...report, members, hung: { due, terminations: [] } }
    const status = { ...(answered(app(), first)['status'] as object) }
    const answer = sync({ ...parent, status }, carriedOut(first, 3, seen))
    t.match(condition(answer, 'Ready'), ready, what)
    t.match(condition(answer, 'Progressing'), expected, what)
    t.match(answer.status['members'], members, what)
  }
})

void t.test('a child that never appears is named', async (t) => {
  const first = sync(app())
  const children = carriedOut(first).filter(({ metadata }) => metadata.name !== 'orders-app-api')
  const answer = sync(answered(app(), first), children)
  t.match(condition(answer, 'Progressing'), {
    status: 'True',
    reason: 'WaitingForObjects',
    message: /Service orders-app-api.*belongs to somebody else/,
  })
})
