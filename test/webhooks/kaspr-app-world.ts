/** An app and its cluster for tests of the hooks: what is asked for is carried out, and comes back observed. */
import type { CompositeResponse, Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { applied, context, hooksOf, request } from './requests.ts'

/** The hooks of KasprApps. */
export const hooks = hooksOf('kasprapps')

/** A KasprApp of three replicas. */
export function app(spec: Record<string, unknown> = {}, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name: 'orders', namespace: 'shop', uid: 'app-uid', generation: 1, ...metadata },
    spec: { replicas: 3, bootstrapServers: 'kafka:9092', authentication: { type: 'plain' }, ...spec },
  }
}

/** A component of it that reads a topic. */
export function agent(name: string, topic = 'in', metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprAgent',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      generation: 1,
      labels: { 'kaspr.io/app': 'orders' },
      ...metadata,
    },
    spec: { input: { topic: { name: topic } } },
  }
}

/** Answer to a sync. */
export function sync(
  parent: KubeObject,
  children: KubeObject[] = [],
  related: KubeObject[] = [],
  env: Record<string, string> = {},
): CompositeResponse {
  return hooks.sync(request(hooks, parent, children, related), context(env))
}

/** The first object of a kind. */
export function ofKind(objects: readonly KubeObject[], kind: string): KubeObject | undefined {
  return objects.find((object) => object.kind === kind)
}

/** A condition of a status. */
export function condition({ status }: { status: Record<string, unknown> }, type: string): Condition | undefined {
  return (status['conditions'] as Condition[]).find((candidate) => candidate.type === type)
}

/** Status that the StatefulSet controller reports when all is well. */
export function healthySet(replicas: number): Record<string, unknown> {
  return {
    observedGeneration: 1,
    replicas,
    availableReplicas: replicas,
    updatedReplicas: replicas,
    currentRevision: 'r1',
    updateRevision: 'r1',
  }
}

/** The cluster after an answer was carried out, with the set scaled to `replicas` and healthy. */
export function carriedOut(answer: CompositeResponse, replicas = 3, report?: Record<string, unknown>): KubeObject[] {
  return answer.children.map((child) => {
    if (child.kind === 'StatefulSet') {
      const scaled = { ...child, spec: { ...(child['spec'] as object), replicas } }
      return applied({ ...scaled }, healthySet(replicas))
    }
    return applied(child, child.kind === 'Observation' && report !== undefined ? { kasprApp: report } : undefined)
  })
}

/** The parent as it comes back with the status of an answer, which Metacontroller marks with the generation. */
export function answered(parent: KubeObject, answer: CompositeResponse): KubeObject {
  return { ...parent, status: { ...answer.status, observedGeneration: parent.metadata.generation } }
}

/** What the poller reports of three members, one of them rebalancing. */
export const report = {
  appUid: 'app-uid',
  lastReplicas: 3,
  members: [0, 1, 2].map((id) => ({
    id,
    podUID: `pod-${id}`,
    reachable: true,
    leader: id === 0,
    rebalancing: id === 2,
    recovering: false,
  })),
}

/** The pod template of the StatefulSet among these. */
export function template(children: readonly KubeObject[]): unknown {
  return (ofKind(children, 'StatefulSet')?.['spec'] as { template: unknown } | undefined)?.template
}
