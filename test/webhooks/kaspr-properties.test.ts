/** What holds for every KasprApp and every set of components that the schemas can say, and for slightly wrong ones. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { simulate } from '../../cli/simulate.ts'
import type { SettledParent } from '../../cli/world.ts'
import { isMap } from '../../webhooks/contract/objects.ts'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { readAppSpec } from '../../webhooks/kaspr/app-spec.ts'
import { appOf, appSpecs } from './app-arbitrary.ts'
import { componentOf, componentSets } from './component-arbitrary.ts'
import { withOneChange } from './one-change.ts'
import { context, hooksOf, request, synced } from './requests.ts'

t.setTimeout(120_000)

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 150)
const hooks = hooksOf('kasprapps')

/** Mostly right, a third of them with one thing changed. */
const anySpecs = fc.oneof(
  { weight: 2, arbitrary: appSpecs.map((spec): unknown => spec) },
  { weight: 1, arbitrary: appSpecs.chain(withOneChange) },
)
const isValid = (spec: unknown): boolean => readAppSpec(appOf(spec)).ok
const validSpecs = appSpecs.filter(isValid)
/** Only one in fifty of the others has a claim for packages. */
const specsWithClaim = appSpecs
  .map((spec) => ({ ...spec, pythonPackages: { packages: ['pandas'], cache: { enabled: true, size: '1Gi' } } }))
  .filter(isValid)

/** Lets Metacontroller work on objects until nothing changes; the app comes last. */
function settled(objects: readonly KubeObject[], observed: readonly KubeObject[] = []): SettledParent[] {
  return [...simulate(objects, { ...context(), observed, maxRounds: 10 })]
}

function settledApp(objects: readonly KubeObject[], observed: readonly KubeObject[] = []): SettledParent {
  const app = settled(objects, observed).find(({ parent }) => parent.kind === 'KasprApp')
  assert(app !== undefined)
  return app
}

/** All that is in the cluster once objects have settled. */
function clusterOf(parents: readonly SettledParent[]): KubeObject[] {
  return parents.flatMap(({ parent, stored }) => [parent, ...stored])
}

function condition({ parent }: SettledParent, type: string): Condition | undefined {
  const { conditions } = parent['status'] as { conditions: Condition[] }
  return conditions.find((candidate) => candidate.type === type)
}

void t.test('the generators make what the properties need', (t) => {
  const share = (samples: unknown[]): number =>
    samples.filter((spec) => readAppSpec(appOf(spec)).ok).length / samples.length
  const valid = share(fc.sample(appSpecs, { numRuns: 500, seed: 1 }))
  const changed = share(fc.sample(appSpecs.chain(withOneChange), { numRuns: 500, seed: 1 }))
  const components = fc.sample(componentSets, { numRuns: 300, seed: 1 }).flat()
  const rendered = components.filter((component) => isMap(synced(component)['status']) && isSound(synced(component)))
  const sound = rendered.length / components.length
  t.comment(`valid: ${valid} of apps, ${changed} of changed ones, ${sound} of ${components.length} components`)
  t.ok(valid > 0.6 && valid < 0.95, `apps: ${valid}`)
  t.ok(changed > 0.1 && changed < 0.8, `apps with one change: ${changed}`)
  t.ok(sound > 0.6, `components: ${sound}`)
  t.end()
})

function isSound({ status }: KubeObject): boolean {
  return ((status as { conditions: Condition[] }).conditions ?? []).some(
    ({ type, status }) => type === 'Valid' && status === 'True',
  )
}

void t.test('an answer to everything, the same for the same request, which is left as it is', (t) => {
  fc.assert(
    fc.property(anySpecs, componentSets, (spec, components) => {
      const related = components.map((component) => synced(component))
      const asked = request(hooks, appOf(spec), [], related)
      const before = JSON.stringify(asked)
      const answer = JSON.stringify(hooks.sync(asked, context()))
      assert.equal(JSON.stringify(asked), before)
      assert.equal(JSON.stringify(hooks.sync(JSON.parse(before) as typeof asked, context())), answer)
    }),
    { numRuns: numRuns * 2 },
  )
  t.pass(`${numRuns * 2} runs`)
  t.end()
})

void t.test('what was answered settles: at most two answers change something', (t) => {
  let most = 0
  fc.assert(
    fc.property(anySpecs, componentSets, (spec, components) => {
      for (const { fixedPoint, rounds } of settled([appOf(spec), ...components])) {
        assert(fixedPoint)
        most = Math.max(most, rounds)
        assert(rounds <= 3, `${rounds} rounds`)
      }
    }),
    { numRuns },
  )
  t.pass(`at most ${most} rounds, the last of which changes nothing`)
  t.end()
})

/**
 * What an app that became another keeps, and one made from scratch does not have: reason -> what is taken out of both.
 */
const kept: Record<string, (child: KubeObject) => KubeObject | undefined> = {
  'the number of replicas is that of the autoscaler, or of whoever scaled by hand': (child) =>
    child.kind === 'StatefulSet' ? withSpec(child, { replicas: undefined }) : child,
  'claim templates cannot change, so tables stay where they are': (child) => {
    if (child.kind !== 'StatefulSet') return child
    const { template, ...rest } = child['spec'] as { template: { spec: { volumes?: { name: string }[] } } }
    const volumes = (template.spec.volumes ?? []).filter(({ name }) => !name.endsWith('-app-pv'))
    const pod = { ...template.spec, volumes: volumes.length === 0 ? undefined : volumes }
    return { ...child, spec: { ...rest, volumeClaimTemplates: undefined, template: { ...template, spec: pod } } }
  },
  'class and size of the claim for packages cannot change by the hook; one that is to be kept stays until the poller has released it':
    (child) => (child.kind === 'PersistentVolumeClaim' ? undefined : child),
}

function withSpec(child: KubeObject, fields: Record<string, unknown>): KubeObject {
  return { ...child, spec: { ...(child['spec'] as object), ...fields } }
}

function withoutKept(children: readonly KubeObject[]): unknown {
  const left = Object.values(kept).reduce<KubeObject[]>(
    (objects, take) => objects.flatMap((object) => take(object) ?? []),
    [...children],
  )
  return JSON.parse(JSON.stringify(left)) as unknown
}

void t.test('one spec after another gives what the second gives from scratch', (t) => {
  const sides = fc.tuple(validSpecs, componentSets)
  fc.assert(
    fc.property(sides, sides, ([specA, componentsA], [specB, componentsB]) => {
      const before = clusterOf(settled([appOf(specA), ...componentsA]))
      const objects = [appOf(specB, { generation: 2 }), ...componentsB.map(nextGeneration)]
      const after = settledApp(objects, before)
      const scratch = settledApp(objects)
      // Spec B alone may be fine and still take a volume of a component.
      fc.pre(condition(scratch, 'Valid')?.reason !== 'InvalidSpec')
      assert.deepEqual(withoutKept(after.children), withoutKept(scratch.children))
      assert.equal(condition(after, 'Progressing')?.status, condition(scratch, 'Progressing')?.status)
    }),
    { numRuns },
  )
  t.pass(`${numRuns} runs`)
  t.end()
})

function nextGeneration(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, generation: 2 } }
}

void t.test('a wrong value that is taken back leaves nothing behind', (t) => {
  let wrong = 0
  const steps = fc
    .tuple(validSpecs, componentSets)
    .chain(([spec, components]) => fc.tuple(fc.constant(spec), withOneChange(spec), fc.constant(components)))
  fc.assert(
    fc.property(steps, ([spec, changed, components]) => {
      const first = settled([appOf(spec), ...components])
      const app = first.find(({ parent }) => parent.kind === 'KasprApp')
      assert(app !== undefined)
      fc.pre(condition(app, 'Valid')?.reason !== 'InvalidSpec')
      const second = settled([appOf(changed, { generation: 2 }), ...components], clusterOf(first))
      const erred = second.find(({ parent }) => parent.kind === 'KasprApp')
      assert(erred !== undefined)
      const invalid = condition(erred, 'Valid')?.reason === 'InvalidSpec'
      const after = settledApp([appOf(spec, { generation: 3 }), ...components], clusterOf(second))
      if (!invalid) {
        assert.deepEqual(withoutKept(after.children), withoutKept(app.children))
        return
      }
      wrong++
      assert.deepEqual(contents(erred), contents(app), 'while it is wrong, nothing changes')
      assert.deepEqual(after.children, app.children)
      assert.deepEqual(reasons(after), reasons(app))
    }),
    { numRuns },
  )
  t.ok(wrong > numRuns / 5, `${wrong} of ${numRuns} changes were wrong`)
  t.end()
})

/** What users put in and what runs: everything but the Observation, by kind and name. */
function contents({ stored }: SettledParent): unknown {
  const objects = stored.filter(({ kind }) => kind !== 'Observation')
  return Object.fromEntries(
    objects.map(({ kind, metadata, spec, data }) => [`${kind} ${metadata.name}`, { spec, data }]),
  )
}

function reasons({ parent }: SettledParent): unknown {
  const { conditions } = parent['status'] as { conditions: Condition[] }
  return conditions.map(({ type, status, reason, message }) => [type, status, reason, message])
}

/** By which Metacontroller merges the items of a list, in the order it tries them. */
const mergeKeys = ['containerPort', 'port', 'mountPath', 'name', 'uid', 'ip', 'path']

/** Lists with items of which two have one key: Metacontroller would merge the last into both. */
function ambiguousLists(value: unknown, place = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  const inside = Object.entries(value).flatMap(([key, item]) => ambiguousLists(item, `${place}.${key}`))
  const items = Array.isArray(value) && value.every(isMap) ? value : []
  const key = mergeKeys.find((key) => items.every((item) => Object.hasOwn(item, key)))
  const isAmbiguous = key !== undefined && new Set(items.map((item) => item[key])).size < items.length
  return isAmbiguous ? [...inside, `${place} by ${key}`] : inside
}

void t.test('lists that Metacontroller merges by a key have each key once', (t) => {
  const item = { path: 'a', fieldRef: { fieldPath: 'metadata.name' } }
  t.strictSame(ambiguousLists({ items: [item, item, { ...item, path: 'b' }] }), ['.items by path'])
  fc.assert(
    fc.property(validSpecs, componentSets, (spec, components) => {
      for (const { children } of settled([appOf(spec), ...components])) assert.deepEqual(ambiguousLists(children), [])
    }),
    { numRuns },
  )
  t.end()
})

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$/
/** Added to the name of a StatefulSet in a label of its pods. */
const revisionHashLength = 11

void t.test('names and labels are within limits, of apps and components with the longest names too', (t) => {
  const names = fc.constantFrom('a', 'orders', 'a'.repeat(48), 'x-1')
  const own = fc.constantFrom('c', '9', 'c'.repeat(54), 'c'.repeat(57), 'c'.repeat(200), 'a.b')
  const specs = fc.oneof({ weight: 4, arbitrary: validSpecs }, { weight: 1, arbitrary: specsWithClaim })
  const seen = new Set<string>()
  fc.assert(
    fc.property(specs, names, own, componentSets, (spec, name, called, components) => {
      const renamed = components.map(({ kind, spec }) => componentOf(kind, called, spec, name))
      const objects = [appOf(spec, { name }), ...new Map(renamed.map((object) => [object.kind, object])).values()]
      for (const { children } of settled(objects)) {
        for (const child of children) {
          seen.add(child.kind)
          checkLimits(child)
        }
      }
    }),
    { numRuns },
  )
  t.equal(seen.size, 7, [...seen].join())
  t.end()
})

function checkLimits(child: KubeObject): void {
  const { name, labels = {} } = child.metadata
  assert(name.length <= 253)
  if (child.kind === 'Service') assert.match(name, /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/)
  const template = isMap(child['spec']) ? child['spec']['template'] : undefined
  const all = [labels, isMap(template) && isMap(template['metadata']) ? template['metadata']['labels'] : {}]
  for (const value of all.flatMap((map): unknown[] => (isMap(map) ? Object.values(map) : [])))
    assert.match(String(value), labelValue)
  if (child.kind !== 'StatefulSet' || !isMap(template)) return
  assert(name.length + revisionHashLength <= 63, name)
  const { volumes = [] } = template['spec'] as { volumes?: { name: string }[] }
  for (const volume of volumes) assert.match(volume.name, dnsLabel)
}
