import t from 'tap'
import { AnswerError, checkCustomizeAnswer, compositeAnswerCheck } from '../../webhooks/contract/answer.ts'
import {
  checkGroups,
  compositeRequest,
  customizeRequest,
  objectsOf,
  RequestError,
} from '../../webhooks/contract/request.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { group, labParent, labRequest } from './lab.ts'

const rules = {
  apiVersion: 'lab.dev/v1',
  kind: 'Lab',
  childRules: [
    { apiVersion: 'v1', kind: 'ConfigMap' },
    { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  ],
  relatedRules: [{ apiVersion: 'lab.dev/v1', kind: 'Part' }],
}
const configMaps = { apiVersion: 'v1', kind: 'ConfigMap' }

void t.test('H4 a request that is none is refused with field, value and what is accepted', (t) => {
  const { parent, ...withoutParent } = labRequest()
  const bodies: [name: string, body: unknown, message: string][] = [
    ['null', null, 'the body is null, accepted is an object'],
    ['nothing', undefined, 'the body is missing, accepted is an object'],
    ['list', [], 'the body is a list, accepted is an object'],
    ['text', '{}', 'the body is "{}", accepted is an object'],
    ['no parent', withoutParent, 'parent is missing'],
    ['null parent', { ...labRequest(), parent: null }, 'parent is null, accepted is an object'],
    ['no uid', { ...labRequest(), parent: { ...parent, metadata: { name: 'x' } } }, 'parent.metadata.uid is missing'],
    [
      'empty name',
      { ...labRequest(), parent: labParent({}, { name: '' }) },
      'parent.metadata.name is "", accepted is a string that is not empty',
    ],
    [
      'foreign kind',
      { ...labRequest(), parent: { ...parent, kind: 'Pod' } },
      'parent.kind is "Pod", accepted is "Lab"',
    ],
    [
      'foreign group',
      { ...labRequest(), parent: { ...parent, apiVersion: 'v1' } },
      'parent.apiVersion is "v1", accepted is "lab.dev/v1"',
    ],
    ['list of children', { ...labRequest(), children: [] }, 'children is a list, accepted is an object'],
    [
      'child without metadata',
      { ...labRequest(), children: { 'ConfigMap.v1': { 'a/b': { ...configMaps } } } },
      'children["ConfigMap.v1"]["a/b"].metadata is missing',
    ],
    [
      'label that is no text',
      { ...labRequest(), parent: labParent({}, { labels: { a: 1 } as never }) },
      'parent.metadata.labels.a is 1, accepted is a string',
    ],
    ['finalizing in words', { ...labRequest(), finalizing: 'no' }, 'finalizing is "no", accepted is a boolean'],
    [
      'long value',
      { ...labRequest(), finalizing: 'x'.repeat(1000) },
      `finalizing is "${'x'.repeat(79)}…, accepted is a boolean`,
    ],
  ]
  for (const [name, body, message] of bodies) {
    t.throws(() => compositeRequest(body, rules), new RequestError(400, message), name)
  }
  t.throws(() => customizeRequest({ parent }, rules), new RequestError(400, 'controller is missing'))
  t.end()
})

void t.test('H12 unknown fields of a request are tolerated, and it stays as it came', (t) => {
  const body = { ...labRequest(), cluster: 'x', parent: { ...labParent(), extra: [null, '3'] } }
  const before = JSON.stringify(body)
  t.equal(compositeRequest(body, rules), body, 'no copy')
  t.equal(JSON.stringify(body), before)
  t.end()
})

void t.test('H25 a group that is missing altogether is an error that names the rule, never zero observed', (t) => {
  const without = labRequest({ children: { 'ConfigMap.v1': {} } })
  t.throws(
    () => checkGroups(without, rules),
    new RequestError(
      500,
      'the request has no child group for StatefulSet (apps/v1): the CompositeController of Lab has no childResources rule for it',
    ),
  )
  t.throws(() => checkGroups({ ...without, finalizing: true }, rules), RequestError, 'children matter in finalize too')
  const unrelated = labRequest({ related: {} })
  t.throws(() => checkGroups(unrelated, rules), /no related group for Part \(lab.dev\/v1\)/)
  t.doesNotThrow(
    () => checkGroups({ ...unrelated, finalizing: true }, rules),
    'H33 finalize ends without related objects',
  )
  const inherited = labRequest({ children: Object.create({ 'ConfigMap.v1': {}, 'StatefulSet.apps/v1': {} }) as never })
  t.throws(() => checkGroups(inherited, rules), RequestError, 'only own properties count')
  t.end()
})

void t.test('H16, H17 objects are found by their own metadata, whatever key and order they came in', (t) => {
  const objects = ['b', 'a', 'c'].map((name) => ({ ...configMaps, metadata: { name, namespace: 'lab' } }))
  for (const version of ['v1', 'v2'] as const) {
    for (const order of [objects, [...objects].reverse()]) {
      const found = objectsOf({ 'ConfigMap.v1': group(order, version) }, configMaps)
      t.same([...found.keys()], ['lab/a', 'lab/b', 'lab/c'], version)
      t.equal(found.get('lab/b'), objects[0])
    }
  }
  const cluster: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } }
  t.same([...objectsOf({ 'Node.v1': { n1: cluster } }, cluster).keys()], ['n1'])
  t.equal(objectsOf({}, configMaps).size, 0)
  const inherited = Object.create({ 'ConfigMap.v1': group(objects) }) as Record<string, never>
  t.equal(objectsOf(inherited, configMaps).size, 0, 'only own properties count')
  t.end()
})

const child: KubeObject = { ...configMaps, metadata: { name: 'one', namespace: 'lab' }, data: { a: 'b' } }
const parent = labParent()
const good = { status: {}, children: [child] }
const metadata = (changes: Record<string, unknown>): unknown => ({
  ...good,
  children: [{ ...child, metadata: { ...child.metadata, ...changes } }],
})

void t.test('H14, H18-H20, H22, H34 an answer that Metacontroller would crash, loop or delete on is not sent', (t) => {
  const check = compositeAnswerCheck(rules.childRules)
  const bad: [name: string, answer: unknown][] = [
    ['null', null],
    ['nothing', undefined],
    ['a list', []],
    ['empty', {}],
    ['no children', { status: {} }],
    ['null children', { ...good, children: null }],
    ['children as a map', { ...good, children: { one: child } }],
    ['a null child', { ...good, children: [child, null] }],
    ['an absent child', { ...good, children: [undefined] }],
    ['a hole', { ...good, children: new Array(1) }],
    ['no status', { children: [] }],
    ['null status', { ...good, status: null }],
    ['wrong case', { ...good, Children: [] }],
    ['unknown field', { ...good, debug: 1 }],
    ['finalized in sync', { ...good, finalized: true }],
    ['resync of 0', { ...good, resyncAfterSeconds: 0 }],
    ['endless resync', { ...good, resyncAfterSeconds: Infinity }],
    ['resync in words', { ...good, resyncAfterSeconds: '5' }],
    ['undefined resync', { ...good, resyncAfterSeconds: undefined }],
    ['undeclared kind', { ...good, children: [{ ...child, kind: 'Secret' }] }],
    ['other version', { ...good, children: [{ ...child, apiVersion: 'v2' }] }],
    ['no kind', { ...good, children: [{ apiVersion: 'v1', metadata: child.metadata }] }],
    ['child status', { ...good, children: [{ ...child, status: {} }] }],
    ['no metadata', { ...good, children: [{ ...configMaps }] }],
    ['no name', metadata({ name: undefined })],
    ['a name that is no subdomain', metadata({ name: 'One_1' })],
    ['a long name', metadata({ name: 'x'.repeat(254) })],
    ['a generated name', metadata({ generateName: 'x-' })],
    ['no namespace', metadata({ namespace: undefined })],
    ['other namespace', metadata({ namespace: 'kube-system' })],
    ['uid', metadata({ uid: '1' })],
    ['resourceVersion', metadata({ resourceVersion: '1' })],
    ['generation', metadata({ generation: 1 })],
    ['creationTimestamp', metadata({ creationTimestamp: null })],
    ['managedFields', metadata({ managedFields: [] })],
    ['owner', metadata({ ownerReferences: [] })],
    ['label that is no text', metadata({ labels: { a: 1 } })],
    ['null annotation', metadata({ annotations: { a: null } })],
    ['labels as a list', metadata({ labels: [] })],
    ['last-applied', metadata({ annotations: { 'metacontroller.k8s.io/last-applied-configuration': '{}' } })],
    ['decorator', metadata({ annotations: { 'metacontroller.k8s.io/decorator-controller': 'x' } })],
    ['twins', { ...good, children: [child, { ...child }] }],
  ]
  for (const [name, answer] of bad) t.throws(() => check(answer, { parent, hook: 'sync' }), AnswerError, name)
  t.throws(() => check(good, { parent, hook: 'finalize' }), AnswerError, 'finalize says whether it is done')
  t.throws(() => check({ ...good, finalized: 'yes' }, { parent, hook: 'finalize' }), AnswerError)
  t.end()
})

void t.test('right answers pass', (t) => {
  const check = compositeAnswerCheck(rules.childRules)
  const set = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { ...child.metadata, labels: { a: 'b' }, annotations: {} },
  }
  check({ ...good, children: [child, set], resyncAfterSeconds: 0.5 }, { parent, hook: 'sync' })
  check({ status: {}, children: [] }, { parent, hook: 'sync' })
  check({ ...good, finalized: false }, { parent, hook: 'finalize' })
  const clusterParent = labParent()
  delete clusterParent.metadata.namespace
  check(good, { parent: clusterParent, hook: 'sync' })
  const twins = ['a', 'b'].map((namespace) => ({ ...child, metadata: { name: 'one', namespace } }))
  check({ ...good, children: twins }, { parent: clusterParent, hook: 'sync' })
  t.pass()
  t.end()
})

void t.test('H43 customize rules that Metacontroller would refuse, and then cache, are not sent', (t) => {
  const rule = { apiVersion: 'v1', resource: 'configmaps' }
  for (const right of [
    rule,
    { ...rule, names: ['a'] },
    { ...rule, namespace: 'n', labelSelector: { matchLabels: { a: 'b' } } },
  ]) {
    t.doesNotThrow(() => checkCustomizeAnswer({ relatedResources: [right] }))
  }
  t.doesNotThrow(() => checkCustomizeAnswer({ relatedResources: [] }))
  const bad: unknown[] = [
    { ...rule, apiVersion: '' },
    { apiVersion: 'v1' },
    { ...rule, names: ['a'], labelSelector: {} },
    { ...rule, names: [''] },
    { ...rule, names: 'a' },
    { ...rule, namespace: '' },
    { ...rule, namespaceSelector: {} },
    { ...rule, labelSelector: { matchLabels: { a: 1 } } },
    { ...rule, labelSelector: { matchExpressions: [] } },
    { ...rule, bogus: 1 },
    null,
  ]
  for (const wrong of bad) {
    t.throws(() => checkCustomizeAnswer({ relatedResources: [rule, wrong] }), AnswerError, JSON.stringify(wrong))
  }
  for (const wrong of [null, {}, { relatedResources: null }, { relatedResources: [], children: [] }]) {
    t.throws(() => checkCustomizeAnswer(wrong), AnswerError, JSON.stringify(wrong))
  }
  t.end()
})
