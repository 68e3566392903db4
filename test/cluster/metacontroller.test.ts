import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { compositeAnswer, customizeAnswer, decoratorAnswer, names } from './metacontroller/answer.ts'
import { applyUpdate, lastAppliedAnnotation, lastAppliedOf, merge, withLastApplied } from './metacontroller/apply.ts'
import { checkPlacement } from './metacontroller/children.ts'
import { decorate } from './metacontroller/decorator.ts'
import type { Resource } from './metacontroller/discovery.ts'
import { Hazard } from './metacontroller/hazard.ts'
import { goJson } from './metacontroller/objects.ts'
import { TokenBucket, WorkQueue, backoffMs } from './metacontroller/queue.ts'
import { checkRule, selects } from './metacontroller/related.ts'
import type { RuleContext } from './metacontroller/related.ts'
import { Groups, compositeRequest, customizeRequest, decoratorRequest } from './metacontroller/request.ts'
import { matches } from './metacontroller/selectors.ts'
import { parseDuration, retryAfterMs } from './metacontroller/webhook.ts'

const configMap = (name: string, namespace = 'ns', more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  ...more,
})

void t.test('three-way merge', (t) => {
  const table: [what: string, live: unknown, lastApplied: unknown, desired: unknown, expected: unknown][] = [
    ['foreign fields stay, ours are set', { a: 1, foreign: 2 }, { a: 1 }, { a: 3 }, { a: 3, foreign: 2 }],
    ['what we no longer send goes', { a: 1, b: 2, foreign: 3 }, { a: 1, b: 2 }, { a: 1 }, { a: 1, foreign: 3 }],
    ['without last-applied nothing is removed', { a: 1, b: 2 }, undefined, { a: 1 }, { a: 1, b: 2 }],
    ['nested', { m: { x: 1, y: 2 } }, { m: { x: 1 } }, { m: { z: 3 } }, { m: { y: 2, z: 3 } }],
    ['null is a value', { a: 1 }, { a: 1 }, { a: null }, { a: null }],
    [
      'null for a live object removes what we sent',
      { m: { x: 1, y: 2 } },
      { m: { x: 1 } },
      { m: null },
      { m: { y: 2 } },
    ],
    ['another type than the live object counts as absent', { m: { x: 1 } }, {}, { m: 'text' }, { m: { x: 1 } }],
    ['lists of scalars are replaced', [1, 2], [1], [3], [3]],
    ['a live list and a null become null', [1], [1], null, null],
    [
      'list by key: foreign items stay, order is live first, new ones last',
      [
        { name: 'side', v: 1 },
        { name: 'a', v: 1, added: true },
      ],
      [{ name: 'a', v: 1 }],
      [
        { name: 'new', v: 3 },
        { name: 'a', v: 2 },
      ],
      [
        { name: 'side', v: 1 },
        { name: 'a', v: 2, added: true },
        { name: 'new', v: 3 },
      ],
    ],
    [
      'an empty list removes only what we sent',
      [{ name: 'a' }, { name: 'side' }],
      [{ name: 'a' }],
      [],
      [{ name: 'side' }],
    ],
    [
      'the first merge key that all items of all lists share counts: containerPort before name',
      [{ containerPort: 1, name: 'x' }],
      [{ containerPort: 1, name: 'x' }],
      [{ containerPort: 2, name: 'x' }],
      [{ containerPort: 2, name: 'x' }],
    ],
    [
      'port before name: items that share it collapse',
      [{ port: 53, name: 'udp' }],
      undefined,
      [
        { port: 53, name: 'tcp' },
        { port: 53, name: 'udp' },
      ],
      [{ port: 53, name: 'udp' }],
    ],
    [
      'one item without the key: the list is replaced',
      [{ name: 'a' }, { key: 'b' }],
      [],
      [{ name: 'c' }],
      [{ name: 'c' }],
    ],
    ['one item that is no object: the list is replaced', [{ name: 'a' }, 1], [], [{ name: 'c' }], [{ name: 'c' }]],
    [
      'number keys',
      [{ containerPort: 80, protocol: 'TCP' }],
      [],
      [{ containerPort: 80 }],
      [{ containerPort: 80, protocol: 'TCP' }],
    ],
  ]
  for (const [what, live, lastApplied, desired, expected] of table)
    t.strictSame(merge(live, lastApplied, desired), expected, what)

  const parsed = (text: string): unknown => JSON.parse(text)
  const merged = merge(parsed('{"__proto__":"1","x":"y"}'), undefined, parsed('{"__proto__":"2","constructor":"3"}'))
  t.equal(goJson(merged), '{"__proto__":"2","constructor":"3","x":"y"}', 'keys of the prototype are ordinary keys')
  t.end()
})

void t.test('update of a child', (t) => {
  const desired = configMap('a', 'ns', { data: { k: 'v' } })
  const live = {
    ...withLastApplied(desired, desired),
    status: { phase: 'x' },
  }
  live.metadata = { ...live.metadata, uid: 'u', resourceVersion: '7', ownerReferences: [] }
  t.equal(applyUpdate(live, desired), undefined, 'as desired: nothing to write')
  t.strictSame(lastAppliedOf(live), desired)

  const changed = applyUpdate(live, configMap('a', 'ns', { data: { k: 'w' }, status: { phase: 'mine' } }))
  t.match(changed, { data: { k: 'w' }, status: { phase: 'x' }, metadata: { uid: 'u', resourceVersion: '7' } })
  t.strictSame(changed && lastAppliedOf(changed), configMap('a', 'ns', { data: { k: 'w' }, status: { phase: 'mine' } }))
  t.equal(live.metadata.annotations?.[lastAppliedAnnotation], goJson(desired), 'the live object is not touched')

  const forged = configMap('a', 'ns', { data: { k: 'v' } })
  forged.metadata = {
    ...forged.metadata,
    uid: 'other',
    resourceVersion: '1',
    annotations: { [lastAppliedAnnotation]: 'x' },
  }
  const kept = applyUpdate(live, forged)
  t.match(kept?.metadata, { uid: 'u', resourceVersion: '7' }, 'system fields stay')
  t.notMatch(kept?.metadata.annotations?.[lastAppliedAnnotation], 'last-applied', 'it never contains itself')
  t.end()
})

void t.test('JSON as Go writes it', (t) => {
  t.equal(goJson({ b: [1, 'ü'], a: { '10': 1, '9': null } }), '{"a":{"10":1,"9":null},"b":[1,"ü"]}')
  t.equal(goJson({ a: '<&>\u2028' }), '{"a":"\\u003c\\u0026\\u003e\\u2028"}')
  t.end()
})

void t.test('requests have all five fields, every group, sorted keys', (t) => {
  const controller: KubeObject = {
    apiVersion: 'metacontroller.k8s.io/v1alpha1',
    kind: 'CompositeController',
    metadata: { name: 'c' },
  }
  const parent: KubeObject = { apiVersion: 'lab.dev/v1', kind: 'Parent', metadata: { name: 'p', namespace: 'ns' } }
  const children = new Groups()
  children.group('apps/v1', 'StatefulSet')
  children.insert(configMap('b'))
  children.insert(configMap('a'))
  const related = new Groups()
  related.insert({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } })
  related.insert(configMap('r', 'other'))
  const parts = { controller, parent, children, related, finalizing: false }

  const v2 = compositeRequest({ ...parts, version: 'v2' })
  t.strictSame(Object.keys(v2), ['controller', 'parent', 'children', 'related', 'finalizing'])
  t.strictSame(v2['controller'], { ...controller, status: {} })
  t.strictSame(Object.keys(v2['children'] as object), ['ConfigMap.v1', 'StatefulSet.apps/v1'])
  t.strictSame(v2['children'], {
    'ConfigMap.v1': { 'ns/a': configMap('a'), 'ns/b': configMap('b') },
    'StatefulSet.apps/v1': {},
  })
  t.match(v2['related'], { 'ConfigMap.v1': { 'other/r': {} }, 'Namespace.v1': { ns: {} } })

  const v1 = compositeRequest({ ...parts, version: 'v1' })
  t.strictSame(Object.keys((v1['children'] as Record<string, object>)['ConfigMap.v1'] ?? {}), ['a', 'b'])
  t.strictSame(v1['related'], { 'ConfigMap.v1': {}, 'Namespace.v1': {} }, 'v1 drops what is elsewhere, not its group')

  const decorated = decoratorRequest({ ...parts, version: 'v2', finalizing: true })
  t.strictSame(Object.keys(decorated), ['controller', 'object', 'attachments', 'related', 'finalizing'])
  t.equal(decorated['finalizing'], true)
  t.strictSame(Object.keys(customizeRequest(controller, parent)), ['controller', 'parent'])

  const clusterParent = { ...parent, metadata: { name: 'p' } }
  const wide = compositeRequest({ ...parts, parent: clusterParent, version: 'v1' })
  t.match(
    wide['related'],
    { 'ConfigMap.v1': { 'other/r': {} }, 'Namespace.v1': { ns: {} } },
    'v1 of a cluster-scoped parent',
  )

  const order = new Groups()
  for (const [apiVersion, kind] of [
    ['b/v1', 'A'],
    ['v1', 'Z'],
    ['a/v2', 'B'],
    ['a/v1', 'C'],
  ] as const)
    order.group(apiVersion, kind)
  t.strictSame(
    order.sorted().map((g) => `${g.apiVersion} ${g.kind}`),
    ['v1 Z', 'a/v1 C', 'a/v2 B', 'b/v1 A'],
  )
  t.end()
})

void t.test('answers', (t) => {
  const none = { status: undefined, children: [], resyncAfterSeconds: 0, finalized: false }
  t.strictSame(compositeAnswer('null', 'strict'), none, 'null is an answer: no children')
  t.strictSame(compositeAnswer('{"children":null,"status":null}', 'strict'), none)
  t.strictSame(
    compositeAnswer(
      '{"status":{"a":1},"children":[{"kind":"X","bogus":1}],"resyncAfterSeconds":0.5,"finalized":true}',
      'strict',
    ),
    {
      status: { a: 1 },
      children: [{ kind: 'X', bogus: 1, apiVersion: '', metadata: {} }],
      resyncAfterSeconds: 0.5,
      finalized: true,
    },
    'unknown fields of a child pass',
  )
  const refused: [body: string, message: RegExp][] = [
    ['', /no JSON/],
    ['[]', /body: expected an object/],
    ['{"Children":[]}', /unknown field "Children"/],
    ['{"resyncAfterSeconds":"5"}', /resyncAfterSeconds: expected a number/],
    ['{"status":[]}', /status: expected an object/],
    ['{"finalized":"yes"}', /finalized: expected a boolean/],
    ['{"children":{}}', /children: expected a list/],
    ['{"children":[1]}', /children\[0\]: expected an object/],
    ['{"children":[{"apiVersion":"v1"}]}', /without kind/],
  ]
  for (const [body, message] of refused) t.throws(() => compositeAnswer(body, 'strict'), { message }, body)
  t.strictSame(compositeAnswer('{"Children":[{}]}', 'loose'), none, 'loose: an unknown field is no field')
  t.throws(
    () => compositeAnswer('{"children":[null]}', 'loose'),
    new Hazard('would crash Metacontroller: null element children[0]'),
  )
  t.throws(() => customizeAnswer('{"relatedResources":[null]}', 'strict'), { name: 'Hazard' })

  const { labels, annotations } = decoratorAnswer('{"labels":{"a":"1","b":null}}', 'strict')
  t.strictSame({ labels, annotations }, { labels: { a: '1', b: null }, annotations: {} })
  t.throws(() => decoratorAnswer('{"annotations":{"a":1}}', 'strict'), /annotations: expected/)

  const rule = { apiVersion: 'v1', resource: 'secrets', names: ['a'] }
  t.strictSame(customizeAnswer(JSON.stringify({ relatedResources: [rule] }), 'strict'), [rule])
  t.throws(() => customizeAnswer('{"relatedResources":[{"bogus":1}]}', 'strict'), /relatedResources\[0\].bogus/)
  t.strictSame(customizeAnswer('{}', 'strict'), [])

  t.equal(names('{"children":[]}', 'children'), true)
  for (const body of ['null', '{}', '{"children":null}', '{"attachments":[]}'])
    t.equal(names(body, 'children'), false, body)
  t.end()
})

void t.test('pauses', (t) => {
  t.strictSame([0, 1, 2, 8, 17, 18, 60].map(backoffMs), [5, 10, 20, 1280, 655_360, 1_000_000, 1_000_000])
  const bucket = new TokenBucket(10, 2, 0)
  t.strictSame(
    [0, 0, 0, 0, 1000].map((now) => bucket.take(now)),
    [0, 0, 100, 200, 0],
    'burst, then 10 a second',
  )
  t.equal(bucket.tryTake(1000), true, 'one second brought ten, of which two are kept')
  t.equal(bucket.tryTake(1000), false)

  const noon = Date.parse('2026-01-01T12:00:00Z')
  t.equal(retryAfterMs('2', noon), 2000)
  t.equal(retryAfterMs('Thu, 01 Jan 2026 12:00:03 GMT', noon), 3000)
  for (const header of [undefined, '', '1.5', '0', '-1', 'soon', 'Thu, 01 Jan 2026 11:59:00 GMT']) {
    t.throws(() => retryAfterMs(header, noon), { name: 'Hazard' }, `Retry-After ${header}`)
  }
  t.strictSame(
    ['2s', '1m30s', '250ms', '1.5h', '5', '', '-1s'].map(parseDuration),
    [2000, 90_000, 250, 5_400_000, 0, 0, 0],
  )
  t.end()
})

void t.test('a work queue runs a key once at a time, and again if it was added meanwhile', async (t) => {
  const queue = new WorkQueue()
  const seen: string[] = []
  let active = 0
  queue.add('a')
  queue.add('a')
  queue.add('b')
  await queue.run(3, async (key) => {
    t.equal(++active <= 2, true, 'different keys run side by side')
    seen.push(key)
    if (seen.filter((k) => k === 'a').length === 1 && key === 'a') {
      queue.add('a')
      queue.add('a')
    }
    await new Promise(setImmediate)
    active--
    if (seen.length === 3) queue.addRateLimited('c')
    if (key === 'c') queue.close()
  })
  t.strictSame(seen, ['a', 'b', 'a', 'c'])
})

void t.test('selectors', (t) => {
  t.equal(matches(undefined, undefined), true)
  t.equal(matches({ matchLabels: { a: '1' } }, { a: '1', b: '2' }), true)
  t.equal(matches({ matchLabels: { constructor: '1' } }, {}), false)
  const meets = (operator: string, values: string[], labels: Record<string, string>): boolean =>
    matches({ matchExpressions: [{ key: 'k', operator, values }] }, labels)
  t.strictSame(
    ['In', 'NotIn', 'Exists', 'DoesNotExist'].map((o) => meets(o, ['v'], { k: 'v' })),
    [true, false, true, false],
  )
  t.strictSame(
    ['In', 'NotIn', 'Exists', 'DoesNotExist'].map((o) => meets(o, ['v'], {})),
    [false, true, false, true],
  )
  t.throws(() => meets('Gt', [], {}), /not a valid label selector operator/)
  t.end()
})

const configMaps: Resource = {
  apiVersion: 'v1',
  name: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
  hasStatus: false,
}
const namespaces: Resource = {
  apiVersion: 'v1',
  name: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
  hasStatus: true,
}

void t.test('customize rules', (t) => {
  const rule = { apiVersion: 'v1', resource: 'configmaps' }
  const context: RuleContext = {
    version: 'v2',
    namespace: 'ns',
    namespaceLabels: (name) => (name === 'prod' ? { stage: 'prod' } : undefined),
  }
  const v1 = { ...context, version: 'v1' as const }
  const labelled = configMap('a', 'other')
  labelled.metadata.labels = { app: 'x' }
  const app = { labelSelector: { matchLabels: { app: 'x' } } }

  t.equal(selects(rule, labelled, context), true, 'nothing given: everything')
  t.equal(selects({ ...rule, ...app }, labelled, context), true)
  t.equal(selects({ ...rule, ...app }, labelled, v1), false, 'v1 stays in the namespace of the parent')
  t.equal(selects({ ...rule, ...app, namespace: 'ns' }, labelled, context), false)
  t.equal(selects({ ...rule, names: ['a'] }, labelled, context), true)
  t.equal(selects({ ...rule, names: ['b'] }, labelled, context), false)
  t.equal(selects({ ...rule, namespaceSelector: { matchLabels: { stage: 'prod' } } }, labelled, context), false)
  t.equal(
    selects({ ...rule, namespaceSelector: { matchLabels: { stage: 'prod' } } }, configMap('a', 'prod'), context),
    true,
  )

  t.throws(() => checkRule({ ...rule, ...app, names: ['a'] }, configMaps, context), /both names and/)
  t.throws(
    () => checkRule({ ...rule, namespace: 'a', namespaceSelector: {} }, configMaps, context),
    /both namespace and/,
  )
  t.throws(() => checkRule({ ...rule, namespaceSelector: {} }, namespaces, context), /only supported for namespaced/)
  t.throws(
    () => checkRule({ ...rule, namespaceSelector: {} }, configMaps, v1),
    /not supported for namespaced parent in v1/,
  )
  t.throws(() => checkRule({ ...rule, namespace: 'other' }, configMaps, v1), /differs from parent namespace/)
  checkRule({ ...rule, namespace: 'other', ...app }, configMaps, context)
  t.end()
})

void t.test('children that would never be observed are refused', (t) => {
  const parent: KubeObject = { apiVersion: 'lab.dev/v1', kind: 'Parent', metadata: { name: 'p', namespace: 'ns' } }
  const kinds = [configMaps, namespaces]
  const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } }
  checkPlacement({ kinds, parent }, configMap('a'))
  t.throws(() => checkPlacement({ kinds, parent }, configMap('a', 'other')), /not in its parent's namespace/)
  t.throws(() => checkPlacement({ kinds, parent }, namespace), /cluster-scoped/)
  t.throws(() => checkPlacement({ kinds, parent }, { ...configMap('a'), apiVersion: 'v2' }), /those of no rule/)
  const clusterParent = { ...parent, metadata: { name: 'p' } }
  checkPlacement({ kinds, parent: clusterParent }, namespace)
  checkPlacement({ kinds, parent: clusterParent }, configMap('a', 'anywhere'))
  t.end()
})

void t.test('what a decorator does to its target', (t) => {
  const target = configMap('a', 'ns', { status: { x: 1 } })
  target.metadata.labels = { keep: '1', drop: '2' }
  const same = { labels: {}, annotations: {}, status: undefined }
  t.strictSame(decorate(target, same), target, 'an empty answer changes nothing')
  t.strictSame(decorate(target, { ...same, labels: { drop: null, new: '3' } }).metadata.labels, { keep: '1', new: '3' })
  t.strictSame(decorate(target, { ...same, annotations: { absent: null } }), target, 'deleting what is not there')
  t.strictSame(decorate(target, { ...same, status: {} })['status'], {}, 'an empty status replaces')
  t.end()
})
