import type { KubeObject } from '../../../../webhooks/contract/types.ts'
import { lastAppliedAnnotation } from '../apply.ts'
import { controllerReference } from '../claim.ts'
import { inPlace, row } from '../lab.ts'
import type { Row } from '../lab.ts'
import { configMap, thing } from '../lab-kinds.ts'

/** What becomes of children. */

const lastApplied = (object: KubeObject | undefined): unknown =>
  JSON.parse(object?.metadata.annotations?.[lastAppliedAnnotation] ?? 'null')

export const childRows: Row[] = [
  row(
    'finalizer',
    '45: the finalizer is written before the first call; that has five fields and empty groups',
    async (lab) => {
      const { t, hooks } = lab
      await lab.composite({}, ['sync', 'finalize'])
      const parent = await lab.create(lab.parent('p'))
      await lab.settled()
      const finalizer = `metacontroller.io/compositecontroller-${lab.name}`
      const [first] = lab.writes()
      const [call] = hooks.calls
      t.match(first, { method: 'PUT', body: { metadata: { name: 'p', finalizers: [finalizer] } } })
      t.ok(first && call && first.at < call.at, 'the PUT came before the call')
      t.equal(call?.hook, 'sync')
      t.equal(call?.headers['content-type'], 'application/json')
      t.strictSame(Object.keys(call?.body ?? {}), ['controller', 'parent', 'children', 'related', 'finalizing'])
      t.match(call?.body.parent, { kind: parent.kind, metadata: { uid: parent.metadata.uid, finalizers: [finalizer] } })
      t.match(call?.body.controller, { kind: 'CompositeController', metadata: { name: lab.name }, status: {} })
      t.strictSame(call?.body.children, { 'ConfigMap.v1': {} })
      t.strictSame(call?.body.related, {})
      t.equal(call?.body.finalizing, false)
    },
  ),
  row('creation', '46: a created child has owner, generated label and last-applied without owner', async (lab) => {
    const { t, hooks } = lab
    hooks.sync = () => ({ children: [configMap('c', { k: '<&>' }, { own: 'label' })], status: { made: 1 } })
    await lab.composite()
    const parent = await lab.create(lab.parent('p'))
    await lab.settled()
    const child = await lab.find('ConfigMap', 'c')
    const labels = { own: 'label', 'controller-uid': parent.metadata.uid }
    t.strictSame(child?.metadata.labels, labels)
    t.strictSame(child?.metadata.ownerReferences, [controllerReference(parent)])
    t.strictSame(lastApplied(child), {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c', namespace: lab.namespace, labels },
      data: { k: '<&>' },
    })
    t.strictSame((await lab.get(parent))['status'], { made: 1, observedGeneration: 1 })
    t.equal(lab.writes('configmaps').length, 1)
  }),
  row(
    'drift',
    '47: our drifted field is reverted, foreign field and list item stay, what is no longer sent goes',
    async (lab) => {
      const { t, hooks } = lab
      const items = [{ name: 'ours', value: '1' }]
      hooks.sync = () => ({ children: [thing('c', { kept: 1, dropped: 2, items })] })
      await lab.composite({ childResources: [inPlace('lab.dev/v1', 'things')] })
      await lab.create(lab.parent('p'))
      await lab.settled()
      const child = await lab.existing('Thing', 'c')
      await lab.patch(child, {
        spec: { kept: 7, foreign: 3, items: [{ name: 'foreign' }, { name: 'ours', value: '9', extra: true }] },
      })
      const revert = async (): Promise<boolean> =>
        ((await lab.find('Thing', 'c'))?.['spec'] as { kept: number }).kept === 1
      await lab.until('our field to be reverted', revert)
      t.strictSame((await lab.find('Thing', 'c'))?.['spec'], {
        kept: 1,
        dropped: 2,
        foreign: 3,
        items: [{ name: 'foreign' }, { name: 'ours', value: '1', extra: true }],
      })
      hooks.sync = () => ({ children: [thing('c', { kept: 1, items: [{ name: 'new' }] })] })
      await lab.after(lab.patch(lab.parent('p'), { spec: { v: 2 } }))
      const spec = { kept: 1, foreign: 3, items: [{ name: 'foreign' }, { name: 'new' }] }
      t.strictSame((await lab.find('Thing', 'c'))?.['spec'], spec)
    },
  ),
  row(
    'recreate',
    '48: Recreate deletes in the background with the uid as precondition, and creates on a later sync',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = ({ parent }) => ({ children: [configMap('c', { v: String((parent['spec'] as { v: number }).v) })] })
      const rule = { apiVersion: 'v1', resource: 'configmaps', updateStrategy: { method: 'Recreate' } }
      await lab.composite({ childResources: [rule] })
      await lab.create(lab.parent('p', { spec: { v: 1 } }))
      await lab.settled()
      const before = await lab.find('ConfigMap', 'c')
      await lab.patch(lab.parent('p'), { spec: { v: 2 } })
      await lab.until(
        'the new child',
        async () => (await lab.find('ConfigMap', 'c'))?.metadata.uid !== before?.metadata.uid,
      )
      await lab.settled()
      const [, deletion, creation, ...more] = lab.writes('configmaps')
      t.strictSame(more, [])
      t.match(deletion, { method: 'DELETE', code: 200 })
      t.match(deletion?.body, { propagationPolicy: 'Background', preconditions: { uid: before?.metadata.uid } })
      t.match(creation, { method: 'POST', code: 201, body: { data: { v: '2' } } })
      const between = hooks.calls.filter(({ at }) => deletion && creation && at > deletion.at && at < creation.at)
      t.ok(between.length > 0, 'a sync lay between')
    },
  ),
  row(
    'ondelete',
    '49, 0.5: without an update method a changed child is left alone until somebody deletes it',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = ({ parent }) => ({ children: [configMap('c', { v: String((parent['spec'] as { v: number }).v) })] })
      await lab.composite({ childResources: [{ apiVersion: 'v1', resource: 'configmaps' }] })
      await lab.create(lab.parent('p', { spec: { v: 1 } }))
      await lab.settled()
      await lab.after(lab.patch(lab.parent('p'), { spec: { v: 2 } }))
      t.equal(lab.writes('configmaps').length, 1, 'only the creation')
      const child = await lab.existing('ConfigMap', 'c')
      t.strictSame(child['data'], { v: '1' })
      await lab.delete(child)
      await lab.until('the new child', async () => {
        const again = await lab.find('ConfigMap', 'c')
        return again && again.metadata.uid !== child.metadata.uid && JSON.stringify(again['data']) === '{"v":"2"}'
      })
      await lab.settled()
    },
  ),
  row(
    'omission',
    '50, 0.2: a child the answer omits is deleted; the answer null deletes all, in the background',
    async (lab) => {
      const { t, hooks } = lab
      const [a, b, c] = ['a', 'b', 'c'].map((name) => configMap(name, {}))
      hooks.sync = () => ({ children: [a, b, c] })
      await lab.composite()
      await lab.create(lab.parent('p'))
      await lab.settled()
      hooks.sync = () => ({ children: [a, b] })
      await lab.patch(lab.parent('p'), { spec: { v: 2 } })
      await lab.until('one deletion', async () => !(await lab.find('ConfigMap', 'c')))
      await lab.settled()
      t.ok(await lab.find('ConfigMap', 'a'))
      hooks.sync = () => null
      await lab.patch(lab.parent('p'), { spec: { v: 3 } })
      await lab.until('the other deletions', async () => !(await lab.find('ConfigMap', 'a')))
      await lab.settled()
      const deletions = lab.writes('configmaps').filter(({ method }) => method === 'DELETE')
      t.equal(deletions.length, 3)
      for (const { body } of deletions)
        t.match(body, { propagationPolicy: 'Background', preconditions: { uid: String } })
    },
  ),
  row('occupied', '0.11: a name that belongs to nobody or to another is left alone, in silence', async (lab) => {
    const { t, hooks } = lab
    const unowned = configMap('c', { mine: 'no' })
    unowned.metadata.namespace = lab.namespace
    await lab.create(unowned)
    hooks.sync = () => ({ children: [configMap('c', { mine: 'yes' })], status: { seen: 1 } })
    await lab.composite()
    const parent = await lab.create(lab.parent('p'))
    await lab.settled()
    t.match(lab.writes('configmaps'), [{ method: 'POST', code: 409 }])
    t.strictSame((await lab.find('ConfigMap', 'c'))?.['data'], { mine: 'no' })
    t.match((await lab.get(parent))['status'], { seen: 1 }, 'the status is written all the same')
  }),
  row(
    'canonical',
    '0.6: a null field is a difference for ever: a useless PUT with each sync, but no loop InPlace',
    async (lab) => {
      const { t, hooks } = lab
      const puts = (): number => lab.writes('configmaps').filter(({ method }) => method === 'PUT').length
      hooks.sync = () => ({ children: [{ ...configMap('c', { k: 'v' }), binaryData: null }] })
      await lab.composite()
      await lab.create(lab.parent('p'))
      await lab.settled()
      const before = puts()
      await lab.after(lab.patch(lab.parent('p'), { metadata: { annotations: { touched: 'once' } } }))
      t.equal(puts() - before, 1)
    },
  ),
  row(
    'convergence',
    '61: a simple parent is called at most 3 times until 5 s of silence, then writes nothing',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = ({ children }) => ({
        children: ['a', 'b', 'c'].map((name) => configMap(name, { k: 'v' })),
        status: { children: Object.keys(children['ConfigMap.v1'] ?? {}).length },
      })
      await lab.composite()
      await lab.create(lab.parent('p'))
      await lab.settled(1, 5000)
      t.ok(hooks.calls.length <= 6, `${hooks.calls.length} calls after the creation`)
      const [calls, writes] = [hooks.calls.length, lab.writes().length]
      await lab.patch(lab.parent('p'), { metadata: { annotations: { touched: 'once' } } })
      await lab.settled(calls + 1, 5000)
      t.ok(hooks.calls.length - calls <= 3, `${hooks.calls.length - calls} calls after a change`)
      t.equal(lab.writes().length, writes, 'nothing to write')
    },
  ),
]
