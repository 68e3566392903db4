/**
 * Edits of an app that runs beside another one: what makes its pods stale rolls each of them exactly once, what does not
 * rolls none, and no pod of the other app ever ends.
 */
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { type AppObject, KasprWorld, kasprAgent, kasprApp } from './kaspr-world.ts'
import { type Stack, startStack } from './stack.ts'
import { until } from './until.ts'

t.setTimeout(900_000)

const env = { POLL_INTERVAL_SECONDS: '1', POLL_FAST_INTERVAL_SECONDS: '0.5' }
const [edited, neighbour] = ['orders', 'stock']

let stack: Stack
let world: KasprWorld
t.before(async () => {
  stack = await startStack({ name: 'kaspr-edits', env, members: { timeFactor: 0.01 } })
  world = await KasprWorld.open(stack, 'edits')
  await world.create(
    kasprApp(edited, { replicas: 2, storage: { type: 'ephemeral', size: '1Gi' } }),
    kasprAgent('enrich', edited, 'orders-raw'),
  )
  await world.create(
    kasprApp(neighbour, { replicas: 2, storage: { type: 'persistent-claim', size: '1Gi' } }),
    kasprAgent('count', neighbour, 'stock-raw'),
  )
  for (const app of [edited, neighbour]) {
    await until(`the StatefulSet of ${app}`, () => world.get('sts', `${app}-app`))
    await world.kubectl('scale', `sts/${app}-app`, '--replicas=2')
    await world.settled(app)
  }
})
t.after(() => stack.stop({ failed: !t.passing() }))

interface Edit {
  what: string
  /** Merge patch of `spec`. */
  spec: Record<string, unknown>
  /** Default: the one that is edited all the time. */
  app?: string
  /** Further creates, `create <resource> <name>`. */
  creates?: string[]
}

const rolling: Edit[] = [
  { what: 'a setting of the runtime', spec: { config: { topicReplicationFactor: 3 } } },
  { what: 'the version', spec: { version: '0.11.18' } },
  { what: 'the image', spec: { image: 'registry.example.com/streams/kaspr:0.11.19-shop1' } },
  { what: 'packages where there were none', spec: { pythonPackages: { packages: ['httpx'] } } },
  { what: 'one package more', spec: { pythonPackages: { packages: ['httpx', 'orjson>=3'] } } },
  {
    what: 'a shared volume for packages',
    spec: { pythonPackages: { cache: { enabled: true, size: '1Gi' } } },
    creates: ['create persistentvolumeclaims orders-app-python-packages'],
  },
  {
    what: 'the pod template in several places at once',
    spec: {
      resources: { requests: { cpu: '100m', memory: '64Mi' } },
      readinessProbe: {},
      template: {
        pod: { metadata: { labels: { tier: 'gold' } }, volumes: [{ name: 'scratch', emptyDir: {} }] },
        kasprContainer: {
          env: [{ name: 'LOG_FORMAT', value: 'json' }],
          volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }],
        },
      },
    },
  },
  { what: 'the limit of ephemeral storage', spec: { storage: { size: '2Gi' } } },
]

const still: Edit[] = [
  {
    what: 'labels and annotations of Services and ServiceAccount',
    spec: {
      template: {
        service: { metadata: { annotations: { 'example.com/scrape': 'true' } } },
        serviceAccount: { metadata: { labels: { identity: 'orders' } } },
      },
    },
  },
  { what: 'whether claims go with the app', spec: { storage: { deleteClaim: true } }, app: neighbour },
]

void t.test('an edit that makes pods stale rolls each pod of its app once, and no other', async (t) => {
  let revisions = await world.revisions(edited)
  for (const edit of rolling) {
    await carryOut(edit)
    revisions++
    t.equal(await world.revisions(edited), revisions, `${edit.what}: one roll`)
    t.same(await world.createsAndDeletes(), oneRoll(edit.creates), edit.what)
  }
  t.equal(await world.revisions(neighbour), 1, 'the other app has never rolled')
})

void t.test('an edit that leaves pods as they are ends none', async (t) => {
  for (const edit of still) {
    await carryOut(edit)
    t.same(await world.createsAndDeletes(), {}, edit.what)
  }
  const service = await world.get('svc', 'orders-app')
  t.match(service?.metadata.annotations, { 'example.com/scrape': 'true' })
  const set = await world.get<KubeObject & { spec: Record<string, unknown> }>('sts', 'stock-app')
  t.match(set?.spec, { replicas: 2, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } })
})

void t.test('kubectl rollout restart rolls each pod once, and nobody takes it back', async (t) => {
  const revisions = await world.revisions(edited)
  await world.mark()
  await world.kubectl('rollout', 'restart', `sts/${edited}-app`)
  await world.kubectl('rollout', 'status', `sts/${edited}-app`, '--timeout=60s')
  await world.settled(edited)
  // The next edit is merged with it: an edit that leaves pods as they are still ends none.
  await world.kubectl('patch', 'kapp', edited, '--type=merge', '-p', '{"spec":{"template":{"service":null}}}')
  await world.settled(edited)
  t.same(await world.createsAndDeletes(), oneRoll())
  t.equal(await world.revisions(edited), revisions + 1)
})

void t.test('an edit that cannot be carried out ends no pod, and the app says what stays', async (t) => {
  await carryOut({ what: 'the kind of storage', spec: { storage: { type: 'persistent-claim', size: '2Gi' } } })
  t.same(await world.createsAndDeletes(), {})
  const { status } = (await world.get<AppObject>('kapp', edited)) ?? {}
  t.match(
    status?.conditions?.find(({ type }) => type === 'Valid'),
    { status: 'True', reason: 'ImmutableFieldsKept', message: /spec\.storage\.type stays ephemeral/ },
  )
})

/** What is created and deleted in a roll of the edited app's two pods, once each. */
function oneRoll(creates: string[] = []): Record<string, number> {
  const pods = [0, 1].flatMap((id) => [`create pods ${edited}-app-${id}`, `delete pods ${edited}-app-${id}`])
  return Object.fromEntries([...pods, ...creates].sort().map((key) => [key, 1]))
}

/** Edits an app and waits until it has come to rest; counting begins with the edit. */
async function carryOut({ spec, app = edited }: Edit): Promise<void> {
  await world.mark()
  await world.kubectl('patch', 'kapp', app, '--type=merge', '-p', JSON.stringify({ spec }))
  await world.settled(app)
}

// With processes still running, the end has to be said; it stops them.
t.end()
