import type { KubeObject } from '../../webhooks/contract/types.ts'
import type { AuditEntry } from './audit.ts'
import type { Stack } from './stack.ts'
import { until } from './until.ts'

/** One namespace of a stack as its user sees it: applies resources, waits for states, counts what was done for them. */
export class KasprWorld {
  readonly stack: Stack
  readonly namespace: string
  #mark = 0
  #ended = 0

  constructor(stack: Stack, namespace: string) {
    this.stack = stack
    this.namespace = namespace
  }

  /** Creates the namespace and starts to count. */
  static async open(stack: Stack, namespace: string): Promise<KasprWorld> {
    await stack.plane.kubectl(['create', 'namespace', namespace])
    await until('the default ServiceAccount', () =>
      stack.plane.client.request({ path: `/api/v1/namespaces/${namespace}/serviceaccounts/default` }),
    )
    const world = new KasprWorld(stack, namespace)
    await world.mark()
    return world
  }

  async mark(): Promise<void> {
    this.#mark = await this.stack.plane.audit().mark()
    this.#ended = this.stack.endedPods.length
  }

  /** Requests to this namespace since the mark. */
  async requests(): Promise<AuditEntry[]> {
    const entries = await this.stack.plane.audit().since(this.#mark)
    return entries.filter(({ namespace, code }) => namespace === this.namespace && code < 400)
  }

  /** Successful creates and deletes since the mark, `verb resource name` to count; pods of a set by ordinal. */
  async createsAndDeletes(): Promise<Record<string, number>> {
    const counts = new Map<string, number>()
    for (const { verb, resource, name, subresource, user } of await this.requests()) {
      if (!['create', 'delete'].includes(verb) || subresource !== '' || !counted.includes(resource)) continue
      if (user === 'kubelet' || user === 'admin') continue
      // The StatefulSet controller may ask again for the end of a pod that it does not see going yet: ends are counted.
      if (verb === 'delete' && resource === 'pods') continue
      const key = `${verb} ${resource} ${name}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const { metadata } of await this.#endedPods()) {
      const key = `delete pods ${metadata.name}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return Object.fromEntries([...counts].sort())
  }

  /** Pods of this namespace that came to their end since the mark. */
  async #endedPods(): Promise<KubeObject[]> {
    const { plane, pods, endedPods } = this.stack
    const uids = (objects: KubeObject[]): string => String(objects.map(({ metadata }) => metadata.uid).sort())
    await until('the watch of pods to have caught up', async () => {
      const { items } = await plane.client.request<{ items: KubeObject[] }>({
        path: `/api/v1/namespaces/${this.namespace}/pods`,
      })
      return uids(items) === uids(pods.list().filter(({ metadata }) => metadata.namespace === this.namespace))
    })
    return endedPods.slice(this.#ended).filter(({ metadata }) => metadata.namespace === this.namespace)
  }

  async kubectl(...args: string[]): Promise<string> {
    const { stdout } = await this.stack.plane.kubectl(['-n', this.namespace, ...args])
    return stdout.trimEnd()
  }

  async apply(...objects: KubeObject[]): Promise<void> {
    const items = objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace: this.namespace } }))
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    await this.stack.plane.kubectl(['apply', '-f', '-'], { input })
  }

  /**
   * Creates components, waits until they are Ready, and then creates their app: an app that exists before its components
   * are seen starts without them, and rolls when they come.
   */
  async create(app: KubeObject, ...components: KubeObject[]): Promise<void> {
    await this.ready(...components)
    await this.apply(app)
  }

  /** Creates components and waits until their ConfigMaps hold the definitions. */
  async ready(...components: KubeObject[]): Promise<void> {
    await this.apply(...components)
    const names = components.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`)
    await this.kubectl('wait', '--for=condition=Ready', ...names, '--timeout=60s')
  }

  /** An object as JSON, or `undefined`. */
  async get<T = KubeObject>(resource: string, name: string): Promise<T | undefined> {
    const { stdout, code } = await this.stack.plane.kubectl(
      ['-n', this.namespace, 'get', resource, name, '-o', 'json'],
      { allowFailure: true },
    )
    return code === 0 ? (JSON.parse(stdout) as T) : undefined
  }

  /** `kubectl wait` for a condition of an app. */
  async waitFor(app: string, condition: string): Promise<void> {
    await this.kubectl('wait', `--for=condition=${condition}`, `kapp/${app}`, '--timeout=60s')
  }

  /** Waits until an app is Ready at its present generation and has come to rest. */
  async settled(app: string): Promise<void> {
    await until(
      `${this.namespace}/${app} to settle`,
      async () => {
        const object = await this.get<AppObject>('kapp', app)
        if (object?.status?.observedGeneration !== object?.metadata.generation) return undefined
        const conditions = new Map(object?.status?.conditions?.map(({ type, status }) => [type, status]))
        return conditions.get('Ready') === 'True' && conditions.get('Progressing') === 'False'
      },
      { limitMs: 60_000, everyMs: 200 },
    )
  }

  /** Pods of an app by name: uid, and values of environment variables. */
  async pods(app: string): Promise<Map<string, { uid: string; env: Record<string, string | undefined> }>> {
    const list = JSON.parse(await this.kubectl('get', 'pods', '-l', `kaspr.io/cluster=${app}`, '-o', 'json')) as {
      items: PodObject[]
    }
    return new Map(
      list.items.map(({ metadata, spec }) => [
        metadata.name,
        {
          uid: metadata.uid ?? '',
          env: Object.fromEntries((spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value])),
        },
      ]),
    )
  }

  /** Revisions that the set of an app has had: one more for each roll. */
  async revisions(app: string): Promise<number> {
    const list = JSON.parse(
      await this.kubectl('get', 'controllerrevisions', '-l', `kaspr.io/cluster=${app}`, '-o', 'json'),
    ) as { items: unknown[] }
    return list.items.length
  }
}

/** What is created and deleted on behalf of an app, by us and by the StatefulSet controller. */
const counted = [
  'configmaps',
  'services',
  'serviceaccounts',
  'statefulsets',
  'horizontalpodautoscalers',
  'observations',
  'pods',
  'persistentvolumeclaims',
]

export interface AppObject extends KubeObject {
  status?: {
    observedGeneration?: number
    availableMembers?: string
    members?: { id: number; reachable: boolean }[]
    conditions?: { type: string; status: string; reason: string; message: string }[]
  }
}

interface PodObject extends KubeObject {
  spec: { containers: { env?: { name: string; value?: string }[] }[] }
}

/** A KasprApp for tests: one member, tables in the pod. */
export function kasprApp(name: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name },
    spec: { replicas: 1, bootstrapServers: 'kafka:9092', authentication: { type: 'plain' }, ...spec },
  }
}

/** A KasprAgent of an app that reads a topic. */
export function kasprAgent(name: string, app: string, topic: string): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprAgent',
    metadata: { name, labels: { 'kaspr.io/app': app } },
    spec: { input: { topic: { name: topic } } },
  }
}
