import t from 'tap'
import { modelJson } from '../../cli/rollout/json.ts'
import { selectorText } from '../../poller/kube/selector.ts'
import { rolloutModel } from '../../cli/rollout/model.ts'
import type { Live, UiState } from '../../cli/rollout/model.ts'
import { many, newRevision, noon, oldRevision, pod, states, world } from './rollout-world.ts'
import type { World } from './rollout-world.ts'

const model = (given: World, delaySeconds?: number): ReturnType<typeof rolloutModel> =>
  rolloutModel(world(given), noon, delaySeconds)

void t.test('which of the four states: pods weigh more than annotations, rolling more than planned', async (t) => {
  const table: [name: string, given: World, state: UiState][] = [
    ['all new and ready', {}, 'Idle'],
    ['all new and ready, annotations left over', { annotations: { state: 'rolling' } }, 'Idle'],
    ['all new and ready, a batch left over', { annotations: { 'current-batch-ordinals': '[1]' } }, 'Idle'],
    ['no pods wanted', { pods: [], annotations: { state: 'planned' } }, 'Idle'],
    ['old, rolling', { pods: ['old', 'new'], annotations: { state: 'rolling' } }, 'Rolling'],
    ['old, batch without state', { pods: ['old'], annotations: { 'current-batch-ordinals': '[0]' } }, 'Rolling'],
    [
      'old, planned with a batch',
      { pods: ['old'], annotations: { state: 'planned', 'current-batch-ordinals': '[0]' } },
      'Rolling',
    ],
    ['old, planned', { pods: ['old'], annotations: { state: 'planned' } }, 'Scheduled'],
    ['only unready, planned', { pods: ['new-unready'], annotations: { state: 'planned' } }, 'Scheduled'],
    ['old, no operator', { pods: ['old'] }, 'NeedsAction'],
    ['old, done', { pods: ['old'], annotations: { state: 'done' } }, 'NeedsAction'],
    ['old, none', { pods: ['old'], annotations: { state: 'none' } }, 'NeedsAction'],
    ['old, unknown word', { pods: ['old'], annotations: { state: 'Rolling' } }, 'NeedsAction'],
    ['new, one not ready', { pods: ['new', 'new-unready'] }, 'NeedsAction'],
    ['new, one missing', { pods: ['new', 'gone'] }, 'NeedsAction'],
    ['new, one terminating', { pods: ['new', 'terminating'] }, 'NeedsAction'],
    ['new, one without revision', { pods: ['new', 'unlabelled'] }, 'NeedsAction'],
    ['fewer pods wanted than there are', { pods: ['new', 'new', 'old'], replicas: 2 }, 'Idle'],
    ['batch that is no list', { pods: ['old'], annotations: { 'current-batch-ordinals': '{"0":1}' } }, 'NeedsAction'],
    ['batch that is no JSON', { pods: ['old'], annotations: { 'current-batch-ordinals': '[0' } }, 'NeedsAction'],
  ]
  for (const [name, given, state] of table) t.equal(model(given).uiState, state, name)
})

void t.test('counts: each ordinal in exactly one class', async (t) => {
  const { counts, workRemaining, sections } = model({
    pods: ['new', 'new-unready', 'old', 'old', 'old-unready', 'unlabelled', 'terminating', 'gone'],
  })
  t.same(counts, { newReady: 1, newNotReady: 1, oldReady: 2, oldNotReady: 1, missing: 3 })
  t.equal(workRemaining, 7)
  t.same(
    sections[0]?.pods.map(({ revision }) => revision),
    ['new', 'new', 'old', 'old', 'old', 'unknown', 'missing', 'missing'],
  )
})

void t.test(
  'target: of the status; without one the annotation tells new from old and nothing is called the target',
  async (t) => {
    const given: World = { pods: ['new', 'old'], target: '', annotations: { 'target-revision': newRevision } }
    const { target, counts } = model(given)
    t.equal(target, undefined)
    t.match(counts, { newReady: 1, oldReady: 1 })
    t.match(model({ ...given, annotations: {} }).counts, { missing: 2 }, 'nothing known: all unknown')
    t.match(model({ ...given, target: oldRevision }).counts, { newReady: 1, oldReady: 1 }, 'the status wins')
  },
)

void t.test('pods of others never count, whatever their labels say', async (t) => {
  const live = world({ pods: ['old', 'gone'] })
  const stranger = pod(world({ name: 'web' }).set, 1, 'new')
  stranger.metadata.ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'before', controller: true },
  ]
  const orphan = { ...pod(live.set, 1, 'new') }
  orphan.metadata = { ...orphan.metadata, ownerReferences: [] }
  const seen = rolloutModel({ ...live, pods: [...live.pods, stranger, orphan] }, noon)
  t.same(seen.counts, { newReady: 0, newNotReady: 0, oldReady: 1, oldNotReady: 0, missing: 1 })
})

void t.test('a terminating pod does not hide the one that follows it', async (t) => {
  const live = world({ pods: ['terminating'] })
  const next = pod(live.set, 0, 'new')
  for (const pods of [
    [...live.pods, next],
    [next, ...live.pods],
  ]) {
    t.equal(rolloutModel({ ...live, pods }, noon).counts.newReady, 1)
  }
})

void t.test('sections: halves with the odd pod in the upper one, by value of the first ordinal', async (t) => {
  const table: [given: World, sections: Record<string, number[]>][] = [
    [{ pods: many(5, 'old') }, { 'All pods': [0, 1, 2, 3, 4] }],
    [
      { pods: many(5, 'old'), annotations: { 'half-split': 'true' } },
      { Upper: [2, 3, 4], Lower: [0, 1] },
    ],
    [
      { pods: many(5, 'old'), annotations: { 'half-split': 'True' } },
      { Upper: [2, 3, 4], Lower: [0, 1] },
    ],
    [{ pods: many(5, 'old'), annotations: { 'half-split': '1' } }, { 'All pods': [0, 1, 2, 3, 4] }],
    [
      { pods: many(4, 'old'), start: 5, annotations: { 'half-split': 'true' } },
      { Upper: [7, 8], Lower: [5, 6] },
    ],
    [{ pods: ['old'], annotations: { 'half-split': 'true' } }, { 'All pods': [0] }],
    [{ pods: [], annotations: { 'half-split': 'true' } }, { 'All pods': [] }],
    [{ pods: many(3, 'old'), replicas: 2, annotations: { replicas: '3' } }, { 'All pods': [0, 1] }],
  ]
  for (const [given, expected] of table) {
    const { sections } = model(given)
    const seen = Object.fromEntries(sections.map(({ title, pods }) => [title, pods.map(({ ordinal }) => ordinal)]))
    t.same(seen, expected)
    t.same(Object.keys(seen), Object.keys(expected), 'upper first')
  }
})

void t.test('status of sections: done, active, queued, idle', async (t) => {
  const split = { 'half-split': 'true' }
  const upper = { ...split, state: 'rolling', 'range-name': 'upper_range' }
  const table: [given: World, statuses: string[]][] = [
    [{ pods: many(4, 'old'), annotations: { ...split, state: 'planned' } }, ['Queued', 'Queued']],
    [{ pods: many(4, 'old'), annotations: upper }, ['Active', 'Queued']],
    [{ pods: ['old', 'old', 'new', 'new'], annotations: upper }, ['Done', 'Queued']],
    [{ pods: ['old', 'old', 'new', 'new-unready'], annotations: upper }, ['Active', 'Queued']],
    [
      { pods: ['old', 'new', 'new', 'new'], annotations: { ...upper, 'range-name': 'lower_range' } },
      ['Done', 'Active'],
    ],
    [{ pods: many(4, 'old'), annotations: { ...split, state: 'done' } }, ['Idle', 'Idle']],
    [{ pods: many(2, 'old'), annotations: { state: 'rolling', 'range-name': 'all' } }, ['Active']],
    [{ pods: many(2, 'old'), annotations: { state: 'planned', 'range-name': 'all' } }, ['Queued']],
    [{ pods: [] }, ['Done']],
  ]
  for (const [given, statuses] of table) {
    t.same(
      model(given).sections.map(({ status }) => status),
      statuses,
      JSON.stringify(given),
    )
  }
})

void t.test('enrolled: the label, or without one that somebody recorded a state', async (t) => {
  const table: [labels: Record<string, string>, annotations: Record<string, string>, enrolled: boolean][] = [
    [{ 'rollout-operator/enabled': 'true' }, {}, true],
    [{ 'rollout-operator/enabled': 'false' }, { state: 'none' }, false],
    [{}, {}, false],
    [{}, { state: 'planned' }, true],
    [{}, { state: 'done' }, true],
    [{}, { state: 'none' }, false],
    [{ 'rollout-operator/enabled': 'yes' }, { state: 'rolling' }, false],
  ]
  for (const [labels, annotations, enrolled] of table) t.equal(model({ labels, annotations }).enrolled, enrolled)
})

void t.test(
  'countdown: from the argument, else the set, else none; never below zero; none when no time is waited for',
  async (t) => {
    const planned = { state: 'planned', 'planned-at': String(noon - 60) }
    const overrides = { 'config.rollout-operator/delay-seconds': '90' }
    const given = (more: World): World => ({ pods: ['old'], annotations: planned, ...more })
    t.equal(model(given({})).startsInSeconds, undefined)
    t.equal(model(given({ overrides })).startsInSeconds, 30)
    t.equal(model(given({ overrides }), 100).startsInSeconds, 40)
    t.equal(model(given({}), 10).startsInSeconds, 0)
    t.equal(model(given({ overrides: { 'config.rollout-operator/delay-seconds': '-5' } })).startsInSeconds, undefined)
    t.equal(model(given({ annotations: { ...planned, 'planned-at': 'soon' } }), 10).startsInSeconds, undefined)
    t.equal(model({ pods: ['old'], annotations: { ...planned, state: 'rolling' } }, 100).startsInSeconds, undefined)
    const asked = (key: string, value: string): number | undefined =>
      model(given({ overrides: { [`config.rollout-operator/${key}`]: value } }), 100).startsInSeconds
    t.equal(asked('start-now', newRevision), undefined, 'started at once: nothing counts down')
    t.equal(asked('start-now', oldRevision), 40, 'asked for another revision')
    t.equal(asked('paused', 'true'), undefined, 'held: no time starts it')
    t.equal(asked('paused', 'false'), 40)
  },
)

void t.test('keys that every map has are no annotations and no labels', async (t) => {
  const { set } = world({ pods: ['old'] })
  delete set.metadata.annotations
  delete set.metadata.labels
  t.equal(rolloutModel({ set, pods: [] }, noon).operatorState, 'unknown')
  t.equal(rolloutModel({ set: { ...set, spec: undefined, status: null }, pods: [] }, noon).replicas, 1)
})

void t.test('the selector of a set as a query', async (t) => {
  const { set } = world()
  const selector = {
    matchLabels: { app: 'web', tier: 'db' },
    matchExpressions: [
      { key: 'a', operator: 'In', values: ['x', 'y'] },
      { key: 'b', operator: 'NotIn', values: ['z'] },
      { key: 'c', operator: 'Exists' },
      { key: 'd', operator: 'DoesNotExist' },
    ],
  }
  t.equal(selectorText({ ...set, spec: { selector } }), 'app=web,tier=db,a in (x,y),b notin (z),c,!d')
})

void t.test('--json of the four states', async (t) => {
  const common = { namespace: 'shop', name: 'web', replicas: 4, enrolled: true, target: newRevision }
  const expected: Record<keyof ReturnType<typeof states>, object> = {
    idle: { ...common, ui_state: 'Idle', operator_state: 'done', idle: true, work_remaining: 0, new_ready: 4 },
    scheduled: {
      ...common,
      ui_state: 'Scheduled',
      operator_state: 'planned',
      idle: false,
      old_ready: 4,
      planned_at: noon - 60,
      starts_in_seconds: 540,
      max_unavailable: 2,
      half_split: true,
      sections: [
        { title: 'Upper', status: 'Queued', new_and_ready: 0, total: 2, old: 2, ready: 2 },
        { title: 'Lower' },
      ],
    },
    rolling: {
      ...common,
      ui_state: 'Rolling',
      new_not_ready: 1,
      missing: 1,
      range_name: 'upper_range',
      current_batch_ordinals: [2, 3],
      sections: [
        {
          title: 'Upper',
          status: 'Active',
          pods: [
            { ordinal: 2, revision: 'new', ready: false, in_batch: true },
            { ordinal: 3, revision: 'missing', ready: false },
          ],
        },
        { title: 'Lower', status: 'Queued' },
      ],
    },
    needsAction: { ...common, ui_state: 'NeedsAction', operator_state: 'unknown', planned_at: null, missing: 1 },
  }
  const live: Record<string, Live> = states(4)
  for (const [name, json] of Object.entries(expected)) {
    const seen: unknown = JSON.parse(JSON.stringify(modelJson(rolloutModel(live[name] as Live, noon))))
    t.match(seen, json, name)
  }
})
