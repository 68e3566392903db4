/** The API server goes away for a while and comes back: everything recovers, and nobody writes what is there already. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type AppObject, KasprWorld, kasprAgent, kasprApp } from './kaspr-world.ts'
import { ourWrites, quiet } from './quiet.ts'
import { startStack } from './stack.ts'
import { until } from './until.ts'

// The runner has no limit of its own; tap's default of 30 s is for the whole file.
t.setTimeout(900_000)

const apps = 20

void t.test(
  'given apps at rest, when the API server is away for ten seconds, then only what changed is written',
  async (t) => {
    const stack = await startStack({
      name: 'api-restart',
      env: { POLL_INTERVAL_SECONDS: '2', POLL_FAST_INTERVAL_SECONDS: '1' },
      members: { timeFactor: 0.01 },
    })
    t.teardown(() => stack.stop({ failed: !t.passing() }))
    const { plane, members } = stack
    const world = await KasprWorld.open(stack, 'many')
    const names = Array.from({ length: apps }, (_, index) => `app-${index}`)
    await world.ready(...names.map((name) => kasprAgent(name, name, name)))
    await world.apply(...names.map((name) => kasprApp(name)))
    await world.kubectl('wait', '--for=condition=Ready', 'kapp', '--all', '--timeout=120s')
    const reachable = (): Promise<string> =>
      world.kubectl('get', 'obs', '-o', 'jsonpath={.items[*].status.kasprApp.reachable}')
    await until(
      'every member to be seen',
      async () => (await reachable()).split(' ').filter((text) => text === '1/1').length === apps,
    )
    await quiet(plane, 5)

    const pods = await podUids()
    const mark = await plane.audit().mark()
    await plane.stopApiServer()
    const [address] = members.addresses()
    if (address === undefined) throw new Error('no member plays')
    await members.fault(address, { kind: 'refuse' })
    await sleep(10_000)
    await plane.startApiServer()
    await until('the lost member to be told of', async () => (await reachable()).includes('0/1'), { limitMs: 60_000 })
    await quiet(plane, 5)
    const writes = await ourWrites(plane, mark)
    const touched = new Set(writes.map(({ name }) => name.replace(/^kasprapp-/, '').replace(/\..*$/, '')))
    t.equal(touched.size, 1, `one app is written about: ${[...touched].join()}`)
    t.ok(writes.length <= 8, `${writes.length} writes`)
    t.equal(await podUids(), pods, 'no pod has ended')

    await members.fault(address, undefined)
    await until('the member to be back', async () => !(await reachable()).includes('0/1'), { limitMs: 60_000 })
    await world.kubectl('patch', 'kapp', 'app-3', '--type=merge', '-p', '{"spec":{"config":{"topicPartitions":7}}}')
    await until('the second revision', async () => (await world.revisions('app-3')) === 2, { limitMs: 60_000 })
    await world.settled('app-3')
    t.match((await world.get<AppObject>('kapp', 'app-3'))?.status, { availableMembers: '1/1' }, 'and work goes on')

    function podUids(): Promise<string> {
      return world.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].metadata.uid}')
    }
  },
)
