/** The files of examples/kaspr: what users copy has to be accepted, complete and explained. */
import { readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { isMap } from '../../webhooks/contract/objects.ts'
import type { CompositeResponse, Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { kasprHooks } from '../../webhooks/kaspr/index.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { applied, context, hooksOf, request, synced } from './requests.ts'

const folder = packagePath('examples', 'kaspr')
const files = readdirSync(folder).sort()
const texts = new Map(files.map((file) => [file, readFileSync(`${folder}/${file}`, 'utf8')]))

/** Objects of a file as the reader of a version of YAML sees them: kubectl reads 1.1, other tools 1.2. */
function objectsOf(text: string, version: '1.1' | '1.2' = '1.1'): KubeObject[] {
  return parseAllDocuments(text, { version }).map((document) => document.toJS() as KubeObject)
}

const examples = new Map([...texts].map(([file, text]) => [file, objectsOf(text)]))
const all = [...examples.values()].flat()

void t.test('each file begins with what it shows and how to apply it, and stands in the index', async (t) => {
  const index = readFileSync(packagePath('examples', 'README.md'), 'utf8')
  t.same([...index.matchAll(/\]\(kaspr\/([^)]+)\)/g)].map(([, file]) => file).sort(), files)
  for (const [file, text] of texts) {
    t.match(text, /^# [A-Z]/, file)
    t.match(text.split('\napiVersion')[0], `kubectl apply -f examples/kaspr/${file}`, file)
  }
})

void t.test('readers of YAML 1.1 and 1.2 see the same', async (t) => {
  for (const [file, text] of texts) t.same(objectsOf(text, '1.1'), objectsOf(text, '1.2'), file)
})

void t.test('all files can be applied together', async (t) => {
  const names = all.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
  t.same(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  )
})

void t.test(
  'components stand before their app: one that exists first starts without them, and rolls when they come',
  async (t) => {
    for (const [file, objects] of examples) {
      const apps = objects.map(({ kind }) => kind === 'KasprApp')
      t.same(apps, apps.toSorted(), file)
    }
  },
)

void t.test('every document is valid against the schema of its CRD, and no field is unknown', async (t) => {
  const validators = new Map(kasprHooks.map(({ kind, resource }) => [kind, crdValidator(resource)]))
  for (const [file, objects] of examples) {
    for (const object of objects) {
      const problems = validators.get(object.kind)?.(object) ?? ['no such kind']
      t.same(problems, [], `${file}: ${object.kind} ${object.metadata.name}`)
    }
  }
})

void t.test('every component is called valid, and its rendering is a fixed point', async (t) => {
  for (const component of all.filter(({ kind }) => kind !== 'KasprApp').map(stored)) {
    const name = `${component.kind} ${component.metadata.name}`
    t.ok(
      all.some(({ kind, metadata }) => kind === 'KasprApp' && metadata.name === appOf(component)),
      `${name} has its app`,
    )
    const answers = answersOf(component, [])
    t.match(conditionsOf(answers.at(-1)), { Valid: { status: 'True' }, Ready: { status: 'True' } }, name)
    t.equal(JSON.stringify(answers.at(-1)), JSON.stringify(answers.at(-2)), name)
  }
})

void t.test('every app is called valid, mounts all its components, and its rendering is a fixed point', async (t) => {
  for (const app of all.filter(({ kind }) => kind === 'KasprApp').map(stored)) {
    const { name } = app.metadata
    const components = all.filter((object) => object.kind !== 'KasprApp' && appOf(object) === name).map(stored)
    const answers = answersOf(
      app,
      components.map((component) => synced(component)),
    )
    t.match(conditionsOf(answers.at(-1)), { Valid: { status: 'True', reason: 'SpecAccepted' } }, name)
    const linked = Object.values(answers.at(-1)?.status['linkedResources'] as Record<string, unknown[]>).flat()
    t.equal(linked.length, components.length, name)
    t.equal(JSON.stringify(answers.at(-1)), JSON.stringify(answers.at(-2)), name)
  }
})

function appOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.['kaspr.io/app']
}

/** An object with what the API server adds. */
function stored(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, uid: `uid-of-${object.metadata.name}`, generation: 1 } }
}

/** Answers to syncs that are carried out one after the other: the last two say whether there is anything left to do. */
function answersOf(parent: KubeObject, related: KubeObject[]): CompositeResponse[] {
  const hooks = hooksOf(`${parent.kind.toLowerCase()}s`)
  const answers: CompositeResponse[] = []
  let [current, children]: [KubeObject, KubeObject[]] = [parent, []]
  for (let round = 0; round < 4; round++) {
    const now = `2026-01-01T00:0${round}:00Z`
    const answer = hooks.sync(request(hooks, current, children, related), context({}, now))
    answers.push(answer)
    children = answer.children.map((child) => applied(child, child.kind === 'StatefulSet' ? running : undefined))
    current = { ...parent, status: { ...answer.status, observedGeneration: 1 } }
  }
  return answers
}

/** A set whose controller is done with it. */
const running = {
  observedGeneration: 1,
  replicas: 1,
  availableReplicas: 1,
  updatedReplicas: 1,
  currentRevision: 'r1',
  updateRevision: 'r1',
}

function conditionsOf(answer: CompositeResponse | undefined): Record<string, Condition> {
  const conditions = (answer?.status['conditions'] ?? []) as Condition[]
  return Object.fromEntries(conditions.map((condition) => [condition.type, condition]))
}

type Schema = Record<string, unknown>

interface CustomResourceDefinition {
  spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] }
}

/** Gives the problems of an object as the API server sees them under kubectl's strict validation, CEL rules apart. */
function crdValidator(resource: string): (object: KubeObject) => string[] {
  const crd = parse(readFileSync(packagePath('crds', `${resource}.yaml`), 'utf8')) as CustomResourceDefinition
  const { properties, ...root } = crd.spec.versions[0].schema.openAPIV3Schema
  const schema = closed({ ...root, properties: { ...(properties as Schema), metadata: {} } })
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { int32: true, int64: true, 'date-time': true } })
  const check = ajv.compile(schema as object)
  return (object) =>
    check(object) ? [] : (check.errors ?? []).map((error) => `${error.instancePath} ${ajv.errorsText([error])}`)
}

/** Maps whose further keys are data. Elsewhere an example has declared fields only, though the API server keeps others below `spec`. */
const open = new Set(['config', 'tls', 'metadata'])

/** A structural schema with every object closed that declares its fields. */
function closed(schema: unknown, name = ''): unknown {
  if (Array.isArray(schema)) return schema.map((item) => closed(item))
  if (!isMap(schema)) return schema
  const fields = isMap(schema['properties']) ? schema['properties'] : undefined
  return {
    ...schema,
    ...(schema['x-kubernetes-int-or-string'] === true ? { type: ['integer', 'string'] } : {}),
    ...(schema['items'] === undefined ? {} : { items: closed(schema['items']) }),
    ...(fields === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, closed(field, key)])) }),
    ...(fields === undefined || open.has(name) ? {} : { additionalProperties: false }),
  }
}
