/**
 * Which changes of components call for a rebalance: those that change the set of topics of the app. Whether and when it
 * is made is for the poller, which remembers the set that members run with.
 */
import t from 'tap'
import { checkGroups } from '../../webhooks/contract/request.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { componentKinds } from '../../webhooks/kaspr/components/kinds.ts'
import { subscriptionHash, subscriptions } from '../../webhooks/kaspr/subscriptions.ts'
import { type RenderedComponent, renderComponent } from '../../webhooks/kaspr/components/render.ts'
import { type Difference, expectedOf, table } from './golden-tables.ts'
import { context, hooksOf, request, synced } from './requests.ts'

function component(kind: string, name: string, spec: unknown): KubeObject {
  const metadata = { name, namespace: 'shop', uid: `uid-${name}`, generation: 1, labels: { 'kaspr.io/app': 'orders' } }
  // As it comes in a request: without fields that are undefined.
  return { apiVersion: 'kaspr.io/v1alpha1', kind, metadata, spec: JSON.parse(JSON.stringify(spec)) as unknown }
}

function rendered(object: KubeObject): RenderedComponent {
  const kind = componentKinds.find((candidate) => candidate.kind === object.kind)
  if (kind === undefined) throw new Error(`no component: ${object.kind}`)
  return renderComponent(kind, object)
}

/** Topics of an app with these components; one that is refused is not mounted. */
function topicsOf(components: KubeObject[]): string[] {
  const links = components.map(rendered).flatMap((component) => (component.valid ? [component.links] : []))
  return subscriptions(links, 'orders-app', false)
}

function changes(before: KubeObject[], now: KubeObject[]): boolean {
  return subscriptionHash(topicsOf(before)) !== subscriptionHash(topicsOf(now))
}

/**
 * Components in short: `a:x` agent a reading the topics x, `a~p` those of the pattern p, `a#c` the channel c; `t=` table t,
 * `t!` a global one; `w/` web view w, `k@` task k; `l>r` join of the tables l and r. Text in brackets after a name is code
 * or another part that names no topic.
 */
function components(short: string[]): KubeObject[] {
  return short.map((text) => {
    const [, name = '', note = '', sign = '', rest = ''] = /^(\w+)(?:\((.*?)\))?([:~#=!/@>])(.*)$/s.exec(text) ?? []
    const description = note
    if (sign === ':') return component('KasprAgent', name, { description, input: { topic: { name: rest } } })
    if (sign === '~') return component('KasprAgent', name, { description, input: { topic: { pattern: rest } } })
    if (sign === '#') return component('KasprAgent', name, { description, input: { channel: { name: rest } } })
    if (sign === '=') return component('KasprTable', name, { description, ...(rest === '' ? {} : { name: rest }) })
    if (sign === '!') return component('KasprTable', name, { description, global: true })
    if (sign === '/') return component('KasprWebView', name, { description, request: { method: 'GET', path: '/' } })
    if (sign === '@') return component('KasprTask', name, { description })
    const joined = { leftTable: name, rightTable: rest, extractor: { python: 'x' } }
    return component('KasprJoin', `${name}-${rest}`, joined)
  })
}

/** A table is called by the name of its resource in the runtime; `spec.name` has no effect there, nor here. */
const byResource = 'tables go by the name of their resource'

void t.test('changes and whether they change what members subscribe to', async (t) => {
  const rows: [row: number, before: string[], now: string[], changed: boolean, why?: string][] = [
    [1, [], ['a:x', 't='], true, 'the first sight of an app is told from a change by the poller'],
    [2, [], ['a:x'], true],
    [3, ['a:x'], ['a:x'], false],
    [4, ['a:x'], ['a:x', 'b:x'], false],
    [5, ['a:x', 'b:x'], ['a:x'], false],
    [6, ['a:x'], ['a:x', 'b:y'], true],
    [7, ['a:x', 'b:y'], ['a:x'], true],
    [8, ['a:x,y'], ['a: y , x ,'], false],
    [9, ['a:x,y'], ['a:x,y,z'], true],
    [10, ['a:x'], ['a:x,x'], false],
    [11, ['a:x'], ['a:X'], true],
    [12, ['a:x'], ['a~x'], true],
    [13, ['a~x.*'], ['a~y.*'], true],
    [14, ['a~x.*'], ['a~ x.* '], false],
    [15, ['a~x.*'], ['a~x.*', 'b:x1'], true],
    [16, ['a:x'], ['a:x', 'b~z.*'], true, 'one agent with both is refused, so there are two'],
    [17, ['a(1):x'], ['a(2):x'], false],
    [18, ['a:x', 'b:y'], ['a:y', 'b:x'], false],
    [19, ['a:x'], ['b:x'], false],
    [20, ['a:x'], ['a#c'], true],
    [21, ['a#c'], ['a#d'], false],
    [22, ['a:x', 'b:y'], ['b:y', 'a:x'], false],
    [23, ['t=n'], ['t=n', 'u=m'], true],
    [24, ['t=n', 'u=m'], ['t=n'], true],
    [25, ['t=n'], ['t=m'], false, byResource],
    [26, ['t=n'], ['u=n'], true, byResource],
    [27, ['t=n'], ['t=n', 'u=n'], true, byResource],
    [28, ['t(1)='], ['t(2)='], false],
    [28, ['t='], ['t!'], true, 'members of a global table consume all of its partitions'],
    [29, ['a:x'], ['a:x', 'w/'], false],
    [30, ['a:x', 'k(1)@'], ['a:x', 'k(2)@'], false],
    [32, ['a:x'], ['a:y'], true, 'without static membership nobody acts on it'],
    [33, ['a:x'], [], true],
    [34, ['a:x', 't='], ['a:y', 'u='], true],
    [35, ['a:x'], ['a:x', 'l>r'], true],
    [36, ['a:x'], ['a:x'], false, 'that one is pending is remembered by the poller'],
  ]
  for (const [row, before, now, changed, why = ''] of rows)
    t.equal(changes(components(before), components(now)), changed, `${row}: ${before.join()} to ${now.join()} ${why}`)
  const none = component('KasprAgent', 'a', { input: null })
  t.notOk(changes([], [none]), '37: an agent without input has no topics')
})

void t.test('31: components that could not be listed are an error, never none', async (t) => {
  const hooks = hooksOf('kasprapps')
  const whole = request(hooks, component('KasprApp', 'orders', {}))
  const { 'KasprTable.kaspr.io/v1alpha1': _, ...related } = whole.related
  t.doesNotThrow(() => checkGroups(whole, hooks))
  t.throws(() => checkGroups({ ...whole, related }, hooks), { statusCode: 500, message: /KasprTable/ })
})

void t.test(
  'pods carry the set, and linkedResources names it, in an order that does not depend on the request',
  async (t) => {
    const hooks = hooksOf('kasprapps')
    const spec = { bootstrapServers: 'k:9092', authentication: { type: 'plain' } }
    const app = component('KasprApp', 'orders', spec)
    const related = components(['a:x,y', 'b~z.*', 'l=', 'r=', 'l>r']).map((object) => synced(object))
    const answer = hooks.sync(request(hooks, app, [], related), context())
    const topics = [
      ...['-l-changelog', '-l-r-previous-fk-changelog', '-l-r-subscription-registration', '-l-r-subscription-response'],
      ...['-l-r-subscriptions-changelog', '-r-changelog'],
    ].map((topic) => `orders-app${topic}`)
    const set = answer.children.find(({ kind }) => kind === 'StatefulSet')
    t.match(set?.['spec'], {
      template: {
        metadata: {
          annotations: {
            'metacontroller.kaspr.io/subscriptions': subscriptionHash([...topics, 'x', 'y', '~z.*'].sort()),
          },
        },
      },
    })
    const { linkedResources } = answer.status
    t.match(linkedResources, {
      agents: [
        { name: 'a', topicName: 'x,y' },
        { name: 'b', topicPattern: 'z.*' },
      ],
      tables: [{ name: 'l', tableName: 'l' }, { name: 'r' }],
      joins: [{ name: 'l-r' }],
    })
    const reversed = hooks.sync(request(hooks, app, [], related.toReversed()), context())
    t.same(reversed, answer)
  },
)

interface ChangeRecord {
  name: string
  staticGroupMembership: boolean
  fetchSucceeded: boolean
  status: { linkedResources?: Linked }
  resources: Record<'agents' | 'tables', { metadata: { name: string }; spec: unknown }[]>
  expected: { subscriptionChanged: boolean | null }
}

interface Linked {
  agents?: { name: string; topicName?: string; topicPattern?: string }[]
  tables?: { name: string; tableName?: string }[]
}

/** The components that a recorded status tells of. */
function recorded({ agents = [], tables = [] }: Linked): KubeObject[] {
  return [
    ...agents.map(({ name, topicName, topicPattern }) => {
      const topic = { name: topicName, pattern: topicPattern }
      const isChannel = topicName === undefined && topicPattern === undefined
      return component('KasprAgent', name, { input: isChannel ? { channel: { name: 'c' } } : { topic } })
    }),
    ...tables.map(({ name, tableName }) => component('KasprTable', name, { name: tableName })),
  ]
}

function found({ resources }: ChangeRecord): KubeObject[] {
  const { agents, tables } = resources
  return [
    ...agents.map(({ metadata, spec }) => component('KasprAgent', metadata.name, spec)),
    ...tables.map(({ metadata, spec }) => component('KasprTable', metadata.name, spec)),
  ]
}

const differences: Record<string, Difference<ChangeRecord, boolean | null>> = {
  'the first sight of an app is told from a change by the poller: it has no set to compare with': {
    applies: ({ status: { linkedResources = {} } }) => Object.values(linkedResources).flat().length === 0,
    instead: (_, record) => found(record).length > 0,
  },
  'that components could not be listed is an error that the hook never sees: here they are as listed': {
    applies: ({ fetchSucceeded }) => !fetchSucceeded,
    instead: (_, { name }) => name === 'fetch-failed',
  },
  'the set is computed without static membership too: the poller leaves such apps alone': {
    applies: ({ staticGroupMembership }) => !staticGroupMembership,
    instead: () => true,
  },
  'tables go by the name of their resource in the runtime, so spec.name changes nothing': {
    applies: ({ name }) => ['table-spec-name-changed', 'table-without-spec-name'].includes(name),
    instead: () => false,
  },
  'an agent with a name and a pattern is refused: it has no topics, before and after': {
    applies: ({ name }) => name === 'pattern-and-name-both',
    instead: () => false,
  },
  'an agent without input has no topics: the original fails': {
    applies: ({ name }) => name === 'input-null',
    instead: () => true,
  },
}

void t.test('changes, as recorded', async (t) => {
  for (const record of table<ChangeRecord>('subscription-changes')) {
    const expected = expectedOf(record, record.expected.subscriptionChanged, differences)
    const before = recorded(record.status.linkedResources ?? {})
    const now = found(record)
    t.equal(changes(before, now), expected, record.name)
    const refused = [...before, ...now].some((object) => !rendered(object).valid)
    t.equal(refused, ['pattern-and-name-both', 'input-null'].includes(record.name), 'all others can be rendered')
  }
})
