import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { start } from './poller-fork.ts'
import type { Loop } from './poller-loop.ts'
import type { Members } from './poller-members.ts'
import { objectSizes } from './poller-memory.ts'
import { runPoller } from './poller-run.ts'
import { memberAddress, memberAt } from './poller-world.ts'

// Other systems have 127.0.0.1 alone, and no /proc.
const skip = process.platform !== 'linux' && 'needs all of 127.0.0.0/8'

void t.test('addresses and members belong together', (t) => {
  for (const member of [0, 255, 256, 65_536, 29_999]) t.equal(memberAt(memberAddress(member)), member)
  t.match(memberAddress(29_999), /^127\./)
  t.end()
})

void t.test('a pod in memory is a small part of what was sent', (t) => {
  const sizes = objectSizes(300)
  t.same(
    sizes.map(({ kind }) => kind),
    ['pods', 'statefulsets', 'persistentvolumeclaims'],
  )
  const [pods] = sizes
  t.ok(pods !== undefined && pods.heapBytes > 200 && pods.heapBytes < pods.jsonBytes / 3)
  t.end()
})

void t.test('a tiny bench: every member is asked, nothing is written', { skip }, async (t) => {
  const { unchanged, changing, ...result } = await runPoller({ apps: 3, intervalSeconds: 2, intervals: 2 })
  for (const stretch of [unchanged, changing]) {
    t.equal(stretch.members, 9)
    t.ok(stretch.requests >= 9)
    t.ok(stretch.cpuSeconds > 0 && stretch.rssMb > 0 && stretch.lagSeconds >= 0)
  }
  t.same([unchanged.writes, changing.writes], [{}, {}], 'one in a hundred of three apps is none')
  t.ok(result.peakRssMb > 0 && result.bareCpuMs > 0 && result.startCpuSeconds > 0)
})

void t.test('members that change are seen to', { skip }, async (t) => {
  const members = start<Members>('poller-members.js')
  t.teardown(() => members.stop())
  const port = await members.call('play', 2)
  const says = async (member: number): Promise<unknown> =>
    (await fetch(`http://${memberAddress(member)}:${port}/status/`)).json()
  t.match(await says(0), { leader: true, rebalancing: false })
  t.match(await says(4), { leader: false, rebalancing: false })
  await members.call('change', 1)
  while (!((await says(0)) as { rebalancing: boolean }).rebalancing) await sleep(20)
  t.match(await says(3), { leader: true, rebalancing: false }, 'the next app is untouched')
  t.match(await members.call('counts'), { members: 3, allAfterSeconds: null })
})

void t.test('every client of the comparison asks every member in every round', { skip }, async (t) => {
  const members = start<Members>('poller-members.js')
  const loop = start<Loop>('poller-loop.js')
  t.teardown(() => Promise.all([members.stop(), loop.stop()]))
  const port = await members.call('play', 2)
  for (const name of await loop.call('names')) {
    await members.call('begin')
    const rounds = await loop.call('run', name, 6, port, 2)
    t.equal(rounds.length, 2)
    t.ok(rounds.every(({ cpuMs, rssMb, sockets }) => cpuMs > 0 && rssMb > 0 && sockets > 0))
    t.match(await members.call('counts'), { requests: 12, members: 6 }, name)
  }
  await t.rejects(loop.call('run', 'nobody', 6, port, 2), /no client nobody/)
})
