/** Conditions that replace others: the recorded table, and times that are not kept. */
import t from 'tap'
import { conditions } from '../../webhooks/contract/conditions.ts'
import type { ConditionDraft } from '../../webhooks/contract/conditions.ts'
import type { Condition } from '../../webhooks/contract/types.ts'
import { expectedOf, table } from './golden-tables.ts'
import type { Difference } from './golden-tables.ts'
import { inOneFormat } from './kaspr-status-world.ts'

interface UpsertRecord {
  name: string
  conditions: Partial<Condition>[] | null
  update: Partial<Condition>
  now: string
  expected: { conditions: Partial<Condition>[] | null }
}

/** Updates that nobody can make here: a condition is decided whole. */
const impossible = ['update-without-status', 'update-partial']

const upsertDifferences: Record<string, Difference<UpsertRecord, Partial<Condition>[]>> = {
  'there is one condition of a type, and none without a type': {
    applies: ({ name }) => ['duplicate-types-first-only', 'condition-without-type'].includes(name),
    instead: (all) =>
      all.filter(({ type }, index) => type !== undefined && all.findIndex((one) => one.type === type) === index),
  },
  'conditions have no other fields': {
    applies: ({ name }) => name === 'extra-fields-kept',
    instead: (all) =>
      all.map(({ type, status, reason, message, lastTransitionTime, observedGeneration }) => {
        return { type, status, reason, message, lastTransitionTime, observedGeneration } as Condition
      }),
  },
  'all conditions are decided anew, so all are about the generation of the answer': {
    applies: () => true,
    instead: (all) => all.map((condition) => ({ ...condition, observedGeneration: 2 })),
  },
}

void t.test('conditions that replace others, as recorded', async (t) => {
  for (const record of table<UpsertRecord>('conditions-upsert')) {
    const { name, conditions: before, update, now, expected } = record
    if (impossible.includes(name)) {
      t.notOk('reason' in update, `${name}: not a complete condition`)
      continue
    }
    const wanted = expectedOf(record, expected.conditions ?? [], upsertDifferences)
    // What was there and is not updated is decided as it was.
    const drafts = wanted.map(({ type }) =>
      type === update.type ? (update as ConditionDraft) : decided(before?.find((one) => one.type === type)),
    )
    const ours = conditions(before, drafts, 2, new Date(now))
    t.same(inOneFormat(ours), inOneFormat(wanted), name)
  }
})

function decided(condition: Partial<Condition> = {}): ConditionDraft {
  const { type, status, reason, message } = condition
  return { type, status, reason, message } as ConditionDraft
}

void t.test('a time that the API server would refuse is not kept', async (t) => {
  const draft: ConditionDraft = { type: 'Ready', status: 'True', reason: 'R', message: '' }
  const now = new Date('2026-01-01T00:00:00Z')
  for (const lastTransitionTime of ['', 'yesterday', '2025-01-01', '2025-01-01T00:00:00', 1, null, {}])
    t.match(conditions([{ ...draft, lastTransitionTime }], [draft], 1, now), [
      { lastTransitionTime: '2026-01-01T00:00:00Z' },
    ])
  for (const lastTransitionTime of [
    '2025-01-01T00:00:00Z',
    '2025-01-01T00:00:00.123456+00:00',
    '2025-01-01T00:00:00-05:00',
  ])
    t.match(conditions([{ ...draft, lastTransitionTime }], [draft], 1, now), [{ lastTransitionTime }])
})
