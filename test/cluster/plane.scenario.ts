import { readFileSync } from 'node:fs'
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { createClient } from '../../poller/kube/client.ts'
import { startKasprMembers } from '../fakes/kaspr-members.ts'
import { startPlane } from './plane.ts'
import type { Plane } from './plane.ts'
import { until } from './until.ts'

t.setTimeout(180_000)

interface StatefulSet extends KubeObject {
  spec: { replicas: number }
  status: { readyReplicas?: number; replicas: number; updatedReplicas?: number }
}

interface Pod extends KubeObject {
  spec: { nodeName?: string }
  status: { podIP?: string; phase: string }
}

function statefulSet(name: string, replicas: number, storage = false): object {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      replicas,
      serviceName: name,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'none' }] } },
      ...(storage && {
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      }),
    },
  }
}

const sets = '/apis/apps/v1/namespaces/default/statefulsets'
const pods = '/api/v1/namespaces/default/pods'

/** Pods of a set by name. */
async function podsOf(plane: Plane, app: string): Promise<Pod[]> {
  const { items } = await plane.client.request<{ items: Pod[] }>({ path: pods, query: { labelSelector: `app=${app}` } })
  return items.sort((a, b) => a.metadata.name.localeCompare(b.metadata.name))
}

async function ready(plane: Plane, name: string, replicas: number): Promise<void> {
  await until(`${name} to have ${replicas} ready replicas`, async () => {
    const { status } = await plane.client.request<StatefulSet>({ path: `${sets}/${name}` })
    return (status.readyReplicas ?? 0) === replicas && status.replicas === replicas
  })
}

void t.test('a plane', async (t) => {
  const started = performance.now()
  const plane = await startPlane({ nodes: 2, name: 'scenario' })
  t.teardown(() => plane.stop({ failed: !t.passing() }))
  const seconds = (performance.now() - started) / 1000
  t.comment(`ready after ${seconds.toFixed(1)} s`)
  t.ok(seconds < 30, 'starts in seconds')

  await t.test('answers kubectl, with ready nodes and a default class', async (t) => {
    const { stdout } = await plane.kubectl(['version', '-o', 'json'])
    const { clientVersion, serverVersion } = JSON.parse(stdout) as Record<string, { gitVersion: string }>
    t.equal(serverVersion?.gitVersion, 'v1.36.3')
    t.equal(clientVersion?.gitVersion, 'v1.36.3')
    t.match((await plane.kubectl(['get', 'nodes'])).stdout, /node-0 +Ready .*\nnode-1 +Ready /)
    t.match((await plane.kubectl(['get', 'sc'])).stdout, /standard \(default\) .* true /)
    await t.rejects(plane.kubectl(['get', 'pod', 'nobody']), {
      message: /^kubectl get pod nobody failed with code 1: .*NotFound/,
    })
    t.equal((await plane.kubectl(['get', 'pod', 'nobody'], { allowFailure: true })).code, 1)
  })

  await t.test('runs a StatefulSet with claims, scales it and grows a claim', async (t) => {
    await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(statefulSet('web', 3, true)) })
    await ready(plane, 'web', 3)
    const running = await podsOf(plane, 'web')
    t.same(
      running.map(({ status }) => status.phase),
      ['Running', 'Running', 'Running'],
    )
    const inNetwork = new RegExp(`^${plane.podNetwork.replace(/0\.0\/16$/, '').replaceAll('.', '\\.')}\\d+\\.\\d+$`)
    for (const { status } of running) t.match(status.podIP, inNetwork)
    t.equal(new Set(running.map(({ status }) => status.podIP)).size, 3, 'each with its own address')

    await plane.kubectl(['scale', 'sts/web', '--replicas=1'])
    await ready(plane, 'web', 1)
    await until('two pods to go', async () => (await podsOf(plane, 'web')).length === 1)
    await plane.kubectl(['scale', 'sts/web', '--replicas=2'])
    await ready(plane, 'web', 2)

    const size = '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}'
    await plane.kubectl(['patch', 'pvc', 'data-web-0', '-p', size])
    await plane.kubectl(['wait', '--for=jsonpath={.status.capacity.storage}=2Gi', 'pvc/data-web-0', '--timeout=10s'])
    const claims = await plane.kubectl(['get', 'pvc', '-o', 'jsonpath={.items[*].status.phase}'])
    t.equal(claims.stdout, 'Bound Bound Bound')

    await plane.kubectl(['delete', 'sts/web', 'pvc/data-web-0', 'pvc/data-web-1', 'pvc/data-web-2'])
    await until('their volumes to go', async () => {
      const { items } = await plane.client.request<{ items: KubeObject[] }>({ path: '/api/v1/persistentvolumes' })
      return items.length === 0
    })
  })

  await t.test('replaces a deleted pod once', async (t) => {
    await plane.client.request({ method: 'POST', path: sets, body: statefulSet('solo', 1) })
    await ready(plane, 'solo', 1)
    const [before] = await podsOf(plane, 'solo')
    const mark = await plane.audit().mark()
    await plane.client.request({ method: 'DELETE', path: `${pods}/solo-0` })
    await until('another pod to run', async () => {
      const [pod] = await podsOf(plane, 'solo')
      return pod?.metadata.uid !== before?.metadata.uid && pod?.status.phase === 'Running'
    })
    await ready(plane, 'solo', 1)
    const created = (await plane.audit().since(mark)).filter(
      ({ verb, resource, subresource }) => verb === 'create' && resource === 'pods' && subresource === '',
    )
    t.equal(created.filter(({ code }) => code === 201).length, 1)
  })

  await t.test('lets a ServiceAccount do what its role says, and logs its name', async (t) => {
    await plane.kubectl(['create', 'serviceaccount', 'visitor'])
    const visitor = createClient({ kubeconfig: await plane.serviceAccountKubeconfig('default', 'visitor') })
    t.teardown(() => visitor.close())
    const mark = await plane.audit().mark()
    await t.rejects(visitor.request({ path: pods }), { message: /cannot list resource "pods"/ })
    await plane.kubectl(['create', 'role', 'reader', '--verb=list', '--resource=pods'])
    await plane.kubectl(['create', 'rolebinding', 'visitor', '--role=reader', '--serviceaccount=default:visitor'])
    await until('the role to hold', () => visitor.request({ path: pods }))
    await t.rejects(visitor.request({ method: 'DELETE', path: `${pods}/solo-0` }), {
      message: /cannot delete resource "pods"/,
    })
    const seen = (await plane.audit().since(mark)).filter(
      ({ user }) => user === 'system:serviceaccount:default:visitor',
    )
    t.match(seen[0], { verb: 'list', resource: 'pods', namespace: 'default', code: 403 })
    t.match(seen.at(-1), { verb: 'delete', resource: 'pods', namespace: 'default', name: 'solo-0', code: 403 })
    const role = (await plane.audit().since(mark)).find(({ resource }) => resource === 'roles')
    t.match(role, { user: 'admin', verb: 'create', group: 'rbac.authorization.k8s.io', name: 'reader', code: 201 })
  })

  await t.test('reaches a fake member at the address of its pod', async (t) => {
    const members = startKasprMembers()
    members.followPods(plane.client)
    t.teardown(() => members.close())
    const set = statefulSet('shop-app', 2) as {
      spec: { selector: { matchLabels: object }; template: { metadata: { labels: object } } }
    }
    set.spec.template.metadata.labels = set.spec.selector.matchLabels = {
      app: 'shop-app',
      'kaspr.io/kind': 'KasprApp',
      'kaspr.io/cluster': 'shop',
    }
    await plane.client.request({ method: 'POST', path: sets, body: set })
    await ready(plane, 'shop-app', 2)
    await until('both members', () => members.addresses().length === 2)
    const addresses = (await podsOf(plane, 'shop-app')).map(({ status }) => status.podIP)
    t.same(members.addresses().sort(), addresses.sort())
    t.equal((await fetch(`http://${addresses[0]}:6065/status/`)).status, 200)
    await plane.kubectl(['delete', 'sts/shop-app'])
    await until('both to end', () => members.addresses().length === 0)
    await t.rejects(fetch(`http://${addresses[0]}:6065/status/`))
  })

  await t.test('settles after many deletions with no operator at work', async (t) => {
    const names = Array.from({ length: 100 }, (_, index) => `many-${index}`)
    await Promise.all(
      names.map((name) => plane.client.request({ method: 'POST', path: sets, body: statefulSet(name, 2) })),
    )
    const all = async (): Promise<StatefulSet[]> =>
      (await plane.client.request<{ items: StatefulSet[] }>({ path: sets })).items.filter(({ metadata }) =>
        metadata.name.startsWith('many-'),
      )
    const settled = async (): Promise<boolean> =>
      (await all()).filter(({ status }) => status.readyReplicas === 2 && status.replicas === 2).length === names.length
    await until('200 pods to run', settled, { limitMs: 60_000, everyMs: 250 })

    const before = new Set((await many()).map(({ metadata }) => metadata.uid))
    const mark = await plane.audit().mark()
    await Promise.all(
      names.flatMap((name) =>
        [0, 1].map((ordinal) => plane.client.request({ method: 'DELETE', path: `${pods}/${name}-${ordinal}` })),
      ),
    )
    await until(
      '200 new pods to run',
      async () => {
        const now = await many()
        return (
          now.length === 200 &&
          now.every(({ metadata, status }) => !before.has(metadata.uid) && status.phase === 'Running') &&
          settled()
        )
      },
      { limitMs: 60_000, everyMs: 250 },
    )
    const log = (await plane.audit().since(mark)).filter(
      ({ resource, name }) => resource === 'pods' && name.startsWith('many-'),
    )
    const count = (verb: string): number =>
      log.filter((entry) => entry.verb === verb && entry.subresource === '' && entry.code < 300).length
    t.equal(count('create'), 200, 'each pod was replaced once')
    t.equal(count('delete'), 400, 'asked to stop once, stopped once')
  })

  /** Pods of the sets above. */
  async function many(): Promise<Pod[]> {
    const { items } = await plane.client.request<{ items: Pod[] }>({ path: pods })
    return items.filter(({ metadata }) => metadata.name.startsWith('many-'))
  }

  await t.test('goes on after its API server was away', async (t) => {
    t.same(await plane.stopApiServer(), { code: 0, signal: null })
    await t.rejects(plane.client.request({ method: 'POST', path: sets, body: {} }))
    await plane.startApiServer()
    await plane.client.request({
      method: 'PATCH',
      path: `${sets}/solo`,
      body: { spec: { replicas: 2 } },
      contentType: 'application/merge-patch+json',
    })
    await ready(plane, 'solo', 2)
    await plane.kubectl(['delete', 'pod', 'solo-1', '--timeout=20s'])
    await ready(plane, 'solo', 2)
  })

  await t.test('runs further processes and tells how they ended', async (t) => {
    const server = plane.spawn(
      'helper',
      process.execPath,
      ['-e', 'console.log(process.env.GREETING); setInterval(() => {}, 1e6)'],
      { GREETING: 'hello' },
    )
    await until('its log', () => readFileSync(server.logFile, 'utf8') === 'hello\n')
    server.kill('SIGKILL')
    t.same(await server.exited, { code: null, signal: 'SIGKILL' })
    t.same(await plane.spawn('helper', 'sh', ['-c', 'exit 4']).exited, { code: 4, signal: null })
  })
})
