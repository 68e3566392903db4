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
import { context, hooksOf, request, synced } from './requests.ts'

interface GoldenCase {
  name: string
  description: string
  input: { app: KubeObject | null; components: KubeObject[] }
  settings: Record<string, string>
  children: KubeObject[]
  /** Whether the original raised an error for some object. */
  refused: boolean
  /** What the original writes in an order that changes from process to process. */
  volatile?: string[]
}

/** Cases whose objects we refuse although the original rendered them: name -> reason. */
const refusedByUs: Record<string, string> = {
  'app-name-short-with-dots': 'a dot in the name makes an invalid Service name: the API server refuses the children',
  'app-long-name': 'the pods of a longer name cannot be created: controller-revision-hash exceeds 63 characters',
  'auth-unknown-type': 'an unknown authentication type silently connected without authentication',
  'edge-replicas-negative': 'negative replicas were refused by the CRD already',
  'edge-replicas-float': 'fractional replicas were refused by the CRD already',
}

/** Cases that the original refused and that we render: name -> reason. */
const acceptedByUs: Record<string, string> = {}

type Rule = (object: KubeObject) => KubeObject

/** Differences that are meant. Each is applied to both sides, or to the original's side where it says what we do instead. */
const onBothSides: Record<string, Rule> = {
  'owner references are added by Metacontroller': (object) => {
    const { ownerReferences: _, ...metadata } = object.metadata
    return { ...object, metadata }
  },
  'hashes are ours: their presence counts': (object) =>
    mapDeep(object, (value) =>
      isMap(value) && typeof value['name'] === 'string' && /^(CONFIG|AGENTS)_HASH$/.test(value['name'])
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
  'component files carry no nulls and no empty collections': (object) => withoutEmpty(object) as KubeObject,
  'an agent always has processors: the runtime refuses one without': (object) =>
    mapDeep(object, (value) =>
      isMap(value) && Array.isArray(value['agents'])
        ? {
            agents: value['agents'].map((agent: object) =>
              'processors' in agent ? agent : { ...agent, processors: {} },
            ),
          }
        : value,
    ),
  'keys of topic config are data and stay as they are: the original turns maxBytes into max_bytes': (object) =>
    mapDeep(object, (value) => {
      if (!isMap(value) || !isMap(value['config'])) return value
      const config = Object.entries(value['config']).map(([key, item]) => [
        key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
        item,
      ])
      return { ...value, config: Object.fromEntries(config) as unknown }
    }),
  'isolatedPartitions has its default as on the API server': (object) =>
    mapDeep(object, (value) =>
      isMap(value) && Array.isArray(value['agents'])
        ? { agents: value['agents'].map((agent: object) => ({ isolated_partitions: false, ...agent })) }
        : value,
    ),
}

const onOurSide: Record<string, Rule> = {
  'pods carry the hash of their subscriptions': (object) =>
    mapDeep(object, (value) => {
      if (!isMap(value) || !('metacontroller.kaspr.io/subscriptions' in value)) return value
      const { 'metacontroller.kaspr.io/subscriptions': _, ...kept } = value
      return kept
    }),
}

for (const file of readdirSync(packagePath('test', 'golden', 'kaspr')).sort()) {
  const golden = JSON.parse(readFileSync(packagePath('test', 'golden', 'kaspr', file), 'utf8')) as GoldenCase
  void t.test(`${golden.name}: ${golden.description}`, async (t) => {
    const { children, invalid } = render(golden)
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
    const expected = byIdentity(golden.children, { ...onTheOriginalsSide, ...both })
    const found = byIdentity(
      children.filter(({ kind }) => kind !== 'Observation'),
      { ...onOurSide, ...both },
    )
    t.same(found, expected)
  })
}

/** Settled children of app and components, and what is reported as invalid. */
function render({ input, settings }: GoldenCase): { children: KubeObject[]; invalid: string } {
  const children: KubeObject[] = []
  const invalid: string[] = []
  const collect = (answer: { children: KubeObject[]; status: Record<string, unknown> }): void => {
    children.push(...answer.children)
    const conditions = answer.status['conditions'] as { type: string; status: string; message: string }[]
    invalid.push(
      ...conditions.filter(({ type, status }) => type === 'Valid' && status === 'False').map(({ message }) => message),
    )
  }
  for (const component of input.components) {
    const hooks = hooksOf('kaspragents')
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

function byIdentity(objects: KubeObject[], rules: Record<string, Rule>): Record<string, unknown> {
  const entries = objects.map((object) => [
    `${object.kind} ${object.metadata.name}`,
    withoutEmpty(Object.values(rules).reduce((result, rule) => rule(result), withParsedFiles(object))),
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

function mapDeep(value: KubeObject, map: (value: unknown) => unknown): KubeObject {
  const walk = (node: unknown): unknown => {
    const mapped = map(node)
    if (Array.isArray(mapped)) return mapped.map(walk)
    return isMap(mapped) ? Object.fromEntries(Object.entries(mapped).map(([key, item]) => [key, walk(item)])) : mapped
  }
  return walk(value) as KubeObject
}

/** Without nulls and empty collections, which the API server drops. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (!isMap(value)) return value
  const kept = Object.entries(value)
    .map(([key, item]): [string, unknown] => [key, withoutEmpty(item)])
    .filter(
      ([, item]) =>
        item !== undefined && item !== null && !(typeof item === 'object' && Object.keys(item).length === 0),
    )
  return Object.fromEntries(kept)
}
