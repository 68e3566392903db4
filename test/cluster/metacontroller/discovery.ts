import { ApiError } from '../../../poller/kube/client.ts'
import type { KubeClient } from '../../../poller/kube/client.ts'
import { groupOf } from './objects.ts'

/** What the API server says about one kind. */
export interface Resource {
  apiVersion: string
  /** Lower-case plural. */
  name: string
  kind: string
  namespaced: boolean
  hasStatus: boolean
}

interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[]
}

interface Known {
  at: number
  resources: Resource[]
}

/**
 * Maps resource names and kinds to each other. Where the original fetches everything at every interval, this asks for a
 * group version when it is first needed, and again when something is missing in it, at most once per interval.
 */
export class Discovery {
  readonly #client: KubeClient
  readonly #intervalMs: number
  readonly #known = new Map<string, Promise<Known>>()

  constructor(client: KubeClient, intervalMs: number) {
    this.#client = client
    this.#intervalMs = intervalMs
  }

  /** The kind with this plural name. Throws if the API server does not serve it. */
  async resource(apiVersion: string, name: string): Promise<Resource> {
    const found = await this.#find(apiVersion, (resource) => resource.name === name)
    if (!found) throw new Error(`discovery: can't find resource ${name} in apiVersion ${apiVersion}`)
    return found
  }

  /** The kind with this name. Throws if the API server does not serve it. */
  async kind(apiVersion: string, kind: string): Promise<Resource> {
    const found = await this.#find(apiVersion, (resource) => resource.kind === kind)
    if (!found) throw new Error(`discovery: can't find kind ${kind} in apiVersion ${apiVersion}`)
    return found
  }

  /** Asks again for everything that is needed from now on: kinds may have changed. */
  forget(): void {
    this.#known.clear()
  }

  async #find(apiVersion: string, is: (resource: Resource) => boolean): Promise<Resource | undefined> {
    const known = await this.#groupVersion(apiVersion)
    const found = known.resources.find(is)
    if (found || performance.now() - known.at < this.#intervalMs) return found
    this.#known.delete(apiVersion)
    return (await this.#groupVersion(apiVersion)).resources.find(is)
  }

  #groupVersion(apiVersion: string): Promise<Known> {
    let known = this.#known.get(apiVersion)
    if (known === undefined) {
      known = this.#fetch(apiVersion)
      this.#known.set(apiVersion, known)
      known.catch(() => this.#known.delete(apiVersion))
    }
    return known
  }

  async #fetch(apiVersion: string): Promise<Known> {
    const list = await this.#client.request<ResourceList>({ path: groupPath(apiVersion) }).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return { resources: [] }
      throw error
    })
    const names = new Set(list.resources.map((resource) => resource.name))
    const resources = list.resources
      .filter(({ name }) => !name.includes('/'))
      .map(({ name, kind, namespaced }) => ({
        apiVersion,
        name,
        kind,
        namespaced,
        hasStatus: names.has(`${name}/status`),
      }))
    return { at: performance.now(), resources }
  }
}

/** `/apis/apps/v1` or `/api/v1`. */
function groupPath(apiVersion: string): string {
  return `/${groupOf(apiVersion) === '' ? 'api' : 'apis'}/${apiVersion}`
}

/** Path of all objects of a kind, or of those in a namespace. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${groupPath(resource.apiVersion)}${scope}/${resource.name}`
}
