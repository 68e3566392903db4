/** The end of an app. */
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { app, carriedOut, healthySet, hooks, ofKind, sync } from './kaspr-app-world.ts'
import { context, request } from './requests.ts'

void t.test('the end of an app is orderly and never creates anything', async (t) => {
  const first = sync(app())
  const dying = { ...app(), metadata: { ...app().metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
  const finalize = (
    children: KubeObject[],
    parent: KubeObject = dying,
  ): { kinds: string[]; replicas: unknown; finalized: boolean } => {
    // Related objects are not needed: their informer may be gone by then.
    const answer = hooks.finalize?.({ ...request(hooks, parent, children), related: {}, finalizing: true }, context())
    if (answer === undefined) throw new Error('no finalize hook')
    return {
      kinds: answer.children.map(({ kind }) => kind),
      replicas: (ofKind(answer.children, 'StatefulSet')?.['spec'] as { replicas?: number } | undefined)?.replicas,
      finalized: answer.finalized,
    }
  }
  const all = carriedOut(first)
  const withoutHpa = all.filter(({ kind }) => kind !== 'HorizontalPodAutoscaler')
  const down = withoutHpa.map((child) =>
    child.kind === 'StatefulSet'
      ? { ...child, spec: { ...(child['spec'] as object), replicas: 0 }, status: { ...healthySet(0) } }
      : child,
  )
  const kinds = ['ServiceAccount', 'ConfigMap', 'Service', 'Service', 'Observation']
  t.same(
    finalize(all),
    { kinds: [...kinds, 'StatefulSet'], replicas: 3, finalized: false },
    'the autoscaler goes first',
  )
  t.same(finalize(withoutHpa), { kinds: [...kinds, 'StatefulSet'], replicas: 0, finalized: false }, 'then the members')
  t.same(finalize(down), { kinds, replicas: undefined, finalized: false }, 'then their set')
  t.same(
    finalize(down.filter(({ kind }) => kind !== 'StatefulSet')),
    { kinds: [], replicas: undefined, finalized: false },
    'then the rest',
  )
  t.same(finalize([]), { kinds: [], replicas: undefined, finalized: true })
  t.same(
    finalize([], { ...dying, spec: { broken: true } }),
    { kinds: [], replicas: undefined, finalized: true },
    'whatever the spec',
  )
})
