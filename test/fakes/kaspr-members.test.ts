import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { Agent, request, setGlobalDispatcher } from 'undici'
import { packagePath } from '../../webhooks/package-root.ts'
import { claimPodNetwork } from '../cluster/addresses.ts'
import { startKasprMembers } from './kaspr-members.ts'
import type { Fault, KasprMembers } from './kaspr-members.ts'
import type { MemberStatus } from './kaspr-group.ts'

interface Recording {
  assignments: Record<string, MemberStatus['assignment']>
  actions: Record<string, { answer?: unknown; samples: Record<string, string | number>[] }>
}

const recording = JSON.parse(readFileSync(packagePath('test', 'fakes', 'members-live.json'), 'utf8')) as Recording
/** The recording asked four times a second, so a change may have come so much before its sample. */
const samplingMs = 260

// One address is played by members of several tests, so no connection outlives its request.
setGlobalDispatcher(new Agent({ pipelining: 0 }))

/** Two settled members of one app, as in the recording, and the clock they go by. */
interface World {
  members: KasprMembers
  ips: [string, string]
  urls: [string, string]
  clock: { now: number }
}

async function world(t: Test): Promise<World> {
  const network = await claimPodNetwork()
  const clock = { now: 1_000_000 }
  const members = startKasprMembers({ now: () => clock.now })
  t.teardown(async () => {
    await members.close()
    await network.release()
  })
  const ips: [string, string] = [`127.${network.number}.0.2`, `127.${network.number}.0.3`]
  await members.add(ips[0], 6065, { app: 'default/shop', id: 0 })
  await members.add(ips[1], 6065, { app: 'default/shop', id: 1 })
  clock.now += 20_000
  return { members, ips, urls: [`http://${ips[0]}:6065`, `http://${ips[1]}:6065`], clock }
}

/** The whole answer that words of the recording stand for. */
function answerOf(words: string, assignment: MemberStatus['assignment'] | undefined, urls: string[]): unknown {
  if (words === 'refuses') return 'ECONNREFUSED'
  const said = words.split(' ')
  const assigned = said.includes('assigned')
  return {
    leader: said.includes('leader'),
    rebalancing: said.includes('rebalancing'),
    recovering: false,
    assignment: assigned ? assignment : { actives: {}, standbys: {} },
    table_metadata: assigned ? Object.fromEntries(urls.map((url) => [url, {}])) : {},
  }
}

/** What a member answers, or the code of the error. */
async function ask(url: string): Promise<unknown> {
  try {
    return await (await request(`${url}/status/`)).body.json()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

/** What a member says, in the words of the recording. */
async function look(url: string, assignment: MemberStatus['assignment'] | undefined): Promise<string> {
  let response
  try {
    response = await request(`${url}/status/`)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? 'refuses' : String(error)
  }
  const status = (await response.body.json()) as MemberStatus
  const assigned = JSON.stringify(status.assignment) === JSON.stringify(assignment)
  return [status.leader && 'leader', status.rebalancing && 'rebalancing', assigned && 'assigned']
    .filter((word) => word !== false)
    .join(' ')
}

// Binding more than 127.0.0.1 works on Linux only.
void t.test('the fake members', { skip: process.platform !== 'linux' && 'needs all of 127.0.0.0/8' }, async (t) => {
  await t.test('do what two real members did', async (t) => {
    for (const [action, { answer, samples }] of Object.entries(recording.actions)) {
      const { members, ips, urls, clock } = await world(t)
      const start = clock.now
      if (action.startsWith('signal')) {
        const asked = action === 'signal to the leader' ? urls[0] : urls[1]
        const response = await request(`${asked}/signal/rebalance`, { method: 'POST' })
        t.same([response.statusCode, await response.body.json()], [200, answer], action)
      } else await members.remove(ips[1])
      let back = !action.endsWith('back')
      for (const [index, sample] of samples.entries()) {
        clock.now = start + Number(sample['t']) * 1000
        if (!back && sample['1'] !== 'refuses') {
          back = true
          await members.add(ips[1], 6065, { app: 'default/shop', id: 1 })
        }
        const next = samples[index + 1]
        const last = next === undefined ? clock.now + 40_000 : start + Number(next['t']) * 1000 - samplingMs
        for (const now of [clock.now, last]) {
          clock.now = now
          for (const id of [0, 1] as const) {
            const expected = answerOf(String(sample[id]), recording.assignments[id], urls)
            t.same(await ask(urls[id]), expected, `${action}: member ${id} at ${(now - start) / 1000} s`)
          }
        }
      }
    }
  })

  await t.test('a second signal prolongs a rebalance', async (t) => {
    const { urls, clock } = await world(t)
    await (await request(`${urls[0]}/signal/rebalance`, { method: 'POST' })).body.dump()
    clock.now += 10_000
    await (await request(`${urls[0]}/signal/rebalance`, { method: 'POST' })).body.dump()
    clock.now += 10_000
    t.equal(await look(urls[0], recording.assignments['0']), 'leader rebalancing assigned')
    clock.now += 3_000
    t.equal(await look(urls[0], recording.assignments['0']), 'leader assigned')
  })

  await t.test('the seat of a leader that stays away goes to the next', async (t) => {
    const { members, ips, urls, clock } = await world(t)
    await members.remove(ips[0])
    clock.now += 50_000
    t.equal(await look(urls[1], recording.assignments['1']), 'assigned', 'held for a minute')
    clock.now += 11_000
    t.equal(await look(urls[1], undefined), 'leader')
  })

  await t.test('a leader moves when it is told to, and back when it has gone', async (t) => {
    const { members, ips, urls, clock } = await world(t)
    members.appoint(ips[1])
    t.equal(await look(urls[0], undefined), '')
    t.equal(await look(urls[1], undefined), 'leader')
    const { assignment } = (await ask(urls[1])) as MemberStatus
    t.same(assignment.actives['shop-app-assignor-leader'], [0], 'with the topic that makes it the leader')
    await (await request(`${urls[1]}/signal/rebalance`, { method: 'POST' })).body.dump()
    clock.now += 5_000
    t.equal(await look(urls[0], undefined), 'rebalancing', 'a signal to the new leader is for all')
    await members.remove(ips[1])
    clock.now += 61_000
    t.equal(await look(urls[0], undefined), 'leader')
  })

  await t.test('time runs as fast as it is told', async (t) => {
    const network = await claimPodNetwork()
    let now = 0
    const members = startKasprMembers({ timeFactor: 0.01, now: () => now })
    t.teardown(async () => {
      await members.close()
      await network.release()
    })
    const ip = `127.${network.number}.0.2`
    await members.add(ip, 6065, { app: 'default/shop', id: 0 })
    now = 161
    t.equal(await look(`http://${ip}:6065`, undefined), 'leader rebalancing')
    now = 162
    t.equal(await look(`http://${ip}:6065`, undefined), 'leader')
  })

  await t.test('speak the HTTP of the framework', async (t) => {
    const { members, ips, urls } = await world(t)
    const table: [method: 'GET' | 'HEAD' | 'POST', path: string, code: number, body?: unknown][] = [
      ['GET', '/status/', 200],
      ['HEAD', '/status/', 200, ''],
      ['POST', '/status/', 405, { error: 'Method POST not allowed.' }],
      ['GET', '/status', 404, '404: Not Found'],
      ['GET', '/signal/rebalance', 405, { error: 'Method GET not allowed.' }],
      ['POST', '/signal/rebalance/', 404, '404: Not Found'],
      ['POST', '/signal/rebalance', 200, { status: 'ok', message: 'Rebalance requested' }],
      ['GET', '/', 404, '404: Not Found'],
    ]
    for (const [method, path, code, expected] of table) {
      const response = await request(urls[1] + path, { method })
      const text = await response.body.text()
      t.equal(response.statusCode, code, `${method} ${path}`)
      if (typeof expected === 'object') t.same(JSON.parse(text), expected, `${method} ${path}`)
      else if (expected !== undefined) t.equal(text, expected, `${method} ${path}`)
    }
    t.same(members.counts(ips[1]), { status: 3, rebalance: 2, other: 3 })
    t.same(members.counts(ips[0]), { status: 0, rebalance: 0, other: 0 }, 'each address counts its own')
    const status = (await (await request(`${urls[0]}/status/`)).body.json()) as MemberStatus
    t.same(Object.keys(status), ['leader', 'rebalancing', 'recovering', 'assignment', 'table_metadata'])
    t.same(status.table_metadata, { [urls[0]]: {}, [urls[1]]: {} })
  })

  await t.test('break as they are told, one by one', async (t) => {
    const { members, ips, urls } = await world(t)
    const get = async (): Promise<string> => {
      try {
        const response = await request(`${urls[0]}/status/`, { headersTimeout: 300 })
        const text = await response.body.text()
        return `${response.statusCode} ${text.length > 300 ? `${text.length} characters` : text}`
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? String(error)
      }
    }
    const fine = await get()
    t.match(fine, /^200 \{"leader":true/)
    const table: [Fault, RegExp][] = [
      [{ kind: 'refuse' }, /^ECONNREFUSED$/],
      [{ kind: 'error' }, /^500 500 Internal Server Error$/],
      [{ kind: 'wrong-json' }, /^200 \["not",\{"a":"status"\},null\]$/],
      [{ kind: 'truncated' }, /^UND_ERR_(SOCKET|RES_CONTENT_LENGTH_MISMATCH)$/],
      [{ kind: 'huge', bytes: 5_000_000 }, /^200 50\d{5} characters$/],
      [{ kind: 'slow', delayMs: 1_000 }, /^UND_ERR_HEADERS_TIMEOUT$/],
      [{ kind: 'half-open' }, /^UND_ERR_HEADERS_TIMEOUT$/],
      [{ kind: 'no-signal', code: 422 }, /^200 \{"leader":true/],
    ]
    for (const [fault, expected] of table) {
      await members.fault(ips[0], fault)
      t.match(await get(), expected, fault.kind)
      t.match(await look(urls[1], recording.assignments['1']), 'assigned', `${fault.kind} harms nobody else`)
      await members.fault(ips[0], undefined)
      t.equal(await get(), fine, `${fault.kind} ends`)
    }
    await members.fault(ips[0], { kind: 'no-signal', code: 422 })
    const { statusCode } = await request(`${urls[0]}/signal/rebalance`, { method: 'POST' })
    t.equal(statusCode, 422)
    await members.fault(ips[0], undefined)
    t.equal(await get(), fine, 'a refused signal has no effect')
    members.override(ips[0], { rebalancing: true })
    t.equal(await look(urls[0], recording.assignments['0']), 'leader rebalancing assigned', 'says what it is told to')
  })

  await t.test('a member that ends breaks its connections and frees its address', async (t) => {
    const { members, ips } = await world(t)
    const socket = connect({ host: ips[0], port: 6065 })
    await new Promise((resolve) => socket.once('connect', resolve))
    const closed = new Promise((resolve) => socket.once('close', resolve).on('error', () => undefined))
    await members.remove(ips[0])
    await closed
    t.same(members.addresses(), [ips[1]])
    await members.add(ips[0], 6065, { app: 'default/other', id: 0 })
    await t.rejects(members.add(ips[0], 6065, { app: 'default/other', id: 1 }), { code: 'EADDRINUSE' })
  })
})
