import { decoratorAnnotation } from '../decorator.ts'
import { controllerReference } from '../claim.ts'
import { row } from '../lab.ts'
import type { Row } from '../lab.ts'
import { configMap } from '../lab-kinds.ts'

/** DecoratorControllers. */

export const decoratorRows: Row[] = [
  row(
    'decoration',
    '60: labels and annotations are merged, null deletes, an absent status leaves it, an attachment is marked',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = () => ({
        labels: { new: '1', gone: null },
        annotations: { note: 'x' },
        attachments: [configMap('a', { k: 'v' })],
      })
      const target = await lab.create(lab.parent('p', { labels: { gone: '1', kept: '2' } }))
      await lab.patch(target, { status: { foreign: 1 } }, '/status')
      await lab.decorator()
      await lab.settled()
      const { metadata, status } = (await lab.get(target)) as typeof target & { status: unknown }
      t.strictSame(metadata.labels, { new: '1', kept: '2' })
      t.strictSame(metadata.annotations, { note: 'x' })
      t.strictSame(status, { foreign: 1 })
      const attachment = await lab.existing('ConfigMap', 'a')
      t.match(attachment.metadata.annotations, { [decoratorAnnotation]: lab.name })
      t.equal(attachment.metadata.labels, undefined)
      t.strictSame(attachment.metadata.ownerReferences, [controllerReference(target)])
      const [call] = hooks.calls
      t.strictSame(Object.keys(call?.body ?? {}), ['controller', 'object', 'attachments', 'related', 'finalizing'])
      t.strictSame(call?.body.attachments, { 'ConfigMap.v1': {} })

      hooks.sync = () => ({ attachments: [configMap('a', { k: 'v' })], status: {} })
      await lab.after(lab.patch(target, { spec: { v: 2 } }))
      t.strictSame((await lab.get(target))['status'], {}, 'an empty status empties it')
      const writes = lab.writes().length
      await lab.after(lab.patch(target, { metadata: { annotations: { touched: 'once' } } }))
      t.equal(lab.writes().length, writes, 'nothing to write')
    },
  ),
  row(
    'attachments',
    '3.6: an attachment is repaired, deleted when omitted, invisible without its annotation',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = () => ({ attachments: [configMap('a', { k: 'v' }), configMap('b', { k: 'v' })] })
      await lab.decorator()
      await lab.create(lab.parent('p'))
      await lab.settled()
      await lab.patch(await lab.existing('ConfigMap', 'a'), { data: { k: 'drifted', foreign: '1' } })
      await lab.until('the repair', async () =>
        JSON.stringify((await lab.existing('ConfigMap', 'a'))['data']).includes('"v"'),
      )
      await lab.settled()
      t.strictSame((await lab.existing('ConfigMap', 'a'))['data'], { k: 'v', foreign: '1' })
      await lab.after(
        lab.patch(await lab.existing('ConfigMap', 'b'), {
          metadata: { annotations: { [decoratorAnnotation]: null } },
        }),
      )
      t.strictSame(Object.keys(hooks.calls.at(-1)?.body.attachments['ConfigMap.v1'] ?? {}), ['attachments/a'])
      hooks.sync = () => ({ attachments: [] })
      await lab.patch(lab.parent('p'), { spec: { v: 2 } })
      await lab.until('the deletion', async () => !(await lab.find('ConfigMap', 'a')))
      await lab.settled()
      t.ok(await lab.find('ConfigMap', 'b'), 'the unmarked one is left')
    },
  ),
  row('optout', '60: a target that leaves the selectors is finalized alive, and let go', async (lab) => {
    const { t, hooks } = lab
    hooks.sync = () => ({ labels: { ours: '1' }, attachments: [configMap('a', {})] })
    hooks.finalize = ({ attachments }) => ({
      labels: { ours: null },
      attachments: [],
      finalized: Object.keys(attachments['ConfigMap.v1'] ?? {}).length === 0,
    })
    const annotationSelector = { matchAnnotations: { on: 'yes' } }
    const resources = [{ ...lab.parentRule(), labelSelector: { matchLabels: { on: 'yes' } }, annotationSelector }]
    await lab.decorator({ resources }, ['sync', 'finalize'])
    await lab.create(lab.parent('half', { labels: { on: 'yes' } }))
    const target = lab.parent('p', { labels: { on: 'yes' } })
    target.metadata.annotations = { on: 'yes' }
    await lab.create(target)
    await lab.settled()
    t.strictSame([...new Set(hooks.calls.map(({ body }) => body.object.metadata.name))], ['p'])
    t.match((await lab.get(target)).metadata.finalizers, [/decoratorcontroller-optout$/])
    hooks.calls.length = 0
    await lab.patch(target, { metadata: { annotations: { on: null } } })
    await lab.until('the finalizer to be gone', async () => !(await lab.get(target)).metadata.finalizers)
    await lab.settled()
    t.strictSame([...new Set(hooks.calls.map(({ hook }) => hook))], ['finalize'])
    t.strictSame((await lab.get(target)).metadata.labels, { on: 'yes' })
    t.notOk(await lab.find('ConfigMap', 'a'))
  }),
  row(
    'stranded',
    '0.12: deleting a controller that has a finalize hook leaves its finalizer; removing the hook first does not',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = () => ({ attachments: [] })
      const target = await lab.create(lab.parent('p'))
      const controller = await lab.decorator({}, ['sync', 'finalize'])
      await lab.settled()
      await lab.delete(controller)
      const calls = hooks.calls.length
      await lab.patch(target, { spec: { v: 2 } })
      t.match((await lab.get(target)).metadata.finalizers, [/decoratorcontroller-stranded$/])
      const again = await lab.decorator({}, ['sync', 'finalize'])
      await lab.settled(calls + 1)
      await lab.patch(again, { spec: { hooks: { finalize: null } } })
      await lab.until('the finalizer to be gone', async () => !(await lab.get(target)).metadata.finalizers)
      await lab.settled()
    },
  ),
  row('related', '58: a decorator customizes too, with the field parent', async (lab) => {
    const { t, hooks } = lab
    hooks.customize = ({ parent }) => ({
      relatedResources: [{ apiVersion: 'v1', resource: 'secrets', namespace: parent.metadata.namespace, names: ['s'] }],
    })
    hooks.sync = () => ({ attachments: [] })
    await lab.decorator({}, ['sync', 'customize'])
    await lab.create(lab.parent('p'))
    await lab.settled()
    t.strictSame(Object.keys(hooks.callsOf('customize')[0]?.body ?? {}), ['controller', 'parent'])
    const calls = hooks.calls.length
    const metadata = { name: 's', namespace: lab.namespace }
    await lab.create({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: {} })
    await lab.settled(calls + 1)
    t.strictSame(Object.keys(hooks.calls.at(-1)?.body.related['Secret.v1'] ?? {}), ['related/s'])
  }),
]
