import { Informer } from '../../poller/kube/informer.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { ordinalsOf } from '../../webhooks/rollout/batches.ts'
import { readRecord } from '../../webhooks/rollout/record.ts'
import { readSet } from '../../webhooks/rollout/stateful-set.ts'
import { type RolloutPod, trimPod } from '../../poller/rollout/pods.ts'
import type { Plane } from './plane.ts'
import { statefulSet } from './rollout-world.ts'

/** How many StatefulSets there are, how large, and how many pods of one are rolled at once. */
export interface FleetSize {
  sets: number
  replicas: number
  maxUnavailable: number
}

/** Many StatefulSets that are rolled at once, watched; for measuring. */
export class Fleet {
  readonly size: FleetSize
  readonly names: readonly string[]
  readonly namespace: string
  readonly #plane: Plane
  readonly #pods: Informer<RolloutPod>
  readonly #sets: Informer
  /** What waits for a change of a set or its pods, by name of the set. */
  readonly #waiting = new Map<string, Set<() => void>>()

  /** Watches; what there is not yet is made by `create`. */
  constructor(plane: Plane, namespace: string, size: FleetSize) {
    this.#plane = plane
    this.namespace = namespace
    this.size = size
    this.names = Array.from({ length: size.sets }, (_, index) => `web-${index}`)
    const { client } = plane
    this.#pods = new Informer<RolloutPod>({
      client,
      path: `/api/v1/namespaces/${namespace}/pods`,
      trim: trimPod,
      index: { owner: ({ owner }) => (owner === undefined ? [] : [owner.name]) },
      onEvent: ({ object: { owner } }) => this.#changed(owner?.name),
    })
    this.#sets = new Informer({
      client,
      path: `/apis/apps/v1/namespaces/${namespace}/statefulsets`,
      onEvent: ({ object }) => this.#changed(object.metadata.name),
    })
  }

  /** Makes the StatefulSets and waits until all pods are ready. */
  async create(): Promise<void> {
    const { namespace } = this
    await this.#plane.kubectl(['create', 'namespace', namespace])
    this.#pods.start()
    this.#sets.start()
    const annotations = { 'config.rollout-operator/max-unavailable': String(this.size.maxUnavailable) }
    const items = this.names.map((name) =>
      statefulSet(namespace, { name, replicas: this.size.replicas, image: 'web:0', annotations }),
    )
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    await this.#plane.kubectl(['create', '-f', '-'], { input })
    await Promise.all(this.names.map((name) => this.until(name, () => this.isReady(name))))
  }

  /** Gives all sets another template; the promises of a set are for when the StatefulSet controller has seen it. */
  async change(image: string): Promise<void> {
    const body = { spec: { template: { spec: { containers: [{ name: 'web', image }] } } } }
    const contentType = 'application/strategic-merge-patch+json'
    await Promise.all(
      this.names.map(async (name) => {
        const path = `/apis/apps/v1/namespaces/${this.namespace}/statefulsets/${name}`
        const { metadata } = await this.#plane.client.request<KubeObject>({ method: 'PATCH', path, body, contentType })
        await this.until(name, () => {
          const set = this.#sets.get(this.namespace, name)
          const { observedGeneration = 0 } = (set?.['status'] ?? {}) as { observedGeneration?: number }
          return observedGeneration >= (metadata.generation ?? Infinity)
        })
      }),
    )
  }

  /** Deletes the pods with these ordinals. */
  async delete(name: string, ordinals: readonly number[]): Promise<void> {
    await Promise.all(
      ordinals.map((ordinal) => {
        const path = `/api/v1/namespaces/${this.namespace}/pods/${name}-${ordinal}`
        return this.#plane.client.request({ method: 'DELETE', path })
      }),
    )
  }

  /** uids of the pods of a set. */
  uids(name: string): Set<string> {
    return new Set(this.#pods.indexed('owner', name).map(({ fact }) => fact.uid))
  }

  /** Whether each of the ordinals, or all, has a pod that is ready and stays. */
  isReady(name: string, ordinals: readonly number[] = ordinalsOf({ replicas: this.size.replicas, start: 0 })): boolean {
    return this.#ready(name, ordinals, () => true)
  }

  /** The same, and the pods are of the present template. */
  isUpdated(name: string, ordinals = ordinalsOf({ replicas: this.size.replicas, start: 0 })): boolean {
    const set = this.#sets.get(this.namespace, name)
    const target = set && readSet(set).target
    return target !== undefined && this.#ready(name, ordinals, ({ fact }) => fact.revision === target)
  }

  /** State of the rollout as it is recorded. */
  state(name: string): string {
    return readRecord(this.#sets.get(this.namespace, name)?.metadata.annotations).state
  }

  /** Waits for something about a set and its pods; asked again after each change of theirs. */
  async until(name: string, check: () => boolean): Promise<void> {
    if (check()) return
    const checks = this.#waiting.get(name) ?? new Set()
    this.#waiting.set(name, checks)
    await new Promise<void>((resolve) => {
      const again = (): void => {
        if (!check()) return
        checks.delete(again)
        resolve()
      }
      checks.add(again)
    })
  }

  async stop(): Promise<void> {
    await Promise.all([this.#pods.stop(), this.#sets.stop()])
  }

  #ready(name: string, ordinals: readonly number[], counts: (pod: RolloutPod) => boolean): boolean {
    const good = new Set(
      this.#pods
        .indexed('owner', name)
        .filter((pod) => pod.fact.readySince !== undefined && pod.fact.terminating !== true && counts(pod))
        .map(({ fact }) => fact.ordinal),
    )
    return ordinals.every((ordinal) => good.has(ordinal))
  }

  #changed(name: string | undefined): void {
    for (const check of [...(this.#waiting.get(name ?? '') ?? [])]) check()
  }
}
