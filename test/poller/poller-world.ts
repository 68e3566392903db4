import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import type { Test } from 'tap'
import { request } from 'undici'
import type { KasprAppReport, KasprAppSpec } from '../../poller/kaspr/part.ts'
import { runPoller } from '../../poller/main.ts'
import type { RunningPoller } from '../../poller/main.ts'
import { observationsPath } from '../../poller/observation.ts'
import type { Observation } from '../../poller/observation.ts'
import { pollerSettings } from '../../poller/settings.ts'
import { shardLabel } from '../../webhooks/contract/shard.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { readSettings } from '../../webhooks/environment.ts'
import { startFakeApi } from '../fakes/api-server.ts'
import type { FakeApi } from '../fakes/api-server.ts'

const logger = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' })

/** Paths of the collections that are used. */
export const pods = '/api/v1/pods'

export const sets = '/apis/apps/v1/statefulsets'

/** Path of the Leases. */
export const leases = '/apis/coordination.k8s.io/v1/leases'

/** What a member says that has nothing to do. */
export const calm = { leader: false, rebalancing: false, recovering: false }

/** A world with an API server and members on loopback addresses, and pollers with short intervals. */
export class World {
  readonly api: FakeApi
  readonly pollers: RunningPoller[] = []
  /** What the member at an address says; undefined: 500. */
  readonly says = new Map<string, typeof calm | 'nothing'>()
  readonly asked: string[] = []
  port = 0

  constructor(api: FakeApi) {
    this.api = api
  }

  static async start(t: Test): Promise<World> {
    const world = new World(await startFakeApi())
    const members = createServer(({ socket, headers }, response) => {
      world.asked.push(String(headers.host))
      const flags = world.says.get(socket.localAddress ?? '')
      if (flags === undefined) response.writeHead(500).end()
      else if (flags !== 'nothing') response.end(JSON.stringify(flags))
    })
    await new Promise<void>((resolve) => members.listen(0, '0.0.0.0', resolve))
    world.port = (members.address() as AddressInfo).port
    t.teardown(async () => {
      await Promise.all(world.pollers.map((poller) => poller.stop()))
      await world.api.close()
      members.closeAllConnections()
      members.close()
    })
    return world
  }

  async poller(env: Record<string, string> = {}): Promise<RunningPoller> {
    const settings = readSettings(pollerSettings, {
      METRICS_PORT: '0',
      POD_NAME: 'poller',
      POLL_INTERVAL_SECONDS: '0.3',
      POLL_FAST_INTERVAL_SECONDS: '0.1',
      MEMBER_TIMEOUT_SECONDS: '0.5',
      LEASE_DURATION_SECONDS: '3',
      SHUTDOWN_SECONDS: '4',
      ...env,
    })
    const poller = await runPoller(settings, { logger, kubeconfig: this.api.kubeconfig })
    this.pollers.push(poller)
    return poller
  }

  app(name: string, changes: Partial<KasprAppSpec> = {}, generation = 1): void {
    const spec: KasprAppSpec = {
      app: { name, uid: `app-${name}` },
      statefulSet: `${name}-app`,
      selector: labelsOf(name),
      port: this.port,
      enabled: true,
      ...changes,
    }
    const shard = String(name.length % 64)
    this.api.put(observationsPath, {
      apiVersion: 'metacontroller.kaspr.io/v1alpha1',
      kind: 'Observation',
      metadata: { name: `kasprapp-${name}`, namespace: 'shop', generation, labels: { [shardLabel]: shard } },
      spec: { kasprApp: spec },
      ...(this.status(name) && { status: this.status(name) }),
    })
  }

  pod(app: string, id: number, ip: string, changes: object = {}): void {
    const name = `${app}-app-${id}`
    const metadata = { name, namespace: 'shop', labels: labelsOf(app), ...changes }
    const status = { phase: 'Running', podIP: ip, containerStatuses: [{ name: 'kaspr', state: { running: {} } }] }
    this.api.put(pods, { apiVersion: 'v1', kind: 'Pod', metadata, status })
  }

  set(
    app: string,
    replicas: number,
    owner = `app-${app}`,
    { claims, status }: { claims?: object[]; status?: object } = {},
  ): void {
    const ownerReferences = [{ apiVersion: 'k', kind: 'KasprApp', name: app, uid: owner, controller: true }]
    const metadata = { name: `${app}-app`, namespace: 'shop', labels: { 'controller-uid': owner }, ownerReferences }
    const spec = { replicas, ...(claims && { volumeClaimTemplates: claims }) }
    this.api.put(sets, { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec, ...(status && { status }) })
  }

  status(app: string): Observation['status'] {
    const found = this.api.objects(observationsPath).find(({ metadata }) => metadata.name === `kasprapp-${app}`)
    return (found as Observation | undefined)?.status
  }

  report(app: string): KasprAppReport | undefined {
    return this.status(app)?.['kasprApp'] as KasprAppReport | undefined
  }

  writes(): number {
    return this.api.requests.filter(({ method, path }) => method !== 'GET' && !path.includes('/leases')).length
  }

  events(): KubeObject[] {
    return this.api.objects('/api/v1/events')
  }
}

function labelsOf(app: string): Record<string, string> {
  return { 'kaspr.io/cluster': app, 'kaspr.io/name': `${app}-app`, 'kaspr.io/kind': 'KasprApp' }
}

/** Code and text of a path of the poller's own port. */
export async function get(poller: RunningPoller, path: string): Promise<{ code: number; text: string }> {
  const { statusCode, body } = await request(`http://127.0.0.1:${poller.port}${path}`)
  return { code: statusCode, text: await body.text() }
}
