import t from 'tap'
import type { KasprAppSpec } from '../../poller/kaspr/part.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { context, hooksOf, request, synced } from './requests.ts'

const hooks = hooksOf('kasprapps')

/** What the poller is told of an app with these annotations and components. */
function orders(annotations: Record<string, string>, components: KubeObject[] = []): KasprAppSpec {
  const metadata = { name: 'orders', namespace: 'shop', uid: 'app-uid', generation: 1, annotations }
  const spec = { replicas: 1, bootstrapServers: 'kafka:9092', authentication: { type: 'plain' } }
  const app = { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', metadata, spec }
  const { children } = hooks.sync(request(hooks, app, [], components), context())
  const observation = children.find(({ kind }) => kind === 'Observation')
  return (observation?.['spec'] as { kasprApp: KasprAppSpec }).kasprApp
}

const agent: KubeObject = {
  apiVersion: 'kaspr.io/v1alpha1',
  kind: 'KasprAgent',
  metadata: { name: 'enrich', namespace: 'shop', uid: 'enrich', generation: 1, labels: { 'kaspr.io/app': 'orders' } },
  spec: { input: { topic: { name: 'in' } } },
}

void t.test('the StatefulSet may be deleted only when it would be made again', (t) => {
  t.strictSame(orders({}, [synced(agent)]).mayDelete, ['HungMembers', 'StatefulSet'])
  t.strictSame(orders({}, [agent]).mayDelete, ['HungMembers'], 'not while a new set waits for its components')
  t.strictSame(orders({ 'kaspr.io/pause-reconciliation': 'true' }).mayDelete, [])
  t.end()
})

void t.test('a rebalance annotation of any size does not make the Observation one that cannot be applied', (t) => {
  const { manualRebalance = '' } = orders({ 'kaspr.io/rebalance': '"'.repeat(200_000) })
  t.ok(manualRebalance.length > 0 && manualRebalance.length < 1000)
  t.end()
})
