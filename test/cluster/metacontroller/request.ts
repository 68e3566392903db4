import type { CustomizeRequest, KubeObject, ObjectGroup, ObjectMap } from '../../../webhooks/contract/types.ts'
import { qualifiedName, setOwn } from './objects.ts'

/** What hooks are sent. Groups and names arrive sorted, because Go sorts the keys of maps. */

/** Objects of one apiVersion and kind, keyed by `namespace/name`. */
export interface Group {
  apiVersion: string
  kind: string
  objects: Map<string, KubeObject>
}

/** All groups of one request or answer. A group can be there without objects. */
export class Groups {
  readonly #groups = new Map<string, Group>()

  /** The group of a kind, made if it is not there yet. */
  group(apiVersion: string, kind: string): Group {
    const key = `${kind}.${apiVersion}`
    const group = this.#groups.get(key) ?? { apiVersion, kind, objects: new Map<string, KubeObject>() }
    this.#groups.set(key, group)
    return group
  }

  /** The objects of a kind; none if there is no such group. */
  objects(apiVersion: string, kind: string): ReadonlyMap<string, KubeObject> {
    return this.#groups.get(`${kind}.${apiVersion}`)?.objects ?? new Map<string, KubeObject>()
  }

  /** Adds an object; one of the same kind, namespace and name is replaced. */
  insert(object: KubeObject): void {
    this.group(object.apiVersion, object.kind).objects.set(qualifiedName(object), object)
  }

  /** Sorted by API group, version and kind: the order in which children are written. */
  sorted(): Group[] {
    return [...this.#groups.values()].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
  }

  /** As a v2 request carries them; with `namespace`, as a v1 request for a parent in it: same namespace only, bare names. */
  toMap(namespace?: string): ObjectMap {
    const map: ObjectMap = {}
    for (const [key, group] of [...this.#groups].sort(byKey)) {
      const objects: ObjectGroup = {}
      for (const [name, object] of [...group.objects].sort(byKey)) {
        if (namespace === undefined) setOwn(objects, name, object)
        else if (object.metadata.namespace === namespace) setOwn(objects, object.metadata.name, object)
      }
      setOwn(map, key, objects)
    }
    return map
  }
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)

/** Sorts by API group, then version, then kind. */
function sortKey({ apiVersion, kind }: Group): string {
  const slash = apiVersion.indexOf('/')
  return [apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1), kind].join('\0')
}

/** What a sync or finalize request is made of. */
export interface RequestParts {
  version: 'v1' | 'v2'
  controller: KubeObject
  parent: KubeObject
  children: Groups
  related: Groups
  finalizing: boolean
}

/** Controllers are sent with their (always empty) status. */
const asSent = (controller: KubeObject): KubeObject => ({ ...controller, status: {} })

function maps(parts: RequestParts): { children: ObjectMap; related: ObjectMap } {
  const namespace = parts.version === 'v1' ? parts.parent.metadata.namespace : undefined
  return { children: parts.children.toMap(namespace), related: parts.related.toMap(namespace) }
}

/** Body of a composite sync or finalize call: five fields, always all of them. */
export function compositeRequest(parts: RequestParts): Record<string, unknown> {
  const { children, related } = maps(parts)
  return { controller: asSent(parts.controller), parent: parts.parent, children, related, finalizing: parts.finalizing }
}

/** Body of a decorator sync or finalize call: other names for the same five. */
export function decoratorRequest(parts: RequestParts): Record<string, unknown> {
  const { children, related } = maps(parts)
  const { parent: object, finalizing } = parts
  return { controller: asSent(parts.controller), object, attachments: children, related, finalizing }
}

/** Body of a customize call, the same for composites and decorators. */
export function customizeRequest(controller: KubeObject, parent: KubeObject): CustomizeRequest {
  return { controller: asSent(controller), parent }
}
