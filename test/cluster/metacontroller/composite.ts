import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { compositeAnswer } from './answer.ts'
import { checkPlacement, manageChildren } from './children.ts'
import { claimChildren, texts } from './claim.ts'
import type { Resource } from './discovery.ts'
import { HostedController, assemble } from './hosted.ts'
import type { Parts, World } from './hosted.ts'
import { describe } from './objects.ts'
import type { Fields } from './objects.ts'
import { isConflict, isNotFound } from './objects-api.ts'
import { Finalizer, hasFinalizer, writeStatus } from './parent.ts'
import { Groups, compositeRequest } from './request.ts'
import { isEmpty, matches } from './selectors.ts'
import type { LabelSelector } from './selectors.ts'
import type { CompositeController } from './spec.ts'

/** Makes a CompositeController ready to start. Throws with the reason for a `CreateError`. */
export async function createComposite(world: World, controller: CompositeController): Promise<HostedController> {
  const { parentResource, childResources = [] } = controller.spec
  return new Composite(world, controller, await assemble(world, controller, [parentResource], childResources))
}

class Composite extends HostedController {
  readonly #spec: CompositeController['spec']
  readonly #finalizer: Finalizer

  constructor(world: World, controller: CompositeController, parts: Parts) {
    super(world, controller, parts)
    this.#spec = controller.spec
    const name = `metacontroller.io/compositecontroller-${controller.metadata.name}`
    this.#finalizer = new Finalizer(world.api, name, controller.spec.hooks?.finalize !== undefined)
  }

  protected override isSelected(parent: KubeObject): boolean {
    return matches(this.#spec.parentResource.labelSelector, parent.metadata.labels)
  }

  protected override concerns(parent: KubeObject): boolean {
    return this.isSelected(parent) || hasFinalizer(parent, this.#finalizer.name)
  }

  protected override ignoresStatusChanges(): boolean {
    return this.#spec.parentResource.ignoreStatusChanges ?? false
  }

  protected override adopters(orphan: KubeObject): KubeObject[] {
    const [cache] = this.parts.parents
    if (!cache) return []
    const { namespace, labels } = orphan.metadata
    if (this.#spec.generateSelector && !labels?.['controller-uid']) return []
    const candidates = cache.resource.namespaced ? cache.inNamespace(namespace ?? '') : cache.list()
    return candidates.filter((parent) => {
      const selector = this.#selectorOf(parent)
      return !isEmpty(selector) && matches(selector, labels)
    })
  }

  /** The steps of one sync, in the original's order. */
  protected override async sync(cached: KubeObject, resource: Resource): Promise<void> {
    let parent = await this.#finalizer.sync(resource, cached)
    if (!this.concerns(parent)) return
    const selector = this.#selectorOf(parent)
    if (isEmpty(selector)) throw new Error('.spec.selector must have either matchLabels, matchExpressions, or both')
    const children = await this.#claim(parent, resource, selector)
    const related = await this.relatedTo(parent)
    const { text, mode } = await this.callHook({ parent, children, related }, compositeRequest, 'children')
    const answer = compositeAnswer(text, mode)
    this.enqueueAfter(parent, answer.resyncAfterSeconds)
    if (answer.finalized) parent = await this.#finalizer.remove(resource, parent)
    const desired = this.#desired(parent, selector, answer.children)
    const failure = this.#finalizer.managesChildren(parent)
      ? await manageChildren({ ...this.world, methods: this.parts.methods }, parent, children, desired)
      : undefined
    // The status is written even if children failed. Only a parent that is gone or just changed makes up for that.
    const isParentCurrent = await this.#writeStatus(resource, parent, answer.status)
    if (failure && isParentCurrent) throw failure
  }

  /** False: the parent was deleted or changed meanwhile, and the watch brings the next sync. */
  async #writeStatus(resource: Resource, parent: KubeObject, status: Fields | undefined): Promise<boolean> {
    try {
      await writeStatus(this.world.api, resource, parent, status)
      return true
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return false
      throw new Error(`can't update status: ${texts([error])}`, { cause: error })
    }
  }

  #selectorOf(parent: KubeObject): LabelSelector {
    if (this.#spec.generateSelector) return { matchLabels: { 'controller-uid': parent.metadata.uid ?? '' } }
    return (parent['spec'] as { selector?: LabelSelector } | undefined)?.selector ?? {}
  }

  async #claim(parent: KubeObject, parentResource: Resource, selector: LabelSelector): Promise<Groups> {
    const groups = new Groups()
    for (const cache of this.parts.children) {
      groups.group(cache.resource.apiVersion, cache.resource.kind)
      const claim = { api: this.world.api, parentResource, parent, selector }
      for (const child of await claimChildren(claim, cache)) groups.insert(child)
    }
    return groups
  }

  /** The children as they will be written: in the parent's namespace, with the generated label. */
  #desired(parent: KubeObject, selector: LabelSelector, answered: KubeObject[]): Groups {
    const desired = new Groups()
    const kinds = this.parts.children.map((cache) => cache.resource)
    for (const child of answered) {
      const labelled = this.#labelled(parent, inNamespaceOf(parent, child))
      checkPlacement({ kinds, parent }, labelled)
      if (!matches(selector, labelled.metadata.labels)) {
        throw new Error(`labels on desired child ${describe(child)} don't match parent selector`)
      }
      desired.insert(labelled)
    }
    return desired
  }

  /** With a generated selector children get its label, unless the hook set it. */
  #labelled(parent: KubeObject, child: KubeObject): KubeObject {
    if (!this.#spec.generateSelector) return child
    const labels = { 'controller-uid': parent.metadata.uid ?? '', ...child.metadata.labels }
    return { ...child, metadata: { ...child.metadata, labels } }
  }
}

/** A child without a namespace gets its parent's. */
export function inNamespaceOf(parent: KubeObject, child: KubeObject): KubeObject {
  const { namespace } = parent.metadata
  if (child.metadata.namespace || namespace === undefined) return child
  return { ...child, metadata: { ...child.metadata, namespace } }
}
