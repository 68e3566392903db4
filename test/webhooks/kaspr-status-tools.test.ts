/** What people and tools such as kubectl wait read in the status of an app. */
import t from 'tap'
import type { CompositeResponse, Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { app, conditionsOf, hooks } from './kaspr-status-world.ts'
import { applied, context, request } from './requests.ts'

/** As kubectl wait --for=condition=Ready: a condition about an older generation does not count. */
function waitSucceeds({ metadata, status }: KubeObject): boolean {
  const { conditions: all = [] } = (status ?? {}) as { conditions?: Condition[] }
  const ready = all.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' && ready.observedGeneration >= (metadata.generation ?? 0)
}

/** As kstatus: an older generation or no Ready condition is in progress. */
function isCurrent({ metadata, status }: KubeObject): boolean {
  const { observedGeneration } = (status ?? {}) as { observedGeneration?: number }
  return observedGeneration === metadata.generation && waitSucceeds({ apiVersion: '', kind: '', metadata, status })
}

void t.test('tools that wait for Ready wait for exactly the spec that they see', async (t) => {
  let parent = app({ replicas: 1 }, 1)
  let children: KubeObject[] = []
  let second = 0
  /** One sync, whose answer is carried out; the set's own controller follows when `follows` says so. */
  const pass = (follows: boolean): CompositeResponse => {
    const now = new Date(Date.UTC(2026, 0, 1, 0, 0, (second += 1))).toISOString()
    const result = hooks.sync(request(hooks, parent, children), context({}, now))
    const former = children.find(({ kind }) => kind === 'StatefulSet')
    children = result.children.map((child) => {
      if (child.kind !== 'StatefulSet') return applied(child)
      const generation = parent.metadata.generation ?? 0
      const counts = {
        replicas: 1,
        availableReplicas: 1,
        updatedReplicas: 1,
        currentRevision: 'r',
        updateRevision: 'r',
      }
      const next = applied(
        child,
        follows ? { ...counts, observedGeneration: generation } : (former?.['status'] as Record<string, unknown>),
      )
      return { ...next, metadata: { ...next.metadata, generation } }
    })
    parent = { ...parent, status: { ...result.status, observedGeneration: parent.metadata.generation } }
    return result
  }
  const types = (): string[] => (parent['status'] as { conditions: Condition[] }).conditions.map(({ type }) => type)

  t.notOk(waitSucceeds(parent), 'before the first sync')
  pass(false)
  t.same(types(), ['Valid', 'Progressing', 'Ready', 'Paused'], 'all conditions are there from the first sync')
  t.notOk(waitSucceeds(parent))
  pass(true)
  t.notOk(waitSucceeds(parent), 'the set was not observed yet')
  pass(true)
  t.ok(waitSucceeds(parent) && isCurrent(parent))
  const settled = JSON.stringify(parent['status'])
  pass(true)
  t.equal(JSON.stringify(parent['status']), settled, 'and nothing moves any more')

  const { metadata } = parent
  parent = {
    ...parent,
    spec: { ...(parent['spec'] as object), config: { topicPartitions: 9 } },
    metadata: { ...metadata, generation: 2 },
  }
  t.notOk(waitSucceeds(parent) || isCurrent(parent), 'a changed spec is not ready, whatever the old status says')
  pass(false)
  t.notOk(waitSucceeds(parent), 'nor when it is applied')
  pass(false)
  t.notOk(waitSucceeds(parent), 'nor before the set has taken it up')
  pass(true)
  pass(true)
  t.ok(waitSucceeds(parent) && isCurrent(parent))
  for (const condition of (parent['status'] as { conditions: Condition[] }).conditions)
    t.match(condition, { observedGeneration: 2, lastTransitionTime: /^2026-01-01T00:00:\d\dZ$/, reason: /^[A-Za-z]+$/ })
})

void t.test('a paused app does not say that a change is applied', async (t) => {
  const paused = { 'kaspr.io/pause-reconciliation': 'true' }
  const counts = { replicas: 1, availableReplicas: 1, currentRevision: 'r', updateRevision: 'r' }
  const settled = app({ replicas: 1 }, 2, { observedGeneration: 2 })
  const children = hooks
    .sync(request(hooks, settled), context())
    .children.map((child) =>
      applied(child, child.kind === 'StatefulSet' ? { ...counts, observedGeneration: 1 } : undefined),
    )
  const said = (parent: KubeObject): unknown => {
    const held = { ...parent, metadata: { ...parent.metadata, annotations: paused } }
    return conditionsOf(hooks.sync(request(hooks, held, children), context()))
  }
  t.match(said(settled), [
    {},
    { type: 'Progressing', status: 'False', reason: 'ReconcileComplete' },
    { status: 'True' },
  ])
  const change = app({ replicas: 1, config: { topicPartitions: 9 } }, 3, { observedGeneration: 2 })
  t.match(said(change), [{}, { type: 'Progressing', status: 'False', reason: 'Paused' }, { status: 'True' }])
})
