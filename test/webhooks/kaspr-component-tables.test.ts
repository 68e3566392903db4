/** Status of components and what the runtime loads of their definitions, against the recorded tables. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { componentKinds } from '../../webhooks/kaspr/components/kinds.ts'
import { type RenderedComponent, renderComponent } from '../../webhooks/kaspr/components/render.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { refusedComponents } from './golden-components.ts'
import type { GoldenCase } from './golden-objects.ts'
import { table } from './golden-tables.ts'
import { context, hooksOf, request, synced } from './requests.ts'

interface StatusRecord {
  name: string
  app: KubeObject | null
  components: KubeObject[]
  expected: {
    statuses: {
      kind: string
      name: string
      status: Record<'app' | 'leftTable' | 'rightTable', { name: string; status: string } | undefined> & {
        configMap: string
      }
    }[]
  }
}

/** What the app says of components that it cannot mount, and which it mounts. */
function toldByApp({ app, components }: StatusRecord): { message: string; mounted: string[] } | undefined {
  if (app === null) return undefined
  const hooks = hooksOf('kasprapps')
  const related = components.map((component) => synced(component))
  const { status } = hooks.sync(request(hooks, app, [], related), context())
  const valid = (status['conditions'] as Condition[]).find(({ type }) => type === 'Valid')
  const linked = Object.values(status['linkedResources'] as Record<string, { name: string }[]>)
  return { message: valid?.message ?? '', mounted: linked.flat().map(({ name }) => name) }
}

const sides = ['leftTable', 'rightTable'] as const

/**
 * A component sees nothing but itself, so that changes of apps wake no components: it says what it holds and what it
 * refers to. Whether that is there is for the app to say, and no Event is made.
 */
void t.test('status of components, as recorded', async (t) => {
  for (const { name: record, components, expected } of table<StatusRecord>('component-status')) {
    for (const { kind, name, status: wanted } of expected.statuses) {
      const object = components.find((one) => one.kind === kind && one.metadata.name === name)
      const status = synced(object as KubeObject)['status'] as Record<string, unknown>
      const what = `${record}: ${kind} ${name}`
      t.equal(status['configMap'], wanted.configMap, what)
      t.match(status['hash'], /^[0-9a-f]{16}$/, what)
      t.match(
        status['conditions'],
        [
          { type: 'Valid', status: 'True' },
          { type: 'Ready', status: 'True' },
        ],
        what,
      )
      for (const side of sides)
        t.equal((status[side] as { name: string } | undefined)?.name, wanted[side]?.name, `${what} ${side}`)
    }
  }
})

void t.test('that an app or a table is missing, as recorded, but said by the app', async (t) => {
  for (const record of table<StatusRecord>('component-status')) {
    const { message, mounted } = toldByApp(record) ?? { message: '', mounted: [] }
    for (const { kind, name, status } of record.expected.statuses) {
      const isMine = status.app?.status === 'AppFound'
      const missing = sides.filter((side) => status[side]?.status.endsWith('NotFound'))
      for (const side of sides) {
        const isNamed = message.includes(`${kind} ${name}: `) && message.includes(`spec.${side}: "`)
        t.equal(isNamed, isMine && missing.includes(side), `${record.name}: ${side} of ${kind} ${name}: ${message}`)
      }
      t.equal(mounted.includes(name), isMine && missing.length === 0, `${record.name}: ${kind} ${name} is mounted`)
    }
  }
})

interface AcceptanceRecord {
  case: string
  file: string
  accepted: boolean
  refused?: string
}

/** Files that the runtime loads from us although it refuses those of the original: what it refuses there -> reason. */
const repaired: Record<string, string> = {
  'processors is null': 'an agent always has processors, and no file has nulls',
}

/** Files that the runtime loads, and which are refused here: case -> reason. */
const refusedAnew: Record<string, string> = {
  'exhaustive-task-name': refusedComponents['exhaustive-task-name']?.reason ?? '',
  'exhaustive-task-selector': refusedComponents['exhaustive-task-selector']?.reason ?? '',
  'task-full': refusedComponents['task-full']?.reason ?? '',
}

function render(object: KubeObject): RenderedComponent {
  const kind = componentKinds.find((candidate) => candidate.kind === object.kind)
  if (kind === undefined) throw new Error(`no component: ${object.kind}`)
  return renderComponent(kind, object)
}

function definition(rendered: RenderedComponent): Record<string, unknown> {
  if (!rendered.valid) throw new Error(`${rendered.name} is not valid`)
  const file = parse(rendered.data[rendered.file] ?? '', { version: '1.1' }) as Record<
    string,
    Record<string, unknown>[]
  >
  return Object.values(file)[0]?.[0] ?? {}
}

void t.test('what the runtime refuses is refused, or written so that it is not', async (t) => {
  for (const { case: name, file, accepted, refused } of table<AcceptanceRecord>('definition-acceptance')) {
    const path = packagePath('test', 'golden', 'kaspr', `${name}.json`)
    const { input } = JSON.parse(readFileSync(path, 'utf8')) as GoldenCase
    const rendered = input.components.map(render)
    const found = rendered.find((one, index) => {
      const suffix = componentKinds.find(({ kind }) => kind === input.components[index]?.kind)?.suffix ?? ''
      return `${one.name}-${suffix}.yaml` === file
    })
    const loads = name in refusedAnew && file.endsWith('-task.yaml') ? false : accepted || (refused ?? '') in repaired
    t.equal(found?.valid, loads, `${name} ${file} ${refusedAnew[name] ?? repaired[refused ?? ''] ?? ''}`)
    if (found?.valid !== true) continue
    const text = JSON.stringify(definition(found))
    t.notMatch(text, /:null[,}]/, `${name} ${file}: no nulls`)
    if (file.endsWith('-agent.yaml')) t.hasProp(definition(found), 'processors', `${name} ${file}`)
  }
})

void t.test('what was found by trying more', async (t) => {
  const request_ = { method: 'GET', path: '/' }
  const joined = { leftTable: 'l', rightTable: 'r', extractor: { python: 'x' } }
  const input = { channel: { name: 'c' } }
  const without = (field: string): unknown => ({ ...joined, [field]: undefined })
  const rows: [kind: string, spec: unknown, refused: RegExp | undefined, written?: object][] = [
    ['KasprAgent', { input }, undefined, { processors: {} }],
    ['KasprAgent', { input, processors: { pipeline: [], operations: [] } }, undefined, { processors: {} }],
    ['KasprAgent', {}, /^spec\.input$/],
    ['KasprAgent', { input: null }, /^spec\.input$/],
    ['KasprWebView', {}, /^spec\.request$/],
    [
      'KasprWebView',
      { request: request_, response: { statusCode: 200, statusCodeSelector: { onSuccess: { python: 'x' } } } },
      /^spec\.response\.statusCode$/,
    ],
    ['KasprJoin', without('leftTable'), /^spec\.leftTable$/],
    ['KasprJoin', without('rightTable'), /^spec\.rightTable$/],
    ['KasprJoin', without('extractor'), /^spec\.extractor$/],
    ['KasprTable', {}, undefined, { name: 'c' }],
    ['KasprTask', {}, undefined, { name: 'c' }],
  ]
  for (const [kind, spec, refused, written = {}] of rows) {
    const object = {
      apiVersion: 'kaspr.io/v1alpha1',
      kind,
      metadata: { name: 'c' },
      spec: JSON.parse(JSON.stringify(spec)) as unknown,
    }
    const rendered = render(object)
    const what = `${kind} ${JSON.stringify(spec)}`
    if (refused === undefined) t.match(definition(rendered), written, what)
    else t.match(rendered, { valid: false, problems: [{ field: refused }] }, what)
  }
})
