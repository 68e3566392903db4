import type { KubeObject, ObjectMap } from '../../../../webhooks/contract/types.ts'
import { inPlace, row } from '../lab.ts'
import type { Lab, Row } from '../lab.ts'
import { configMap } from '../lab-kinds.ts'
import type { HookBody } from '../scripted-hooks.ts'

/** What requests carry: keys of both versions, related objects and the customize cache. */

/** Names by group: what the keys of a map look like. */
function keys(map: ObjectMap | undefined): Record<string, string[]> {
  return Object.fromEntries(Object.entries(map ?? {}).map(([group, objects]) => [group, Object.keys(objects)]))
}

/** An object beside the parents, in the row's namespace unless another is given. */
function make(lab: Lab, name: string, more: Partial<KubeObject['metadata']> = {}): Promise<KubeObject> {
  return lab.create({ ...configMap(name, {}), metadata: { name, namespace: lab.namespace, ...more } })
}

const wide = (name: string): KubeObject => ({ apiVersion: 'lab.dev/v1', kind: 'Wide', metadata: { name }, spec: {} })

const rule = (resource: string, more: object = {}): object => ({ apiVersion: 'v1', resource, ...more })
const wideRule = (more: object = {}): object => ({ apiVersion: 'lab.dev/v1', resource: 'wides', ...more })

export const requestRows: Row[] = [
  row(
    'keys',
    '57: keys under a namespaced parent: v1 bare and inside the namespace, v2 uniform; empty groups stay',
    async (lab) => {
      const { t, hooks } = lab
      const elsewhere = await lab.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'keys-elsewhere' } })
      await make(lab, 'near')
      await make(lab, 'far', { namespace: elsewhere.metadata.name })
      await lab.create(wide('keys-wide'))
      hooks.sync = () => ({ children: [configMap('child', {})] })
      hooks.customize = () => ({
        relatedResources: [
          rule('configmaps', { names: ['near'], namespace: lab.namespace }),
          rule('secrets', { names: ['none'] }),
          wideRule({ names: ['keys-wide'] }),
          ...(hooks.calls[0]?.body.controller.metadata.name === 'keys-v2'
            ? [rule('configmaps', { names: ['far'], namespace: 'keys-elsewhere' })]
            : []),
        ],
      })
      const last = async (version: string): Promise<HookBody | undefined> => {
        hooks.calls.length = 0
        const spec = { hooks: lab.hookSpecs(['sync', 'customize'], version) }
        const controller = await lab.composite(spec, [], `keys-${version}`)
        await lab.create(lab.parent(version))
        await lab.settled(3)
        const body = hooks.callsOf('sync').at(-1)?.body
        await lab.delete(lab.parent(version))
        await lab.until('the child to be gone', async () => !(await lab.find('ConfigMap', 'child')))
        await lab.delete(controller)
        await lab.settled()
        return body
      }
      const v1 = await last('v1')
      t.strictSame(keys(v1?.children), { 'ConfigMap.v1': ['child'] })
      t.strictSame(keys(v1?.related), { 'ConfigMap.v1': ['near'], 'Secret.v1': [], 'Wide.lab.dev/v1': [] })
      const v2 = await last('v2')
      t.strictSame(keys(v2?.children), { 'ConfigMap.v1': ['keys/child'] })
      t.strictSame(keys(v2?.related), {
        'ConfigMap.v1': ['keys-elsewhere/far', 'keys/near'],
        'Secret.v1': [],
        'Wide.lab.dev/v1': ['keys-wide'],
      })
    },
  ),
  row('widekeys', '57: keys under a cluster-scoped parent are the same in both versions', async (lab) => {
    const { t, hooks } = lab
    const parent: KubeObject = { ...wide('widekeys'), kind: 'Wideparent' }
    const child = configMap('child', {})
    child.metadata.namespace = lab.namespace
    hooks.sync = () => ({ children: [child, wide('widekeys-child')], status: { x: 1 } })
    hooks.customize = () => ({ relatedResources: [rule('secrets', { namespace: lab.namespace })] })
    const metadata = { name: 'related', namespace: lab.namespace }
    await lab.create({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: {} })
    for (const version of ['v1', 'v2']) {
      hooks.calls.length = 0
      const controller = await lab.composite(
        {
          parentResource: { apiVersion: 'lab.dev/v1', resource: 'wideparents' },
          childResources: [inPlace('v1', 'configmaps'), inPlace('lab.dev/v1', 'wides')],
          hooks: lab.hookSpecs(['sync', 'customize'], version),
        },
        [],
        `widekeys-${version}`,
      )
      if (version === 'v1') await lab.create(parent)
      await lab.settled(2)
      const { children, related } = hooks.callsOf('sync').at(-1)?.body ?? {}
      t.strictSame(keys(children), { 'ConfigMap.v1': ['widekeys/child'], 'Wide.lab.dev/v1': ['widekeys-child'] })
      t.strictSame(keys(related), { 'Secret.v1': ['widekeys/related'] })
      await lab.delete(controller)
    }
  }),
  row(
    'customize',
    '58: customize is asked once per generation, not for annotations, and for every parent on a related change',
    async (lab) => {
      const { t, hooks } = lab
      // A kind that no other row touches: a change of any related object asks about parents that are not cached.
      const notes = { apiVersion: 'lab.dev/v1', resource: 'notes' }
      const note = { apiVersion: 'lab.dev/v1', kind: 'Note', metadata: { name: 'related', namespace: lab.namespace } }
      const asked = (): string[] => hooks.callsOf('customize').map(({ body }) => body.parent.metadata.name)
      hooks.customize = () => ({
        relatedResources: [{ ...notes, labelSelector: { matchLabels: { on: 'yes' } } }],
      })
      const labelSelector = { matchLabels: { on: 'yes' } }
      await lab.composite({ parentResource: { ...lab.parentRule(), labelSelector } }, ['sync', 'customize'])
      await lab.create(lab.parent('p', { labels: { on: 'yes' } }))
      await lab.settled()
      t.strictSame(asked(), ['p'])
      await lab.after(lab.patch(lab.parent('p'), { metadata: { annotations: { a: 'b' } } }))
      t.strictSame(asked(), ['p'])
      await lab.after(lab.patch(lab.parent('p'), { spec: { v: 2 } }), 2)
      t.strictSame(asked(), ['p', 'p'])

      await lab.create(lab.parent('unmatched'))
      const calls = hooks.calls.length
      const related = await lab.create({ ...note, metadata: { ...note.metadata, labels: { on: 'yes' } } })
      await lab.settled(calls + 1)
      t.strictSame(keys(hooks.callsOf('sync').at(-1)?.body.related), { 'Note.lab.dev/v1': ['customize/related'] })
      t.equal(hooks.callsOf('sync').at(-1)?.body.parent.metadata.name, 'p')

      for (const change of [{ spec: { v: 2 } }, { metadata: { labels: { on: 'no' } } }]) {
        const before = hooks.callsOf('sync').length
        await lab.after(lab.patch(related, change))
        t.equal(hooks.callsOf('sync').length, before + 1, 'the old or the new state matches')
      }
      t.strictSame(keys(hooks.callsOf('sync').at(-1)?.body.related), { 'Note.lab.dev/v1': [] })
      t.strictSame(asked(), ['p', 'p', 'unmatched'], 'asked about a parent that no sync will ever see')
    },
  ),
  row(
    'senseless',
    '2.7, 0.9: a senseless rule fails every sync and stays cached until the generation moves',
    async (lab) => {
      const { t, hooks } = lab
      hooks.customize = () => ({
        relatedResources: [rule('configmaps', { names: ['a'], labelSelector: { matchLabels: { a: 'b' } } })],
      })
      await lab.composite({}, ['sync', 'customize'])
      await lab.create(lab.parent('p'))
      await lab.event('SyncError', 'names and labelSelector')
      t.equal(hooks.callsOf('customize').length, 1)
      t.strictSame(hooks.callsOf('sync'), [])
      hooks.customize = () => ({ relatedResources: [rule('configmaps', { names: ['a'] })] })
      await lab.patch(lab.parent('p'), { metadata: { annotations: { a: 'b' } } })
      await lab.until('more errors', async () => (await lab.list('Event')).some((event) => Number(event['count']) > 3))
      t.strictSame(hooks.callsOf('sync'), [])
      await lab.patch(lab.parent('p'), { spec: { v: 2 } })
      await lab.settled(3)
      t.ok(hooks.callsOf('customize').length > 1)
      t.ok(hooks.callsOf('sync').length > 0)
    },
  ),
  row('selection', '2.7: names everywhere, labels everywhere, namespaces by label', async (lab) => {
    const { t, hooks } = lab
    const labels = { stage: 'selection' }
    await lab.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'selection-prod', labels } })
    await make(lab, 'selection-a')
    await make(lab, 'selection-a', { namespace: 'selection-prod' })
    await make(lab, 'selection-b', { labels })
    await make(lab, 'selection-b', { namespace: 'selection-prod', labels })
    const selected: Record<string, string[] | undefined> = {}
    const rules: Record<string, object> = {
      names: rule('configmaps', { names: ['selection-a'] }),
      labels: rule('configmaps', { labelSelector: { matchLabels: labels } }),
      expressions: rule('configmaps', {
        labelSelector: { matchExpressions: [{ key: 'stage', operator: 'Exists' }] },
      }),
      'labels in a namespace': rule('configmaps', {
        labelSelector: { matchLabels: labels },
        namespace: 'selection-prod',
      }),
      'namespaces by label': rule('configmaps', {
        namespaceSelector: { matchLabels: labels },
        labelSelector: { matchLabels: labels },
      }),
      'cluster-scoped names': rule('namespaces', { names: ['selection-prod'] }),
    }
    hooks.customize = ({ parent }) => ({
      relatedResources: [rules[(parent['spec'] as { rule: string }).rule]],
    })
    hooks.sync = ({ parent, related }) => {
      selected[(parent['spec'] as { rule: string }).rule] = Object.values(keys(related))[0]
      return { children: [] }
    }
    await lab.composite({}, ['sync', 'customize'])
    await Promise.all(Object.keys(rules).map((name, i) => lab.create(lab.parent(`p${i}`, { spec: { rule: name } }))))
    await lab.settled(2 * Object.keys(rules).length)
    t.strictSame(selected, {
      names: ['selection-prod/selection-a', 'selection/selection-a'],
      labels: ['selection-prod/selection-b', 'selection/selection-b'],
      expressions: ['selection-prod/selection-b', 'selection/selection-b'],
      'labels in a namespace': ['selection-prod/selection-b'],
      'namespaces by label': ['selection-prod/selection-b'],
      'cluster-scoped names': ['selection-prod'],
    })
  }),
]
