import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { blockedBy, groupOf, isBusy } from '../../poller/rollout/groups.ts'
import { trimSet } from '../../poller/rollout/stateful-sets.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { setOf } from '../webhooks/rollout-world.ts'
import { withAvailable } from './rollout-orders.ts'

t.setTimeout(120_000)

/** A member as far as the order of a group depends on it. */
interface Member {
  name: string
  /** Start of its rollout; absent while none runs. */
  startedAt?: number | undefined
  /** Available pods of 3. */
  available?: number
  state?: string
  group?: string
  uid?: string
}

function member({ name, startedAt, available, state, group = 'g', uid = `uid-${name}` }: Member): KubeObject {
  const record: Record<string, string> = {
    state: state ?? (startedAt === undefined ? 'done' : 'rolling'),
    ...(startedAt === undefined ? {} : { 'started-at': String(startedAt) }),
  }
  return withAvailable(setOf({ name, uid, replicas: 3, labels: { 'rollout-group': group }, record }), available)
}

/** Who blocks the first of these. */
function blocker(first: Member, ...others: Member[]): string | undefined {
  const all = [first, ...others].map(member)
  return blockedBy(all[0] as KubeObject, all)
}

void t.test('who goes first', (t) => {
  const rows: [why: string, blocker: string | undefined, ...members: [Member, ...Member[]]][] = [
    ['alone', undefined, { name: 'a' }],
    ['others have nothing to do', undefined, { name: 'b', startedAt: 1 }, { name: 'a' }],
    ['a rollout that runs', 'b', { name: 'a' }, { name: 'b', startedAt: 5 }],
    ['the one that has begun first', 'b', { name: 'a', startedAt: 6 }, { name: 'b', startedAt: 5 }],
    ['this one has begun first', undefined, { name: 'b', startedAt: 5 }, { name: 'a', startedAt: 6 }],
    ['at the same time: by name', 'a', { name: 'b', startedAt: 5 }, { name: 'a', startedAt: 5 }],
    ['at the same time: by name, this one', undefined, { name: 'a', startedAt: 5 }, { name: 'b', startedAt: 5 }],
    ['unavailable pods of another, rolling or not', 'b', { name: 'a', startedAt: 1 }, { name: 'b', available: 2 }],
    ['own unavailable pods', undefined, { name: 'b', available: 2 }, { name: 'a', startedAt: 1 }],
    [
      'both have unavailable pods: by start',
      'b',
      { name: 'a', available: 2 },
      { name: 'b', startedAt: 9, available: 0 },
    ],
    ['the very first of several', 'c', { name: 'a' }, { name: 'b', startedAt: 2 }, { name: 'c', startedAt: 1 }],
    ['a rollout without its time has begun first', 'b', { name: 'a', startedAt: 1 }, { name: 'b', state: 'rolling' }],
    ['a plan is no reason to wait', undefined, { name: 'b' }, { name: 'a', state: 'planned' }],
    ['another group', undefined, { name: 'a' }, { name: 'b', startedAt: 1, group: 'h' }],
    ['never oneself', undefined, { name: 'a', startedAt: 2 }, { name: 'a', startedAt: 1 }],
  ]
  for (const [why, expected, ...members] of rows) t.equal(blocker(...members), expected, why)
  t.end()
})

void t.test('a set without group, or with an empty one, waits for nobody', (t) => {
  const other = member({ name: 'b', available: 0, group: '' })
  t.equal(blockedBy(setOf({ labels: {} }), [other]), undefined)
  t.equal(blockedBy(member({ name: 'a', group: '' }), [other]), undefined)
  t.equal(groupOf(other), undefined)
  t.end()
})

void t.test('a set whose status tells nothing counts as unavailable', (t) => {
  t.equal(isBusy(member({ name: 'a' })), false)
  t.equal(isBusy({ ...member({ name: 'a' }), status: {} }), true)
  const { status, ...silent } = member({ name: 'a' })
  t.ok(status)
  t.equal(isBusy(silent), true)
  t.equal(isBusy(withAvailable(setOf({ replicas: 0 }))), false, 'none of none are unavailable')
  t.end()
})

const groups = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    startedAt: fc.option(fc.nat(2), { nil: undefined }),
    available: fc.integer({ min: 2, max: 4 }),
  }),
  { selector: ({ name }) => name, minLength: 1 },
)

void t.test('no group waits for itself, and never are two of its rollouts on the way', (t) => {
  const property = fc.property(groups, (members) => {
    const all = members.map(member)
    const blockers = new Map(all.map((set) => [set.metadata.name, blockedBy(set, all)]))
    for (const [name, other] of blockers) {
      if (other === undefined) continue
      assert.notEqual(other, name)
      assert.equal(blockers.get(other), undefined, 'who is waited for need not wait')
      assert.ok(
        all.some((set) => set.metadata.name === other && isBusy(set)),
        'and has something to do',
      )
    }
    const free = members.filter(({ name, startedAt }) => startedAt !== undefined && blockers.get(name) === undefined)
    assert.ok(free.length <= 1, 'rolling members that may delete')
    const isAnyBusy = all.some(isBusy)
    const busyAndFree = all.filter((set) => isBusy(set) && blockers.get(set.metadata.name) === undefined)
    if (isAnyBusy) assert.equal(busyAndFree.length, 1, 'of busy members exactly one has its turn')
    const others = [...all].reverse().map(trimSet)
    for (const set of all) {
      assert.equal(
        blockedBy(trimSet(set), others),
        blockers.get(set.metadata.name),
        'in any order, as the watch has them',
      )
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) }))
  t.end()
})
