import { readFile } from 'node:fs/promises'
import { ApiError } from '../../poller/kube/client.ts'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { configPrefix, recordPrefix } from '../../webhooks/rollout/names.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import type { RolloutReport } from '../../webhooks/rollout/pods.ts'
import type { AuditEntry } from './audit.ts'
import { RolloutJournal } from './rollout-journal.ts'
import type { Stack } from './stack.ts'
import { until } from './until.ts'

/** What a scenario chooses about a StatefulSet. */
export interface SetChoices {
  name?: string
  replicas?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  /** Annotations by which users configure rollouts, without their prefix. */
  config?: Record<string, string>
  /** Merged into the spec. */
  spec?: Record<string, unknown>
  /** Version of the template. */
  image?: string
  /** Merged into the spec of the pods. */
  podSpec?: Record<string, unknown>
}

/** A StatefulSet that is rolled out, as users write it. */
export function statefulSet(namespace: string, choices: SetChoices = {}): KubeObject {
  const { name = 'web', replicas = 4, labels, annotations, config = {}, spec, image = 'web:1', podSpec } = choices
  const podLabels = { app: name }
  const configured = Object.entries(config).map(([key, value]) => [configPrefix + key, value])
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name,
      namespace,
      labels: labels ?? { 'rollout-operator/enabled': 'true' },
      annotations: { ...annotations, ...(Object.fromEntries(configured) as Record<string, string>) },
    },
    spec: {
      replicas,
      serviceName: name,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      selector: { matchLabels: podLabels },
      template: {
        metadata: { labels: podLabels },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'web', image }], ...podSpec },
      },
      ...spec,
    },
  }
}

export interface SetStatus {
  observedGeneration?: number
  readyReplicas?: number
  availableReplicas?: number
  updateRevision?: string
}

type Pod = KubeObject & { spec: { containers: { image: string }[] }; status?: { phase?: string } }
type RolloutObservation = KubeObject & {
  spec: { rollout: RolloutOrder }
  status?: { rollout?: RolloutReport; conditions?: Condition[] }
}

/** Whether a request of a poller deletes or evicts a pod. */
export function isDeletion({ user, verb, resource, subresource }: AuditEntry): boolean {
  return user.endsWith('-poller') && resource === 'pods' && (verb === 'delete' || subresource === 'eviction')
}

/** Between two looks: several scenarios look at once, on machines with few cores. */
const everyMs = 100
/** Longest rollout, on a busy machine. */
const limitMs = 120_000

/** StatefulSets of one namespace, and what a rollout does to them. */
export class RolloutWorld {
  readonly stack: Stack
  readonly namespace: string
  readonly journal: RolloutJournal
  #mark = 0

  private constructor(stack: Stack, namespace: string) {
    this.stack = stack
    this.namespace = namespace
    this.journal = new RolloutJournal(stack.plane.client, namespace)
  }

  /** Makes the namespace, and watches it until {@link close}. */
  static async open(stack: Stack, namespace: string): Promise<RolloutWorld> {
    await stack.plane.kubectl(['create', 'namespace', namespace])
    const world = new RolloutWorld(stack, namespace)
    await world.journal.start()
    await until('the default ServiceAccount', () => world.#read('api/v1', 'serviceaccounts', 'default'))
    return world
  }

  async close(): Promise<void> {
    await this.journal.stop()
  }

  async kubectl(...args: string[]): Promise<string> {
    return (await this.stack.plane.kubectl(['-n', this.namespace, ...args])).stdout
  }

  async apply(...objects: KubeObject[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    await this.stack.plane.kubectl(['apply', '-f', '-'], { input })
  }

  /** Applies a StatefulSet, as users do to make or change one. */
  async deploy(choices: SetChoices = {}): Promise<void> {
    await this.apply(statefulSet(this.namespace, choices))
  }

  /** Applies a StatefulSet, waits for its pods, and counts from then on. */
  async running(choices: SetChoices = {}): Promise<void> {
    await this.deploy(choices)
    await this.settled(choices.name)
    await this.mark()
  }

  /** Counts deletions from now on. */
  async mark(): Promise<void> {
    this.#mark = await this.stack.plane.audit().mark()
    this.journal.reset()
  }

  async set(name = 'web'): Promise<(KubeObject & { status?: SetStatus }) | undefined> {
    return this.#read('apis/apps/v1', 'statefulsets', name)
  }

  async observation(name = 'web'): Promise<RolloutObservation | undefined> {
    return this.#read('apis/metacontroller.kaspr.io/v1alpha1', 'observations', `rollout-${name}`)
  }

  /** A condition of the Observation, as `status/reason`. */
  async condition(type: string, name = 'web'): Promise<string | undefined> {
    const found = (await this.observation(name))?.status?.conditions?.find((condition) => condition.type === type)
    return found && `${found.status}/${found.reason}`
  }

  async pod(name: string): Promise<Pod | undefined> {
    return this.#read('api/v1', 'pods', name)
  }

  /** Images of all pods in the namespace, by name. */
  async images(): Promise<Record<string, string | undefined>> {
    const path = `/api/v1/namespaces/${this.namespace}/pods`
    const { items } = await this.stack.plane.client.request<{ items: Pod[] }>({ path })
    return Object.fromEntries(items.map(({ metadata, spec }) => [metadata.name, spec.containers[0]?.image]))
  }

  /** One of the annotations that the operator writes. */
  async record(key: string, name = 'web'): Promise<string | undefined> {
    return (await this.set(name))?.metadata.annotations?.[recordPrefix + key]
  }

  /** Waits until all pods are available and the StatefulSet controller has seen the last change. */
  async settled(name = 'web'): Promise<void> {
    await this.until(`${name} to be ready`, async () => {
      const set = await this.set(name)
      const { replicas = 1 } = (set?.['spec'] ?? {}) as { replicas?: number }
      const { observedGeneration, availableReplicas = 0 } = set?.status ?? {}
      return set !== undefined && observedGeneration === set.metadata.generation && availableReplicas === replicas
    })
  }

  /** Waits for a value of the record. */
  async recorded(key: string, value: string, name = 'web'): Promise<void> {
    await this.until(`${key} of ${name} to be ${value}`, async () => (await this.record(key, name)) === value)
  }

  /** Waits for a state of the rollout. */
  async reached(state: string, name = 'web'): Promise<void> {
    await this.recorded('state', state, name)
  }

  /** Waits for the end of the rollout of the present template. */
  async rolled(name = 'web'): Promise<void> {
    await this.until(`${name} to be rolled out`, async () => {
      const { metadata, status } = (await this.set(name)) ?? {}
      const record = (key: string): string | undefined => metadata?.annotations?.[recordPrefix + key]
      const isSeen = status?.observedGeneration === metadata?.generation
      const isDone = record('state') === 'done' && record('last-revision') === status?.updateRevision
      return metadata !== undefined && isSeen && isDone
    })
  }

  /** What the hooks have failed at, for whomever: lines of their log. */
  async hookErrors(): Promise<string[]> {
    const log = await readFile(this.stack.hooks.running.logFile, 'utf8')
    return log.split('\n').filter((line) => line.includes('"level":"error"'))
  }

  /** Successful requests to this namespace since the mark. */
  async requests(): Promise<AuditEntry[]> {
    const entries = await this.stack.plane.audit().since(this.#mark)
    return entries.filter(({ namespace, code }) => namespace === this.namespace && code < 400)
  }

  /** Pods that pollers have deleted or evicted since the mark, in their order. */
  async deletions(): Promise<string[]> {
    return (await this.requests()).filter(isDeletion).map(({ name }) => name)
  }

  /** Waits until so many pods have begun to end, whoever wanted that. */
  async deleted(count: number): Promise<void> {
    await this.until(`${count} deletions`, () => this.journal.endings.length >= count)
  }

  /** The pod is not ready any more, and kwok leaves it so. */
  async breakPod(name: string): Promise<void> {
    await this.#setReady(name, 'False')
  }

  async mendPod(name: string): Promise<void> {
    await this.#setReady(name, 'True')
  }

  /** Waits as long as a rollout may take. */
  async until<T>(what: string, check: () => T | Promise<T>): Promise<void> {
    await until(`${this.namespace}: ${what}`, check, { limitMs, everyMs })
  }

  async #setReady(name: string, status: string): Promise<void> {
    const condition = { type: 'Ready', status, lastTransitionTime: new Date().toISOString().replace(/\.\d+/, '') }
    await this.stack.plane.client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${this.namespace}/pods/${name}/status`,
      contentType: 'application/strategic-merge-patch+json',
      body: { status: { conditions: [condition] } },
    })
  }

  async #read<T extends KubeObject>(api: string, resource: string, name: string): Promise<T | undefined> {
    try {
      const path = `/${api}/namespaces/${this.namespace}/${resource}/${name}`
      return await this.stack.plane.client.request<T>({ path })
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined
      throw error
    }
  }
}
