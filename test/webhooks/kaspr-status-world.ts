/** The status that an app of a recorded world gets. */
import type { CompositeResponse, Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { applied, context, hooksOf, request } from './requests.ts'

/** The hooks of KasprApps. */
export const hooks = hooksOf('kasprapps')

/** A time in the form that JavaScript writes. */
export const at = (time: string): string => new Date(time).toISOString()

/** Times are whole seconds in UTC here; the same time in other words is the same. */
export function inOneFormat(all: readonly Partial<Condition>[]): unknown[] {
  return all.map(({ lastTransitionTime, ...rest }) =>
    lastTransitionTime === undefined ? rest : { ...rest, lastTransitionTime: at(lastTransitionTime) },
  )
}

interface World {
  /** The app as it comes in, with its former status. */
  parent: KubeObject
  /** Status of the StatefulSet; `null` when there is none. */
  set: Record<string, unknown> | null
  image?: string
  members?: object[]
  packages?: object
  related?: KubeObject[]
  now: string
  settings?: Record<string, string>
}

/** Answer for an app whose objects are all as asked for. */
export function answer({
  parent,
  set,
  image,
  members = [],
  packages,
  related = [],
  now,
  settings = {},
}: World): CompositeResponse {
  const first = hooks.sync(request(hooks, parent, [], related), context(settings))
  const report = { appUid: parent.metadata.uid, members, ...(packages === undefined ? {} : { packages }) }
  const children = first.children
    .filter(({ kind }) => kind !== 'StatefulSet' || set !== null)
    .map((child) => {
      if (child.kind === 'Observation') return applied(child, { kasprApp: report })
      if (child.kind !== 'StatefulSet') return applied(child)
      const live = applied(child, { observedGeneration: 1, ...set })
      return image === undefined ? live : withImage(live, image)
    })
  return hooks.sync(request(hooks, parent, children, related), context(settings, now))
}

function withImage(set: KubeObject, image: string): KubeObject {
  const copy = structuredClone(set)
  const { containers } = (copy['spec'] as { template: { spec: { containers: { image: string }[] } } }).template.spec
  for (const container of containers) container.image = image
  return copy
}

/** The conditions of an answer. */
export function conditionsOf({ status }: CompositeResponse): Condition[] {
  return status['conditions'] as Condition[]
}

/** These conditions, in one format; of one that is not there only its type. */
export function ofTypes(all: readonly Partial<Condition>[], types: readonly string[]): unknown[] {
  return inOneFormat(types.map((type) => all.find((one) => one.type === type) ?? { type }))
}

/** A KasprApp with its former status. */
export function app(spec: Record<string, unknown>, generation: number, status?: Record<string, unknown>): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind: 'KasprApp',
    metadata: { name: 'orders', namespace: 'shop', uid: 'app-uid', generation },
    spec: { bootstrapServers: 'kafka:9092', authentication: { type: 'plain' }, ...spec },
    ...(status === undefined ? {} : { status }),
  }
}

/** Conditions of how an app does. */
export const health = ['Progressing', 'Ready']
