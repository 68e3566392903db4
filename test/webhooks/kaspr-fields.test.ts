/** Every field of every schema has an effect: some other value of it gives other children or another status. Or it is named here. */
import fc from 'fast-check'
import t from 'tap'
import { kasprAppSpecSchema } from '../../crds/types/kasprapp.ts'
import { isMap } from '../../webhooks/contract/objects.ts'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { componentKinds } from '../../webhooks/kaspr/components/kinds.ts'
import { appOf, appSpecsWith } from './app-arbitrary.ts'
import { componentOf, componentSchemas, componentSpecs } from './component-arbitrary.ts'
import { context, hooksOf, request } from './requests.ts'
import { type Schema, leafPaths } from './schema-arbitrary.ts'

t.setTimeout(180_000)

/** Fields without an effect: kind and place -> reason. */
const inert: Record<string, string> = {
  'KasprApp template.pod.volumes.[].projected.sources.[].downwardAPI.items.[].fieldRef.apiVersion':
    'v1 is the one value that is accepted, and is filled in',
  'KasprApp livenessProbe.successThreshold': 'Kubernetes accepts nothing but 1, which is the default',
  'KasprApp pythonPackages.cache.accessMode': 'one value is accepted, which is the default',
  ...Object.fromEntries(
    [
      'preferredDuringSchedulingIgnoredDuringExecution.[].preference',
      'requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.[]',
    ].map((term) => [
      `KasprApp template.pod.affinity.nodeAffinity.${term}.matchFields.[].key`,
      'one value is accepted, and it is required',
    ]),
  ),
  ...Object.fromEntries(
    ['KasprJoin', 'KasprTable', 'KasprTask', 'KasprWebView'].map((kind) => [
      `${kind} name`,
      'the runtime knows a component by the name of its object',
    ]),
  ),
}

/** A place in a value: the keys that lead there, and what the schema calls it. */
interface Place {
  keys: readonly string[]
  name: string
}

/** The places of a value that the schema calls leaves. */
function placesOf(schema: Schema, value: unknown, keys: readonly string[] = [], name: readonly string[] = []): Place[] {
  const { properties, additionalProperties, items } = schema
  if (properties !== undefined) {
    const fields = isMap(value) ? Object.entries(value) : []
    return fields.flatMap(([key, field]) => {
      const own = Object.hasOwn(properties, key) ? properties[key] : undefined
      return own === undefined ? [] : placesOf(own, field, [...keys, key], [...name, key])
    })
  }
  if (additionalProperties !== undefined) {
    const entries = isMap(value) ? Object.entries(value) : []
    return entries.flatMap(([key, item]) => placesOf(additionalProperties, item, [...keys, key], [...name, '*']))
  }
  if (items !== undefined) {
    const list: unknown[] = Array.isArray(value) ? value : []
    return list.flatMap((item, index) => placesOf(items, item, [...keys, String(index)], [...name, '[]']))
  }
  return [{ keys, name: name.join('.') }]
}

function valueAt(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], value)
}

/** A copy with another value at a place; without one the field is taken away. */
function withValueAt(value: unknown, keys: readonly string[], other: unknown): unknown {
  const copy = structuredClone(value)
  const holder = valueAt(copy, keys.slice(0, -1)) as Record<string, unknown>
  const last = keys.at(-1) ?? ''
  if (other === undefined) Reflect.deleteProperty(holder, last)
  else Object.defineProperty(holder, last, { value: other, enumerable: true, writable: true, configurable: true })
  return copy
}

/** What becomes of an object; `undefined` when it is refused. */
function effect(object: KubeObject): string | undefined {
  const hooks = hooksOf(`${object.kind.toLowerCase()}s`)
  const answer = hooks.sync(request(hooks, object), context())
  const valid = (answer.status['conditions'] as Condition[]).find(({ type }) => type === 'Valid')
  return valid?.reason === 'InvalidSpec' ? undefined : JSON.stringify(answer)
}

/** Values of a field that are changed, at most. */
const tries = 100

/** Samples of a field: few do for most, and the rest gets many before it counts as inert. */
const samplesPerField = [20, 1000]

/** The fields of a schema for which no sample shows an effect, and those that are in no sample. */
function withoutEffect(
  schema: Schema,
  specsWith: (field: readonly string[]) => fc.Arbitrary<unknown>,
  objectOf: (spec: unknown) => KubeObject,
): Record<string, string> {
  const found: Record<string, string> = {}
  for (const path of leafPaths(schema)) {
    const name = path.join('.')
    const states = samplesPerField.map((numRuns) => () => stateOf(path, numRuns))
    const last = states.reduce((state, next) => (state === 'counts' ? state : next()), '')
    if (last !== 'counts') found[name] = last
  }
  return found

  function stateOf(path: readonly string[], numRuns: number): string {
    const name = path.join('.')
    const at = fc.sample(specsWith(path), { numRuns, seed: 1 }).flatMap((spec) =>
      placesOf(schema, spec)
        .filter((place) => place.name === name)
        .map(({ keys }) => ({ spec, keys })),
    )
    const values = at.map(({ spec, keys }) => valueAt(spec, keys))
    if (at.length === 0) return 'is in no sample'
    return at.slice(0, tries).some((sample) => hasEffect(sample, values)) ? 'counts' : 'is inert'
  }

  function hasEffect({ spec, keys }: { spec: unknown; keys: readonly string[] }, others: unknown[]): boolean {
    const before = effect(objectOf(spec))
    if (before === undefined) return false
    const now = JSON.stringify(valueAt(spec, keys))
    const different = [...new Map(others.map((value) => [JSON.stringify(value), value])).entries()]
      .filter(([text]) => text !== now)
      .map(([, value]) => value)
    return [...different.slice(0, 4), undefined].some((value) => {
      const after = effect(objectOf(withValueAt(spec, keys, value)))
      return after !== undefined && after !== before
    })
  }
}

function check(
  kind: string,
  schema: Schema,
  specsWith: (field: readonly string[]) => fc.Arbitrary<unknown>,
  objectOf: (spec: unknown) => KubeObject,
): void {
  void t.test(`${kind}: every field counts`, (t) => {
    const found = withoutEffect(schema, specsWith, objectOf)
    const listed = Object.keys(inert).filter((key) => key.startsWith(`${kind} `))
    t.same(
      Object.keys(found)
        .map((name) => `${kind} ${name}`)
        .filter((key) => !(key in inert))
        .map((key) => `${key} ${found[key.slice(kind.length + 1)] ?? ''}`),
      [],
    )
    for (const key of listed) t.equal(found[key.slice(kind.length + 1)], 'is inert', `${key}: ${inert[key] ?? ''}`)
    t.end()
  })
}

check('KasprApp', kasprAppSpecSchema, appSpecsWith, (spec) => appOf(spec))
for (const { kind } of componentKinds) {
  check(
    kind,
    componentSchemas[kind],
    (field) => componentSpecs(kind, field),
    (spec) => componentOf(kind, 'c', spec),
  )
}
