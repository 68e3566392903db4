import { readSettings } from '../../webhooks/environment.ts'
import type { CompositeHooks, HookContext } from '../../webhooks/hooks.ts'
import type { KindRule } from '../../webhooks/contract/request.ts'
import type { CompositeRequest, KubeObject, ObjectMap } from '../../webhooks/contract/types.ts'
import { kasprHooks } from '../../webhooks/kaspr/index.ts'
import { hookSettings } from '../../webhooks/settings.ts'

/** The hooks of a resource, as the server registers them. */
export function hooksOf(resource: string): CompositeHooks {
  const hooks = kasprHooks.find((candidate) => candidate.resource === resource)
  if (hooks === undefined) throw new Error(`no hooks for ${resource}`)
  return hooks
}

/** Settings as read from these environment variables, and a time. */
export function context(environment: Record<string, string> = {}, now = '2026-01-01T00:00:00Z'): HookContext {
  const key = JSON.stringify(environment)
  const settings = settingsRead.get(key) ?? readSettings(hookSettings, environment)
  settingsRead.set(key, settings)
  return { now: new Date(now), settings }
}

/** By environment: reading them anew for each of thousands of calls would take longer than the calls. */
const settingsRead = new Map<string, HookContext['settings']>()

/** A sync request as Metacontroller builds it: a group for every rule, objects keyed by namespace and name. */
export function request(
  hooks: CompositeHooks,
  parent: KubeObject,
  children: readonly KubeObject[] = [],
  related: readonly KubeObject[] = [],
): CompositeRequest {
  return {
    controller: {
      apiVersion: 'metacontroller.k8s.io/v1alpha1',
      kind: 'CompositeController',
      metadata: { name: hooks.resource },
    },
    parent,
    children: groups(hooks.childRules, children),
    related: groups(hooks.relatedRules ?? [], related),
    finalizing: false,
  }
}

function groups(rules: readonly KindRule[], objects: readonly KubeObject[]): ObjectMap {
  return Object.fromEntries(
    rules.map(({ apiVersion, kind }) => [
      `${kind}.${apiVersion}`,
      Object.fromEntries(
        objects
          .filter((object) => object.kind === kind && object.apiVersion === apiVersion)
          .map((object) => [`${object.metadata.namespace ?? ''}/${object.metadata.name}`, object]),
      ),
    ]),
  )
}

/** A child as the cluster holds it after Metacontroller applied it: with uid, generation and the last-applied record. */
export function applied(desired: KubeObject, status?: Record<string, unknown>): KubeObject {
  const { metadata, ...rest } = desired
  return {
    ...rest,
    apiVersion: desired.apiVersion,
    kind: desired.kind,
    metadata: {
      ...metadata,
      uid: `uid-of-${metadata.name}`,
      generation: 1,
      annotations: {
        ...metadata.annotations,
        'metacontroller.k8s.io/last-applied-configuration': JSON.stringify(desired),
      },
    },
    ...(status === undefined ? {} : { status }),
  }
}

/** A component as its own controller leaves it: with the hash of the definition that its ConfigMap holds. */
export function synced(component: KubeObject, environment: Record<string, string> = {}): KubeObject {
  const hooks = hooksOf(`${component.kind.toLowerCase()}s`)
  const first = hooks.sync(request(hooks, component), context(environment))
  const { status } = hooks.sync(
    request(
      hooks,
      component,
      first.children.map((child) => applied(child)),
    ),
    context(environment),
  )
  return { ...component, status }
}
