/** The poller's part of rollouts at work: real watches, queue and client, against a fake API server. */
import type { BaseLogger } from 'pino'
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import type { Clock } from '../../poller/clock.ts'
import { Controller } from '../../poller/controller.ts'
import { createClient } from '../../poller/kube/client.ts'
import { type Observation, observationsPath } from '../../poller/observation.ts'
import { Rollouts } from '../../poller/rollout/index.ts'
import type { RolloutsOptions } from '../../poller/rollout/index.ts'
import { RolloutMetrics } from '../../poller/rollout/metrics.ts'
import { podSelector } from '../../poller/rollout/pods.ts'
import { shardLabel } from '../../webhooks/contract/shard.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { podIndexLabel, revisionLabel } from '../../webhooks/rollout/pod-facts.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { RolloutReport } from '../../webhooks/rollout/pods.ts'
import { startFakeApi } from '../fakes/api-server.ts'
import type { FakeApi, Fault, SeenRequest } from '../fakes/api-server.ts'
import { noon, rfc3339, type SetChanges } from '../webhooks/rollout-world.ts'
import { until } from '../webhooks/until.ts'
import { everywhere, orderOf, rollingSet } from './rollout-orders.ts'

export const podsPath = '/api/v1/pods'
export const setsPath = '/apis/apps/v1/statefulsets'

/** Real time that can be made to jump ahead; it begins at noon. */
export class JumpingClock implements Clock {
  readonly #start = performance.now()
  #ahead = 0
  readonly #timers = new Set<{ at: number; run: () => void; timer: NodeJS.Timeout }>()

  now(): number {
    return performance.now() - this.#start + this.#ahead
  }

  date(): Date {
    return new Date(noon * 1000 + this.now())
  }

  after(ms: number, run: () => void): () => void {
    const cancel = (): void => {
      clearTimeout(entry.timer)
      this.#timers.delete(entry)
    }
    const fire = (): void => {
      cancel()
      run()
    }
    const entry = { at: this.now() + ms, run: fire, timer: setTimeout(fire, Math.min(ms, 2 ** 30)) }
    this.#timers.add(entry)
    return cancel
  }

  jump(ms: number): void {
    this.#ahead += ms
    for (const { at, run } of [...this.#timers]) if (at <= this.now()) run()
  }
}

/** Words of `pods` in test/webhooks/rollout-world.ts. */
type Word = 'new' | 'old' | 'NEW' | 'OLD' | 'gone'

/** A pod of `shop/web` as the API server has it. */
export function kubePod(ordinal: number, word: Word, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  const name = `web-${ordinal}`
  const isReady = word === 'new' || word === 'old'
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${ordinal}-${word.toLowerCase()}`,
      creationTimestamp: rfc3339(noon - 3600),
      labels: {
        app: 'web',
        [podSelector]: name,
        [podIndexLabel]: String(ordinal),
        [revisionLabel]: word.toLowerCase() === 'new' ? 'web-new' : 'web-old',
      },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-web', controller: true }],
      ...(word === 'gone' && { deletionTimestamp: rfc3339(noon) }),
      ...metadata,
    },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: rfc3339(noon - 3000) }],
    },
  }
}

/** `shop/web` with a selector, as its pods are labelled. */
export function kubeSet(ordinals: readonly number[], changes: SetChanges = {}): KubeObject {
  const set = rollingSet(ordinals, changes)
  return { ...set, spec: { ...(set['spec'] as object), selector: { matchLabels: { app: 'web' } } } }
}

export function observationOf(order: RolloutOrder, changes: Partial<Observation['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'metacontroller.kaspr.io/v1alpha1',
    kind: 'Observation',
    metadata: {
      name: 'rollout-web',
      namespace: 'shop',
      generation: 1,
      labels: { [shardLabel]: '1' },
      creationTimestamp: rfc3339(noon - 60),
      ...changes,
    },
    spec: { rollout: order },
  }
}

/** One poller. */
export interface Poller {
  rollouts: Rollouts
  controller: Controller
  /** What the log tells of deletions that came to nothing. */
  failures: { state: string; reason: string; pauseMs: number }[]
  /** Shards that it may act on. */
  shards: Set<number>
  stop: () => Promise<void>
}

export class RolloutsWorld {
  readonly api: FakeApi
  readonly clock = new JumpingClock()
  /** Asked before each request is served, as `fault` of the API server is. */
  onRequest: (request: SeenRequest) => Fault | undefined = () => undefined
  /** Times of requests that delete or evict, milliseconds. */
  readonly attempts: number[] = []
  /** uids of pods whose deletion or eviction was accepted. */
  readonly deleted: string[] = []
  readonly #silent = new Set<string>()

  constructor(api: FakeApi) {
    this.api = api
    api.fault = (request) => {
      if (isDeletion(request)) this.attempts.push(this.clock.now())
      if (request.watch && this.#silent.has(request.path)) return 'hang'
      return this.onRequest(request) ?? this.#delete(request)
    }
  }

  /** The report as it stands. */
  get report(): RolloutReport | undefined {
    return this.observation?.status?.['rollout'] as RolloutReport | undefined
  }

  get observation(): Observation | undefined {
    return this.api.objects(observationsPath)[0] as Observation | undefined
  }

  condition(name: string): string {
    const found = this.observation?.status?.conditions?.find(({ type }) => type === name)
    return `${found?.status} ${found?.reason}: ${found?.message}`
  }

  /** What a rollout has been asked for and told, in order: `announce 2,3`, `write`, `read 2`, `delete 2`, `evict 2`. */
  log(): string[] {
    return this.api.requests.flatMap(({ method, path, body }) => {
      const ordinal = /\/pods\/web-(\d+)/.exec(path)?.[1]
      if (method === 'PUT' && path.endsWith('/status')) {
        const { deleting } = (body as { status: { rollout: RolloutReport } }).status.rollout
        return deleting === undefined ? ['write'] : [`announce ${deleting.uids.map((uid) => uid.split('-')[1]).join()}`]
      }
      if (ordinal === undefined) return []
      return [`${path.endsWith('/eviction') ? 'evict' : method === 'GET' ? 'read' : 'delete'} ${ordinal}`]
    })
  }

  /** Bodies of deletions and evictions. */
  deletions(): Record<string, unknown>[] {
    return this.api.requests.filter(isDeletion).map(({ body }) => body as Record<string, unknown>)
  }

  put(...objects: KubeObject[]): void {
    const paths: Record<string, string> = { Pod: podsPath, StatefulSet: setsPath, Observation: observationsPath }
    for (const object of objects) this.api.put(paths[object.kind] ?? '', object)
  }

  pod(ordinal: number): KubeObject | undefined {
    return this.api.objects(podsPath).find(({ metadata }) => metadata.name === `web-${ordinal}`)
  }

  /** The kubelet is done with a pod, and the StatefulSet makes it again. */
  replace(ordinal: number, word: Word): void {
    this.api.remove(podsPath, 'shop', `web-${ordinal}`)
    this.put(kubePod(ordinal, word))
  }

  /** Watches of the path tell nothing any more, as when they lag. */
  silence(path: string): void {
    this.#silent.add(path)
    for (const watch of this.api.watches) if (watch.path === path) watch.silence()
  }

  /** Waits, while the poller's time goes by in steps. */
  async until(condition: () => boolean, stepMs = 0): Promise<void> {
    await until(() => {
      if (condition()) return true
      if (stepMs > 0) this.clock.jump(stepMs)
      return false
    }, 20_000)
  }

  poller(t: Test, changes: Partial<RolloutsOptions> = {}): Poller {
    const { clock } = this
    const client = createClient({ kubeconfig: this.api.kubeconfig })
    const failures: Poller['failures'] = []
    const shards = new Set([1])
    const info = (object: Poller['failures'][number]): void => {
      if ('pauseMs' in object) failures.push(object)
    }
    const silent = (): void => undefined
    const logger = { info, warn: silent, error: silent } as unknown as BaseLogger
    const rollouts: Rollouts = new Rollouts({
      client,
      clock,
      settings: everywhere,
      wake: (index, key) => controller.wake(index, key),
      mayAct: (shard) => shards.has(shard),
      intervalMs: 10_000,
      timeoutMs: 5_000,
      dryRun: false,
      log: silent,
      countdownSeconds: 60,
      metrics: new RolloutMetrics(new Registry(), 'full'),
      logger,
      ...changes,
    })
    const controller: Controller = new Controller({
      client,
      clock,
      reporters: [rollouts],
      mayAct: (shard) => shards.has(shard),
      record: () => undefined,
      queue: { workers: 4, minIntervalMs: 1, backoffMs: 20 },
    })
    const stop = async (): Promise<void> => {
      await controller.queue.stop(1000)
      await Promise.all([controller.observations, ...rollouts.watches().map(([, watch]) => watch)].map((w) => w.stop()))
      await client.close()
    }
    t.teardown(stop)
    controller.observations.start()
    controller.select([1])
    return { rollouts, controller, failures, shards, stop }
  }

  /** Pods go gracefully: they stay, terminating, until {@link replace}. */
  #delete(request: SeenRequest): Fault | undefined {
    if (!isDeletion(request)) return undefined
    const isEviction = request.method === 'POST'
    const name = /\/pods\/([^/]+)/.exec(request.path)?.[1] ?? ''
    const found = this.api.objects(podsPath).find(({ metadata }) => metadata.name === name)
    const body = request.body as Preconditioned & { deleteOptions?: Preconditioned }
    const { preconditions } = isEviction ? (body.deleteOptions ?? {}) : body
    const failed = (status: number, reason: string): Fault => ({
      status,
      body: { kind: 'Status', reason, message: reason },
    })
    if (found === undefined) return failed(404, 'NotFound')
    const { uid, resourceVersion } = found.metadata
    if (
      (preconditions?.uid ?? uid) !== uid ||
      (preconditions?.resourceVersion ?? resourceVersion) !== resourceVersion
    ) {
      return failed(409, 'Conflict')
    }
    this.deleted.push(uid ?? '')
    const metadata = { ...found.metadata, deletionTimestamp: rfc3339(noon) }
    const deleted = this.api.put(podsPath, { ...found, metadata })
    return { status: 200, body: isEviction ? { kind: 'Status', status: 'Success' } : deleted }
  }
}

interface Preconditioned {
  preconditions?: { uid?: string; resourceVersion?: string }
}

function isDeletion({ method, path }: SeenRequest): boolean {
  return path.includes('/pods/') && (method === 'DELETE' || (method === 'POST' && path.endsWith('/eviction')))
}

/** A world of the set `shop/web`, by default of 4 old pods of which 2 and 3 are to be deleted; nobody looks at it yet. */
export async function rolloutsWorld(
  t: Test,
  { set = kubeSet([2, 3]), order = orderOf([2, 3]), pods = 'old old old old', start = 0 } = {},
): Promise<RolloutsWorld> {
  const world = new RolloutsWorld(await startFakeApi())
  t.teardown(() => world.api.close())
  const words = pods.split(' ').map((word, index) => [start + index, word] as const)
  world.put(set, observationOf(order))
  world.put(...words.filter(([, word]) => word !== '-').map(([ordinal, word]) => kubePod(ordinal, word as Word)))
  return world
}
