import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { CompositeRequest, KubeObject } from '../../webhooks/contract/types.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { applied, context, hooksOf, request } from '../webhooks/requests.ts'
import { benchApp, benchComponents } from './resources.ts'
import { stored, storedAt, uidOf } from './stored.ts'

const appHooks = hooksOf('kasprapps')
const atRest = context({}, storedAt)

/**
 * The request that Metacontroller sends for an app with so many components when nothing is left to do: everything was
 * applied, the pods run, the poller has reported, and the answer would change nothing.
 */
export function settledRequest(components: number): CompositeRequest {
  const app = benchApp('orders')
  const related = benchComponents('orders', components).map(settledComponent)
  const controller = controllerOf('kasprapps')
  let parent = stored(app, 'kubectl-client-side-apply')
  let children: KubeObject[] = []
  for (let round = 0; round < 10; round++) {
    const sent = { ...request(appHooks, parent, children, related), controller }
    const answer = appHooks.sync(sent, atRest)
    const next = stored(app, 'kubectl-client-side-apply', { status: withGeneration(answer.status) })
    const applied = answer.children.map((child) => storedChild(child, app))
    if (JSON.stringify([next, applied]) === JSON.stringify([parent, children])) return sent
    parent = next
    children = applied
  }
  throw new Error('the app does not come to rest')
}

/** A component whose ConfigMap holds its definition. */
function settledComponent(component: KubeObject): KubeObject {
  const hooks = hooksOf(`${component.kind.toLowerCase()}s`)
  const made = stored(component, 'kubectl-client-side-apply')
  const { children } = hooks.sync(request(hooks, made), atRest)
  const held = children.map((child) => applied(child))
  const { status } = hooks.sync(request(hooks, made, held), atRest)
  return stored(component, 'kubectl-client-side-apply', { status: withGeneration(status) })
}

/** Metacontroller adds this to every status that it writes. */
function withGeneration(status: unknown): unknown {
  return { ...(status as object), observedGeneration: 1 }
}

function controllerOf(resource: string): KubeObject {
  const manifest = readFileSync(packagePath('metacontroller', `${resource}.yaml`), 'utf8')
  return stored(parse(manifest) as KubeObject, 'kubectl-client-side-apply')
}

/** A child as the cluster holds it, with the label by which `generateSelector` finds it. */
function storedChild(child: KubeObject, app: KubeObject): KubeObject {
  const uid = uidOf(app.kind, app.metadata.name)
  const labels = { ...child.metadata.labels, 'controller-uid': uid }
  return stored({ ...child, metadata: { ...child.metadata, labels } }, 'metacontroller', live(child, uid), app)
}

const members = 3

/** What the API server, the controllers of Kubernetes and the poller add to a child. */
function live(child: KubeObject, appUid: string): Record<string, unknown> {
  switch (child.kind) {
    case 'StatefulSet':
      return { spec: statefulSetSpec(child['spec'] as StatefulSetSpec), status: statefulSetStatus }
    case 'Service':
      return { spec: { ...(child['spec'] as object), ...serviceDefaults }, status: { loadBalancer: {} } }
    case 'HorizontalPodAutoscaler':
      return { status: autoscalerStatus }
    case 'Observation':
      return { status: report(appUid) }
    default:
      return {}
  }
}

interface StatefulSetSpec {
  template: { spec: { containers: object[]; volumes: { configMap?: object }[]; serviceAccountName: string } }
}

function statefulSetSpec(spec: StatefulSetSpec): unknown {
  const pod = spec.template.spec
  const volumes = pod.volumes.map((volume) => ({ ...volume, configMap: { ...volume.configMap, defaultMode: 420 } }))
  const containers = pod.containers.map((container) => ({
    ...container,
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  }))
  return {
    ...spec,
    replicas: members,
    revisionHistoryLimit: 10,
    template: {
      ...spec.template,
      spec: {
        ...pod,
        containers,
        volumes,
        dnsPolicy: 'ClusterFirst',
        restartPolicy: 'Always',
        schedulerName: 'default-scheduler',
        securityContext: {},
        serviceAccount: pod.serviceAccountName,
        terminationGracePeriodSeconds: 30,
      },
    },
  }
}

const statefulSetStatus = {
  availableReplicas: members,
  collisionCount: 0,
  currentReplicas: members,
  currentRevision: 'orders-app-598969f776',
  observedGeneration: 1,
  readyReplicas: members,
  replicas: members,
  updateRevision: 'orders-app-598969f776',
  updatedReplicas: members,
}

const serviceDefaults = {
  clusterIPs: ['None'],
  internalTrafficPolicy: 'Cluster',
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
  sessionAffinity: 'None',
  type: 'ClusterIP',
}

const autoscalerStatus = {
  conditions: ['AbleToScale', 'ScalingActive', 'ScalingLimited'].map((type) => ({
    lastTransitionTime: storedAt,
    message: 'recommended size matches current size',
    reason: 'ReadyForNewScale',
    status: 'True',
    type,
  })),
  currentMetrics: [{ resource: { current: { averageValue: '734003200' }, name: 'memory' }, type: 'Resource' }],
  currentReplicas: members,
  desiredReplicas: members,
}

function report(appUid: string): unknown {
  return {
    conditions: [
      {
        lastTransitionTime: storedAt,
        message: 'Members are asked for their status',
        observedGeneration: 1,
        reason: 'Polled',
        status: 'True',
        type: 'Reporting',
      },
    ],
    kasprApp: {
      appUid,
      lastReplicas: members,
      reachable: `${members}/${members}`,
      members: Array.from({ length: members }, (_, id) => ({
        id,
        lastTransitionTime: storedAt,
        leader: id === 0,
        podCreationTime: storedAt,
        podUID: uidOf('Pod', `orders-app-${id}`),
        reachable: true,
        rebalancing: false,
        recovering: false,
      })),
    },
    lastObservedTime: storedAt,
    observedGeneration: 1,
  }
}
