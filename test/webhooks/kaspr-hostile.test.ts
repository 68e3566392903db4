/** Requests that nobody should send, through the server: each is answered soon, and no object changes what becomes of another. */
import t, { type Test } from 'tap'
import { kasprAppSpecSchema } from '../../crds/types/kasprapp.ts'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { readSettings } from '../../webhooks/environment.ts'
import { componentKinds } from '../../webhooks/kaspr/components/kinds.ts'
import { kaspr } from '../../webhooks/kaspr/index.ts'
import { createLogger } from '../../webhooks/logging.ts'
import { buildServer } from '../../webhooks/server.ts'
import { hookSettings } from '../../webhooks/settings.ts'
import { appOf } from './app-arbitrary.ts'
import { componentOf, componentSchemas } from './component-arbitrary.ts'
import { hooksOf, request, synced } from './requests.ts'
import { leafPaths } from './schema-arbitrary.ts'

t.setTimeout(120_000)

/** More CPU than any call may take. Wall time would tell how busy the machine is with other things. */
const limitMs = 5000

const settings = readSettings(hookSettings, { LOG_LEVEL: 'fatal' })
const logger = createLogger('fatal', { write: () => undefined })
const server = await buildServer({ settings, hooks: [kaspr], logger })
t.teardown(() => server.close())

interface Answer {
  children: KubeObject[]
  status: Record<string, unknown>
}

let slowest = { what: '', ms: 0 }

/** The answer to a sync, which must come, and in time. */
async function answered(
  t: Test,
  what: string,
  parent: KubeObject,
  related: KubeObject[] = [],
  children: KubeObject[] = [],
): Promise<Answer> {
  const hooks = hooksOf(`${parent.kind.toLowerCase()}s`)
  const payload = JSON.stringify(request(hooks, parent, children, related))
  return sent(t, what, `/${hooks.resource}/sync`, payload)
}

async function sent(t: Test, what: string, url: string, payload: string): Promise<Answer> {
  const before = process.cpuUsage()
  const response = await server.inject({
    method: 'POST',
    url,
    payload,
    headers: { 'content-type': 'application/json' },
  })
  const { user, system } = process.cpuUsage(before)
  const ms = (user + system) / 1000
  if (ms > slowest.ms) slowest = { what, ms }
  if (response.statusCode !== 200) t.fail(`${what}: ${response.statusCode} ${response.body.slice(0, 300)}`)
  if (ms > limitMs) t.fail(`${what}: ${Math.round(ms)} ms of CPU`)
  return response.statusCode === 200 ? response.json<Answer>() : { children: [], status: { conditions: [] } }
}

function valid({ status }: Answer): Condition | undefined {
  return (status['conditions'] as Condition[]).find(({ type }) => type === 'Valid')
}

const sound = { bootstrapServers: 'kafka:9092', authentication: { type: 'plain' } }
const agentSpec = { input: { topic: { name: 'in' } } }
const agent = (name: string, spec: unknown = agentSpec, app = 'orders'): KubeObject =>
  componentOf('KasprAgent', name, spec, app)
const megabyte = 'x'.repeat(1 << 20)
const hardTexts = [
  '\u0000',
  '\u202eabc',
  '\ud800',
  '__proto__',
  'constructor',
  'a: b\n- c',
  '${x}',
  "'; drop table",
  megabyte,
]

/** A value at a path of keys, in maps and lists that hold nothing else. */
function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>(
    (inner, key) => (key === '[]' ? [inner] : Object.fromEntries([[key === '*' ? '__proto__' : key, inner]])),
    value,
  )
}

/** Right fields and what is at a path, one inside the other. */
function merged(base: unknown, other: unknown): unknown {
  if (
    typeof base !== 'object' ||
    base === null ||
    typeof other !== 'object' ||
    other === null ||
    Array.isArray(other)
  ) {
    return other
  }
  const entries = Object.entries(other).map(([key, value]): [string, unknown] => [
    key,
    Object.hasOwn(base, key) ? merged((base as Record<string, unknown>)[key], value) : value,
  ])
  return { ...base, ...Object.fromEntries(entries) }
}

const wrong = [
  null,
  0,
  -1,
  Number.MAX_VALUE,
  0.5,
  true,
  '',
  '1',
  [],
  {},
  [[]],
  [null],
  { a: { b: [] } },
  ...hardTexts.slice(0, 6),
]

void t.test('a wrong value at every place of every spec', async (t) => {
  let index = 0
  for (const path of leafPaths(kasprAppSpecSchema)) {
    for (let cut = 1; cut <= path.length; cut++) {
      const value = wrong[index++ % wrong.length]
      const place = path.slice(0, cut)
      await answered(
        t,
        `KasprApp ${place.join('.')} = ${JSON.stringify(value)}`,
        appOf(merged(sound, nested(place, value))),
      )
    }
  }
  for (const { kind } of componentKinds) {
    for (const path of leafPaths(componentSchemas[kind])) {
      for (let cut = 1; cut <= path.length; cut++) {
        const value = wrong[index++ % wrong.length]
        const place = path.slice(0, cut)
        const bad = componentOf(kind, 'bad', merged(kind === 'KasprAgent' ? agentSpec : {}, nested(place, value)))
        await answered(t, `${kind} ${place.join('.')} = ${JSON.stringify(value)}`, bad)
      }
    }
  }
  t.ok(index > 1500, `${index} places`)
})

void t.test('a component that is wrong changes nothing for the others', async (t) => {
  const good = synced(agent('good'))
  const alone = await answered(t, 'one good component', appOf(sound), [good])
  const bad: KubeObject[] = [
    agent('foreign', agentSpec, 'other'),
    { ...agent('elsewhere'), metadata: { ...agent('elsewhere').metadata, namespace: 'other' } },
    { ...agent('no-spec'), spec: undefined },
    ...[null, 1, 'text', [], {}, { input: {} }, { input: null }, { input: { topic: { name: 5 } } }].map((spec, index) =>
      agent(`spec-${index}`, spec),
    ),
    ...hardTexts.filter((name) => name !== 'constructor').map((name) => agent(name.slice(0, 300))),
    ...hardTexts.map((text, index) => ({ ...agent(`s-${index}`, { input: text }), status: text })),
    componentOf('KasprJoin', 'lost', { leftTable: 'nowhere', rightTable: 'nothing', extractor: { python: 'x' } }),
    { ...agent('going'), metadata: { ...agent('going').metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
  ]
  for (const [index, component] of bad.entries()) {
    const both = await answered(t, `bad component ${index}`, appOf(sound), [component, good])
    t.same(both.children, alone.children, `bad component ${index}`)
  }
  const all = await answered(t, 'all bad components', appOf(sound), [good, ...bad])
  t.same(all.children, alone.children)
  t.match(valid(all), { status: 'False', reason: 'InvalidComponent' })
})

void t.test('many components are answered, and said to be too many', async (t) => {
  const before = await answered(t, 'one component', appOf(sound), [synced(agent('a'))])
  t.equal(before.children.filter(({ kind }) => kind === 'StatefulSet').length, 1)
  const model = synced(agent('m'))
  const many = Array.from({ length: 10_000 }, (_, index) => {
    const name = `m-${index}`
    return { ...model, metadata: { ...model.metadata, name, uid: `uid-${name}` } }
  })
  const first = await answered(t, '10,000 components', appOf(sound), many)
  t.match(valid(first), { status: 'False', reason: 'TooManyComponents' })
  t.notOk(
    first.children.some(({ kind }) => kind === 'StatefulSet'),
    'no set is created',
  )
  t.ok(JSON.stringify(first.status).length < 10_000, 'the status stays small')
  const set = before.children.find(({ kind }) => kind === 'StatefulSet')
  const held = {
    ...set,
    metadata: {
      ...set?.metadata,
      uid: 'u',
      annotations: { 'metacontroller.k8s.io/last-applied-configuration': JSON.stringify(set) },
    },
  } as KubeObject
  const next = await answered(t, '10,000 components of an app that runs', appOf(sound), many, [held])
  const kept = next.children.find(({ kind }) => kind === 'StatefulSet')
  t.same(kept?.['spec'], set?.['spec'], 'a set that runs stays as it is')
  const mayDelete = next.children.find(({ kind }) => kind === 'Observation')?.['spec']
  t.match(mayDelete, { kasprApp: { mayDelete: ['HungMembers'] } })
  t.notMatch(JSON.stringify(mayDelete), '"StatefulSet"', 'nor is it replaced: it could not be made again')
})

void t.test('large and strange values', async (t) => {
  const deep = (depth: number): unknown => JSON.parse('{"a":'.repeat(depth) + '1' + '}'.repeat(depth)) as unknown
  const list = (length: number, item: unknown): unknown[] => Array.from({ length }, () => item)
  const specs: [what: string, spec: unknown, reason: string][] = [
    ['no spec', undefined, 'InvalidSpec'],
    ['a spec that is a list', [], 'InvalidSpec'],
    ['numbers as texts and texts as numbers', { ...sound, replicas: '3', bootstrapServers: 9 }, 'InvalidSpec'],
    [
      'everything contradicts',
      { ...sound, replicas: 0, image: '', version: 'x', storage: { type: 'persistent-claim', size: '-1' } },
      'InvalidSpec',
    ],
    [
      '__proto__ and constructor as settings',
      JSON.parse(
        JSON.stringify(sound)
          .replace('}', '},"config":{"__proto__":"a","constructor":"b"}')
          .replace('}},"config"', '},"config"'),
      ) as unknown,
      '',
    ],
    ['a setting of a megabyte', { ...sound, config: { a: megabyte } }, 'TooLarge'],
    ['a key of a megabyte', { ...sound, config: { [megabyte]: 1 } }, 'InvalidSpec'],
    [
      '100,000 settings',
      { ...sound, config: Object.fromEntries(list(100_000, 0).map((_, index) => [`a b${index}`, 1])) },
      'InvalidSpec',
    ],
    [
      '100,000 wrong variables',
      { ...sound, template: { kasprContainer: { env: list(100_000, { value: 1 }) } } },
      'InvalidSpec',
    ],
    [
      '20,000 volumes',
      { ...sound, template: { pod: { volumes: list(20_000, { name: 'a', emptyDir: {} }) } } },
      'InvalidSpec',
    ],
    [
      '20,000 tolerations',
      { ...sound, template: { pod: { tolerations: list(20_000, { operator: 'Exists' }) } } },
      'TooLarge',
    ],
    [
      '20,000 constraints',
      {
        ...sound,
        template: {
          pod: {
            topologySpreadConstraints: list(20_000, {
              maxSkew: 1,
              topologyKey: 'a',
              whenUnsatisfiable: 'DoNotSchedule',
            }),
          },
        },
      },
      'InvalidSpec',
    ],
    ['a deep unknown field', { ...sound, unknown: deep(2000) }, 'InvalidSpec'],
    ['a deep setting', { ...sound, config: { a: deep(2000) } }, 'InvalidSpec'],
    ['deep where a text belongs', { ...sound, bootstrapServers: deep(2000) }, 'InvalidSpec'],
    [
      'a megabyte of blanks for a number',
      { ...sound, config: { topicPartitions: ' '.repeat(1 << 20) + 'x' } },
      'InvalidSpec',
    ],
    ['a megabyte for a package', { ...sound, pythonPackages: { packages: ['a.'.repeat(1 << 19)] } }, 'InvalidSpec'],
    ['a number beyond all bounds', { ...sound, resources: { limits: { memory: '1e999' } } }, ''],
    ['an amount of a megabyte', { ...sound, resources: { limits: { memory: '9'.repeat(1 << 20) } } }, ''],
  ]
  for (const [what, spec, reason] of specs) {
    const answer = await answered(t, what, appOf(spec))
    if (reason !== '') t.match(valid(answer), { reason }, what)
    t.ok(JSON.stringify(answer.status).length < 20_000, `${what}: the status stays small`)
  }
  for (const text of hardTexts) {
    const what = JSON.stringify(text.slice(0, 20))
    for (const name of [text, `a${text}`.slice(0, 253), 'n'.repeat(250)]) {
      await answered(t, `an app called ${what}`, appOf(sound, { name }))
      await answered(t, `a component called ${what}`, agent(name))
    }
    await answered(t, `labels ${what}`, appOf(sound, { labels: { [text]: text } }))
    await answered(t, `pauses ${what}`, appOf(sound, { annotations: { 'kaspr.io/pause-reconciliation': text } }))
    await answered(t, `a status ${what}`, { ...appOf(sound), status: text })
    const code = { ...agentSpec, processors: { pipeline: ['o'], operations: [{ name: 'o', map: { python: text } }] } }
    await answered(t, `python ${what}`, agent('a', code))
  }
  await answered(t, 'no namespace', { ...appOf(sound), metadata: { name: 'orders', uid: 'u' } })
  for (const status of [null, [], {}, { conditions: {} }, { conditions: [null, 1, {}] }, { kasprApp: null }]) {
    await answered(t, `a status ${JSON.stringify(status)}`, { ...appOf(sound), status })
    const watch = {
      apiVersion: 'metacontroller.kaspr.io/v1alpha1',
      kind: 'Observation',
      metadata: { name: 'kasprapp-orders', namespace: 'shop' },
      spec: {},
    }
    await answered(t, 'a strange report', appOf(sound), [], [{ ...watch, status }])
    const report = { appUid: 'app-uid', members: [null, {}, { id: 'x' }, 1], packages: status, lastReplicas: 'many' }
    await answered(t, 'a strange report of the app', appOf(sound), [], [{ ...watch, status: { kasprApp: report } }])
  }
})

void t.test('how long it took', (t) => {
  t.comment(`slowest: ${slowest.what} with ${Math.round(slowest.ms)} ms of CPU`)
  t.ok(slowest.ms < limitMs)
  t.end()
})
