import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { componentKinds } from '../../webhooks/kaspr/components/kinds.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { type AppObject, KasprWorld } from './kaspr-world.ts'
import { type Stack, startStack } from './stack.ts'
import { until } from './until.ts'

t.setTimeout(900_000)

let stack: Stack
t.before(async () => {
  // Hooks alone: what is mounted does not depend on what pollers see.
  stack = await startStack({ name: 'kaspr-components', pollers: 0 })
})
t.after(() => stack.stop({ failed: !t.passing() }))

interface StatefulSet extends KubeObject {
  spec: { template: { spec: { containers: { volumeMounts: { name: string }[] }[] } } }
}

void t.test(
  'components of all kinds: added, edited, relabelled and deleted, with one roll for each change',
  async (t) => {
    const world = await KasprWorld.open(stack, 'shop')
    const text = readFileSync(packagePath('examples', 'kaspr', 'components.yaml'), 'utf8')
    const objects = parseAllDocuments(text).map((document) => document.toJSON() as KubeObject)
    const components = objects.filter(({ kind }) => kind !== 'KasprApp')

    // The app last: one that exists before its components starts without them, and rolls when they come.
    await world.apply(...components)
    await world.apply(...objects.filter(({ kind }) => kind === 'KasprApp'))
    await until('the StatefulSet', () => world.get('sts', 'fulfilment-app'))
    await world.kubectl('scale', 'sts/fulfilment-app', '--replicas=2')
    await world.settled('fulfilment')

    const all = components.map(({ kind, metadata }) => `${metadata.name}-${kind.slice(5).toLowerCase()}`).sort()
    t.same(await mounts(world), all)
    t.equal(await world.revisions('fulfilment'), 1, 'pods start once, with all their files')
    for (const { kind, metadata } of components) {
      const component = await world.get<KubeObject & { status: Record<string, unknown> }>(kind, metadata.name)
      t.match(component?.status, { hash: /^[0-9a-f]{16}$/, observedGeneration: 1 }, `${kind} ${metadata.name}`)
      t.match(component?.status['conditions'], [
        { type: 'Valid', status: 'True' },
        { type: 'Ready', status: 'True' },
      ])
    }
    const links = (
      await world.get<AppObject & { status: { linkedResources: Record<string, unknown[]> } }>('kapp', 'fulfilment')
    )?.status.linkedResources
    t.same(
      componentKinds.map(({ root }) => [root, links?.[root]?.length]),
      [
        ['agents', 2],
        ['webviews', 1],
        ['tables', 2],
        ['tasks', 1],
        ['joins', 1],
      ],
    )

    await world.kubectl(...patch('kaspragent/keep-orders', { description: 'Keeps orders.' }))
    await until('the description in the file', async () =>
      JSON.stringify(await world.get('cm', 'keep-orders-agent')).includes('Keeps orders.'),
    )
    await world.settled('fulfilment')
    t.equal(await world.revisions('fulfilment'), 1, 'a description is no reason to start anew')

    let revisions = 1
    const changes: [what: string, args: string[], gone: string[]][] = [
      ['an agent is edited', patch('kaspragent/keep-orders', { isolatedPartitions: true }), []],
      ['a webview is edited', patch('kasprwebview/order-status', { response: { contentType: 'text/plain' } }), []],
      ['a table is edited', patch('kasprtable/customers', { global: false }), []],
      ['a join is edited', patch('kasprjoin/orders-with-customer', { type: 'inner' }), []],
      ['a task is relabelled', ['label', '--overwrite', 'kasprtask/remind', 'kaspr.io/app=other'], ['remind-task']],
      [
        'a table is deleted, and its join is left out',
        ['delete', 'kasprtable/customers'],
        ['remind-task', 'customers-table', 'orders-with-customer-join'],
      ],
    ]
    for (const [what, args, gone] of changes) {
      await world.kubectl(...args)
      revisions++
      await until(`${what}: a roll`, async () => (await world.revisions('fulfilment')) === revisions)
      await world.settled('fulfilment')
      t.equal(await world.revisions('fulfilment'), revisions, what)
      t.same(
        await mounts(world),
        all.filter((name) => !gone.includes(name)),
        what,
      )
    }
    const conditions = (await world.get<AppObject>('kapp', 'fulfilment'))?.status?.conditions
    t.match(
      conditions?.find(({ type }) => type === 'Valid'),
      {
        status: 'False',
        reason: 'InvalidComponent',
        message: /KasprJoin orders-with-customer: spec\.rightTable: "customers"/,
      },
    )
    t.ok(await world.get('cm', 'remind-task'), 'a relabelled component keeps its ConfigMap')
    // The garbage collector learns of new kinds every 30 s.
    const gone = async (): Promise<boolean> => (await world.get('cm', 'customers-table')) === undefined
    await until('the ConfigMap of the deleted table to go', gone, { limitMs: 60_000, everyMs: 250 })
  },
)

function patch(object: string, spec: object): string[] {
  return ['patch', object, '--type=merge', '-p', JSON.stringify({ spec })]
}

/** Definition files that the pods are to mount. */
async function mounts(world: KasprWorld): Promise<string[]> {
  const set = await world.get<StatefulSet>('sts', 'fulfilment-app')
  const names = (set?.spec.template.spec.containers[0]?.volumeMounts ?? []).map(({ name }) => name)
  return names.filter((name) => name !== 'fulfilment-app-pv').sort()
}

// With processes still running, the end has to be said; it stops them.
t.end()
