import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { KasprWorld, kasprAgent, kasprApp } from './kaspr-world.ts'
import { ourWrites, quiet } from './quiet.ts'
import { startStack } from './stack.ts'
import { until } from './until.ts'

// The runner has no limit of its own; tap's default of 30 s is for the whole file.
t.setTimeout(900_000)

const apps = 200

void t.test(`given ${apps} apps that have converged, then a minute passes without a write of ours`, async (t) => {
  const stack = await startStack({
    name: 'idle',
    nodes: 4,
    env: { POLL_INTERVAL_SECONDS: '10' },
    members: { timeFactor: 0.01 },
  })
  t.teardown(() => stack.stop({ failed: !t.passing() }))
  const { plane } = stack
  const world = await KasprWorld.open(stack, 'many')
  const names = Array.from({ length: apps }, (_, index) => `app-${index}`)
  await world.apply(...names.map((name) => kasprAgent(name, name, name)), ...names.map((name) => kasprApp(name)))
  await world.kubectl('wait', '--for=condition=Ready', 'kapp', '--all', '--timeout=300s')
  await until(
    'every member to be seen',
    async () =>
      (await world.kubectl('get', 'obs', '-o', 'jsonpath={.items[*].status.kasprApp.reachable}'))
        .split(' ')
        .filter((text) => text === '1/1').length === apps,
    { limitMs: 120_000, everyMs: 1000 },
  )
  await quiet(plane, 5)
  const mark = await plane.audit().mark()
  await sleep(60_000)
  t.same(await ourWrites(plane, mark), [])
  const polls = stack.members.addresses().map((ip) => stack.members.counts(ip).status)
  t.ok(Math.min(...polls) > 3, 'while all members were polled')
})
