import { Informer } from '../../../poller/kube/informer.ts'
import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { createComposite } from './composite.ts'
import { createDecorator } from './decorator.ts'
import type { HostedController, World } from './hosted.ts'
import { groupOf, equal } from './objects.ts'
import { WorkQueue } from './queue.ts'
import type { CompositeController, DecoratorController } from './spec.ts'

/** Runs what the CompositeControllers and DecoratorControllers in the cluster ask for, and follows their changes. */
export class Manager {
  readonly #world: World
  readonly #queue = new WorkQueue()
  readonly #composites: Informer
  readonly #decorators: Informer
  /** By kind and name. */
  readonly #hosted = new Map<string, HostedController>()
  #running: Promise<void> = Promise.resolve()

  constructor(world: World) {
    this.#world = world
    this.#composites = this.#informer('compositecontrollers')
    this.#decorators = this.#informer('decoratorcontrollers')
  }

  start(): void {
    this.#composites.start()
    this.#decorators.start()
    // One after the other, so that a controller never runs twice.
    this.#running = this.#queue.run(1, (key) => this.#work(key))
  }

  async stop(): Promise<void> {
    this.#queue.close()
    await Promise.all([this.#composites.stop(), this.#decorators.stop()])
    await this.#running
    await Promise.all([...this.#hosted.values()].map((hosted) => hosted.stop()))
    await this.#world.events.flush()
  }

  #informer(resource: string): Informer {
    const { client, logger } = this.#world
    const path = `/apis/metacontroller.k8s.io/v1alpha1/${resource}`
    return new Informer({
      client,
      path,
      logger,
      onEvent: ({ object }) => this.#queue.add(`${resource}/${object.metadata.name}`),
    })
  }

  async #work(key: string): Promise<void> {
    const [resource, name = ''] = key.split('/')
    const informer = resource === 'compositecontrollers' ? this.#composites : this.#decorators
    const wanted = informer.get(undefined, name)
    try {
      await this.#reconcile(key, wanted)
      this.#queue.forget(key)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      this.#world.logger.warn({ controller: key, err: text }, 'Cannot create new controller')
      this.#queue.addRateLimited(key)
    }
  }

  async #reconcile(key: string, wanted: KubeObject | undefined): Promise<void> {
    const { events } = this.#world
    const running = this.#hosted.get(key)
    // Only the spec counts: a change of metadata alone restarts nothing.
    if (wanted && running && equal(running.controller['spec'], wanted['spec'])) return
    if (running) {
      this.#hosted.delete(key)
      await running.stop()
      events.record(running.controller, 'Normal', 'Stopped', `Stopped controller: ${running.controller.metadata.name}`)
    }
    if (!wanted || !(await this.#hasStatusSubresource(wanted))) return
    const { name } = wanted.metadata
    try {
      this.#world.discovery.forget()
      const created = isComposite(wanted)
        ? await createComposite(this.#world, wanted)
        : await createDecorator(this.#world, wanted as DecoratorController)
      this.#hosted.set(key, created)
      created.start()
      events.record(wanted, 'Normal', 'Started', `Started controller: ${name}`)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      events.record(wanted, 'Warning', 'CreateError', `Cannot create new controller: ${text}`)
      throw error
    }
  }

  /** A composite's parents must come from a CRD with a status subresource. Throws if there is no such CRD. */
  async #hasStatusSubresource(controller: KubeObject): Promise<boolean> {
    if (!isComposite(controller)) return true
    const { apiVersion, resource } = controller.spec.parentResource
    const crdName = `${resource}.${groupOf(apiVersion)}`
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crdName}`
    const crd = await this.#world.client.request<CustomResourceDefinition>({ path })
    const version = crd.spec.versions.find(({ name }) => apiVersion.endsWith(`/${name}`))
    if (version?.subresources?.status) return true
    const message = `Sync error - ignoring, CRD ${crdName} does not have subresource 'Status' enabled`
    this.#world.events.record(controller, 'Warning', 'SyncError', message)
    return false
  }
}

interface CustomResourceDefinition {
  spec: { versions: { name: string; subresources?: { status?: unknown } }[] }
}

function isComposite(controller: KubeObject): controller is CompositeController {
  return controller.kind === 'CompositeController'
}
