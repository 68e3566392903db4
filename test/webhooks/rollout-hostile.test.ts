/** What holds for every set of annotations and every report: answers that can be sent, that settle, and that keep their time. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import { decoratorAnswerCheck } from '../../webhooks/contract/answer.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { rolloutHooks } from '../../webhooks/rollout/index.ts'
import type { RolloutReport } from '../../webhooks/rollout/pods.ts'
import { syncRollout } from '../../webhooks/rollout/sync.ts'
import { type Answer, at, carriedOut, noon, pods, reportOf, requestOf, rfc3339, setOf, sync } from './rollout-world.ts'

t.setTimeout(120_000)

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 500)
const checkAnswer = decoratorAnswerCheck(rolloutHooks.attachmentRules)

const crd = parse(readFileSync(packagePath('crds', 'observations.yaml'), 'utf8')) as {
  spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: object } } } }[] }
}
const ajv = new Ajv({ strict: false, formats: { int32: true, int64: true, 'date-time': true } })
const isSpec = ajv.compile(crd.spec.versions[0]?.schema.openAPIV3Schema.properties.spec ?? {})

/** Values that people, other programs and other versions of this one may leave in annotations. */
const texts = fc.oneof(
  fc.constantFrom('', '0', '1', '2', '-1', '1e3', ' 5', '99999999999999999999', 'null', 'NaN', '[', '[1,2]', '[ 3 ]'),
  fc.constantFrom('[-1]', '["1"]', '{"a":1}', 'true', 'FALSE', 'yes', '50%', '0%', '101%', 'half', '1767225600'),
  fc.constantFrom('none', 'planned', 'rolling', 'done', 'Rolling', 'web-new', 'web-old', '__proto__'),
  fc.string({ maxLength: 300 }),
)
const recordKeys = [
  'state last-revision target-revision planned-at started-at updated-at replicas max-unavailable half-split range-name',
  'range-index batch-index current-batch-ordinals pods-to-update pods-deleted batch-started-at stalled-at message',
].flatMap((line) => line.split(' '))
const configKeys =
  'delay-seconds max-unavailable half-split grace-period-seconds ready-timeout-seconds paused start-now'
const keys = [
  ...recordKeys.map((key) => `rollout-operator/${key}`),
  ...configKeys.split(' ').map((key) => `config.rollout-operator/${key}`),
  ...['rollout-max-unavailable', 'grafana.com/rollout-paused', '__proto__', 'constructor'],
]
const states = fc.constantFrom('none', 'planned', 'rolling', 'done')
const annotations = fc
  .record({
    wild: fc.dictionary(fc.constantFrom(...keys), texts, { maxKeys: 12 }),
    state: states,
    target: fc.constantFrom('web-new', 'web-new', 'web-old'),
    since: fc.integer({ min: noon - 4000, max: noon }),
  })
  .map(({ wild, state, target, since }) => ({
    'rollout-operator/state': state,
    'rollout-operator/target-revision': target,
    'rollout-operator/planned-at': String(since),
    'rollout-operator/updated-at': String(since),
    ...wild,
  }))
const reports = fc.option(
  fc.record({
    words: fc.array(fc.constantFrom('new', 'old', 'NEW', 'OLD', 'gone', '-'), { maxLength: 8 }),
    young: fc.nat(200),
  }),
)
const situations = fc.record({
  replicas: fc.nat(6),
  minReadySeconds: fc.constantFrom(0, 0, 30, 90),
  annotations,
  report: reports,
  strategy: fc.constantFrom('OnDelete', 'OnDelete', 'OnDelete', 'RollingUpdate'),
})

type Situation = Parameters<Parameters<typeof situations.map>[0]>[0]

/** The pods of a situation; those of the target revision have been ready for as long as it says. */
function reportIn({ report }: Situation): RolloutReport {
  if (report === null) return reportOf(undefined)
  const list = pods(report.words.join(' ')).map((pod) =>
    pod.revision === 'web-new' && pod.readySince !== undefined
      ? { ...pod, readySince: rfc3339(noon - report.young) }
      : pod,
  )
  return reportOf(list)
}

/** Syncs at one time until nothing is written. */
function settled(situation: Situation): ReturnType<typeof setOf> {
  let set = setOf(situation)
  for (let round = 0; round < 6; round++) {
    const answer = sync(set, reportIn(situation), at(noon))
    if (answer.annotations === undefined) return set
    set = carriedOut(set, answer)
  }
  return assert.fail('syncs go on writing at one time')
}

/** An answer without the time of the next look. */
function content({ resyncAfterSeconds, ...rest }: Answer): string {
  return JSON.stringify(rest)
}

void t.test('every answer can be sent, has the Observation, and is the same for the same request', (t) => {
  const property = fc.property(situations, (situation) => {
    const request = requestOf(setOf(situation), reportIn(situation))
    const before = JSON.stringify(request)
    const answer = syncRollout(request, at(noon))
    assert.equal(JSON.stringify(request), before, 'requests are not changed')
    assert.equal(JSON.stringify(syncRollout(request, at(noon))), JSON.stringify(answer))
    checkAnswer(answer, request.object)
    assert.equal(answer.attachments.length, 1)
    assert.ok(isSpec(answer.attachments[0]?.['spec']), JSON.stringify(isSpec.errors))
    for (const [key, value] of Object.entries(answer.annotations ?? {})) {
      assert.match(key, /^rollout-operator\//, 'only our own annotations are written')
      assert.ok(value === null || value.length <= 256)
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
  t.end()
})

void t.test('at any one time syncs settle: an answer that is carried out writes nothing more', (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(situations, (situation) => void settled(situation)),
      { numRuns },
    ),
  )
  t.end()
})

void t.test(
  'a batch is given only for a running rollout to the revision that the set has, and never while paused',
  (t) => {
    const property = fc.property(situations, (situation) => {
      const set = setOf(situation)
      const answer = sync(set, reportIn(situation))
      const after = carriedOut(set, answer).metadata.annotations ?? {}
      const batch = answer.order?.['batch'] as { targetRevision: string; ordinals: number[] } | undefined
      if (batch === undefined) return
      assert.equal(after['rollout-operator/state'], 'rolling')
      assert.equal(after['rollout-operator/target-revision'], 'web-new')
      assert.equal(batch.targetRevision, 'web-new')
      assert.deepEqual(JSON.parse(after['rollout-operator/current-batch-ordinals'] ?? ''), batch.ordinals)
      assert.equal(answer.order?.['paused'], false)
      assert.equal(situation.strategy, 'OnDelete')
      assert.notEqual(situation.report, null)
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns }))
    t.end()
  },
)

void t.test('time alone changes nothing before the look that was asked for', (t) => {
  const property = fc.property(situations, fc.double({ min: 0, max: 1, noNaN: true }), (situation, part) => {
    const set = settled(situation)
    const report = reportIn(situation)
    const answer = sync(set, report, at(noon))
    const wait = answer.resyncAfterSeconds ?? 1_000_000
    const later = sync(set, report, at(noon + Math.floor(part * (wait - 1))))
    assert.equal(content(later), content(answer))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
  t.end()
})

void t.test('objects of shapes that no API server stores are answered too', (t) => {
  const anything = fc.anything({ withNullPrototype: false, maxDepth: 2 })
  const property = fc.property(anything, anything, anything, annotations, (spec, status, report, written) => {
    const set = { ...setOf({ annotations: written }), spec, status }
    const request = requestOf(set, report as never)
    checkAnswer(syncRollout(request, at(noon)), request.object)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
  const bare = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'web', namespace: 'shop', uid: 'u' } }
  t.same(syncRollout(requestOf(bare), at(noon)), { attachments: [] }, 'no labels, annotations, spec or status')
  t.same(
    syncRollout(requestOf(setOf({ name: 'x'.repeat(250) })), at(noon)),
    { attachments: [] },
    'no name for an Observation',
  )
  t.end()
})
