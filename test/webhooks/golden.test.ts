/**
 * Every case of test/golden/kaspr: what kaspr-operator 0.18.51 creates for a set of custom resources. Our children must be
 * the same objects, but for the named rules below.
 */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { acceptedComponents, componentRules, refusedComponents, withoutFields } from './golden-components.ts'
import { type GoldenCase, type Rule, mapDeep, withoutEmpty } from './golden-objects.ts'
import { context, hooksOf, request, synced } from './requests.ts'

/** Cases whose objects we refuse although the original rendered them: name -> reason. */
const refusedByUs: Record<string, string> = {
  'app-name-short-with-dots': 'a dot in the name makes an invalid Service name: the API server refuses the children',
  'app-long-name': 'the pods of a longer name cannot be created: controller-revision-hash exceeds 63 characters',
  'auth-unknown-type': 'an unknown authentication type silently connected without authentication',
  'edge-replicas-negative': 'negative replicas were refused by the CRD already',
  'edge-replicas-float': 'fractional replicas were refused by the CRD already',
}

/** Cases that the original refused and that we render: name -> reason. */
const acceptedByUs: Record<string, string> = { ...acceptedComponents }

/** Differences that are meant. Each is applied to both sides, or to the original's side where it says what we do instead. */
const onBothSides: Record<string, Rule> = {
  'owner references are added by Metacontroller': (object) => {
    const { ownerReferences: _, ...metadata } = object.metadata
    return { ...object, metadata }
  },
  'hashes are ours: their presence counts': (object) =>
    mapDeep(object, (value) =>
      isMap(value) &&
      typeof value['name'] === 'string' &&
      /^(CONFIG|AGENTS|WEBVIEWS|TABLES|TASKS)_HASH$/.test(value['name'])
        ? { ...value, value: 'hash' }
        : value,
    ),
}

const ofVolatileCases: Record<string, Rule> = {
  'unknown config keys are sorted: their random order rolled pods by chance': (object) =>
    mapDeep(object, (value) =>
      isMap(value) && Array.isArray(value['env'])
        ? { ...value, env: (value['env'] as { name: string }[]).toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
        : value,
    ),
}

const onTheOriginalsSide: Record<string, Rule> = {
  'no resource hash on objects: Metacontroller compares the objects themselves': (object) =>
    mapDeep(object, (value) => {
      if (!isMap(value) || !('kaspr.io/resource-hash' in value)) return value
      const { 'kaspr.io/resource-hash': _, ...kept } = value
      return kept
    }),
  ...componentRules.onTheOriginalsSide,
}

const onOurSide: Record<string, Rule> = {
  'pods carry the hash of their subscriptions': (object) =>
    mapDeep(object, (value) => {
      if (!isMap(value) || !('metacontroller.kaspr.io/subscriptions' in value)) return value
      const { 'metacontroller.kaspr.io/subscriptions': _, ...kept } = value
      return kept
    }),
  ...componentRules.onOurSide,
}

for (const file of readdirSync(packagePath('test', 'golden', 'kaspr')).sort()) {
  const golden = JSON.parse(readFileSync(packagePath('test', 'golden', 'kaspr', file), 'utf8')) as GoldenCase
  void t.test(`${golden.name}: ${golden.description}`, async (t) => {
    const refused = refusedComponents[golden.name]
    if (refused !== undefined) t.match(render(golden).invalid, /is not accepted/, refused.reason)
    const { children, invalid } = render(withoutFields(golden, refused?.without))
    if (golden.name in refusedByUs) {
      t.match(invalid, /is not accepted/, refusedByUs[golden.name] ?? '')
      return
    }
    t.equal(invalid !== '', golden.refused && !(golden.name in acceptedByUs), invalid)
    if (golden.name === 'storage-ephemeral') {
      const set = children.find(({ kind }) => kind === 'StatefulSet')
      t.has(set, {
        spec: { template: { spec: { volumes: [{ name: 'orders-app-pv', emptyDir: { sizeLimit: '2Gi' } }] } } },
      })
      t.notOk(isMap(set?.['spec']) && set['spec']['volumeClaimTemplates'])
      return
    }
    const both = golden.volatile === undefined ? onBothSides : { ...onBothSides, ...ofVolatileCases }
    const expected = byIdentity(golden, golden.children, { ...onTheOriginalsSide, ...both })
    const ours = children.filter(({ kind }) => kind !== 'Observation')
    const found = byIdentity(golden, ours, { ...onOurSide, ...both })
    // What the original refused has no object there; everything else is still the same.
    const names = golden.name in acceptedByUs ? Object.keys(expected) : Object.keys(found)
    t.same(Object.fromEntries(names.map((name) => [name, found[name]])), expected)
  })
}

/** Settled children of app and components, and what is reported as invalid. */
function render({ input, settings }: GoldenCase): { children: KubeObject[]; invalid: string } {
  const children: KubeObject[] = []
  const invalid: string[] = []
  const collect = (answer: { children: KubeObject[]; status: Record<string, unknown> }): void => {
    children.push(...answer.children)
    const conditions = answer.status['conditions'] as { reason: string; message: string }[]
    invalid.push(...conditions.filter(({ reason }) => reason === 'InvalidSpec').map(({ message }) => message))
  }
  for (const component of input.components) {
    const hooks = hooksOf(`${component.kind.toLowerCase()}s`)
    collect(hooks.sync(request(hooks, component), context(settings)))
  }
  if (input.app !== null) {
    const hooks = hooksOf('kasprapps')
    collect(
      hooks.sync(
        request(
          hooks,
          input.app,
          [],
          input.components.map((component) => synced(component)),
        ),
        context(settings),
      ),
    )
  }
  return { children, invalid: invalid.join('\n') }
}

function byIdentity(golden: GoldenCase, objects: KubeObject[], rules: Record<string, Rule>): Record<string, unknown> {
  const entries = objects.map((object) => [
    `${object.kind} ${object.metadata.name}`,
    withoutEmpty(Object.values(rules).reduce((result, rule) => rule(result, golden), withParsedFiles(object))),
  ])
  return Object.fromEntries(entries.sort()) as Record<string, unknown>
}

/** Layout and quoting of component files belong to the YAML writer: they are compared by value. */
function withParsedFiles(object: KubeObject): KubeObject {
  if (object.kind !== 'ConfigMap' || !isMap(object['data'])) return object
  const data = Object.entries(object['data']).map(([key, text]): [string, unknown] => [
    key,
    key.endsWith('.yaml') ? parse(String(text), { version: '1.1' }) : text,
  ])
  return { ...object, data: Object.fromEntries(data) }
}
