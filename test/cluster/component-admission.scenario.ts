/**
 * What a real API server makes of components: each rule of the CRDs refuses one object and says why, realistic objects
 * pass and get their defaults, and the API server and the hooks agree about every object of the reference cases.
 */
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { kasprAgentSpecSchema } from '../../crds/types/kaspragent.ts'
import { kasprJoinSpecSchema } from '../../crds/types/kasprjoin.ts'
import { kasprTableSpecSchema } from '../../crds/types/kasprtable.ts'
import { kasprTaskSpecSchema } from '../../crds/types/kasprtask.ts'
import { kasprWebViewSpecSchema } from '../../crds/types/kasprwebview.ts'
import { ApiError } from '../../poller/kube/client.ts'
import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { type ComponentKind, componentKinds } from '../../webhooks/kaspr/components/kinds.ts'
import { renderComponent } from '../../webhooks/kaspr/components/render.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { refusedComponents } from '../webhooks/golden-components.ts'
import type { GoldenCase } from '../webhooks/golden-objects.ts'
import { schemaArbitrary } from '../webhooks/schema-arbitrary.ts'
import { type Plane, startPlane } from './plane.ts'

t.setTimeout(300_000)

type Kind = ComponentKind['kind']

const python = 'def f(v):\n    return v\n'
const code = { python }

/** A spec of each kind that passes. */
const sound: Record<Kind, Record<string, unknown>> = {
  KasprAgent: { input: { topic: { name: 'in' } } },
  KasprWebView: { request: { method: 'GET', path: '/' } },
  KasprTable: {},
  KasprTask: {},
  KasprJoin: { leftTable: 'l', rightTable: 'r', extractor: code },
}

function operation(fields: object): object {
  return { processors: { pipeline: ['o'], operations: [{ name: 'o', ...fields }] } }
}

function response(fields: object): object {
  return { response: fields }
}

/** What a kind refuses: fields that replace those of the sound spec, and the API server's words. */
const refusals: Record<Kind, [spec: object, message: RegExp][]> = {
  KasprAgent: [
    [{ input: undefined }, /spec\.input: Required value/],
    [{ input: {} }, /spec\.input: Invalid value: .*accepted is topic or channel/],
    [{ input: { topic: {} } }, /spec\.input\.topic: .*accepted is exactly one of name and pattern/],
    [{ input: { topic: { name: 'a', pattern: 'b' } } }, /spec\.input\.topic: .*exactly one of name and pattern/],
    [{ input: { topic: { name: '' } } }, /spec\.input\.topic\.name: .*should be at least 1 chars long/],
    [{ input: { topic: { name: 'a', partitions: '6' } } }, /spec\.input\.topic\.partitions: .*must be of type integer/],
    [{ input: { topic: { name: 'a', retention: 2 ** 53 } } }, /spec\.input\.topic\.retention: .*less than or equal/],
    [{ input: { topic: { name: 'a', config: { x: true } } } }, /spec\.input\.topic\.config\.x: .*integer,string/],
    [
      { input: { topic: { name: 'a', keySerializer: 'xml' } } },
      /keySerializer: Unsupported value: "xml": supported values: "raw", "json", "pickle", "binary"/,
    ],
    [{ input: { channel: {} } }, /spec\.input\.channel\.name: Required value/],
    [
      { input: { channel: { name: 'c' }, take: { max: 5, within: '10x' } } },
      /take\.within: .*should match '\^\\d\+\[smhd\]\$'/,
    ],
    [{ input: { channel: { name: 'c' }, take: {} } }, /spec\.input\.take\.max: Required value/],
    [{ output: { topics: [{ ack: true }] } }, /spec\.output\.topics\[0\]: .*exactly one of name and nameSelector/],
    [{ output: { topics: [{ name: 'a', nameSelector: code }] } }, /exactly one of name and nameSelector/],
    [{ output: { topics: [{ nameSelector: {} }] } }, /nameSelector\.python: Required value/],
    [{ output: { topics: Array.from({ length: 257 }, () => ({ name: 'a' })) } }, /topics: .*at most 256 items/],
    [{ processors: {} }, /spec\.processors\.pipeline: Required value.*spec\.processors\.operations: Required value/],
    [{ processors: { pipeline: [], operations: [{}] } }, /operations\[0\]\.name: Required value/],
    [
      operation({ tables: [{ name: 't', paramName: 'class' }] }),
      /tables\[0\]\.paramName: .*identifier that is no keyword/,
    ],
    [operation({ tables: [{ name: 't', paramName: '1st' }] }), /tables\[0\]\.paramName: .*should match/],
    [operation({ topicSend: {} }), /topicSend: .*exactly one of name and nameSelector/],
    [{ isolatedPartitions: 'maybe' }, /spec\.isolatedPartitions: .*must be of type boolean/],
  ],
  KasprWebView: [
    [{ request: undefined }, /spec\.request: Required value/],
    [
      { request: { method: 'get', path: '/' } },
      /spec\.request\.method: Unsupported value: "get": supported values: "GET"/,
    ],
    [{ request: { method: 'GET' } }, /spec\.request\.path: Required value/],
    [
      response({ contentType: 'text/xml' }),
      /contentType: Unsupported value: "text\/xml": supported values: "text\/html"/,
    ],
    [
      response({ statusCode: 200, statusCodeSelector: { onSuccess: code } }),
      /spec\.response: .*accepted is one of statusCode and statusCodeSelector, not both/,
    ],
    [
      response({ headers: { a: 'b' }, headersSelector: { onSuccess: code } }),
      /spec\.response: .*accepted is one of headers and headersSelector, not both/,
    ],
    [response({ bodySelector: {} }), /spec\.response\.bodySelector: .*accepted is onSuccess, onError or both/],
    [operation({ tables: [{ name: 't', paramName: 'in' }] }), /paramName: .*identifier that is no keyword/],
    [operation({ topicSend: { ack: true } }), /topicSend: .*exactly one of name and nameSelector/],
  ],
  KasprTable: [
    [{ keySerializer: 'pickle' }, /spec\.keySerializer: Unsupported value: "pickle": supported values: "raw", "json"/],
    [{ window: { tumbling: {} } }, /spec\.window\.tumbling\.size: Required value/],
    [{ window: { tumbling: { size: '1w' } } }, /spec\.window\.tumbling\.size: .*should match/],
    [{ window: { hopping: { size: '1h' } } }, /spec\.window\.hopping\.step: Required value/],
    [{ window: { hopping: { size: 10, step: -1 } } }, /spec\.window\.hopping\.step: .*greater than or equal to 0/],
    [{ window: { relativeTo: 'noon' } }, /spec\.window\.relativeTo: .*supported values: "stream", "now", "custom"/],
    [{ options: { a: true } }, /spec\.options\.a: .*integer,string/],
    [{ extraTopicConfigs: { a: 2 ** 53 } }, /spec\.extraTopicConfigs\.a: .*less than or equal/],
    [{ partitions: '6' }, /spec\.partitions: .*must be of type integer/],
    [{ name: 5 }, /spec\.name: .*must be of type string/],
  ],
  KasprTask: [
    [{ schedule: {} }, /spec\.schedule: .*accepted is exactly one of cron and interval/],
    [{ schedule: { cron: '* * * * *', interval: '5m' } }, /spec\.schedule: .*exactly one of cron and interval/],
    [{ schedule: { interval: '5' } }, /spec\.schedule\.interval: .*should match/],
    [{ schedule: { cron: '0 6 * * *', timezone: '../etc' } }, /spec\.schedule\.timezone: .*should match/],
    [{ processors: { pipeline: [], operations: [{ map: code }] } }, /operations\[0\]\.name: Required value/],
    [operation({ tables: [{ name: 't', paramName: 'None' }] }), /paramName: .*identifier that is no keyword/],
    [operation({ topicSend: {} }), /topicSend: .*exactly one of name and nameSelector/],
  ],
  KasprJoin: [
    [{ leftTable: undefined }, /spec\.leftTable: Required value/],
    [{ rightTable: '' }, /spec\.rightTable: .*at least 1 chars long/],
    [{ extractor: undefined }, /spec\.extractor: Required value/],
    [{ extractor: { entrypoint: 'f' } }, /spec\.extractor\.python: Required value/],
    [{ type: 'outer' }, /spec\.type: Unsupported value: "outer": supported values: "inner", "left"/],
  ],
}

const schemas: Record<Kind, object> = {
  KasprAgent: kasprAgentSpecSchema,
  KasprWebView: kasprWebViewSpecSchema,
  KasprTable: kasprTableSpecSchema,
  KasprTask: kasprTaskSpecSchema,
  KasprJoin: kasprJoinSpecSchema,
}

void t.test('components on a real API server', async (t) => {
  const plane = await startPlane({ scheduler: false, name: 'admission' })
  t.teardown(() => plane.stop({ failed: !t.passing() }))
  await plane.kubectl(['apply', '-k', packagePath('crds')])
  await plane.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])

  await t.test('the schemas are structural', async (t) => {
    const { stdout } = await plane.kubectl(['get', 'crd', '-o', 'jsonpath={.items[*].status.conditions[*].type}'])
    t.notMatch(stdout, /NonStructuralSchema|KubernetesAPIApprovalPolicyConformant/)
  })

  for (const kind of componentKinds) {
    await t.test(`${kind.kind}: each rule refuses an object and says what is accepted`, async (t) => {
      t.equal(await refusal(plane, component(kind, sound[kind.kind])), '')
      const seen: string[] = []
      for (const [fields, message] of refusals[kind.kind]) {
        const words = await refusal(plane, component(kind, { ...sound[kind.kind], ...fields }))
        t.match(words, message, JSON.stringify(fields).slice(0, 100))
        const rendered = renderComponent(
          kind,
          component(kind, JSON.parse(JSON.stringify({ ...sound[kind.kind], ...fields }))),
        )
        t.notOk(rendered.valid, 'the hook refuses it too')
        seen.push(words)
      }
      const longest = 62 - kind.suffix.length
      t.equal(await refusal(plane, component(kind, sound[kind.kind], 'x'.repeat(longest))), '')
      for (const name of ['x'.repeat(longest + 1), 'a.b']) {
        const words = await refusal(plane, component(kind, sound[kind.kind], name))
        t.match(
          words,
          new RegExp(`metadata\\.name: .*lower-case letters, digits and dashes, ${longest} characters at most`),
        )
        seen.push(words)
      }
      t.match(await refusal(plane, component(kind, undefined)), /spec: Required value/)
      for (const rule of celMessages(kind)) {
        t.ok(
          seen.some((words) => words.includes(rule)),
          `an object for the rule: ${rule}`,
        )
      }
    })
  }

  await t.test('a realistic object of each kind passes as it is written and gets its defaults', async (t) => {
    const text = readFileSync(packagePath('examples', 'kaspr', 'components.yaml'), 'utf8')
    const objects = parseAllDocuments(text).map((document) => document.toJSON() as KubeObject)
    const admitted = await Promise.all(objects.map((object) => create(plane, object)))
    const specOf = (name: string): unknown => admitted.find(({ metadata }) => metadata.name === name)?.['spec']
    t.same(new Set(admitted.map(({ kind }) => kind)), new Set(['KasprApp', ...componentKinds.map(({ kind }) => kind)]))
    t.match(specOf('keep-orders'), { isolatedPartitions: false })
    t.match(specOf('open-orders'), { global: false })
    t.match(specOf('customers'), {
      global: true,
      extraTopicConfigs: { 'retention.ms': -1, 'min.insync.replicas': '2' },
    })
    t.match(specOf('order-status'), { response: { headers: { 'Cache-Control': 'no-store' } } })
    t.match(specOf('remind'), { onLeader: true })
    t.match((await create(plane, component(kindOf('KasprTask'), {})))['spec'], { onLeader: false })
    t.match((await create(plane, component(kindOf('KasprJoin'), sound.KasprJoin)))['spec'], { type: 'inner' })
  })

  await t.test('columns answer the first question', async (t) => {
    const { metadata, ...rest } = component(kindOf('KasprJoin'), sound.KasprJoin, 'pair')
    const created = { ...rest, metadata: { ...metadata, labels: { 'kaspr.io/app': 'orders' } } }
    await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(created) })
    const { stdout } = await plane.kubectl(['get', 'kj'])
    t.match(stdout, /^NAME +APP +VALID +CONFIGMAP +AGE\npair +orders /)
    t.match((await plane.kubectl(['get', 'kjoin', '-o', 'wide'])).stdout, /^NAME +APP +VALID +CONFIGMAP +HASH +AGE\n/)
    await plane.kubectl(['delete', 'kj', 'pair'])
  })

  await t.test('API server and hooks agree about the reference cases; what was accepted still is', async (t) => {
    for (const { kind, object, golden } of goldenComponents()) {
      const words = await refusal(plane, object, false)
      const rendered = renderComponent(kind, object)
      const what = `${golden.name}: ${kind.kind} ${object.metadata.name}`
      t.equal(words === '', rendered.valid, `${what} ${words}`)
      if (words !== '' && !golden.refused) t.ok(golden.name in refusedComponents, `${what} has a named reason`)
    }
  })

  await t.test('they agree about whatever the schemas accept', async (t) => {
    for (const kind of componentKinds) {
      const specs = fc.sample(schemaArbitrary(schemas[kind.kind]), { numRuns: 40, seed: 1 })
      for (const spec of specs) {
        const object = component(kind, spec)
        const words = await refusal(plane, object)
        const rendered = renderComponent(kind, object)
        if ((words === '') !== rendered.valid) t.fail(`${kind.kind}: ${words}`, { spec, rendered })
      }
      t.pass(kind.kind)
    }
  })
})

function kindOf(name: Kind): ComponentKind {
  const kind = componentKinds.find((candidate) => candidate.kind === name)
  if (kind === undefined) throw new Error(`no kind ${name}`)
  return kind
}

function component({ kind }: ComponentKind, spec: unknown, name = 'c'): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind,
    metadata: { name, namespace: 'default', labels: { 'kaspr.io/app': 'orders' } },
    ...(spec === undefined ? {} : { spec }),
  }
}

/** The object as the API server would store it. */
async function create(plane: Plane, object: KubeObject, strict = true): Promise<KubeObject> {
  const { uid: _, ...metadata } = object.metadata
  return plane.client.request<KubeObject>({
    method: 'POST',
    path: `/apis/kaspr.io/v1alpha1/namespaces/default/${object.kind.toLowerCase()}s`,
    query: { dryRun: 'All', fieldValidation: strict ? 'Strict' : 'Ignore' },
    body: { ...object, metadata: { ...metadata, namespace: 'default' } },
  })
}

/** The API server's words about an object that it refuses; nothing when it is admitted. */
async function refusal(plane: Plane, object: KubeObject, strict = true): Promise<string> {
  try {
    await create(plane, object, strict)
    return ''
  } catch (error) {
    if (error instanceof ApiError && error.status === 422) return error.message
    throw error
  }
}

/** Messages of the CEL rules of a kind's CRD. */
function celMessages({ resource }: ComponentKind): string[] {
  const found = new Set<string>()
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(walk)
    if (!isMap(node)) return
    const rules = node['x-kubernetes-validations']
    if (Array.isArray(rules)) for (const rule of rules as { message: string }[]) found.add(rule.message)
    Object.values(node).forEach(walk)
  }
  walk(parse(readFileSync(packagePath('crds', `${resource}.yaml`), 'utf8')))
  return [...found]
}

function goldenComponents(): { kind: ComponentKind; object: KubeObject; golden: GoldenCase }[] {
  return readdirSync(packagePath('test', 'golden', 'kaspr')).flatMap((file) => {
    const golden = JSON.parse(readFileSync(packagePath('test', 'golden', 'kaspr', file), 'utf8')) as GoldenCase
    return golden.input.components.map((object) => ({ kind: kindOf(object.kind as Kind), object, golden }))
  })
}
