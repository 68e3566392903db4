/** Components of all kinds: what is refused, what the app makes of them, and what holds for whatever a schema accepts. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import { kasprAgentSpecSchema } from '../../crds/types/kaspragent.ts'
import { kasprJoinSpecSchema } from '../../crds/types/kasprjoin.ts'
import { kasprTableSpecSchema } from '../../crds/types/kasprtable.ts'
import { kasprTaskSpecSchema } from '../../crds/types/kasprtask.ts'
import { kasprWebViewSpecSchema } from '../../crds/types/kasprwebview.ts'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { componentKinds } from '../../webhooks/kaspr/components/kinds.ts'
import { renderComponent } from '../../webhooks/kaspr/components/render.ts'
import { applied, context, hooksOf, request, synced } from './requests.ts'
import { schemaArbitrary } from './schema-arbitrary.ts'

function component(kind: string, name: string, spec: unknown): KubeObject {
  const metadata = { name, namespace: 'shop', uid: `uid-${name}`, generation: 1, labels: { 'kaspr.io/app': 'orders' } }
  return { apiVersion: 'kaspr.io/v1alpha1', kind, metadata, spec }
}

const app: KubeObject = {
  apiVersion: 'kaspr.io/v1alpha1',
  kind: 'KasprApp',
  metadata: { name: 'orders', namespace: 'shop', uid: 'app-uid', generation: 1 },
  spec: { bootstrapServers: 'kafka:9092', authentication: { type: 'plain' } },
}

function valid({ status }: { status: Record<string, unknown> }): Condition | undefined {
  return (status['conditions'] as Condition[]).find(({ type }) => type === 'Valid')
}

/** The definition in the ConfigMap that a component's hook asks for. */
function definition(kind: string, spec: unknown): unknown {
  const hooks = hooksOf(`${kind.toLowerCase()}s`)
  const [configMap] = hooks.sync(request(hooks, component(kind, 'c', spec)), context()).children
  const [text] = Object.values((configMap?.['data'] ?? {}) as Record<string, string>)
  const file = parse(text ?? '', { version: '1.1' }) as Record<string, unknown[]>
  return Object.values(file)[0]?.[0]
}

const python = 'x'
const operations = (operation: object): object => ({ processors: { pipeline: [], operations: [operation] } })

void t.test('what would end the runtime at its start is refused, and the ConfigMap stays', async (t) => {
  const request_ = { method: 'GET', path: '/' }
  const rows: [kind: string, spec: unknown, message: RegExp][] = [
    ['KasprTable', { keySerializer: 'pickle' }, /^spec\.keySerializer: "pickle" is not accepted; accepted: raw, json$/],
    ['KasprTable', { window: { tumbling: {} } }, /^spec\.window\.tumbling\.size is missing/],
    ['KasprTable', { window: { tumbling: { size: '1w' } } }, /^spec\.window\.tumbling\.size: "1w" is not accepted/],
    ['KasprTable', { window: { hopping: { size: 1, step: -1 } } }, /^spec\.window\.hopping\.step: -1 is not accepted/],
    ['KasprTable', { window: { relativeTo: 'noon' } }, /accepted: stream, now, custom$/],
    ['KasprTable', { options: { a: true } }, /^spec\.options\.a: true is not accepted; accepted: integer or string$/],
    ['KasprWebView', { request: { method: 'get', path: '/' } }, /^spec\.request\.method: "get" is not accepted/],
    ['KasprWebView', { request: { method: 'GET' } }, /^spec\.request\.path is missing/],
    [
      'KasprWebView',
      { request: request_, response: { statusCode: 200, statusCodeSelector: { onSuccess: { python } } } },
      /^spec\.response\.statusCode: 200 is not accepted; accepted: one of statusCode and statusCodeSelector, not both$/,
    ],
    [
      'KasprWebView',
      { request: request_, response: { headers: { a: 'b' }, headersSelector: { onError: { python } } } },
      /^spec\.response\.headers: \{"a":"b"\} is not accepted; accepted: one of headers and headersSelector, not both$/,
    ],
    [
      'KasprWebView',
      { request: request_, response: { bodySelector: {} } },
      /^spec\.response\.bodySelector: \{\} is not accepted; accepted: onSuccess, onError or both$/,
    ],
    [
      'KasprWebView',
      { request: request_, ...operations({ tables: [{ name: 't', paramName: 'lambda' }] }) },
      /^spec\.processors\.operations\[0\]\.tables\[0\]\.paramName: "lambda" is not accepted/,
    ],
    ['KasprTask', operations({ map: { python } }), /^spec\.processors\.operations\[0\]\.name is missing/],
    [
      'KasprTask',
      operations({ name: 'o', topicSend: {} }),
      /topicSend: \{\} is not accepted; accepted: exactly one of/,
    ],
    [
      'KasprTask',
      { schedule: {} },
      /^spec\.schedule: \{\} is not accepted; accepted: exactly one of cron and interval$/,
    ],
    ['KasprTask', { schedule: { cron: '* * * * *', interval: '1s' } }, /exactly one of cron and interval$/],
    ['KasprTask', { schedule: { interval: '1.5s' } }, /^spec\.schedule\.interval: "1\.5s" is not accepted/],
    ['KasprJoin', { leftTable: 'l', rightTable: 'r' }, /^spec\.extractor is missing/],
    ['KasprJoin', { leftTable: 'l', rightTable: 'r', extractor: { python }, type: 'outer' }, /accepted: inner, left$/],
  ]
  for (const [kind, spec, message] of rows) {
    const hooks = hooksOf(`${kind.toLowerCase()}s`)
    const old = applied({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'old', namespace: 'shop' }, data: {} })
    const answer = hooks.sync(request(hooks, component(kind, 'c', spec), [old]), context())
    t.match(valid(answer), { status: 'False', reason: 'InvalidSpec', message })
    t.equal(answer.children[0]?.metadata.name, 'old')
  }
})

void t.test('names leave room for the suffix', async (t) => {
  const specs = {
    KasprWebView: { request: { method: 'GET', path: '/' } },
    KasprAgent: { input: { channel: { name: 'c' } } },
  }
  const joined = { leftTable: 'l', rightTable: 'r', extractor: { python } }
  for (const kind of componentKinds) {
    const spec = { ...specs, KasprTable: {}, KasprTask: {}, KasprJoin: joined }[kind.kind]
    const longest = 62 - kind.suffix.length
    const fits = renderComponent(kind, component(kind.kind, 'x'.repeat(longest), spec))
    t.ok(fits.valid && fits.configMap.length === 63, kind.kind)
    t.match(renderComponent(kind, component(kind.kind, 'x'.repeat(longest + 1), spec)), {
      valid: false,
      problems: [{ field: 'metadata.name', accepted: new RegExp(`${longest} characters at most`) }],
    })
  }
})

void t.test('values become what the runtime reads', async (t) => {
  t.same(definition('KasprTable', { name: 'other', options: { 'Block-Size': 4096, __proto__x: 'y' } }), {
    name: 'c',
    global: false,
    options: { 'Block-Size': '4096', __proto__x: 'y' },
  })
  const spans: [given: number | string, seconds: number][] = [
    [90, 90],
    ['90', 90],
    ['90s', 90],
    ['5m', 300],
    ['2h', 7200],
    ['999999999d', 999_999_999 * 86_400],
  ]
  for (const [given, seconds] of spans) {
    t.match(definition('KasprTable', { window: { hopping: { size: given, step: given } } }), {
      window: { hopping: { size: seconds, step: seconds } },
    })
  }
  t.match(definition('KasprTable', { window: { relativeTo: 'custom', relativeToSelector: { python } } }), {
    window: { relative_to: 'custom', relative_to_selector: { python } },
  })
  t.same(definition('KasprTask', { schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin' } }), {
    name: 'c',
    on_leader: false,
    schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin' },
  })
  t.same(definition('KasprJoin', { leftTable: 'l', rightTable: 'r', extractor: { python } }), {
    name: 'c',
    left_table: 'l',
    right_table: 'r',
    extractor: { python },
    type: 'inner',
  })
})

const five = [
  component('KasprJoin', 'pair', { leftTable: 'left', rightTable: 'right', extractor: { python } }),
  component('KasprTask', 'sweep', { schedule: { interval: '1m' } }),
  component('KasprTable', 'right', { global: true }),
  component('KasprTable', 'left', { name: 'ignored' }),
  component('KasprWebView', 'page', { request: { method: 'GET', path: '/' } }),
  component('KasprAgent', 'read', { input: { topic: { pattern: 'in.*' } } }),
]

const hooks = hooksOf('kasprapps')

interface Set extends KubeObject {
  spec: { template: { spec: { containers: { env: { name: string }[]; volumeMounts: { name: string }[] }[] } } }
}

function mountsAndVariables(related: KubeObject[]): {
  mounts: string[]
  hashes: string[]
  links: unknown
  valid: unknown
} {
  const answer = hooks.sync(request(hooks, app, [], related), context())
  const set = answer.children.find(({ kind }) => kind === 'StatefulSet') as Set | undefined
  const container = set?.spec.template.spec.containers[0]
  return {
    mounts: (container?.volumeMounts ?? []).map(({ name }) => name),
    hashes: (container?.env ?? []).map(({ name }) => name).filter((name) => name.endsWith('S_HASH')),
    links: answer.status['linkedResources'],
    valid: valid(answer),
  }
}

void t.test('an app mounts and lists components of all kinds, in a fixed order', async (t) => {
  const { mounts, hashes, links } = mountsAndVariables(five.map((object) => synced(object)))
  t.same(mounts, [
    'orders-app-pv',
    'read-agent',
    'page-webview',
    'left-table',
    'right-table',
    'sweep-task',
    'pair-join',
  ])
  t.same(hashes, ['AGENTS_HASH', 'WEBVIEWS_HASH', 'TABLES_HASH', 'TASKS_HASH', 'JOINS_HASH'])
  const hash = /^[0-9a-f]{16}$/
  t.match(links, {
    agents: [{ name: 'read', hash, topicPattern: 'in.*' }],
    webviews: [{ name: 'page', hash }],
    tables: [
      { name: 'left', hash, tableName: 'left' },
      { name: 'right', hash, tableName: 'right' },
    ],
    tasks: [{ name: 'sweep', hash }],
    joins: [{ name: 'pair', hash }],
  })
  t.same(mountsAndVariables(five.toReversed().map((object) => synced(object))).mounts, mounts)
})

void t.test('a join without its tables is named and not mounted; the rest is', async (t) => {
  const broken = component('KasprTable', 'left', { keySerializer: 'xml' })
  const foreign = { ...broken, metadata: { ...broken.metadata, labels: { 'kaspr.io/app': 'other' } } }
  const withoutLeft = five.filter(({ metadata }) => metadata.name !== 'left').map((object) => synced(object))
  for (const left of [[], [broken], [foreign]]) {
    const { mounts, hashes, valid } = mountsAndVariables([...withoutLeft, ...left])
    t.same(mounts, ['orders-app-pv', 'read-agent', 'page-webview', 'right-table', 'sweep-task'])
    t.notOk(hashes.includes('JOINS_HASH'))
    t.match(valid, {
      status: 'False',
      reason: 'InvalidComponent',
      message: /KasprJoin pair: spec\.leftTable: "left" is not accepted; accepted: the name of a valid KasprTable of/,
    })
  }
})

void t.test('a join reports its tables by name, for it cannot see them', async (t) => {
  const kind = hooksOf('kasprjoins')
  const [join] = five
  if (join === undefined) throw new Error('no join')
  const { status } = kind.sync(request(kind, join), context())
  t.match(status, { leftTable: { name: 'left' }, rightTable: { name: 'right' }, configMap: 'pair-join' })
})

const schemas: Record<string, object> = {
  KasprAgent: kasprAgentSpecSchema,
  KasprWebView: kasprWebViewSpecSchema,
  KasprTable: kasprTableSpecSchema,
  KasprTask: kasprTaskSpecSchema,
  KasprJoin: kasprJoinSpecSchema,
}

for (const kind of componentKinds) {
  void t.test(
    `whatever the schema of ${kind.kind} accepts has one rendering, read alike by YAML 1.1 and 1.2`,
    async (t) => {
      let accepted = 0
      fc.assert(
        fc.property(schemaArbitrary(schemas[kind.kind] ?? {}), (spec) => {
          const before = JSON.stringify(spec)
          const rendered = renderComponent(kind, component(kind.kind, 'c', spec))
          assert.equal(JSON.stringify(spec), before, 'the spec is left as it is')
          assert.deepStrictEqual(renderComponent(kind, component(kind.kind, 'c', spec)), rendered)
          if (!rendered.valid) {
            assert.ok(rendered.problems.every(({ field }) => field.startsWith('spec.')))
            return
          }
          accepted++
          const text = rendered.data[rendered.file] ?? ''
          const [old, current] = (['1.1', '1.2'] as const).map(
            (version) => parse(text, { version, merge: false }) as unknown,
          )
          assert.deepStrictEqual(old, current)
          assert.ok(!hasNull(old), 'no nulls')
        }),
        { numRuns: 150 },
      )
      t.ok(accepted > 10, `${accepted} of 150 were rendered`)
    },
  )
}

function hasNull(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value).some(hasNull))
}
