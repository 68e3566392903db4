import fc from 'fast-check'
import t from 'tap'
import { conditions } from '../../webhooks/contract/conditions.ts'
import { freeze } from '../../webhooks/contract/freeze.ts'
import { canonicalJson, hashOf } from '../../webhooks/contract/hash.ts'
import { sameJson } from '../../webhooks/contract/objects.ts'
import { jsonText, withText } from '../../webhooks/contract/json-text.ts'
import { memo } from '../../webhooks/contract/memo.ts'
import { definitionFile } from '../../webhooks/kaspr/components/definition-file.ts'
import { canonicalQuantity, quantityValue } from '../../webhooks/contract/quantity.ts'
import { shardCount, shardOf } from '../../webhooks/contract/shard.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { floatText, valueText } from '../../webhooks/kaspr/python-text.ts'
import { imageOf, versionOfImage } from '../../webhooks/kaspr/versions.ts'

void t.test('quantities take the canonical form of the API server', async (t) => {
  const rows: [unknown, string | undefined][] = [
    ['1000m', '1'],
    ['500m', '500m'],
    ['0.5', '500m'],
    [2, '2'],
    [0.1, '100m'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1000Mi', '1000Mi'],
    ['0', '0'],
    ['0Gi', '0'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1000k', '1M'],
    ['0.5Ki', '512'],
    ['512Mi', '512Mi'],
    ['1e3', '1e3'],
    ['12e6', '12e6'],
    ['1E3', '1e3'],
    ['100E', '100E'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['-1', '-1'],
    ['+5', '5'],
    ['.5', '500m'],
    ['1.', '1'],
    ['', undefined],
    ['1 Gi', undefined],
    ['much', undefined],
    ['1GiB', undefined],
    [null, undefined],
    [true, undefined],
    ['1e', undefined],
  ]
  for (const [given, expected] of rows) t.equal(canonicalQuantity(given), expected, JSON.stringify(given))
  t.equal(quantityValue('1Gi'), 1024n ** 3n)
  t.equal(quantityValue('1500m'), 2n, 'rounded up')
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 15n }),
      fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e3'),
      (number, suffix) => {
        const canonical = canonicalQuantity(`${number}${suffix}`)
        return (
          canonicalQuantity(canonical) === canonical && quantityValue(canonical) === quantityValue(`${number}${suffix}`)
        )
      },
    ),
  )
})

void t.test('hashes depend on the value, not on how it is written', async (t) => {
  t.equal(canonicalJson({ b: [1, { d: 'x', c: undefined }], a: null }), '{"a":null,"b":[1,{"d":"x"}]}')
  t.equal(hashOf({ a: 1, b: 2 }), hashOf({ b: 2, a: 1 }))
  t.not(hashOf(['a']), hashOf('a'))
  const own = JSON.parse('{"__proto__": 1}') as unknown
  t.equal(canonicalJson(own), '{"__proto__":1}')
})

void t.test('the time of a condition moves only with its status', async (t) => {
  const draft = { type: 'Ready', status: 'True', reason: 'A', message: 'm' } as const
  const first = conditions(undefined, [draft], 1, new Date('2026-01-01T00:00:00.900Z'))
  t.same(first, [{ ...draft, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 }])
  const later = new Date('2026-01-02T00:00:00Z')
  t.same(conditions(first, [{ ...draft, reason: 'B' }], 2, later), [
    { ...draft, reason: 'B', lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 2 },
  ])
  t.match(conditions(first, [{ ...draft, status: 'False' }], 2, later), [
    { lastTransitionTime: '2026-01-02T00:00:00Z' },
  ])
  for (const broken of [null, 'x', [null], [{ type: 'Ready', status: 'True' }]]) {
    t.match(conditions(broken, [draft], 1, later), [{ lastTransitionTime: '2026-01-02T00:00:00Z' }])
  }
})

void t.test('freeze: the observed values of the applied fields', async (t) => {
  const applied = {
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name: 'x', namespace: 'n', labels: { a: '1' } },
    spec: { kept: 1, gone: 1, list: [1, 2], keyed: [{ name: 'mine', v: 1 }], __proto__x: 1 },
  }
  const live: KubeObject = {
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: {
      name: 'x',
      namespace: 'n',
      uid: 'u',
      labels: { a: '2', foreign: 'f' },
      annotations: { 'metacontroller.k8s.io/last-applied-configuration': JSON.stringify(applied) },
    },
    spec: { kept: 5, defaulted: true, list: [3], keyed: [{ name: 'sidecar' }, { name: 'mine', v: 7, defaulted: 1 }] },
    status: { phase: 'Up' },
  }
  t.same(freeze(live), {
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name: 'x', namespace: 'n', labels: { a: '2' } },
    spec: { kept: 5, list: [3], keyed: [{ name: 'mine', v: 7 }] },
  })
  for (const annotations of [undefined, {}, { 'metacontroller.k8s.io/last-applied-configuration': '{' }]) {
    const bare = {
      ...live,
      metadata: { name: 'x', namespace: 'n', ...(annotations === undefined ? {} : { annotations }) },
    }
    t.same(
      freeze(bare),
      { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x', namespace: 'n' } },
      'never dropped: that would delete it',
    )
  }
})

void t.test('freeze: what Metacontroller notes on an attachment is no part of an answer', async (t) => {
  const owner = { 'metacontroller.k8s.io/decorator-controller': 'rollouts' }
  const identity = { apiVersion: 'v1', kind: 'Thing' }
  for (const own of [{}, { mine: 'x' }]) {
    const applied = { ...identity, metadata: { name: 'x', annotations: { ...own, ...owner } } }
    const record = { 'metacontroller.k8s.io/last-applied-configuration': JSON.stringify(applied) }
    const live = { ...identity, metadata: { name: 'x', annotations: { ...own, ...owner, ...record } } }
    t.strictSame(freeze(live), { ...identity, metadata: { name: 'x', annotations: own } })
  }
})

void t.test('shards are stable and evenly used', async (t) => {
  t.equal(shardOf('11111111-2222-3333-4444-555555555555'), shardOf('11111111-2222-3333-4444-555555555555'))
  const counts = new Array<number>(shardCount).fill(0)
  for (let index = 0; index < 64_000; index++) {
    const shard = shardOf(`uid-${index}`)
    counts[shard] = (counts[shard] ?? 0) + 1
  }
  t.ok(
    Math.min(...counts) > 800 && Math.max(...counts) < 1200,
    `${Math.min(...counts)}..${Math.max(...counts)} of 1000`,
  )
})

void t.test("Python's text forms", async (t) => {
  const floats: [number, string][] = [
    [5, '5.0'],
    [2.5, '2.5'],
    [0.00001, '1e-05'],
    [0.0001, '0.0001'],
    [1e20, '1e+20'],
    [1e16, '1e+16'],
    [1e15, '1000000000000000.0'],
    [0, '0.0'],
    [-1.5, '-1.5'],
    [1.5e-7, '1.5e-07'],
    [123456789012345680, '1.2345678901234568e+17'],
  ]
  for (const [value, text] of floats) t.equal(floatText(value), text)
  t.equal(valueText({ x: 1, y: [true, null, "it's", 0.5] }), `{'x': 1, 'y': [True, None, "it's", 0.5]}`)
  t.equal(valueText('plain'), 'plain')
})

void t.test('images and versions', async (t) => {
  t.equal(imageOf({}, ''), 'kasprio/kaspr:0.11.19')
  t.equal(imageOf({ version: '0.7.4' }, 'reg.example.com/mirror//'), 'reg.example.com/mirror/kasprio/kaspr:0.7.4-alpha')
  t.equal(imageOf({ version: '0.2.2-alpha' }, ''), undefined)
  t.equal(imageOf({ version: '9.9', image: 'a/b:c' }, ''), 'a/b:c')
  const images: [string, string][] = [
    ['host:5000/kaspr:1.2', '1.2'],
    ['host:5000/kaspr', 'unknown'],
    ['kaspr@sha256:abc', 'unknown'],
    ['kaspr:1.2@sha256:abc', '1.2'],
  ]
  for (const [image, version] of images) t.equal(versionOfImage(image), version, image)
})

void t.test('values are the same when their canonical JSON is', async (t) => {
  const values = [
    null,
    0,
    '',
    'a',
    [],
    ['a', 'b'],
    ['b', 'a'],
    [['a']],
    {},
    { a: undefined },
    { a: null },
    { a: 1, b: [{ c: 1 }] },
    { b: [{ c: 1, d: undefined }], a: 1 },
    { a: 1, b: [{ c: 2 }] },
    { b: 1, c: 1 },
    JSON.parse('{"__proto__":{}}') as unknown,
    JSON.parse('{"constructor":1}') as unknown,
    JSON.parse('{"toString":1}') as unknown,
  ]
  for (const a of values) {
    for (const b of values) {
      t.equal(sameJson(a, b), canonicalJson(a) === canonicalJson(b), `${canonicalJson(a)} and ${canonicalJson(b)}`)
    }
  }
})

void t.test('a text that is put together from ready ones is that of JSON.stringify', async (t) => {
  fc.assert(
    fc.property(fc.object({ withNullPrototype: false, key: fc.string() }), fc.nat(3), (value, levels) => {
      const json = JSON.parse(JSON.stringify(value)) as Record<string, unknown>
      const ready = Object.entries(json).map(([key, field], index): [string, unknown] => [
        key,
        typeof field === 'object' && field !== null && index % 2 === 0 ? withText(field) : field,
      ])
      const parent = { absent: undefined, deep: Object.fromEntries(ready), list: ready, ...Object.fromEntries(ready) }
      t.equal(jsonText(parent, levels), JSON.stringify(parent))
    }),
    { seed: 1, numRuns: 200 },
  )
  const kept = withText({ deep: { list: [1] } })
  t.throws(() => kept.deep.list.push(2), 'nobody can change a value whose text is remembered')
})

void t.test('a memo makes a result once, while its input is asked for, and forgets within its bound', async (t) => {
  const remembered = memo<number>(10)
  let made = 0
  const ask = (input: string): number => remembered(input, () => ++made)
  t.equal(ask('four'), 1)
  t.equal(ask('four'), 1)
  t.equal(ask('five'), 2)
  t.equal(ask('sixsix'), 3, 'a second generation begins')
  t.equal(ask('four'), 1, 'and knows the first')
  t.equal(ask('a third'), 4)
  t.equal(ask('four'), 1)
  t.equal(ask('five'), 5, 'what was not asked for since is gone')
  t.equal(ask('longer than a generation'), 6)
  t.equal(ask('longer than a generation'), 6)
})

void t.test('a definition with a great many empty lines is written at once', async (t) => {
  const started = performance.now()
  const text = definitionFile({ python: `a${'\n'.repeat(100_000)}b` })
  t.ok(text.startsWith('python: |-\n  a\n\n'))
  t.ok(performance.now() - started < 1000)
})
