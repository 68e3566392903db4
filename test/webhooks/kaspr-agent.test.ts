import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { agentLinks } from '../../webhooks/kaspr/components/agent.ts'
import { definitionFile } from '../../webhooks/kaspr/components/definition-file.ts'
import { joinLinks } from '../../webhooks/kaspr/components/join.ts'
import type { Links } from '../../webhooks/kaspr/components/links.ts'
import { tableLinks } from '../../webhooks/kaspr/components/table.ts'
import { subscriptionHash, subscriptions } from '../../webhooks/kaspr/subscriptions.ts'
import { applied, context, hooksOf, request } from './requests.ts'

const hooks = hooksOf('kaspragents')

function agent(spec: unknown, labels: Record<string, string> = { 'kaspr.io/app': 'orders' }, name = 'a'): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprAgent',
    metadata: { name, namespace: 'shop', uid: 'u', generation: 1, labels },
    spec,
  }
}

const good = { input: { topic: { name: 'in' } } }

function condition(status: Record<string, unknown>, type: string): Condition | undefined {
  return (status['conditions'] as Condition[]).find((candidate) => candidate.type === type)
}

void t.test('the status hash is that of the observed ConfigMap, so that the app waits for it', async (t) => {
  const first = hooks.sync(request(hooks, agent(good)), context())
  t.equal(first.status['configMap'], 'a-agent')
  t.notOk(first.status['hash'])
  t.match(condition(first.status, 'Ready'), {
    status: 'False',
    reason: 'ConfigMapMissing',
    message: /belongs to somebody else/,
  })

  const [desired] = first.children
  if (desired === undefined) throw new Error('no ConfigMap')
  const second = hooks.sync(request(hooks, agent(good), [applied(desired)]), context())
  t.match(condition(second.status, 'Ready'), { status: 'True' })
  t.match(second.status['hash'], /^[0-9a-f]{16}$/)

  const edited = { ...applied(desired), data: { 'a-agent.yaml': 'agents: []' } }
  const third = hooks.sync(request(hooks, agent(good), [edited]), context())
  t.match(condition(third.status, 'Ready'), { status: 'False', reason: 'DefinitionOutdated' })
  t.not(third.status['hash'], second.status['hash'])
  t.same(third.children, second.children, 'and it is restored')
})

void t.test('an invalid agent keeps its ConfigMap as it is and says what is accepted', async (t) => {
  const [desired] = hooks.sync(request(hooks, agent(good)), context()).children
  if (desired === undefined) throw new Error('no ConfigMap')
  const rows: [spec: unknown, message: RegExp, labels?: Record<string, string> | undefined, name?: string][] = [
    [undefined, /^spec: nothing is not accepted; accepted: object$/],
    [{}, /^spec\.input is missing/],
    [{ input: {} }, /^spec\.input: \{\} is not accepted; accepted: topic or channel$/],
    [{ input: { topic: {} } }, /^spec\.input\.topic: .*exactly one of name and pattern$/],
    [
      { input: { topic: { name: 'a' }, take: { max: 1, within: '10x' } } },
      /^spec\.input\.take\.within: "10x" is not accepted/,
    ],
    [
      { ...good, output: { topics: [{ ack: true }] } },
      /^spec\.output\.topics\[0\]: .*exactly one of name and nameSelector/,
    ],
    [{ ...good, processors: {} }, /^spec\.processors\.pipeline is missing/],
    [
      {
        ...good,
        processors: { pipeline: [], operations: [{ name: 'o', tables: [{ name: 't', paramName: 'class' }] }] },
      },
      /paramName: "class" is not accepted; accepted: a Python identifier/,
    ],
    [
      { ...good, description: 'x'.repeat(210_000) },
      /^spec: a definition of 20\d KiB is not accepted; accepted: 200 KiB at most$/,
    ],
    [good, /^metadata\.labels\["kaspr\.io\/app"\] is missing/, {}],
    [good, /^metadata\.name: "a\.b" is not accepted/, undefined, 'a.b'],
  ]
  for (const [spec, message, labels, name] of rows) {
    const answer = hooks.sync(request(hooks, agent(spec, labels, name), [applied(desired)]), context())
    t.match(condition(answer.status, 'Valid'), { status: 'False', reason: 'InvalidSpec', message })
    t.same(answer.children, [desired])
    t.same(hooks.sync(request(hooks, agent(spec, labels, name)), context()).children, [])
  }
})

void t.test(
  "an agent's own labels reach its ConfigMap and win, but never make it part of the app's pods",
  async (t) => {
    const labels = {
      'kaspr.io/app': 'orders',
      team: 'blue',
      'app.kubernetes.io/part-of': 'mine',
      'kaspr.io/cluster': 'orders',
    }
    const [configMap] = hooks.sync(request(hooks, agent(good, labels)), context()).children
    t.match(configMap?.metadata.labels, {
      'kaspr.io/app': 'orders',
      team: 'blue',
      'app.kubernetes.io/part-of': 'mine',
      'kaspr.io/kind': 'KasprAgent',
    })
    t.notOk(Object.hasOwn(configMap?.metadata.labels ?? {}, 'kaspr.io/cluster'))
  },
)

void t.test('a definition file reads as the same value under YAML 1.1 and 1.2', async (t) => {
  const hard = [
    'yes',
    'no',
    'on',
    '~',
    'null',
    '12:30:45',
    '1_000',
    '0x1F',
    '0o14',
    '2024-01-01',
    '=',
    '<<',
    '- a',
    '',
    ' x ',
    'a\nb',
    '\n a\n\n',
    'tab\there\n',
    'é\n',
    '\u2028',
    '\u0085x\n',
    '𝄞',
    '\ud800',
    '\u007f',
    '---\n...\n',
    '# c\n',
    'a:\n  b\n',
    '__proto__',
  ]
  const text = fc.oneof(
    fc.constantFrom(...hard),
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...hard)).map((parts) => parts.join('\n')),
  )
  // Lone surrogates are no text for some readers; the API server replaces them long before.
  const whole = text.map((value) => Buffer.from(value).toString())
  const definition = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      whole,
      fc.integer(),
      fc.boolean(),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('map'),
    ),
    map: fc.dictionary(
      whole.filter((key) => key.length < 200),
      tie('value'),
      { maxKeys: 5 },
    ),
  }))
  fc.assert(
    fc.property(definition.map, (value) => {
      const file = definitionFile({ agents: [value as never] })
      const plain = JSON.parse(JSON.stringify({ agents: [value] })) as unknown
      for (const version of ['1.1', '1.2'] as const) {
        assert.deepStrictEqual(parse(file, { version, merge: false }), plain)
      }
    }),
    { numRuns: 200 },
  )
  t.equal(
    definitionFile({ python: 'def f(v):\n    return v\n', list: [{ a: 1, b: ['x'] }, []] }),
    `list:
- a: 1
  b:
  - "x"
- []
python: |
  def f(v):
      return v
`,
  )
})

void t.test('subscriptions: a set of topics, however they are written', async (t) => {
  const of = (...inputs: { name?: string; pattern?: string }[]): string =>
    hashOfLinks(...inputs.map((topic) => agentLinks('a', { input: { topic } })))
  const rows: [what: string, before: string, after: string, same: boolean][] = [
    ['another agent on the same topic', of({ name: 'x' }), of({ name: 'x' }, { name: 'x' }), true],
    ['another topic', of({ name: 'x' }), of({ name: 'x' }, { name: 'y' }), false],
    ['blanks and empty parts of a list', of({ name: 'x,y' }), of({ name: ' y , x ,' }), true],
    ['case', of({ name: 'x' }), of({ name: 'X' }), false],
    ['a pattern is not a name', of({ name: 'x' }), of({ pattern: 'x' }), false],
    ['trimmed pattern', of({ pattern: 'x.*' }), of({ pattern: ' x.* ' }), true],
    ['name and pattern', of({ name: 'x' }), of({ name: 'x', pattern: 'z' }), false],
    ['swapped agents', of({ name: 'x' }, { name: 'y' }), of({ name: 'y' }, { name: 'x' }), true],
    ['a channel is no topic', hashOfLinks(), hashOfLinks(agentLinks('a', { input: { channel: { name: 'c' } } })), true],
    ['a topic called scheduler', of({ name: 'scheduler' }), subscriptionHash(subscriptions([], 'o', true)), false],
    ['a table', hashOfLinks(), hashOfLinks(tableLinks('t', {})), false],
    [
      'what spec.name of a table says',
      hashOfLinks(tableLinks('t', {})),
      hashOfLinks(tableLinks('t', { name: 'x' })),
      true,
    ],
    ['a table turned global', hashOfLinks(tableLinks('t', {})), hashOfLinks(tableLinks('t', { global: true })), false],
  ]
  for (const [what, before, after, same] of rows) t.equal(before === after, same, what)
})

void t.test('topics that the runtime makes start with the Kafka id of the app', async (t) => {
  const join = joinLinks('j', { leftTable: 'l', rightTable: 'r', extractor: { python: 'x' } })
  t.same(subscriptions([tableLinks('l', {}), tableLinks('r', { global: true }), join], 'orders-app', false), [
    '#global r',
    'orders-app-l-changelog',
    'orders-app-l-r-previous-fk-changelog',
    'orders-app-l-r-subscription-registration',
    'orders-app-l-r-subscription-response',
    'orders-app-l-r-subscriptions-changelog',
    'orders-app-r-changelog',
  ])
})

function hashOfLinks(...links: Links[]): string {
  return subscriptionHash(subscriptions(links, 'orders-app', false))
}
