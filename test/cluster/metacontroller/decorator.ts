import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { decoratorAnswer } from './answer.ts'
import type { DecoratorAnswer } from './answer.ts'
import { checkPlacement, manageChildren } from './children.ts'
import { inNamespaceOf } from './composite.ts'
import type { Resource } from './discovery.ts'
import { HostedController, assemble } from './hosted.ts'
import type { Parts, World } from './hosted.ts'
import { equal, groupOf } from './objects.ts'
import { isConflict, isNotFound } from './objects-api.ts'
import { Finalizer, hasFinalizer, withoutFinalizer } from './parent.ts'
import { Groups, decoratorRequest } from './request.ts'
import { matches } from './selectors.ts'
import type { DecoratorController, TargetRule } from './spec.ts'

/** Tells whose attachment an object is. */
export const decoratorAnnotation = 'metacontroller.k8s.io/decorator-controller'

/** Makes a DecoratorController ready to start. Throws with the reason for a `CreateError`. */
export async function createDecorator(world: World, controller: DecoratorController): Promise<HostedController> {
  const { resources, attachments = [] } = controller.spec
  return new Decorator(world, controller, await assemble(world, controller, resources, attachments))
}

class Decorator extends HostedController {
  /** The rule of each kind, by group and kind; of two for one kind the later counts. */
  readonly #rules = new Map<string, TargetRule>()
  readonly #finalizer: Finalizer

  constructor(world: World, controller: DecoratorController, parts: Parts) {
    super(world, controller, parts)
    for (const rule of controller.spec.resources) {
      const target = parts.parents.find(({ resource }) => serves(resource, rule))
      if (target) this.#rules.set(groupKind(target.resource), rule)
    }
    const name = `metacontroller.io/decoratorcontroller-${controller.metadata.name}`
    this.#finalizer = new Finalizer(world.api, name, controller.spec.hooks?.finalize !== undefined)
  }

  protected override isSelected(target: KubeObject): boolean {
    const rule = this.#rules.get(groupKind(target))
    if (!rule) return false
    const { matchAnnotations = {}, matchExpressions = [] } = rule.annotationSelector ?? {}
    const annotationSelector = { matchLabels: matchAnnotations, matchExpressions }
    const { labels, annotations } = target.metadata
    return matches(rule.labelSelector, labels) && matches(annotationSelector, annotations)
  }

  protected override concerns(target: KubeObject): boolean {
    return this.isSelected(target) || hasFinalizer(target, this.#finalizer.name)
  }

  protected override ignoresStatusChanges(target: KubeObject): boolean {
    return this.#rules.get(groupKind(target))?.ignoreStatusChanges ?? false
  }

  /** Decorators adopt nothing. */
  protected override adopters(): KubeObject[] {
    return []
  }

  /** The steps of one sync, in the original's order. */
  protected override async sync(cached: KubeObject, resource: Resource): Promise<void> {
    const target = await this.#finalizer.sync(resource, cached)
    if (!this.concerns(target)) return
    const children = this.#attachmentsOf(target)
    const related = await this.relatedTo(target)
    const { text, mode } = await this.callHook({ parent: target, children, related }, decoratorRequest, 'attachments')
    const answer = decoratorAnswer(text, mode)
    this.enqueueAfter(target, answer.resyncAfterSeconds)
    const desired = this.#desired(target, answer.children)
    if (!(await this.#writeTarget(target, resource, answer))) return
    if (this.#finalizer.managesChildren(target)) {
      const failure = await manageChildren({ ...this.world, methods: this.parts.methods }, target, children, desired)
      if (failure) throw failure
    }
  }

  #attachmentsOf({ metadata: { uid = '', namespace } }: KubeObject): Groups {
    const groups = new Groups()
    for (const cache of this.parts.children) {
      groups.group(cache.resource.apiVersion, cache.resource.kind)
      for (const child of cache.ownedBy(uid)) {
        const isOurs = child.metadata.annotations?.[decoratorAnnotation] === this.controller.metadata.name
        if (isOurs && (namespace === undefined || child.metadata.namespace === namespace)) groups.insert(child)
      }
    }
    return groups
  }

  #desired(parent: KubeObject, answered: KubeObject[]): Groups {
    const desired = new Groups()
    const kinds = this.parts.children.map((cache) => cache.resource)
    for (const child of answered) {
      const annotations = { ...child.metadata.annotations, [decoratorAnnotation]: this.controller.metadata.name }
      const placed = inNamespaceOf(parent, child)
      const marked = { ...placed, metadata: { ...placed.metadata, annotations } }
      checkPlacement({ kinds, parent }, marked)
      desired.insert(marked)
    }
    return desired
  }

  /** Writes labels, annotations, status and finalizer of the cached target. False: another writer was faster, or it is gone. */
  async #writeTarget(target: KubeObject, resource: Resource, answer: DecoratorAnswer): Promise<boolean> {
    const decorated = decorate(target, answer)
    const updated = answer.finalized ? withoutFinalizer(decorated, this.#finalizer.name) : decorated
    if (equal(updated, target)) return true
    try {
      let resourceVersion = target.metadata.resourceVersion ?? ''
      if (resource.hasStatus && !equal(decorated['status'], target['status'])) {
        const written = await this.world.api.updateStatus(resource, decorated)
        resourceVersion = written.metadata.resourceVersion ?? ''
      }
      await this.world.api.update(resource, { ...updated, metadata: { ...updated.metadata, resourceVersion } })
      return true
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return false
      throw error
    }
  }
}

/** The target with labels and annotations set or removed, and its status replaced if the answer has one. */
export function decorate(
  target: KubeObject,
  answer: Pick<DecoratorAnswer, 'labels' | 'annotations' | 'status'>,
): KubeObject {
  const metadata = { ...target.metadata }
  const labels = patched(metadata.labels, answer.labels)
  if (labels) metadata.labels = labels
  const annotations = patched(metadata.annotations, answer.annotations)
  if (annotations) metadata.annotations = annotations
  return { ...target, metadata, ...(answer.status && { status: answer.status }) }
}

const serves = (resource: Resource, rule: TargetRule): boolean =>
  resource.apiVersion === rule.apiVersion && resource.name === rule.resource

function groupKind({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  return `${kind}.${groupOf(apiVersion)}`
}

/** A map with keys set, or deleted where the new value is null; undefined if it was and stays absent. */
function patched(
  map: Record<string, string> | undefined,
  changes: Record<string, string | null>,
): Record<string, string> | undefined {
  const kept = Object.entries(map ?? {}).filter(([key]) => !Object.hasOwn(changes, key))
  const set = Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== null)
  return map === undefined && set.length === 0 ? undefined : Object.fromEntries([...kept, ...set])
}
