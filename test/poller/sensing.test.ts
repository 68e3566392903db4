import { Registry } from 'prom-client'
import t from 'tap'
import { memberNews, stateOf } from '../../poller/kaspr/member-sensing.ts'
import type { Member } from '../../poller/kaspr/members.ts'
import { type InstallReport, installState } from '../../poller/kaspr/package-sensing.ts'
import type { KasprAppReport, Look } from '../../poller/kaspr/part.ts'
import { ReportSensing } from '../../poller/kaspr/report-sensing.ts'
import { QueueSensing } from '../../poller/queue-sensing.ts'
import { WorkQueue } from '../../poller/queue.ts'
import { createSensors } from '../../webhooks/sensors/prometheus.ts'
import { samples } from '../webhooks/samples.ts'
import { FakeClock } from './fake-clock.ts'

const A = 'app_name=orders,namespace=shop'

function member(id: number, state: 'calm' | 'busy' | 'recovering' | 'silent' = 'calm', pod = `uid-${id}`): Member {
  const reachable = state !== 'silent'
  const flags = { leader: false, rebalancing: state !== 'calm', recovering: state === 'recovering' }
  const none = { leader: null, rebalancing: null, recovering: null }
  return { id, podUID: pod, reachable, ...(reachable ? flags : none), lastTransitionTime: '2030-01-01T00:00:00Z' }
}

void t.test('a member in one word', (t) => {
  t.same(
    (['calm', 'busy', 'recovering', 'silent'] as const).map((state) => stateOf(member(0, state))),
    ['STABLE', 'REBALANCING', 'RECOVERING', 'UNREACHABLE'],
  )
  t.end()
})

void t.test('what two reports say about members', (t) => {
  const calm = [member(0), member(1), member(2)]
  const change = (memberId: number, from: string, to: string): object => ({ memberId, from, to })
  const rows: [
    name: string,
    before: Member[],
    after: Member[],
    replicas: [number, number],
    transitions: object[],
    gone: number[],
  ][] = [
    ['nothing new', calm, calm, [3, 3], [], []],
    ['one is busy', calm, [member(0), member(1, 'busy'), member(2)], [3, 3], [change(1, 'STABLE', 'REBALANCING')], []],
    [
      'one falls silent',
      [member(0, 'busy')],
      [member(0, 'silent')],
      [1, 1],
      [change(0, 'REBALANCING', 'UNREACHABLE')],
      [],
    ],
    [
      'in a new pod, the same ordinal',
      [member(0, 'silent')],
      [member(0, 'calm', 'x')],
      [1, 1],
      [change(0, 'UNREACHABLE', 'STABLE')],
      [],
    ],
    ['a new member has changed nothing', [member(0)], [member(0), member(1, 'busy')], [1, 2], [], []],
    ['between two pods', calm, [member(0), member(2)], [3, 3], [], []],
    ['scaled down, still running', calm, calm, [3, 1], [], []],
    ['scaled down and ended', calm, [member(0)], [1, 1], [], [1, 2]],
    ['scaled down, never running', [member(0)], [member(0)], [3, 1], [], [1, 2]],
  ]
  for (const [name, before, after, [earlier, now], transitions, gone] of rows) {
    const news = memberNews({ members: before, lastReplicas: earlier }, { members: after, lastReplicas: now })
    t.same(news, { transitions, gone }, name)
  }
  t.same(memberNews(undefined, { members: [member(0, 'busy')] }), { transitions: [], gone: [] }, 'the first report')
  t.end()
})

const marker = '{"packages": ["numpy"], "duration": "45s", "install_time": "x", "pod_name": "p"}'
const pod = { pod: 'orders-app-0', set: 'a' }

void t.test('where an installation stands', (t) => {
  const rows: [name: string, report: Omit<InstallReport, 'pod'>, expected: unknown][] = [
    ['waiting for its turn', { state: 'waiting', reason: 'PodInitializing' }, undefined],
    ['running', { state: 'running' }, { at: 'running' }],
    ['done', { state: 'terminated', exitCode: 0, message: marker }, { at: 'installed', durationSeconds: 45 }],
    ['done, nothing is known', { state: 'terminated', exitCode: 0 }, { at: 'installed' }],
    [
      'given up, and allowed to',
      { state: 'terminated', exitCode: 0, message: 'network: x' },
      { at: 'failed', errorType: 'network' },
    ],
    [
      'too slow',
      { state: 'terminated', exitCode: 1, message: 'timeout: pip ended with 124' },
      { at: 'failed', errorType: 'timeout' },
    ],
    [
      'no such package',
      { state: 'terminated', exitCode: 1, message: 'package_not_found: x' },
      { at: 'failed', errorType: 'invalid_package' },
    ],
    [
      'backing off',
      { state: 'waiting', reason: 'CrashLoopBackOff', message: 'Connection refused' },
      { at: 'failed', errorType: 'network' },
    ],
    ['no image', { state: 'waiting', reason: 'ErrImagePull' }, { at: 'failed', errorType: 'unknown' }],
  ]
  for (const [name, report, expected] of rows) t.same(installState({ pod: 'p', ...report }), expected, name)
  t.end()
})

/** Written reports, one after the other, and what the sensor made of them. */
class Reports {
  readonly registry = new Registry()
  readonly #sensor = createSensors({ registry: this.registry, process: 'poll', detail: 'full' })
  sensing = new ReportSensing(this.#sensor)
  podUid = 'uid-0'

  see(previous: Partial<KasprAppReport> | undefined): void {
    const report = previous === undefined ? undefined : { appUid: 'u', reachable: '0/0', members: [], ...previous }
    this.sensing.look({
      observation: { metadata: { name: 'kasprapp-orders', uid: 'o' } },
      namespace: 'shop',
      spec: { app: { name: 'orders', uid: 'u' } },
      previous: report,
      pods: [{ metadata: { name: 'orders-app-0', uid: this.podUid } }],
    } as unknown as Look)
  }

  /** A new process. */
  restart(): void {
    this.sensing = new ReportSensing(this.#sensor)
  }
}

void t.test('reports are told once each, from the first after a start', async (t) => {
  const reports = new Reports()
  reports.see({ members: [member(0)] })
  t.same(await samples(reports.registry), {}, 'where it starts from')
  const busy = { members: [member(0, 'busy')] }
  reports.see(busy)
  const expected = {
    [`member_state_transitions_total{${A},member_id=0,from_state=STABLE,to_state=REBALANCING}`]: 1,
    [`status_updates_total{${A},update_field=members}`]: 1,
  }
  t.same(await samples(reports.registry), expected)
  reports.see(busy)
  t.same(await samples(reports.registry), expected)
  reports.restart()
  reports.see(busy)
  t.same(await samples(reports.registry), expected)
  reports.sensing.forget('o')
  t.same(await samples(reports.registry), {}, 'forgotten with the app')
})

void t.test('the first report about a new app is told', async (t) => {
  const reports = new Reports()
  reports.see(undefined)
  reports.see({ members: [] })
  t.equal((await samples(reports.registry))[`status_updates_total{${A},update_field=members}`], 1)
})

void t.test('series of a member end with its ordinal', async (t) => {
  const reports = new Reports()
  reports.see({ lastReplicas: 2, members: [member(0), member(1)] })
  reports.see({ lastReplicas: 2, members: [member(0), member(1, 'busy')] })
  reports.see({ lastReplicas: 2, members: [member(0)] })
  const isOfMember = (name: string): boolean => name.includes('member_id=1')
  t.ok(Object.keys(await samples(reports.registry)).some(isOfMember), 'it is being replaced')
  reports.see({ lastReplicas: 1, members: [member(0)] })
  t.notOk(Object.keys(await samples(reports.registry)).some(isOfMember))
})

void t.test('an installation that fails and then succeeds: one of each, its duration once', async (t) => {
  const reports = new Reports()
  const failing = { ...pod, state: 'terminated', exitCode: 1, message: 'network: x' } as const
  const backingOff = { ...pod, state: 'waiting', reason: 'CrashLoopBackOff', message: 'network: x' } as const
  const running = { ...pod, state: 'running' } as const
  const done = { ...pod, state: 'terminated', exitCode: 0, message: marker } as const
  reports.see({})
  for (const packages of [running, failing, backingOff, running, failing, running, done, done])
    reports.see({ packages })
  reports.see({ packages: done, members: [member(0)] })
  reports.restart()
  reports.see({ packages: done })
  reports.see({ packages: done, members: [] })
  const seen = await samples(reports.registry)
  const expected = {
    [`package_install_total{${A},result=failure}`]: 1,
    [`package_install_total{${A},result=success}`]: 1,
    [`package_install_errors_total{${A},error_type=network}`]: 1,
    [`package_install_duration_seconds_sum{${A}}`]: 45,
    [`package_install_duration_seconds_count{${A}}`]: 1,
    [`package_install_retries_total{${A}}`]: 2,
  }
  t.same(Object.fromEntries(Object.entries(seen).filter(([name]) => name.startsWith('package'))), expected)

  reports.podUid = 'another'
  reports.see({ packages: running })
  reports.see({ packages: { ...done, message: marker.replace('45s', '5s') } })
  const success = `package_install_total{${A},result=success}`
  t.equal((await samples(reports.registry))[success], 2, 'another pod')
  reports.see({ packages: { ...done, set: 'b' } })
  t.equal((await samples(reports.registry))[success], 3, 'another set')
  reports.see({})
  reports.see({ packages: { ...done, set: 'b' } })
  t.equal((await samples(reports.registry))[success], 4, 'wanted again')
})

void t.test('a restart in the middle of an installation loses nothing and repeats nothing', async (t) => {
  const reports = new Reports()
  const failed = { ...pod, state: 'waiting', reason: 'CrashLoopBackOff', message: 'x' } as const
  reports.see({ packages: failed })
  reports.see({ packages: { ...failed, message: 'y' } })
  t.notOk(
    Object.keys(await samples(reports.registry)).some((name) => name.startsWith('package')),
    'told before',
  )
  reports.restart()
  reports.see({ packages: failed })
  reports.see({ packages: { ...pod, state: 'terminated', exitCode: 0, message: marker } })
  t.equal((await samples(reports.registry))[`package_install_total{${A},result=success}`], 1)
})

void t.test('the queue: who waits, how long, and what came of it', async (t) => {
  const clock = new FakeClock()
  const registry = new Registry()
  const sensor = createSensors({ registry, process: 'poll', detail: 'full', ticks: () => clock.now() })
  const lags: number[] = []
  const sensing = new QueueSensing({
    sensor,
    clock,
    appOf: (key) => (key === 'shop/other' ? undefined : { app: key.replace('shop/', ''), namespace: 'shop' }),
    onLag: (seconds) => lags.push(seconds),
  })
  const runs: (() => void)[] = []
  const queue = new WorkQueue({
    clock,
    workers: 1,
    random: () => 1,
    onDue: sensing.due.bind(sensing),
    onWait: (seconds, key) => sensing.begun(key, seconds),
    onRun: (_seconds, _succeeded, key, error) => sensing.ended(key, error),
    onForget: sensing.forget.bind(sensing),
    run: (key) =>
      new Promise((resolve, reject) => {
        runs.push(() => (key === 'shop/b' ? reject(new RangeError('on purpose')) : resolve(30_000)))
      }),
  })
  const depth = async (app: string): Promise<number | undefined> =>
    (await samples(registry))[`reconcile_queue_depth{app_name=${app},component_name=${app},namespace=shop}`]
  queue.add('shop/a')
  queue.add('shop/b')
  t.same([await depth('a'), await depth('b')], [0, 1])
  await clock.advance(2000)
  runs.shift()?.()
  await clock.advance(0)
  runs.shift()?.()
  await clock.advance(0)
  const [a, b] = ['a', 'b'].map((app) => `app_name=${app},component_name=${app},namespace=shop`)
  const seen = await samples(registry)
  t.equal(seen[`reconcile_queue_depth{${b}}`], 0)
  t.equal(seen[`reconcile_queue_wait_seconds_sum{${b}}`], 2)
  t.equal(seen[`reconcile_duration_seconds_sum{${a},trigger_source=poll,result=success}`], 2)
  t.equal(seen[`reconcile_total{${b},trigger_source=poll,result=failure}`], 1)
  t.equal(seen[`reconcile_errors_total{${b},error_type=RangeError}`], 1)
  t.same(lags, [])
  queue.forget('shop/b')
  await clock.advance(30_000)
  t.same(lags, [32], 'from the beginning of one look to the next')
  queue.forget('shop/a')
  runs.shift()?.()
  queue.add('shop/other')
  await clock.advance(0)
  t.notOk(Object.keys(await samples(registry)).some((name) => name.includes('other')))
})
