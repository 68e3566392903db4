/** The parts that a rollout is decided from: settings, enrolment, ordinals, ranges, batches, configuration, record. */
import t from 'tap'
import { readSettings, SettingsError } from '../../webhooks/environment.ts'
import { chunks, cut, nextBatch, ordinalsOf, ranges, splitOrdinals } from '../../webhooks/rollout/batches.ts'
import { parseBudget, resolvedBudget, rolloutConfig } from '../../webhooks/rollout/config.ts'
import { enrolled } from '../../webhooks/rollout/enrolled.ts'
import { certainOrdinal, needsUpdate, type PodIdentity, podOrdinal } from '../../webhooks/rollout/pod-facts.ts'
import { annotationPatch, patched, readRecord } from '../../webhooks/rollout/record.ts'
import { hookSettings } from '../../webhooks/settings.ts'
import { context } from './requests.ts'
import { setOf } from './rollout-world.ts'

/** `0-4` -> [0, 1, 2, 3, 4]; the empty text -> []. */
function span(text: string): number[] {
  const [first = '', last = first] = text.split('-')
  return first === '' ? [] : Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i)
}

void t.test('ordinals are split in the middle, by value', (t) => {
  const cases: [ordinals: number[], replicas: number, start: number, lower: number[], upper: number[]][] = [
    [span('0-9'), 10, 0, span('0-4'), span('5-9')],
    [span('0-8'), 9, 0, span('0-3'), span('4-8')],
    [[0], 1, 0, [], [0]],
    [[0, 1], 2, 0, [0], [1]],
    [[], 0, 0, [], []],
    [[0, 2, 5, 7, 9], 10, 0, [0, 2], [5, 7, 9]],
    [span('5-8'), 4, 5, [5, 6], [7, 8]],
  ]
  for (const [ordinals, replicas, start, lower, upper] of cases) {
    t.strictSame(splitOrdinals(ordinals, { replicas, start }), { lower, upper }, `${replicas} from ${start}`)
  }
  t.end()
})

void t.test('ranges: upper before lower, all in one for a single pod or without half split', (t) => {
  const texts = (replicas: number, start: number, halfSplit: boolean): string[] =>
    ranges({ replicas, start }, halfSplit).map(
      ({ name, index, total, ordinals }) => `${name} ${index}/${total} ${ordinals[0]}-${ordinals.at(-1)}`,
    )
  t.strictSame(texts(10, 0, true), ['upper_range 1/2 5-9', 'lower_range 2/2 0-4'])
  t.strictSame(texts(9, 5, true), ['upper_range 1/2 9-13', 'lower_range 2/2 5-8'])
  t.strictSame(texts(2, 0, true), ['upper_range 1/2 1-1', 'lower_range 2/2 0-0'])
  t.strictSame(texts(1, 0, true), ['all 1/1 0-0'])
  t.strictSame(texts(10, 0, false), ['all 1/1 0-9'])
  t.strictSame(texts(0, 0, true), [])
  t.end()
})

void t.test('pieces of max unavailable', (t) => {
  t.strictSame(cut([0, 1, 2], 1), [[0], [1], [2]])
  t.strictSame(cut(span('0-4'), 2), [[0, 1], [2, 3], [4]])
  t.strictSame(cut(span('0-5'), 3), [span('0-2'), span('3-5')])
  t.strictSame(cut([], 2), [])
  t.strictSame(cut([7], 5), [[7]])
  t.strictSame(cut([3, 1, 2], 2), [[1, 2], [3]])
  const all = chunks({ replicas: 32, start: 0 }, { halfSplit: true, maxUnavailable: 2 })
  t.equal(all.length, 16)
  t.match(all[0], { range: { name: 'upper_range', index: 1 }, index: 1, total: 8, ordinals: [16, 17] })
  t.match(all[8], { range: { name: 'lower_range', index: 2 }, index: 1, total: 8, ordinals: [0, 1] })
  t.end()
})

void t.test('batches of 32 pods, max unavailable 2, half split', (t) => {
  const size = { replicas: 32, start: 0 }
  const batch = (old: number[], unavailable: number[], maxUnavailable = 2): number[] | undefined =>
    nextBatch(
      chunks(size, { halfSplit: true, maxUnavailable }),
      { old: new Set(old), unavailable: new Set(unavailable) },
      maxUnavailable,
    )?.ordinals
  const all = ordinalsOf(size)
  const but = (...ordinals: number[]): number[] => all.filter((ordinal) => !ordinals.includes(ordinal))
  t.strictSame(batch(all, []), [16, 17], 'the first')
  t.strictSame(batch(but(16, 17), [16, 17]), [], 'waits for it')
  t.strictSame(batch(but(16, 17), [17]), [], 'a half ready one does not let the next begin')
  t.strictSame(batch(but(16, 17), []), [18, 19], 'the next')
  t.strictSame(batch(but(...span('16-31')), []), [0, 1], 'lower after upper')
  t.strictSame(batch([], []), undefined, 'the end')
  t.strictSame(batch(but(3), [3]), [16], 'a new pod that is down leaves room for one')
  t.strictSame(batch(but(3, 16), [3]), [17], 'and for the next, when that one is available')
  t.strictSame(batch(but(3, 4), [3, 4]), [], 'two leave none')
  t.strictSame(batch(all, [16]), [16, 17], 'an old pod that is down is free, and uses up the budget like any other')
  t.strictSame(batch(all, [16, 17, 18]), [16, 17], 'over the budget: those that are down, upper first, no more than it')
  t.strictSame(batch(all, [3], 1), [3], 'heal first: a broken old pod is replaced before all others')
  t.strictSame(batch(but(16), [16, 3]), [3], 'also while a batch is under way')
  t.strictSame(batch(but(16, 3), [16, 3]), [], 'a new pod that is down cannot be healed by deleting it')
  t.end()
})

void t.test('ordinal and revision of a pod', (t) => {
  const of = (name: string | undefined, index?: string, revision?: string): PodIdentity => ({
    metadata: {
      ...(name === undefined ? {} : { name }),
      labels: {
        ...(index === undefined ? {} : { 'apps.kubernetes.io/pod-index': index }),
        ...(revision === undefined ? {} : { 'controller-revision-hash': revision }),
      },
    },
  })
  const cases: [name: string, pod: PodIdentity, ordinal: number | undefined, certain: number | undefined][] = [
    ['the label wins over the name', of('web-5', '13'), 13, undefined],
    ['both agree', of('web-13', '13'), 13, 13],
    ['without label the name counts', of('web-5'), 5, undefined],
    ['a wrong label is not made good by the name', of('web-5', 'five'), undefined, undefined],
    ['no number at the end', of('web-x'), undefined, undefined],
    ['the prefix of another set', of('web-api-5'), undefined, undefined],
    ['a label on a pod of another set', of('web-api-5', '5'), 5, undefined],
    ['leading zeros are no name that Kubernetes gives', of('web-05', '5'), 5, undefined],
    ['no metadata', {}, undefined, undefined],
  ]
  for (const [name, pod, ordinal, certain] of cases) {
    t.equal(podOrdinal(pod, 'web'), ordinal, name)
    t.equal(certainOrdinal(pod, 'web'), certain, `${name}: certain`)
  }
  t.equal(needsUpdate(of('web-0', '0', 'a'), 'a'), false)
  t.equal(needsUpdate(of('web-0', '0', 'a'), 'b'), true)
  t.equal(needsUpdate(of('web-0', '0'), 'b'), true, 'no label')
  t.equal(needsUpdate({}, 'b'), true, 'no metadata')
  t.equal(needsUpdate({ metadata: {} }, 'b'), true, 'no labels')
  t.end()
})

void t.test('enrolment', (t) => {
  const single = { RO_TARGET_NAMESPACE: 'shop', RO_TARGET_STATEFUL_SET: ' web ' }
  const on = { 'rollout-operator/enabled': 'true' }
  const cases: [name: string, env: Record<string, string>, set: Parameters<typeof setOf>[0], wanted: boolean][] = [
    ['label', {}, { labels: on }, true],
    ['label of another value', {}, { labels: { 'rollout-operator/enabled': 'True' } }, false],
    ['no label', {}, { labels: {} }, false],
    ['no labels', {}, { metadata: { labels: undefined as never } }, false],
    ['a namespace that is watched', { RO_WATCH_NAMESPACES: 'a, shop' }, { labels: on }, true],
    ['a namespace that is not', { RO_WATCH_NAMESPACES: 'a,b' }, { labels: on }, false],
    ['the single target, without label', single, { labels: {} }, true],
    ['the single target, whose label says no', single, { labels: { 'rollout-operator/enabled': 'false' } }, true],
    ['another name', single, { name: 'db', labels: on }, false],
    ['another namespace', { ...single, RO_TARGET_NAMESPACE: 'x' }, { labels: on }, false],
    ['both other', { RO_TARGET_NAMESPACE: 'x', RO_TARGET_STATEFUL_SET: 'db' }, { labels: on }, false],
  ]
  for (const [name, env, set, wanted] of cases) t.equal(enrolled(setOf(set), context(env).settings), wanted, name)
  t.end()
})

void t.test('settings', (t) => {
  t.match(readSettings(hookSettings, {}), {
    RO_DELAY_SECONDS: 600,
    RO_ENABLE_HALF_SPLIT: true,
    RO_MAX_UNAVAILABLE: '2',
    RO_READY_TIMEOUT_SECONDS: 1800,
    RO_USE_EVICTION: false,
    RO_WATCH_NAMESPACES: '',
  })
  t.equal(readSettings(hookSettings, {}).RO_POD_TERMINATION_GRACE_PERIOD, undefined)
  const refused: [variable: string, texts: string[]][] = [
    ['RO_MAX_UNAVAILABLE', ['0', '-1', '0%', '101%', '1.5', '', '10 %', '٣']],
    ['RO_DELAY_SECONDS', ['-1', '1.5', '', '10.0']],
    ['RO_POD_TERMINATION_GRACE_PERIOD', ['-1', '']],
    ['RO_ENABLE_HALF_SPLIT', ['maybe', '2']],
    ['RO_WATCH_NAMESPACES', ['A', 'a;b']],
  ]
  for (const [variable, texts] of refused) {
    for (const text of texts) t.throws(() => readSettings(hookSettings, { [variable]: text }), SettingsError, text)
  }
  for (const text of ['1', '999999', '1%', '100%']) t.ok(readSettings(hookSettings, { RO_MAX_UNAVAILABLE: text }))
  const both = /RO_TARGET_STATEFUL_SET is not set.*because RO_TARGET_NAMESPACE is set/
  t.throws(() => readSettings(hookSettings, { RO_TARGET_NAMESPACE: 'shop' }), both)
  t.throws(() => readSettings(hookSettings, { RO_TARGET_STATEFUL_SET: 'web' }), SettingsError)
  t.throws(
    () => readSettings(hookSettings, { RO_TARGET_STATEFUL_SET: ' ', RO_TARGET_NAMESPACE: 'shop' }),
    SettingsError,
  )
  t.end()
})

void t.test('configuration: override, alias, setting; what is wrong falls to the careful side', (t) => {
  const env = { RO_MAX_UNAVAILABLE: '5', RO_DELAY_SECONDS: '60', RO_POD_TERMINATION_GRACE_PERIOD: '45' }
  const of = (annotations: Record<string, string>): ReturnType<typeof rolloutConfig> =>
    rolloutConfig(setOf({ annotations }), context(env).settings)
  const key = (name: string): string => `config.rollout-operator/${name}`
  t.match(of({}), {
    delaySeconds: 60,
    maxUnavailable: { pods: 5 },
    gracePeriodSeconds: 45,
    paused: false,
    warnings: [],
  })
  t.strictSame(of({ [key('max-unavailable')]: '25%' }).maxUnavailable, { percent: 25 })
  t.strictSame(of({ 'rollout-max-unavailable': '3' }).maxUnavailable, { pods: 3 }, 'alias')
  t.strictSame(of({ 'rollout-max-unavailable': '3', [key('max-unavailable')]: '4' }).maxUnavailable, { pods: 4 })
  const wrong = of({ [key('max-unavailable')]: '0', 'rollout-max-unavailable': '9' })
  t.match(wrong, {
    maxUnavailable: { pods: 1 },
    warnings: [{ reason: 'InvalidConfig', message: /max-unavailable: "0"/ }],
  })
  t.equal(of({ [key('delay-seconds')]: '0' }).delaySeconds, 0)
  t.match(of({ [key('delay-seconds')]: '1.5' }), { delaySeconds: 60, warnings: [{ message: /delay-seconds: "1.5"/ }] })
  t.match(of({ [key('half-split')]: 'off' }), { halfSplit: false, warnings: [] })
  t.match(of({ [key('half-split')]: ' F ' }), { halfSplit: false, warnings: [] })
  t.match(of({ [key('half-split')]: 'perhaps' }), { halfSplit: true, warnings: [{}] })
  t.equal(of({ [key('grace-period-seconds')]: '0' }).gracePeriodSeconds, 0)
  t.match(of({ [key('grace-period-seconds')]: 'x' }), { gracePeriodSeconds: 45, warnings: [{}] })
  t.equal(of({ [key('ready-timeout-seconds')]: '0' }).readyTimeoutSeconds, 0)
  t.match(of({ [key('paused')]: 'stop!' }), { paused: true, warnings: [{}] }, 'who wanted to stop has stopped')
  t.equal(of({ [key('paused')]: 'false', 'grafana.com/rollout-paused': 'true' }).paused, true)
  t.equal(of({ 'grafana.com/rollout-paused': 'false' }).paused, false)
  t.end()
})

void t.test('percentages are rounded down, to at least 1', (t) => {
  const cases: [text: string, replicas: number, pods: number][] = [
    ['3', 1, 3],
    ['10%', 32, 3],
    ['10%', 9, 1],
    ['1%', 0, 1],
    ['100%', 7, 7],
  ]
  for (const [text, replicas, pods] of cases) {
    t.equal(resolvedBudget(parseBudget(text) ?? { pods: NaN }, replicas), pods, `${text} of ${replicas}`)
  }
  t.end()
})

void t.test('the record: only what is given and differs is written', (t) => {
  const key = (name: string): string => `rollout-operator/${name}`
  t.strictSame(annotationPatch(undefined, {}, 5), {}, 'nothing')
  t.strictSame(annotationPatch({ [key('state')]: 'done' }, { state: 'done', message: null }, 5), {}, 'no difference')
  t.strictSame(annotationPatch({}, { state: 'rolling', 'half-split': true, 'current-batch-ordinals': [16, 17] }, 5), {
    [key('state')]: 'rolling',
    [key('half-split')]: 'true',
    [key('current-batch-ordinals')]: '[16, 17]',
    [key('updated-at')]: '5',
  })
  t.strictSame(annotationPatch({ [key('message')]: 'x' }, { message: null }, 5), {
    [key('message')]: null,
    [key('updated-at')]: '5',
  })
  t.equal(annotationPatch({}, { message: 'x'.repeat(1000) }, 5)[key('message')]?.length, 256)
  const read = (text: string): number[] => readRecord({ [key('current-batch-ordinals')]: text }).batch
  t.strictSame(['[16,17]', '[ 17 , 16, 16]', '[]', '16', '["16"]', '[-1]', '[1.5]', 'x'].map(read), [
    ...[[16, 17], [16, 17], [], [], [], [], [], []],
  ])
  t.equal(readRecord({ [key('state')]: 'Rolling' }).state, 'none', 'another text is no state')
  t.equal(readRecord({ [key('max-unavailable')]: '0' }).maxUnavailable, undefined)
  t.equal(readRecord(JSON.parse('{"__proto__":"x"}') as Record<string, string>).state, 'none')
  t.strictSame(patched({ a: '1', b: '2' }, { a: null, c: '3' }), { b: '2', c: '3' })
  t.end()
})
