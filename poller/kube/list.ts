import type { KubeObject } from '../../webhooks/contract/types.ts'
import { ApiError } from './client.ts'
import type { KubeClient, RequestOptions } from './client.ts'

/** Objects per page: some 20 ms of parsing for pods, so that a long list never blocks the process. */
const pageSize = 500

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources */
const metadataLists = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

interface ObjectList {
  apiVersion: string
  kind: string
  metadata: { resourceVersion?: string; continue?: string }
  items: KubeObject[] | null
}

export interface ListOptions {
  client: KubeClient
  path: string
  query: RequestOptions['query']
  signal: AbortSignal
  /** Objects come with their metadata alone, as PartialObjectMetadata. */
  metadataOnly?: boolean
  /** Takes the objects of a page; the first page also comes when the list begins anew. */
  onPage: (objects: KubeObject[], isFirst: boolean) => void
}

/** Times that a list is begun; after them it is up to the caller to wait. */
const attempts = 3

/**
 * Lists a collection in pages, as it is now. A list that takes longer than the server keeps a version (410) begins anew, a few
 * times: without pages, those of a large cluster would be hundreds of megabytes of text at once.
 *
 * @returns the resourceVersion to watch from
 * @throws ApiError 410 if no attempt came to its end
 */
export async function listAll(options: ListOptions): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await listPages(options)
    } catch (error) {
      const isExpired = error instanceof ApiError && error.status === 410
      if (!isExpired || attempt === attempts) throw error
    }
  }
}

/** All objects of a collection, for lists that fit into memory whole. Throws as `listAll`. */
export async function listObjects(options: Omit<ListOptions, 'onPage'>): Promise<KubeObject[]> {
  const objects: KubeObject[] = []
  await listAll({
    ...options,
    onPage(page, isFirst) {
      if (isFirst) objects.length = 0
      objects.push(...page)
    },
  })
  return objects
}

async function listPages(options: ListOptions): Promise<string | undefined> {
  const { client, path, signal, onPage } = options
  const accept = options.metadataOnly === true ? { accept: metadataLists } : {}
  let next: string | undefined
  do {
    const query = { ...options.query, limit: pageSize, continue: next }
    const page: ObjectList = await client.request<ObjectList>({ path, query, signal, timeoutMs: 60_000, ...accept })
    // Items of built-in kinds come without their own kind and version.
    const kind = page.kind.replace(/List$/, '')
    const objects = (page.items ?? []).map((item) => Object.assign({ apiVersion: page.apiVersion, kind }, item))
    onPage(objects, next === undefined)
    next = page.metadata.continue
    if (next === undefined || next === '') return page.metadata.resourceVersion
  } while (!signal.aborted)
  throw signal.reason
}
