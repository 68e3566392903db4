import type { KubeObject } from '../../../../webhooks/contract/types.ts'
import { controllerReference } from '../claim.ts'
import { row } from '../lab.ts'
import type { Lab, Row } from '../lab.ts'
import { configMap } from '../lab-kinds.ts'

/** Whose child an object is, with a selector in the parent's spec. */

const labels = { app: 'x' }
const selected = { spec: { selector: { matchLabels: labels } } }

/** A ConfigMap that somebody else made. */
function made(lab: Lab, name: string, more: Partial<KubeObject['metadata']> = {}): Promise<KubeObject> {
  return lab.create({
    ...configMap(name, { made: 'elsewhere' }),
    metadata: { name, namespace: lab.namespace, ...more },
  })
}

const owners = async (lab: Lab, name: string): Promise<string[] | undefined> =>
  (await lab.find('ConfigMap', name))?.metadata.ownerReferences?.map((reference) => reference.name)

export const claimRows: Row[] = [
  row(
    'claim',
    '51: a matching orphan is adopted, an own child with other labels released, a foreign one left alone',
    async (lab) => {
      const { t, hooks } = lab
      const stranger = await made(lab, 'stranger')
      const foreign = [{ ...controllerReference(stranger), kind: 'ConfigMap', apiVersion: 'v1' }]
      await made(lab, 'orphan', { labels })
      await made(lab, 'unmatched', { labels: { app: 'y' } })
      await made(lab, 'owned', { labels, ownerReferences: foreign })
      hooks.sync = () => ({
        children: [configMap('orphan', { k: 'v' }, labels), configMap('ours', { k: 'v' }, labels)],
      })
      await lab.composite({ generateSelector: false })
      await lab.create(lab.parent('p', selected))
      await lab.settled()
      t.strictSame(await owners(lab, 'orphan'), ['p'])
      t.strictSame((await lab.find('ConfigMap', 'orphan'))?.['data'], { made: 'elsewhere', k: 'v' })
      t.strictSame(await owners(lab, 'unmatched'), undefined)
      t.strictSame(await owners(lab, 'owned'), ['stranger'])
      t.strictSame(await owners(lab, 'ours'), ['p'])
      t.notOk(hooks.calls.some(({ body }) => `${lab.namespace}/owned` in (body.children['ConfigMap.v1'] ?? {})))

      const ours = await lab.existing('ConfigMap', 'ours')
      hooks.sync = () => ({ children: [configMap('orphan', { k: 'v' }, labels)] })
      await lab.patch(ours, { metadata: { labels: { app: 'released' } } })
      await lab.until('the release', async () => (await owners(lab, 'ours')) === undefined)
      await lab.settled()
      t.equal((await lab.find('ConfigMap', 'ours'))?.metadata.uid, ours.metadata.uid, 'released, not deleted')
    },
  ),
  row('adoption', '51: an adopted orphan that the answer omits is deleted in the same sync', async (lab) => {
    const { t } = lab
    await lab.composite({ generateSelector: false })
    await lab.create(lab.parent('p', selected))
    await lab.settled()
    await made(lab, 'orphan', { labels })
    await lab.until('its deletion', async () => !(await lab.find('ConfigMap', 'orphan')))
    await lab.settled()
    t.match(lab.writes('configmaps'), [{ method: 'PUT' }, { method: 'DELETE' }])
  }),
  row(
    'selectorless',
    '1.2: without a selector, given or generated, every sync fails with an Event and no call',
    async (lab) => {
      const { t, hooks } = lab
      await lab.composite({ generateSelector: false })
      await lab.create(lab.parent('p'))
      await lab.event('SyncError', 'spec.selector must have')
      t.strictSame(hooks.calls, [])
    },
  ),
  row(
    'mismatch',
    '3.2: a desired child that the selector does not match: neither children nor status are written',
    async (lab) => {
      const { t, hooks } = lab
      hooks.sync = () => ({
        children: [configMap('a', {}, labels), configMap('b', {}, { app: 'y' })],
        status: { x: 1 },
      })
      await lab.composite({ generateSelector: false })
      await lab.create(lab.parent('p', selected))
      await lab.event('SyncError', "don't match parent selector")
      t.ok(hooks.calls.length > 0)
      t.strictSame(lab.writes(), [])
    },
  ),
]
