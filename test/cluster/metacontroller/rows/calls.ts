import { inPlace, row } from '../lab.ts'
import type { Lab, Row } from '../lab.ts'
import { configMap, thing } from '../lab-kinds.ts'
import { Reply } from '../scripted-hooks.ts'

/** When hooks are called, and what their answers do apart from children. */

const syncTimes = (lab: Lab): number[] => lab.hooks.callsOf('sync').map(({ at }) => at)

/** Milliseconds between one call and the next. */
function pauses(times: number[]): number[] {
  return times.slice(1).map((at, i) => at - (times[i] ?? 0))
}

const statusWrites = (lab: Lab): number => lab.writes().filter(({ path }) => path.endsWith('/status')).length

export const callRows: Row[] = [
  row(
    'reporting',
    '52: an empty status becomes observedGeneration, an equal one is not written, an absent one clears',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = () => ({ children: [], status: {} })
      await lab.composite()
      const parent = await lab.create(lab.parent('p'))
      await lab.settled()
      const stored = await lab.get(parent)
      t.strictSame(stored['status'], { observedGeneration: 1 })
      t.equal(statusWrites(lab), 1)

      const touched = lab.patch(parent, { metadata: { annotations: { touched: 'once' } } })
      await lab.after(touched)
      const resourceVersion = (await touched)?.metadata.resourceVersion
      t.equal((await lab.get(parent)).metadata.resourceVersion, resourceVersion, 'nothing was written')

      hooks.sync = () => ({ children: [], status: { observedGeneration: 99, a: [1, { b: null }] } })
      await lab.after(lab.patch(parent, { spec: { v: 2 } }))
      t.match((await lab.get(parent))['status'], { observedGeneration: 2, a: [1, {}] })
      hooks.sync = () => ({ children: [], status: null })
      await lab.after(lab.patch(parent, { spec: { v: 3 } }))
      t.strictSame((await lab.get(parent))['status'], { observedGeneration: 3 })
    },
  ),
  row(
    'failure',
    '53: an answer 500 writes nothing and comes back after a growing pause, whatever its Retry-After',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = () => new Reply(500, '{"error":"broken on purpose"}', { 'retry-after': '60' })
      await lab.composite()
      await lab.create(lab.parent('p'))
      await lab.until('nine calls', () => syncTimes(lab).length >= 9)
      t.strictSame(lab.writes(), [])
      const [shortest, longest] = [pauses(syncTimes(lab))[0] ?? 0, pauses(syncTimes(lab))[7] ?? 0]
      t.ok(shortest < 200, `first pause ${Math.round(shortest)} ms`)
      t.ok(longest >= 640 && longest < 2000, `eighth pause ${Math.round(longest)} ms`)
      await lab.event('SyncError', 'broken on purpose')
      hooks.sync = () => ({ children: [configMap('c', {})] })
      await lab.until('recovery', () => lab.find('ConfigMap', 'c'))
      await lab.settled()
    },
  ),
  row('throttled', '53: an answer 429 comes back after its Retry-After, without an Event', async (lab) => {
    const { t, hooks } = lab
    hooks.sync = () => {
      if (syncTimes(lab).length === 1) return new Reply(429, '', { 'retry-after': '2' })
      return { children: [] }
    }
    await lab.composite()
    await lab.create(lab.parent('p'))
    await lab.settled(2)
    const [pause = 0] = pauses(syncTimes(lab))
    t.ok(pause >= 1990 && pause < 4000, `pause ${Math.round(pause)} ms`)
    t.strictSame(await lab.list('Event'), [])
  }),
  row(
    'strict',
    '54: v2: an unknown top-level field applies nothing, an unknown field of a child is passed on',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = () => ({ children: [thing('c', { a: 1 })], status: { x: 1 }, bogus: true })
      await lab.composite({ childResources: [inPlace('lab.dev/v1', 'things')] })
      const parent = await lab.create(lab.parent('p'))
      await lab.event('SyncError', 'unknown field "bogus"')
      t.strictSame(lab.writes(), [])
      hooks.sync = () => ({ children: [{ ...thing('c', { bogus: 1 }), bogus: 2 }], status: { x: 1 } })
      await lab.until('recovery', async () => (await lab.get(parent))['status'])
      await lab.settled()
      t.match(lab.writes('things')[0]?.body, { bogus: 2, spec: { bogus: 1 } })
    },
  ),
  row('loose', '2.5: v1: an unknown field is no field, so a misspelt list deletes all children', async (lab) => {
    const { t, hooks } = lab
    hooks.sync = () => ({ children: [configMap('c', {})] })
    await lab.composite({ hooks: lab.hookSpecs(['sync'], 'v1') })
    await lab.create(lab.parent('p'))
    await lab.settled()
    t.ok(await lab.find('ConfigMap', 'c'))
    hooks.sync = () => ({ Children: [configMap('c', {})] })
    await lab.patch(lab.parent('p'), { spec: { v: 2 } })
    await lab.until('the deletion', async () => !(await lab.find('ConfigMap', 'c')))
    await lab.settled()
  }),
  row(
    'partial',
    '3.4: a child the API server refuses stops neither the others nor the status, and is tried again',
    async (lab) => {
      const { t, hooks } = lab
      const refused = { ...configMap('refused', {}), data: { k: { not: 'text' } } }
      hooks.sync = () => ({ children: [refused, configMap('c', {})], status: { x: 1 } })
      await lab.composite()
      const parent = await lab.create(lab.parent('p'))
      await lab.event('SyncError', 'ConfigMap in version "v1" cannot be handled')
      t.match((await lab.get(parent))['status'], { x: 1 })
      t.ok(await lab.find('ConfigMap', 'c'))
      hooks.sync = () => ({ children: [configMap('c', {})], status: { x: 1 } })
      await lab.settled(hooks.calls.length + 1)
    },
  ),
  row(
    'resync',
    '2.6, 1.2: resyncAfterSeconds calls once more, resyncPeriodSeconds again and again, neither writes',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = () => ({ children: [], resyncAfterSeconds: syncTimes(lab).length < 6 ? 0.3 : 0 })
      await lab.composite()
      const parent = await lab.create(lab.parent('p'))
      await lab.settled(6, 1500)
      t.ok((pauses(syncTimes(lab)).at(-1) ?? 0) >= 290, 'a third of a second later')
      const writes = lab.writes().length
      const { metadata } = await lab.existing('CompositeController', lab.name)
      await lab.patch({ apiVersion: '', kind: 'CompositeController', metadata }, { spec: { resyncPeriodSeconds: 1 } })
      const calls = hooks.calls.length
      await lab.until('three periods', () => hooks.calls.length >= calls + 4)
      const last = pauses(syncTimes(lab)).slice(-2)
      for (const pause of last) t.ok(pause > 500 && pause < 2000, `period ${Math.round(pause)} ms`)
      t.equal(lab.writes().length, writes)
      await lab.delete(parent)
    },
  ),
  row(
    'quiet',
    '1.2: ignoreStatusChanges drops updates that change neither generation, labels nor annotations',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = () => ({ children: [], status: { x: 1 } })
      await lab.composite({ parentResource: { ...lab.parentRule(), ignoreStatusChanges: true } })
      const parent = await lab.create(lab.parent('p'))
      await lab.settled()
      const calls = hooks.calls.length
      await lab.patch(parent, { status: { foreign: 2 } }, '/status')
      await lab.patch(parent, { metadata: { finalizers: ['lab.dev/other'] } })
      await lab.patch(parent, { metadata: { labels: { now: 'seen' } } })
      await lab.settled(calls + 1)
      t.equal(hooks.calls.length, calls + 1, 'only the label woke it')
      t.match(hooks.calls.at(-1)?.body.parent.metadata, { labels: { now: 'seen' }, finalizers: ['lab.dev/other'] })
    },
  ),
  row('parallel', '3.1: five parents at a time, never one twice', async (lab) => {
    const { t, hooks } = lab
    const active: string[] = []
    let most = 0
    let twice = false
    hooks.sync = async ({ parent }) => {
      const { name } = parent.metadata
      twice ||= active.includes(name)
      most = Math.max(most, active.push(name))
      await new Promise((resolve) => setTimeout(resolve, 200))
      active.splice(active.indexOf(name), 1)
      return { children: [configMap(name, {})] }
    }
    await lab.composite()
    const names = Array.from({ length: 12 }, (_, i) => `p${i}`)
    await Promise.all(names.map((name) => lab.create(lab.parent(name))))
    await lab.settled(12)
    t.equal(most, 5)
    t.equal(twice, false)
  }),
  row(
    'selected',
    '1.2: parents outside the selector are ignored; one that leaves it is finalized, alive',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = () => ({ children: [configMap('c', {})] })
      const labelSelector = { matchExpressions: [{ key: 'on', operator: 'In', values: ['yes'] }] }
      await lab.composite({ parentResource: { ...lab.parentRule(), labelSelector } }, ['sync', 'finalize'])
      await lab.create(lab.parent('ignored'))
      const parent = await lab.create(lab.parent('p', { labels: { on: 'yes' } }))
      await lab.settled()
      t.strictSame([...new Set(hooks.calls.map(({ body }) => body.parent.metadata.name))], ['p'])
      t.match((await lab.get(parent)).metadata.finalizers, [/compositecontroller-selected$/])
      await lab.patch(parent, { metadata: { labels: { on: null } } })
      await lab.until('the finalizer to be gone', async () => !(await lab.get(parent)).metadata.finalizers)
      await lab.settled()
      t.match(hooks.callsOf('finalize')[0]?.body, { finalizing: true, children: { 'ConfigMap.v1': {} } })
      t.notOk(await lab.find('ConfigMap', 'c'), 'the finalize answer has no children')
    },
  ),
  row(
    'teardown',
    '59: a deleted parent goes to finalize, stays until finalized, its children as answered',
    async (lab) => {
      const { t, hooks } = lab
      const both = [configMap('first', {}), configMap('second', {})]
      hooks.sync = () => ({ children: both })
      hooks.finalize = ({ children }) => {
        const observed = Object.keys(children['ConfigMap.v1'] ?? {})
        return { children: observed.length === 2 ? both.slice(0, 1) : [], finalized: observed.length === 0 }
      }
      await lab.composite({}, ['sync', 'finalize'])
      const parent = await lab.create(lab.parent('p'))
      await lab.settled()
      hooks.calls.length = 0
      await lab.delete(parent)
      await lab.until('the parent to be gone', async () => (await lab.list(parent.kind)).length === 0)
      t.strictSame([...new Set(hooks.calls.map(({ hook }) => hook))], ['finalize'])
      for (const { body } of hooks.calls)
        t.match(body, { finalizing: true, parent: { metadata: { deletionTimestamp: String } } })
      const deleted = lab.writes('configmaps').filter(({ method }) => method === 'DELETE')
      t.strictSame(
        deleted.map(({ path }) => path.split('/').at(-1)),
        ['second', 'first'],
      )
      await lab.settled()
    },
  ),
  row(
    'dying',
    '2.2: without a finalize hook a dying parent still gets sync and status, but no children',
    async (lab) => {
      const { t, hooks } = lab
      await lab.composite()
      const parent = lab.parent('p')
      parent.metadata.finalizers = ['lab.dev/other']
      await lab.create(parent)
      await lab.settled()
      hooks.sync = () => ({ children: [configMap('c', {})], status: { dying: true } })
      await lab.after(lab.delete(parent))
      t.match(hooks.calls.at(-1), { hook: 'sync', body: { finalizing: false } })
      t.match((await lab.get(parent))['status'], { dying: true })
      t.strictSame(lab.writes('configmaps'), [])
    },
  ),
  row('secretive', '1.5: webhook.authorization sends the trimmed value of its Secret', async (lab) => {
    const { t, hooks } = lab
    const metadata = { name: 'token', namespace: lab.namespace }
    await lab.create({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { token: 'open sesame\n' } })
    const authorization = { secretRef: { ...metadata, key: 'token' } }
    const webhook = { url: hooks.url('sync'), timeout: '5s', authorization }
    await lab.composite({ hooks: { sync: { version: 'v2', webhook } } })
    await lab.create(lab.parent('p'))
    await lab.settled()
    t.equal(hooks.calls[0]?.headers.authorization, 'Bearer open sesame')
  }),
]
