import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { MemberBackoff } from '../../poller/kaspr/backoff.ts'
import { memberEvents } from '../../poller/kaspr/member-events.ts'
import { mergeMembers } from '../../poller/kaspr/members.ts'
import type { Member } from '../../poller/kaspr/members.ts'
import { changesMembers, podKeys, runningMembers, trimPod } from '../../poller/kaspr/pods.ts'
import type { MemberPod, RunningMember } from '../../poller/kaspr/pods.ts'
import { describe, MemberPoller } from '../../poller/kaspr/poll.ts'
import type { Answer, MemberPollerOptions } from '../../poller/kaspr/poll.ts'
import { changesSet, trimSet, unsettled } from '../../poller/kaspr/statefulsets.ts'
import { FairLimit } from '../../poller/limit.ts'
import { listen } from '../fakes/listen.ts'
import { until } from '../webhooks/until.ts'
import { FakeClock } from './fake-clock.ts'

const calm = { leader: false, rebalancing: false, recovering: false }
const busy = { leader: false, rebalancing: true, recovering: false }
const before = '2030-01-01T00:00:00Z'
const now = '2030-01-01T01:00:00Z'
const nulls = { leader: null, rebalancing: null, recovering: null }

function says(flags: typeof calm): Answer {
  return { result: 'Success', flags }
}

const silent: Answer = { result: 'Timeout' }
const pod: RunningMember = { id: 0, uid: 'u0', name: 'a-app-0', ip: '10.0.0.1', creationTime: before }
const asPod = { id: 0, podUID: 'u0', podCreationTime: before }
const known: Member = { ...asPod, reachable: true, ...calm, lastTransitionTime: before }
const gone: Member = { ...asPod, reachable: false, ...nulls, lastKnown: calm, lastTransitionTime: before }
const inRebalance: Member = { ...known, ...busy, rebalancingSince: before }
const neverHeard: Member = { ...asPod, reachable: false, ...nulls, lastTransitionTime: before }

void t.test('members after a round', (t) => {
  const rows: [
    name: string,
    previous: Member[],
    pods: RunningMember[],
    answer: Answer | undefined,
    expected: Member[],
  ][] = [
    ['first sight starts the clock', [], [pod], says(calm), [{ ...known, lastTransitionTime: now }]],
    ['the same answer changes nothing', [known], [pod], says(calm), [known]],
    [
      'a flag that differs moves the clock',
      [known],
      [pod],
      says(busy),
      [{ ...known, ...busy, lastTransitionTime: now, rebalancingSince: now }],
    ],
    [
      'so does a new leader',
      [known],
      [pod],
      says({ ...calm, leader: true }),
      [{ ...known, leader: true, lastTransitionTime: now }],
    ],
    ['silence nulls the flags, keeps them as last known, and keeps the clock', [known], [pod], silent, [gone]],
    ['still silent', [gone], [pod], silent, [gone]],
    ['back with the same flags: the clock was never stopped', [gone], [pod], says(calm), [known]],
    [
      'back with other flags',
      [gone],
      [pod],
      says(busy),
      [{ ...known, ...busy, lastTransitionTime: now, rebalancingSince: now }],
    ],
    [
      'P8: a new leader does not move the start of the rebalance',
      [inRebalance],
      [pod],
      says({ ...busy, leader: true }),
      [{ ...inRebalance, leader: true, lastTransitionTime: now }],
    ],
    [
      'P8: silence keeps the start of the rebalance',
      [inRebalance],
      [pod],
      silent,
      [{ ...gone, lastKnown: busy, rebalancingSince: before }],
    ],
    [
      'P8: and so does the first answer after it',
      [{ ...gone, lastKnown: busy, rebalancingSince: before }],
      [pod],
      says(busy),
      [inRebalance],
    ],
    [
      'P8: from recovering to waiting is another start',
      [{ ...inRebalance, recovering: true }],
      [pod],
      says(busy),
      [{ ...inRebalance, lastTransitionTime: now, rebalancingSince: now }],
    ],
    [
      'P8: another pod is another start',
      [{ ...inRebalance, podUID: 'old' }],
      [pod],
      says(busy),
      [{ ...inRebalance, lastTransitionTime: now, rebalancingSince: now }],
    ],
    ['the end of a rebalance', [inRebalance], [pod], says(calm), [{ ...known, lastTransitionTime: now }]],
    [
      'not known since when: from now on',
      [{ ...known, ...busy }],
      [pod],
      says(busy),
      [{ ...known, ...busy, rebalancingSince: now }],
    ],
    ['never heard of: silent from the start', [], [pod], silent, [{ ...neverHeard, lastTransitionTime: now }]],
    ['still never heard of', [neverHeard], [pod], silent, [neverHeard]],
    ['first answer after silence', [neverHeard], [pod], says(calm), [{ ...known, lastTransitionTime: now }]],
    [
      'another pod of the same ordinal is another member',
      [{ ...known, podUID: 'old' }],
      [pod],
      says(calm),
      [{ ...known, lastTransitionTime: now }],
    ],
    [
      'and what the old one said is not known of it',
      [{ ...known, podUID: 'old' }],
      [pod],
      silent,
      [{ ...neverHeard, lastTransitionTime: now }],
    ],
    ['not asked this time: as it was', [known], [pod], undefined, [known]],
    ['never asked: not yet told of', [], [pod], undefined, []],
    ['a pod that is gone is no member', [known], [], undefined, []],
  ]
  for (const [name, previous, pods, answer, expected] of rows) {
    const answers = new Map(answer === undefined ? [] : [['u0', answer]])
    t.strictSame(mergeMembers(previous, pods, answers, now), expected, name)
  }
  t.end()
})

function kubePod(name: string, changes: { status?: object; metadata?: object } = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: before,
      labels: { 'kaspr.io/cluster': 'a', 'kaspr.io/name': 'a-app', 'kaspr.io/kind': 'KasprApp', other: 'x' },
      annotations: { big: 'x'.repeat(1000), 'metacontroller.kaspr.io/subscriptions': 'h1' },
      ...changes.metadata,
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'kaspr' }] },
    status: {
      phase: 'Running',
      podIP: '10.0.0.7',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'kaspr', state: { running: {} } }],
      ...changes.status,
    },
  }
}

const selector = { 'kaspr.io/cluster': 'a', 'kaspr.io/name': 'a-app', 'kaspr.io/kind': 'KasprApp' }
const of = { statefulSet: 'a-app', selector }

void t.test('pods are trimmed to what is used', (t) => {
  const trimmed = trimPod(kubePod('a-app-0'))
  t.strictSame(trimmed, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'a-app-0',
      namespace: 'shop',
      uid: 'uid-a-app-0',
      resourceVersion: '1',
      creationTimestamp: before,
      labels: selector,
    },
    ip: '10.0.0.7',
    node: 'node-1',
    running: true,
    subscriptions: 'h1',
    install: undefined,
    ready: true,
  })
  t.strictSame(podKeys(trimmed), ['shop/a'])
  t.strictSame(podKeys(trimPod(kubePod('x', { metadata: { labels: {} } }))), [])
  t.end()
})

void t.test('who is asked: running pods of the set with an address, by number', (t) => {
  const rows: [name: string, pods: KubeObject[], ids: number[]][] = [
    ['all, in order of number', [kubePod('a-app-10'), kubePod('a-app-2'), kubePod('a-app-0')], [0, 2, 10]],
    ['not yet an address', [kubePod('a-app-0', { status: { podIP: undefined } })], []],
    ['terminating', [kubePod('a-app-0', { metadata: { deletionTimestamp: now } })], []],
    ['pending', [kubePod('a-app-0', { status: { phase: 'Pending' } })], []],
    [
      'container waiting',
      [kubePod('a-app-0', { status: { containerStatuses: [{ name: 'kaspr', state: { waiting: {} } }] } })],
      [],
    ],
    ['running but not ready is asked', [kubePod('a-app-0', { status: { conditions: [] } })], [0]],
    ['other names', [kubePod('a-app'), kubePod('a-app-x'), kubePod('a-app-1-0'), kubePod('a-apps-1')], []],
    ['other labels', [kubePod('a-app-0', { metadata: { labels: { 'kaspr.io/cluster': 'a' } } })], []],
  ]
  for (const [name, pods, ids] of rows) {
    t.strictSame(
      runningMembers(pods.map(trimPod), of).map(({ id }) => id),
      ids,
      name,
    )
  }
  t.end()
})

void t.test('which changes of a pod or a set wake', (t) => {
  const old = trimPod(kubePod('a-app-0'))
  const wakes = (object: MemberPod): boolean => changesMembers({ type: 'modified', object, old })
  t.notOk(wakes(trimPod(kubePod('a-app-0', { metadata: { resourceVersion: '2' } }))))
  t.ok(wakes({ ...old, ready: false }))
  t.ok(wakes({ ...old, running: false }))
  t.ok(wakes({ ...old, ip: undefined }))
  t.ok(wakes(trimPod(kubePod('a-app-0', { metadata: { deletionTimestamp: now } }))))
  t.ok(changesMembers({ type: 'deleted', object: old }))
  const owners = [{ apiVersion: 'x', kind: 'KasprApp', name: 'a', uid: 'app-uid', controller: true }]
  const metadata = { name: 'a-app', namespace: 'shop', ownerReferences: owners }
  const set = trimSet({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { replicas: 3 } })
  t.match(set, { replicas: 3, owner: 'app-uid' })
  t.ok(changesSet({ type: 'added', object: set }))
  t.notOk(changesSet({ type: 'modified', object: set, old: set }))
  t.ok(changesSet({ type: 'modified', object: { ...set, replicas: 4 }, old: set }))
  t.notOk(changesSet({ type: 'deleted', object: set }))
  t.end()
})

void t.test('a set is settled when all wanted members run its current revision and are available', (t) => {
  const status = {
    observedGeneration: 2,
    replicas: 3,
    updatedReplicas: 3,
    availableReplicas: 3,
    currentRevision: 'a-2',
    updateRevision: 'a-2',
  }
  const metadata = { name: 'a-app', namespace: 'shop', generation: 2 }
  const setWith = (changes: object, generation = 2): ReturnType<typeof trimSet> =>
    trimSet({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { ...metadata, generation },
      spec: { replicas: 3 },
      status: { ...status, ...changes },
    })
  t.strictSame(unsettled(setWith({}), 3), [])
  t.strictSame(unsettled(setWith({}), undefined), [])
  t.strictSame(unsettled(undefined, 3), ['there is no StatefulSet'])
  const going = { ...setWith({}), metadata: { ...metadata, deletionTimestamp: '2030-01-01T00:00:00Z' } }
  t.strictSame(unsettled(going, 3), ['the StatefulSet is being deleted'])
  t.strictSame(unsettled(setWith({}), 5), ['members not ready (3/5)'], 'the autoscaler is still at work')
  t.strictSame(unsettled(setWith({ availableReplicas: 2 }), 3), ['members not ready (2/3)'])
  t.strictSame(unsettled(setWith({}, 3), 3), ['rollout in progress'], 'a new generation')
  t.strictSame(unsettled(setWith({ currentRevision: 'a-1' }), 3), ['rollout in progress'])
  t.strictSame(unsettled(setWith({ updatedReplicas: 2, availableReplicas: 1 }), 3), [
    'rollout in progress',
    'members not ready (1/3)',
  ])
  t.ok(changesSet({ type: 'modified', object: setWith({}), old: setWith({ availableReplicas: 2 }) }))
  t.notOk(
    changesSet({ type: 'modified', object: setWith({ availableReplicas: 1 }), old: setWith({ availableReplicas: 2 }) }),
  )
  t.end()
})

void t.test('Events tell transitions only', (t) => {
  const target = { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', namespace: 'shop', name: 'a', uid: 'app-uid' }
  const answers = new Map([['u0', silent]])
  const reasons = (earlier: Member[], later: Member[]): string[] =>
    memberEvents(target, earlier, later, answers).map(({ type, reason }) => `${type} ${reason}`)
  t.strictSame(reasons([known], [gone]), ['Warning MemberUnreachable'])
  t.strictSame(reasons([gone], [gone]), [])
  t.strictSame(reasons([gone], [known]), ['Normal MemberReachable'])
  t.strictSame(reasons([], [neverHeard]), [], 'a member that starts does not answer yet')
  t.strictSame(reasons([neverHeard], [known]), [], 'nor is its first answer news')
  t.strictSame(reasons([{ ...known, podUID: 'old' }], [neverHeard]), [], 'another pod')
  t.strictSame(memberEvents(target, [known], [gone], answers), [
    {
      target,
      type: 'Warning',
      reason: 'MemberUnreachable',
      message: 'Member 0: no answer in time',
    },
  ])
  t.end()
})

void t.test('a member that does not answer is asked less and less, up to the limit', async (t) => {
  const clock = new FakeClock()
  const backoff = new MemberBackoff({ firstMs: 10_000, longestMs: 60_000 }, clock)
  const present = new Set(['u0', 'u1'])
  t.equal(backoff.nextMs(), undefined)
  for (const pause of [10_000, 20_000, 40_000, 60_000, 60_000]) {
    t.ok(backoff.isDue('u0'))
    backoff.update(new Map([['u0', silent]]), present)
    t.equal(backoff.nextMs(), pause)
    t.notOk(backoff.isDue('u0'))
    t.ok(backoff.isDue('u1'))
    await clock.advance(pause)
  }
  backoff.update(new Map(), present)
  t.equal(backoff.nextMs(), undefined, 'one that was due and not reached asks for no round of its own')
  t.ok(backoff.isDue('u0'))
  backoff.update(new Map([['u0', says(calm)]]), present)
  t.equal(backoff.nextMs(), undefined)
  backoff.update(new Map([['u1', silent]]), present)
  backoff.update(new Map(), new Set(['u0']))
  t.equal(backoff.nextMs(), undefined, 'a pod that is gone is forgotten')
})

function poller(options: Partial<MemberPollerOptions> = {}): MemberPoller {
  const defaults = { connectTimeoutMs: 1000, timeoutMs: 300, concurrency: 8, concurrencyPerApp: 4 }
  return new MemberPoller({ ...defaults, ...options })
}

const never = new AbortController().signal

void t.test('what a member answers, and what becomes of it', async (t) => {
  const full = { ...calm, assignment: { actives: {} }, table_metadata: {}, id: 99 }
  const rows: [name: string, listener: RequestListener, expected: Answer][] = [
    [
      'a status',
      (_, response) => response.end(JSON.stringify(full)),
      { result: 'Success', flags: calm, assignment: { actives: {} } },
    ],
    ['a status without assignment', (_, response) => response.end(JSON.stringify(calm)), says(calm)],
    ['401', (_, response) => response.writeHead(401).end(), { result: 'Unauthorized' }],
    ['403', (_, response) => response.writeHead(403).end(), { result: 'Forbidden' }],
    ['404', (_, response) => response.writeHead(404).end(), { result: 'NotFound' }],
    ['500 while starting', (_, response) => response.writeHead(500).end('early'), { result: 'HttpError', code: 500 }],
    [
      'a redirect, which is not followed',
      (_, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      { result: 'HttpError', code: 302 },
    ],
    ['no JSON', (_, response) => response.end('<html>'), { result: 'BadPayload' }],
    ['null', (_, response) => response.end('null'), { result: 'BadPayload' }],
    ['a list', (_, response) => response.end('[]'), { result: 'BadPayload' }],
    ['a flag missing', (_, response) => response.end('{"leader":true,"rebalancing":false}'), { result: 'BadPayload' }],
    [
      'flags as text',
      (_, response) => response.end('{"leader":"true","rebalancing":false,"recovering":false}'),
      { result: 'BadPayload' },
    ],
    ['more than 4 MiB', (_, response) => response.end(Buffer.alloc(5 * 1024 * 1024, 32)), { result: 'BadPayload' }],
    ['nothing', () => undefined, { result: 'Timeout' }],
    ['headers and then nothing', (_, response) => response.write('{'), { result: 'Timeout' }],
    [
      'a body that breaks off',
      (_, response) => response.writeHead(200, { 'content-length': 99 }).write('{}', () => response.destroy()),
      { result: 'Network', code: 'ECONNRESET' },
    ],
    ['a cut connection', ({ socket }) => socket.destroy(), { result: 'Network', code: 'ECONNRESET' }],
  ]
  for (const [name, listener, expected] of rows) {
    const port = await listen(t, listener)
    const answer = await poller().ask('shop/a', { ip: '127.0.0.1', port, host: 'a-app-0.a-app' }, never)
    t.strictSame(answer, expected, name)
    t.type(describe(answer), 'string')
  }
})

void t.test('a member is asked at its address under its DNS name, without keeping the connection', async (t) => {
  const seen: IncomingMessage[] = []
  const port = await listen(t, (request, response) => {
    seen.push(request)
    response.end(JSON.stringify(calm))
  })
  const reports: string[] = []
  const onPoll = ({ result }: Answer, seconds: number): number => reports.push(`${result} ${seconds < 1}`)
  const address = { ip: '127.0.0.1', port, host: 'a-app-0.a-app.shop.svc.cluster.local' }
  await poller({ onPoll }).ask('shop/a', address, never)
  t.equal(seen[0]?.method, 'GET')
  t.equal(seen[0]?.url, '/status/')
  t.match(seen[0]?.headers, { host: `${address.host}:${port}`, connection: 'close', accept: 'application/json' })
  t.strictSame(reports, ['Success true'])
})

void t.test('nobody listens, or the address is silent', async (t) => {
  const tcp = createTcpServer()
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  const { port } = tcp.address() as AddressInfo
  await new Promise((resolve) => tcp.close(resolve))
  const answer = await poller().ask('shop/a', { ip: '127.0.0.1', port, host: 'x' }, never)
  t.strictSame(answer, { result: 'Network', code: 'ECONNREFUSED' })
})

void t.test('an address that does not take connections: the shorter limit counts', async (t) => {
  // A process that stands still, and a full queue of connections before it: the kernel answers no further one.
  const script = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    console.log(this.address().port)
    process.kill(process.pid, 'SIGSTOP')
  })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(line.toString())
  const sockets = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  t.teardown(() => sockets.forEach((socket) => socket.destroy()))
  await sleep(100)
  const started = performance.now()
  const options = { connectTimeoutMs: 200, timeoutMs: 10_000 }
  t.strictSame(await poller(options).ask('shop/a', { ip: '127.0.0.1', port, host: 'x' }, never), { result: 'Timeout' })
  t.ok(performance.now() - started < 5_000)
})

void t.test('an abort says that nothing is known, waiting or asked', async (t) => {
  const port = await listen(t, () => undefined)
  const one = poller({ concurrency: 1 })
  const abort = new AbortController()
  const address = { ip: '127.0.0.1', port, host: 'x' }
  const asked = one.ask('shop/a', address, abort.signal)
  const waiting = one.ask('shop/a', address, abort.signal)
  const rejected = [asked, waiting].map((promise) => t.rejects(promise, { message: 'stopping' }))
  abort.abort(new Error('stopping'))
  await Promise.all(rejected)
  await t.rejects(one.ask('shop/a', address, abort.signal), { message: 'stopping' })
})

void t.test('limits: over all and per app, in turns, and a waiter that gives up frees its place', async (t) => {
  const limit = new FairLimit(3, 2)
  const running: string[] = []
  const ends = new Map<string, () => void>()
  const start = (name: string, signal = never): Promise<void> =>
    limit.run(name.slice(0, 1), signal, () => {
      running.push(name)
      return new Promise<void>((resolve) => ends.set(name, resolve))
    })
  const abort = new AbortController()
  const all = [start('a1'), start('a2'), start('a3'), start('a4', abort.signal), start('b1'), start('b2')]
  const rejected = t.rejects(all[3] ?? Promise.resolve(), { message: 'enough' })
  await until(() => running.length === 3)
  t.strictSame(running, ['a1', 'a2', 'b1'], 'two of one app at most')
  abort.abort(new Error('enough'))
  await rejected
  ends.get('a1')?.()
  await until(() => running.length === 4)
  t.equal(running[3], 'b2', 'the other app waited and has its turn')
  ends.get('b1')?.()
  await until(() => running.length === 5)
  t.equal(running[4], 'a3')
  for (const name of ['a2', 'a3', 'b2']) ends.get(name)?.()
  await Promise.all(all.filter((_, i) => i !== 3))
  const more = ['c1', 'c2', 'd1'].map((name) => start(name))
  await until(() => running.length === 8)
  for (const name of ['c1', 'c2', 'd1']) ends.get(name)?.()
  await Promise.all(more)
})
