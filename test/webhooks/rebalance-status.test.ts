import t from 'tap'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { subscriptionHash } from '../../webhooks/kaspr/subscriptions.ts'
import { context, hooksOf, request, synced } from './requests.ts'

const hooks = hooksOf('kasprapps')
const wanted = subscriptionHash(['in'])

function app(annotations: Record<string, string> = {}, status: object = {}): KubeObject {
  const metadata = { name: 'orders', namespace: 'shop', uid: 'app-uid', generation: 1, annotations }
  const spec = { replicas: 1, bootstrapServers: 'kafka:9092', authentication: { type: 'plain' } }
  return { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', metadata, spec, status }
}

function component(kind: string, name: string, spec: object): KubeObject {
  const metadata = { name, namespace: 'shop', uid: name, generation: 1, labels: { 'kaspr.io/app': 'orders' } }
  return synced({ apiVersion: 'kaspr.io/v1alpha1', kind, metadata, spec })
}

const agent = component('KasprAgent', 'enrich', { input: { topic: { name: 'in' } } })

function report(kasprApp: object): KubeObject {
  return {
    apiVersion: 'metacontroller.kaspr.io/v1alpha1',
    kind: 'Observation',
    metadata: { name: 'kasprapp-orders', namespace: 'shop' },
    status: { kasprApp: { appUid: 'app-uid', members: [], ...kasprApp } },
  }
}

function told(
  parent: KubeObject,
  kasprApp?: object,
): [required: unknown, status: string | undefined, reason: string | undefined, message: string] {
  const { status } = hooks.sync(
    request(hooks, parent, kasprApp === undefined ? [] : [report(kasprApp)], [agent]),
    context(),
  )
  const condition = (status['conditions'] as Condition[]).find(({ type }) => type === 'Rebalanced')
  return [status['rebalanceRequired'], condition?.status, condition?.reason, condition?.message ?? '']
}

void t.test('S2, D1: whether a rebalance is due, and what it waits for', (t) => {
  const applied = (hash: string, rebalance?: object): object => ({ subscriptions: { applied: hash }, rebalance })
  const signal = { phase: 'accepted', member: 2, podUID: 'u', reason: 'subscription_change', time: '' }
  const attempts = { retryAt: '2030-01-01T00:00:00.123Z' }
  const invalid = { ...app({}, { rebalanceRequired: true }), spec: {} }
  const rows: [name: string, parent: KubeObject, report: object | undefined, expected: unknown[]][] = [
    ['nothing is known', app(), undefined, [undefined, undefined]],
    ['nothing is known yet: what was pending stays', app({}, { rebalanceRequired: true }), {}, [true, undefined]],
    ['the spec cannot be read: the same', invalid, applied(wanted), [true, undefined]],
    ['taken up', app({}, { rebalanceRequired: true }), applied(wanted), [false, 'True', 'UpToDate']],
    ['due', app(), applied('x'), [true, 'False', 'Waiting', /about to ask/]],
    ['not known whether taken up', app(), applied('unknown'), [true, 'False', 'Waiting']],
    [
      'waiting',
      app(),
      applied('x', { deferred: 'rollout in progress' }),
      [true, 'False', 'Waiting', /waits: rollout in/],
    ],
    ['under way', app(), applied('x', { signal }), [true, 'False', 'Rebalancing', /Member 2/]],
    ['by hand', app(), applied(wanted, { signal }), [false, 'False', 'Rebalancing']],
    [
      'failing',
      app(),
      applied('x', { problem: 'member 0: it answers HTTP 500', attempts }),
      [true, 'False', 'Failing', /failed: member 0: it answers HTTP 500; next try at 2030-01-01T00:00:00Z$/],
    ],
    ['off', app({ 'kaspr.io/auto-rebalance': 'no' }), applied('x'), [true, 'False', 'AutomaticRebalanceOff']],
    ['paused', app({ 'kaspr.io/pause-reconciliation': 'true' }), applied('x'), [true, 'False', 'Paused']],
    [
      'without static membership',
      app({ 'kaspr.io/disable-static-group-membership': 'true' }, { rebalanceRequired: true }),
      applied('x'),
      [false, undefined],
    ],
  ]
  for (const [name, parent, kasprApp, expected] of rows) {
    t.match(told(parent, kasprApp).slice(0, expected.length), expected, name)
  }
  t.end()
})

void t.test('S7: topic patterns are warned of, once for all', (t) => {
  const warnings = (...components: KubeObject[]): unknown => {
    const { children } = hooks.sync(request(hooks, app(), [], components), context())
    const observation = children.find(({ kind }) => kind === 'Observation')
    return (observation?.['spec'] as { kasprApp: { warnings?: unknown } }).kasprApp.warnings
  }
  const pattern = (name: string): KubeObject => component('KasprAgent', name, { input: { topic: { pattern: 'x.*' } } })
  t.equal(warnings(agent), undefined)
  t.match(warnings(pattern('p2'), pattern('p1')), [
    { reason: 'TopicPattern', message: /: KasprAgent p1, KasprAgent p2$/ },
  ])
  t.end()
})
