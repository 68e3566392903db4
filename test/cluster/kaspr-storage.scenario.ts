/** Claims of a Kaspr app on the real control plane: they grow without a restart, outlive their app when asked to, and say why not. */
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { type AppObject, KasprWorld, kasprApp } from './kaspr-world.ts'
import { type Stack, startStack } from './stack.ts'
import { until } from './until.ts'

t.setTimeout(900_000)

const env = { POLL_INTERVAL_SECONDS: '1', POLL_FAST_INTERVAL_SECONDS: '0.5' }
const stack: Stack = await startStack({ name: 'kaspr-storage', env, members: { timeFactor: 0.01 } })
t.teardown(() => stack.stop({ failed: !t.passing() }))
await stack.plane.kubectl(['apply', '-f', '-'], {
  input: JSON.stringify({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fixed' },
    provisioner: 'kaspr.io/plane',
    allowVolumeExpansion: false,
  }),
})

interface ClaimObject extends KubeObject {
  spec: { resources: { requests: { storage: string } } }
  status?: { phase?: string; capacity?: { storage?: string } }
}

async function claims(world: KasprWorld): Promise<Record<string, string | undefined>> {
  const { items } = JSON.parse(await world.kubectl('get', 'pvc', '-o', 'json')) as { items: ClaimObject[] }
  return Object.fromEntries(items.map(({ metadata, status }) => [metadata.name, status?.capacity?.storage]))
}

async function templateSize(world: KasprWorld): Promise<string | undefined> {
  const set = await world.get<KubeObject & { spec: { volumeClaimTemplates?: ClaimObject[] } }>('sts', 'orders-app')
  return set?.spec.volumeClaimTemplates?.[0]?.spec.resources.requests.storage
}

async function settledApp(namespace: string, spec: Record<string, unknown>): Promise<KasprWorld> {
  const world = await KasprWorld.open(stack, namespace)
  await world.apply(kasprApp('orders', { replicas: 3, ...spec }))
  await until('the StatefulSet', () => world.get('sts', 'orders-app'))
  await world.kubectl('scale', 'sts/orders-app', '--replicas=3')
  await world.settled('orders')
  return world
}

async function patch(world: KasprWorld, spec: object): Promise<void> {
  await world.kubectl('patch', 'kapp', 'orders', '--type=merge', '-p', JSON.stringify({ spec }))
}

async function waitFor(world: KasprWorld, condition: string, reason: RegExp): Promise<string> {
  let message = ''
  await until(`${condition} ${String(reason)}`, async () => {
    const app = await world.get<AppObject>('kapp', 'orders')
    const found = app?.status?.conditions?.find(({ type }) => type === condition)
    message = found?.message ?? ''
    return reason.test(`${found?.status} ${found?.reason}`)
  })
  return message
}

for (const deleteClaim of [true, false]) {
  await t.test(
    `given members on claims (deleteClaim ${deleteClaim}), when the size grows, then claims and template grow and no pod ends`,
    async (t) => {
      const storage = { type: 'persistent-claim', size: '1Gi', deleteClaim }
      const world = await settledApp(`grow-${deleteClaim}`, { storage })
      await waitFor(world, 'StorageReady', /True AsSpecified/)
      const before = await world.pods('orders')
      const set = await world.get('sts', 'orders-app')
      await world.mark()
      await patch(world, { storage: { size: '2Gi' } })
      await until('the new template', async () => (await templateSize(world)) === '2Gi')
      await waitFor(world, 'StorageReady', /True AsSpecified/)
      await world.settled('orders')
      await until('volumes of the new size', async () =>
        Object.values(await claims(world)).every((size) => size === '2Gi'),
      )
      t.strictSame(
        Object.keys(await claims(world)),
        [0, 1, 2].map((id) => `orders-app-pv-orders-app-${id}`),
      )
      t.not((await world.get('sts', 'orders-app'))?.metadata.uid, set?.metadata.uid, 'the set is another one')
      t.strictSame(
        [...(await world.pods('orders'))].map(([name, { uid }]) => [name, uid]),
        [...before].map(([name, { uid }]) => [name, uid]),
        'the pods are the same',
      )
      t.equal(await world.revisions('orders'), 1, 'nothing rolls')
      t.strictSame(await world.createsAndDeletes(), {
        'create statefulsets orders-app': 1,
        'delete statefulsets orders-app': 1,
      })
      t.match(await world.kubectl('get', 'events'), /StorageGrown/)
    },
  )
}

await t.test('given members on claims, when the size cannot be had, then a condition says why', async (t) => {
  const world = await settledApp('refused', { storage: { type: 'persistent-claim', size: '1Gi', class: 'fixed' } })
  await world.mark()
  await patch(world, { storage: { size: '2Gi' } })
  t.match(await waitFor(world, 'StorageReady', /False ExpansionNotAllowed/), /StorageClass fixed/)
  await patch(world, { storage: { size: '512Mi' } })
  t.match(await waitFor(world, 'StorageReady', /False CannotShrink/), /Claims stay 1Gi/)
  await patch(world, { storage: { size: '1Gi' } })
  await waitFor(world, 'StorageReady', /True AsSpecified/)
  t.strictSame(await world.createsAndDeletes(), {})
  t.equal(await templateSize(world), '1Gi')
})

const cache = (deleteClaim: boolean, size = '256Mi'): Record<string, unknown> => ({
  pythonPackages: { packages: ['requests==2.32.3'], cache: { enabled: true, deleteClaim, size } },
})

await t.test(
  'given a packages cache that is to outlive its app, when the app goes, then the claim stays',
  async (t) => {
    const world = await settledApp('kept', cache(false))
    const name = 'orders-app-python-packages'
    const claim = await world.get('pvc', name)
    t.ok(claim)
    t.equal(claim?.metadata.ownerReferences, undefined)
    await patch(world, cache(false, '512Mi'))
    await until('the larger volume', async () => (await claims(world))[name] === '512Mi')
    await world.kubectl('delete', 'kapp', 'orders', '--timeout=60s')
    await until('the end of the pods', async () => (await world.pods('orders')).size === 0)
    t.equal((await world.get('pvc', name))?.metadata.uid, claim?.metadata.uid)
  },
)

await t.test(
  'given a cache that goes with its app, when that is switched off and on, then it is released and taken back',
  async (t) => {
    const world = await settledApp('released', cache(true))
    const name = 'orders-app-python-packages'
    const uid = (await world.get('pvc', name))?.metadata.uid
    await world.mark()
    await patch(world, cache(false))
    await until(
      'its release',
      async () => ((await world.get('pvc', name))?.metadata.ownerReferences ?? []).length === 0,
    )
    await world.settled('orders')
    await patch(world, cache(true))
    await until(
      'its adoption',
      async () => ((await world.get('pvc', name))?.metadata.ownerReferences ?? []).length === 1,
    )
    await world.settled('orders')
    t.equal((await world.get('pvc', name))?.metadata.uid, uid, 'the same claim all along')
    t.strictSame(await world.createsAndDeletes(), {}, 'and no pod has ended')
    await world.kubectl('delete', 'kapp', 'orders', '--timeout=60s')
    await until('the end of the claim', async () => (await world.get('pvc', name)) === undefined)
  },
)

t.end()
