/** Metrics of rollouts, as they are scraped. */
import { Registry } from 'prom-client'
import t from 'tap'
import type { Moment } from '../../poller/rollout/moment.ts'
import { RolloutMetrics } from '../../poller/rollout/metrics.ts'
import { createMetrics } from '../../webhooks/metrics.ts'
import { noon } from '../webhooks/rollout-world.ts'
import { Course, happenings, momentOf, type MomentChanges } from './rollout-moments.ts'

const rolling = {
  state: 'rolling',
  'planned-at': String(noon - 100),
  'started-at': String(noon - 50),
  'target-revision': 'web-new',
}

/** Values of the series whose names begin so, without the prefix that all have. */
async function scraped(registry: Registry, name = ''): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n')
  const prefix = 'rollout_operator_'
  return lines.filter((line) => line.startsWith(prefix + name)).map((line) => line.slice(prefix.length))
}

function metricsOf(detail?: 'namespace'): { registry: Registry; metrics: RolloutMetrics } {
  const registry = new Registry()
  return { registry, metrics: new RolloutMetrics(registry, detail) }
}

void t.test('a rollout from its plan to its end', async (t) => {
  const { registry, metrics } = metricsOf()
  const course = new Course({ replicas: 4, 'max-unavailable': 2 })
  let previous: Moment | undefined
  const look = (): void => {
    const now = course.look()
    metrics.observe(previous, now)
    previous = now
  }
  look()
  const sts = 'namespace="shop",statefulset="web"'
  t.same(
    await scraped(registry),
    [
      `rollouts_total{${sts},result="completed"} 0`,
      `rollouts_total{${sts},result="aborted"} 0`,
      `rollouts_total{${sts},result="interrupted"} 0`,
      `pods_deleted_total{${sts}} 0`,
      `state{${sts},state="none"} 1`,
      `state{${sts},state="planned"} 0`,
      `state{${sts},state="rolling"} 0`,
      `state{${sts},state="done"} 0`,
      `pods{${sts},class="new_ready"} 4`,
      `pods{${sts},class="new_not_ready"} 0`,
      `pods{${sts},class="old_ready"} 0`,
      `pods{${sts},class="old_not_ready"} 0`,
      `pods{${sts},class="missing"} 0`,
      `stalled{${sts}} 0`,
    ],
    'everything is there from the first look',
  )
  course.template('web-b')
  for (let round = 0; round < 10; round++) {
    for (const happening of ['sync', 'delete', 'allReady'] as const) {
      happenings[happening](course)
      look()
      course.pass(3)
    }
  }
  t.match(await scraped(registry, 'rollouts_total'), [/completed"} 1$/, /aborted"} 0$/, /interrupted"} 0$/])
  t.match(await scraped(registry, 'state'), [/none"} 0$/, /planned"} 0$/, /rolling"} 0$/, /done"} 1$/])
  const buckets = await scraped(registry, 'batch_duration_seconds')
  t.match(buckets.slice(-2), [`batch_duration_seconds_sum{${sts}} 12`, `batch_duration_seconds_count{${sts}} 2`])
  t.same(
    buckets.slice(0, -2).map((line) => /le="([^"]+)"/.exec(line)?.[1]),
    ['5', '10', '30', '60', '120', '300', '600', '1200', '1800', '3600', '+Inf'],
  )

  metrics.onPodsDeleted('shop', 'web', 1)
  t.same(await scraped(registry, 'pods_deleted_total'), [`pods_deleted_total{${sts}} 1`])
  metrics.forget('shop', 'web')
  metrics.forget('shop', 'web')
  t.same(await scraped(registry), [], 'nothing is left of a set that is gone')
})

void t.test('how rollouts end, and what is counted once', async (t) => {
  const table: [before: MomentChanges | undefined, after: MomentChanges, expected: string][] = [
    [{ record: rolling }, { record: { ...rolling, state: 'done' } }, 'completed'],
    [{ record: rolling }, { record: { ...rolling, state: 'none' } }, 'aborted'],
    [{ record: rolling }, { record: { ...rolling, 'target-revision': 'web-c' } }, 'interrupted'],
    [{ record: rolling }, { record: rolling }, ''],
    [undefined, { record: { ...rolling, state: 'done' } }, ''],
    [{ record: rolling, uid: 'before' }, { record: { ...rolling, state: 'done' } }, ''],
    [{ record: { ...rolling, state: 'planned', 'started-at': '' } }, { record: { state: 'done' } }, ''],
  ]
  for (const [before, after, expected] of table) {
    const { registry, metrics } = metricsOf()
    metrics.observe(before && momentOf(before), momentOf(after))
    const ended = (await scraped(registry, 'rollouts_total')).filter((line) => line.endsWith(' 1'))
    t.same(ended.map((line) => /result="(\w+)"/.exec(line)?.[1]).join(), expected)
  }
})

void t.test('pods by class', async (t) => {
  const counted = async (changes: MomentChanges): Promise<string> => {
    const { registry, metrics } = metricsOf()
    metrics.observe(undefined, momentOf(changes))
    return (await scraped(registry, 'pods{')).map((line) => line.split(' ')[1]).join(' ')
  }
  t.equal(await counted({ replicas: 6, pods: 'new NEW old OLD gone -' }), '1 1 1 1 2')
  t.equal(await counted({ replicas: 2, start: 3, pods: 'new old old' }), '1 0 1 0 0', 'above the range')
  t.equal(await counted({ pods: [{ uid: 'a', ordinal: 0 }] }), '0 0 0 0 4', 'no revision')
  const unknown = { observedGeneration: 1, pods: 'new new old old' }
  t.equal(await counted(unknown), '0 0 0 0 4', 'no target')
  t.equal(await counted({ ...unknown, record: rolling }), '2 0 2 0 0', 'the recorded target')
})

void t.test('a stalled rollout shows', async (t) => {
  const { registry, metrics } = metricsOf()
  metrics.observe(undefined, momentOf({ record: { ...rolling, 'stalled-at': '1' } }))
  t.match(await scraped(registry, 'stalled'), [/ 1$/])
  metrics.observe(undefined, momentOf({ record: rolling }))
  t.match(await scraped(registry, 'stalled'), [/ 0$/])
})

void t.test('at the detail `namespace` sets share series, which add up', async (t) => {
  const { registry, metrics } = metricsOf('namespace')
  for (const name of ['a', 'b', 'c']) {
    const before = momentOf({ name, uid: name, record: rolling })
    metrics.observe(
      before,
      momentOf({ name, uid: name, record: { ...rolling, state: name === 'c' ? 'none' : 'done' } }),
    )
  }
  const sts = 'namespace="shop",statefulset="*"'
  t.match(await scraped(registry, 'state'), [/none"} 1$/, /planned"} 0$/, /rolling"} 0$/, /done"} 2$/])
  metrics.forget('shop', 'b')
  t.match(await scraped(registry, 'state'), [/none"} 1$/, /planned"} 0$/, /rolling"} 0$/, /done"} 1$/])
  t.match(await scraped(registry, 'rollouts_total'), [
    `rollouts_total{${sts},result="completed"} 2`,
    `rollouts_total{${sts},result="aborted"} 1`,
    `rollouts_total{${sts},result="interrupted"} 0`,
  ])
})

void t.test('the hook service measures the calls of the rollouts hook, and no others, by this name', async (t) => {
  const metrics = createMetrics(() => 0)
  const call = { hook: 'sync', kind: 'StatefulSet', seconds: 0.5 }
  metrics.observe({ resource: 'rollouts', code: '200', ...call })
  metrics.observe({ resource: 'rollouts', code: '503', ...call })
  metrics.observe({ resource: 'kasprapps', code: '200', ...call })
  t.same(await scraped(metrics.registry, 'sync_duration_seconds_count'), [
    'sync_duration_seconds_count{hook="sync",result="success"} 1',
    'sync_duration_seconds_count{hook="sync",result="failure"} 1',
  ])
})
