/** Conditions of an app, against the recorded tables. */
import t from 'tap'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { table } from './golden-tables.ts'
import { answer, app, at, conditionsOf, health, hooks, ofTypes } from './kaspr-status-world.ts'
import { context, request } from './requests.ts'

interface RolloutRecord {
  name: string
  conditions: Condition[] | null
  generation: number
  observedGeneration: number | null
  availableMembers: number | null
  replicas: number
  hungMembers: number[] | null
  now: string
  expected: { conditions: Condition[] }
}

/** Where something else is meant: reason -> what Progressing and Ready are, or `undefined` where the rule does not apply. */
const rolloutDifferences: Record<string, (record: RolloutRecord) => [[object, object]] | undefined> = {
  'which members are hung is found out and reported by the poller: without such a report the rest decides': (
    record,
  ) => {
    if (record.hungMembers === null || record.hungMembers.length === 0) return undefined
    const isNew = record.generation !== record.observedGeneration
    return isNew ? [[{ reason: 'NewSpec' }, { reason: 'NotReady' }]] : [[{ status: 'False' }, { reason: 'Healthy' }]]
  },
  'times are kept whatever else changes in the same pass': ({ name, conditions, expected }) => {
    if (name !== 'pending-package-condition') return undefined
    const [progressing, ready] = health.map((type) => {
      const { reason, message } = expected.conditions.find((one) => one.type === type) ?? {}
      const kept = conditions?.find((one) => one.type === type)?.lastTransitionTime ?? ''
      return { reason, message, lastTransitionTime: at(kept) }
    })
    return [[progressing ?? {}, ready ?? {}]]
  },
}

void t.test('Progressing and Ready, as recorded', async (t) => {
  for (const record of table<RolloutRecord>('conditions-rollout')) {
    const { name, conditions: before, generation, observedGeneration, availableMembers, replicas, now } = record
    const status = { conditions: before, ...(observedGeneration === null ? {} : { observedGeneration }) }
    const count = availableMembers ?? undefined
    const set = { replicas, updatedReplicas: replicas, ...(count === undefined ? {} : { availableReplicas: count }) }
    const ours = ofTypes(conditionsOf(answer({ parent: app({ replicas }, generation, status), set, now })), health)
    const wanted = ofTypes(record.expected.conditions, health)
    const [otherwise] = Object.values(rolloutDifferences).flatMap((rule) => rule(record) ?? [])
    if (otherwise === undefined) t.same(ours, wanted, name)
    else t.match(ours, otherwise, name)
  }
})

interface ErrorRecord {
  name: string
  conditions: Condition[] | null
  generation: number | null
  now: string
  expected: { conditions: Condition[] }
}

void t.test('an error, as recorded; here it is always one of the spec, in words', async (t) => {
  for (const { name, conditions: before, generation, now, expected } of table<ErrorRecord>('conditions-error')) {
    const parent = app({ replicas: -1 }, generation ?? 0, { conditions: before })
    const ours = ofTypes(conditionsOf(answer({ parent, set: null, now })), health)
    const wanted = ofTypes(expected.conditions, health) as Condition[]
    const message = 'spec.replicas: -1 is not accepted; accepted: must be >= 0'
    t.same(
      ours,
      wanted.map((one) => (one.type === 'Progressing' ? { ...one, message } : one)),
      name,
    )
  }
})

interface PackagesRecord {
  name: string
  state: { state?: string; reason?: string } | null
  expected: { condition: { status: string } | null }
}

/** Reports that make up the recorded states. */
const reports: Record<string, object> = {
  Ready: { state: 'terminated', exitCode: 0, message: '{}' },
  Installing: { state: 'running' },
  Failed: { state: 'terminated', exitCode: 1 },
}

void t.test('the condition of the packages, as recorded', async (t) => {
  const image = 'x/y:1'
  const spec = { image, pythonPackages: { packages: ['lib'] } }
  const ready = (parent: KubeObject, packages?: object): Condition | undefined =>
    conditionsOf(
      answer({ parent, set: {}, now: '2026-01-01T00:00:00Z', ...(packages === undefined ? {} : { packages }) }),
    ).find(({ type }) => type === 'PythonPackagesReady')
  const { template } = hooks
    .sync(request(hooks, app(spec, 1)), context())
    .children.find(({ kind }) => kind === 'StatefulSet')?.['spec'] as { template: unknown }
  const set = /"--set","([^"]+)"/.exec(JSON.stringify(template))?.[1]
  for (const { name, state, expected } of table<PackagesRecord>('conditions-packages')) {
    const report = reports[state?.state ?? '']
    // A state that is not known, or none, is no report at all: then packages count as not installed yet.
    const status = report === undefined ? 'False' : expected.condition?.status
    const packages = report === undefined ? undefined : { pod: 'orders-app-0', set, ...report }
    t.match(ready(app(spec, 1), packages), { status, observedGeneration: 1 }, name)
  }
  t.equal(ready(app({ image }, 1)), undefined, 'without packages there is none')
})
