import type { KubeObject } from '../../../../webhooks/contract/types.ts'
import { aloneRow, inPlace, row } from '../lab.ts'
import type { Lab, Row } from '../lab.ts'
import { configMap, labCrd } from '../lab-kinds.ts'

/** How controllers start, restart and fail to start. */

/** Waits for an Event about the row's controller; those are in the namespace `default`. */
async function controllerEvent(lab: Lab, reason: string, text: string): Promise<void> {
  await lab.until(`an Event ${reason} about the controller`, async () => {
    const { items } = await lab.bench.plane.client.request<{ items: KubeObject[] }>({
      path: '/api/v1/namespaces/default/events',
      query: { fieldSelector: `involvedObject.name=${lab.name},reason=${reason}` },
    })
    return items.some((event) => String(event['message']).includes(text))
  })
}

export const controllerRows: Row[] = [
  row('late', '1.2: an unknown child kind gives CreateError Events, and works once it exists', async (lab) => {
    lab.hooks.sync = () => ({ children: [configMap('c', {})] })
    await lab.composite({ childResources: [inPlace('v1', 'configmaps'), inPlace('lab.dev/v1', 'latecomers')] })
    await lab.create(lab.parent('p'))
    await controllerEvent(lab, 'CreateError', 'latecomers')
    lab.t.strictSame(lab.hooks.calls, [])
    await lab.bench.plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(labCrd('Latecomer')) })
    await lab.settled()
    lab.t.strictSame(lab.hooks.calls[0]?.body.children, { 'ConfigMap.v1': {}, 'Latecomer.lab.dev/v1': {} })
  }),
  row('statusless', '1.2: parents whose CRD has no status subresource are ignored, with one Event', async (lab) => {
    const crd = labCrd('Stateless') as { spec: { versions: { subresources?: object }[] } }
    delete crd.spec.versions[0]?.subresources
    await lab.bench.plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(crd) })
    await lab.composite({ parentResource: { apiVersion: 'lab.dev/v1', resource: 'statelesss' } })
    await controllerEvent(lab, 'SyncError', "does not have subresource 'Status' enabled")
    lab.t.strictSame(lab.hooks.calls, [])
  }),
  row('edited', '1.1: a new spec syncs every parent again, new metadata does not', async (lab) => {
    const { t, hooks } = lab
    const controller = await lab.composite()
    await lab.create(lab.parent('p'))
    await lab.settled()
    const calls = hooks.calls.length
    await lab.patch(controller, { metadata: { annotations: { touched: 'once' } } })
    await lab.patch(controller, { spec: { resyncPeriodSeconds: 600 } })
    await lab.settled(calls + 1)
    t.equal(hooks.calls.length, calls + 1)
    t.match(hooks.calls.at(-1)?.body.controller, { spec: { resyncPeriodSeconds: 600 } })
  }),
  row('echo', '0.7: an observed child echoed back as desired is an endless loop', async (lab) => {
    const { t, hooks } = lab
    let echoing = true
    hooks.sync = ({ children }) => {
      const [observed] = Object.values(children['ConfigMap.v1'] ?? {})
      return { children: [echoing && observed ? observed : configMap('c', {})] }
    }
    await lab.composite()
    await lab.create(lab.parent('p'))
    await lab.until('many calls', () => hooks.calls.length > 30)
    echoing = false
    await lab.settled()
    t.ok(lab.writes('configmaps').length > 20)
  }),
  aloneRow('restart', '3.1: after a restart every parent is synced, and nothing is written', async (lab) => {
    const { t, hooks } = lab
    hooks.sync = () => ({ children: [configMap('c', { k: 'v' })], status: { x: 1 } })
    await lab.composite({}, ['sync', 'finalize'])
    await lab.create(lab.parent('p'))
    const first = await lab.bench.launch()
    await lab.settled()
    t.match(await first.stop(), { code: 0 }, 'SIGTERM ends it in order')
    const [calls, writes] = [hooks.calls.length, lab.writes().length]
    const second = await lab.bench.launch()
    await lab.settled(calls + 1)
    t.equal(hooks.calls.length, calls + 1)
    t.equal(lab.writes().length, writes)
    t.match(await second.kill(), { signal: 'SIGKILL' })
  }),
]
