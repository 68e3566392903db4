/** Rollouts of OnDelete StatefulSets: hooks, Metacontroller and poller together on a real control plane. */
import t from 'tap'
import { RolloutWorld } from './rollout-world.ts'
import { type Stack, startStack } from './stack.ts'

t.setTimeout(900_000)

let stack: Stack
t.before(async () => {
  stack = await startStack({ name: 'rollout', env: { RO_DELAY_SECONDS: '1', LEASE_DURATION_SECONDS: '3' } })
})
t.after(async () => stack.stop({ failed: !t.passing() }))

void t.test('a set of 32 pods is rolled in batches of two, upper half first', async (t) => {
  const world = await RolloutWorld.open(stack, 'plain')
  await world.deploy({ replicas: 32 })
  await world.settled()
  const mark = await stack.plane.audit().mark()
  const started = Date.now()
  await world.deploy({ replicas: 32, image: 'web:2' })
  await world.reached('done')
  t.comment(`${Date.now() - started} ms`)
  const entries = await stack.plane.audit().since(mark)
  const ours = entries.filter(
    ({ user, verb, code }) =>
      code < 400 && ['create', 'update', 'patch', 'delete'].includes(verb) && /poller|metacontroller/.test(user),
  )
  const counts: Record<string, number> = {}
  for (const { user, verb, resource, subresource } of ours) {
    const key = `${user.split(':').at(-1)} ${verb} ${resource}/${subresource}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  t.comment(counts)
  const order = ours.filter(({ verb, resource }) => verb === 'delete' && resource === 'pods').map(({ name }) => name)
  t.comment(order.join(' '))
  t.comment(await world.kubectl('get', 'obs', '-o', 'wide'))
  t.comment(await world.kubectl('get', 'obs', 'rollout-web', '-o', 'jsonpath={.status.conditions}'))
  t.equal(order.length, 32)
})

t.end()
