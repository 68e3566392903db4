import type { BaseLogger } from 'pino'
import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { applyUpdate, withLastApplied } from './apply.ts'
import { controllerReference, texts } from './claim.ts'
import type { Discovery, Resource } from './discovery.ts'
import { Hazard } from './hazard.ts'
import { describe, groupOf } from './objects.ts'
import { isAlreadyExists, isConflict, isNotFound } from './objects-api.ts'
import type { ObjectsApi } from './objects-api.ts'
import type { Groups } from './request.ts'
import type { ChildRule } from './spec.ts'

/** Makes the children in the cluster be as the hook answered: all deletions first, then creations and updates. */

export interface ChildWriter {
  api: ObjectsApi
  discovery: Discovery
  /** Update method by group and kind; two rules that differ only in version share one. */
  methods: Map<string, string>
  logger: BaseLogger
}

export const methodKey = (apiVersion: string, kind: string): string => `${kind}.${groupOf(apiVersion)}`

/** The update methods of child rules; their kinds are looked up. Throws on an unknown kind or a rolling method. */
export async function updateMethods(discovery: Discovery, rules: ChildRule[]): Promise<Map<string, string>> {
  const methods = new Map<string, string>()
  for (const { apiVersion, resource, updateStrategy } of rules) {
    const method = updateStrategy?.method ?? 'OnDelete'
    if (method.startsWith('Rolling')) throw new Error(`${method} is not played by the stand-in`)
    const { kind } = await discovery.resource(apiVersion, resource)
    if (method !== 'OnDelete') methods.set(methodKey(apiVersion, kind), method)
  }
  return methods
}

/** Writes what differs. One failure does not stop the others; all of them together are the result. */
export async function manageChildren(
  writer: ChildWriter,
  parent: KubeObject,
  observed: Groups,
  desired: Groups,
): Promise<AggregateError | undefined> {
  const errors: unknown[] = []
  const attempt = (write: Promise<void>): Promise<void> => write.catch((error: unknown) => void errors.push(error))
  for (const { apiVersion, kind, objects } of observed.sorted()) {
    const wanted = desired.objects(apiVersion, kind)
    for (const [name, child] of objects) {
      if (!wanted.has(name) && child.metadata.deletionTimestamp === undefined) await attempt(remove(writer, child))
    }
  }
  for (const { apiVersion, kind, objects } of desired.sorted()) {
    const live = observed.objects(apiVersion, kind)
    for (const [name, child] of objects) await attempt(put(writer, parent, live.get(name), child))
  }
  if (errors.length === 0) return undefined
  return new AggregateError(errors, `can't reconcile children for ${describe(parent)}: ${texts(errors)}`)
}

async function remove({ api, discovery, logger }: ChildWriter, child: KubeObject): Promise<void> {
  const resource = await discovery.kind(child.apiVersion, child.kind)
  logger.info({ child: describe(child) }, 'Deleting child')
  await api.delete(resource, child)
}

async function put(
  writer: ChildWriter,
  parent: KubeObject,
  live: KubeObject | undefined,
  desired: KubeObject,
): Promise<void> {
  const resource = await writer.discovery.kind(desired.apiVersion, desired.kind)
  if (live === undefined) return create(writer, resource, parent, desired)
  const updated = applyUpdate(live, desired)
  if (updated !== undefined && live.metadata.deletionTimestamp === undefined) {
    await update(writer, resource, live, updated)
  }
}

async function create(
  { api, logger }: ChildWriter,
  resource: Resource,
  parent: KubeObject,
  desired: KubeObject,
): Promise<void> {
  logger.info({ child: describe(desired) }, 'Creating child')
  const child = withLastApplied(desired, desired)
  const owners = child.metadata.ownerReferences ?? []
  // A reference to the parent that the hook wrote itself stays as it is.
  if (!owners.some(({ uid }) => uid === parent.metadata.uid)) {
    child.metadata = { ...child.metadata, ownerReferences: [...owners, controllerReference(parent)] }
  }
  await api.create(resource, child).catch((error: unknown) => {
    // Silent in the original as well: an object of that name belongs to nobody or to somebody else.
    if (!isAlreadyExists(error)) throw error
  })
}

async function update(
  { api, methods, logger }: ChildWriter,
  resource: Resource,
  live: KubeObject,
  updated: KubeObject,
): Promise<void> {
  const method = methods.get(methodKey(live.apiVersion, live.kind)) ?? 'OnDelete'
  if (method === 'OnDelete') return
  logger.info({ child: describe(live), method }, 'Updating child')
  if (method === 'Recreate') return api.delete(resource, live)
  await api.update(resource, updated).catch((error: unknown) => {
    // Gone or changed meanwhile: the watch brings the next sync.
    if (!isNotFound(error) && !isConflict(error)) throw error
  })
}

/** Where a child may be. */
export interface ChildScope {
  /** Kinds of the child rules. */
  kinds: Resource[]
  parent: KubeObject
}

/**
 * Refuses children that the original creates but never sees again, so that it creates and deletes them for ever, or
 * leaks them. Throws a Hazard that says why.
 */
export function checkPlacement({ kinds, parent }: ChildScope, child: KubeObject): void {
  const kind = kinds.find(({ apiVersion, kind }) => apiVersion === child.apiVersion && kind === child.kind)
  const parentNamespace = parent.metadata.namespace
  const misplaced =
    kind === undefined
      ? `apiVersion ${child.apiVersion} and kind ${child.kind} are those of no rule: it would never be observed`
      : parentNamespace === undefined
        ? undefined
        : !kind.namespaced
          ? 'it is cluster-scoped and its parent is not: it would never be observed'
          : child.metadata.namespace !== parentNamespace
            ? `it is not in its parent's namespace ${parentNamespace}: it would never be observed`
            : undefined
  if (misplaced !== undefined) throw new Hazard(`${describe(child)} of ${describe(parent)}: ${misplaced}`)
}
