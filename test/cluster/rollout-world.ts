import type { KubeObject } from '../../webhooks/contract/types.ts'
import { recordPrefix } from '../../webhooks/rollout/names.ts'
import type { Stack } from './stack.ts'
import { until } from './until.ts'

/** What a scenario chooses about a StatefulSet. */
export interface SetChoices {
  name?: string
  replicas?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  /** Merged into the spec. */
  spec?: Record<string, unknown>
  /** Version of the template. */
  image?: string
}

/** A StatefulSet that is rolled out, as users write it. */
export function statefulSet(namespace: string, choices: SetChoices = {}): KubeObject {
  const { name = 'web', replicas = 4, labels, annotations = {}, spec, image = 'web:1' } = choices
  const podLabels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace, labels: labels ?? { 'rollout-operator/enabled': 'true' }, annotations },
    spec: {
      replicas,
      serviceName: name,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      selector: { matchLabels: podLabels },
      template: {
        metadata: { labels: podLabels },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'web', image }] },
      },
      ...spec,
    },
  }
}

interface SetStatus {
  observedGeneration?: number
  readyReplicas?: number
  availableReplicas?: number
  updateRevision?: string
}

/** StatefulSets of one namespace, and what a rollout does to them. */
export class RolloutWorld {
  readonly stack: Stack
  readonly namespace: string

  private constructor(stack: Stack, namespace: string) {
    this.stack = stack
    this.namespace = namespace
  }

  /** Makes the namespace. */
  static async open(stack: Stack, namespace: string): Promise<RolloutWorld> {
    await stack.plane.kubectl(['create', 'namespace', namespace])
    return new RolloutWorld(stack, namespace)
  }

  async kubectl(...args: string[]): Promise<string> {
    return (await this.stack.plane.kubectl(['-n', this.namespace, ...args])).stdout
  }

  async apply(...objects: KubeObject[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    await this.stack.plane.kubectl(['apply', '-f', '-'], { input })
  }

  /** Applies a StatefulSet of that image. */
  async deploy(choices: SetChoices = {}): Promise<void> {
    await this.apply(statefulSet(this.namespace, choices))
  }

  async get<T = KubeObject>(...args: string[]): Promise<T | undefined> {
    const text = await this.kubectl('get', '--ignore-not-found', '-o', 'json', ...args)
    return text === '' ? undefined : (JSON.parse(text) as T)
  }

  async set(name = 'web'): Promise<(KubeObject & { status?: SetStatus }) | undefined> {
    return this.get(`statefulset/${name}`)
  }

  /** One of the annotations that the operator writes. */
  async record(key: string, name = 'web'): Promise<string | undefined> {
    return (await this.set(name))?.metadata.annotations?.[recordPrefix + key]
  }

  /** Waits until all pods are ready and the StatefulSet controller has seen the last change. */
  async settled(name = 'web'): Promise<void> {
    await until(`${this.namespace}/${name} to be ready`, async () => {
      const set = await this.set(name)
      const { replicas = 1 } = (set?.['spec'] ?? {}) as { replicas?: number }
      const { observedGeneration, readyReplicas = 0 } = set?.status ?? {}
      return set !== undefined && observedGeneration === set.metadata.generation && readyReplicas === replicas
    })
  }

  /** Waits for a state of the rollout. */
  async reached(state: string, name = 'web'): Promise<void> {
    const limitMs = 120_000
    await until(`${name} to be ${state}`, async () => (await this.record('state', name)) === state, { limitMs })
  }
}
