import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isMap } from '../../webhooks/contract/objects.ts'

/** What says how to reach an API server cannot be used. The message names the file, and quotes nothing of it but names. */
export class KubeconfigError extends Error {}

/** A named entry of a kubeconfig with its fields. */
export interface Entry {
  name: string
  fields: Record<string, unknown>
}

/** A context of a kubeconfig, and what it leads to. Paths in the fields are absolute. */
export interface Context {
  name: string
  /** Undefined if it names none. */
  namespace: string | undefined
  cluster: Entry
  /** Without fields if the context names no user. */
  user: Entry
  /** Of the cluster, for example `https://10.96.0.1:443`. */
  server: string
}

/**
 * Reads kubeconfig files as kubectl does: those that are missing are passed over, and what several of them say is taken
 * from the first, entry by entry.
 *
 * @param files at least one of them has to be there
 * @param wanted name of a context; default the current one
 * @throws KubeconfigError
 */
export async function readContext(files: readonly string[], wanted?: string): Promise<Context> {
  const where = `kubeconfig ${files.join(', ')}`
  const found = (await Promise.all(files.map(readKubeconfig))).filter((kubeconfig) => kubeconfig !== undefined)
  if (found.length === 0) throw new KubeconfigError(`${where}: no such file`)
  const contexts = found.flatMap((kubeconfig) => kubeconfig.contexts)
  const known = `known are: ${[...new Set(contexts.map(({ name }) => name))].join(', ') || 'none'}`
  const name = wanted ?? found.map(({ currentContext }) => currentContext).find((current) => current !== undefined)
  if (name === undefined) throw new KubeconfigError(`${where}: no context is the current one, ${known}`)
  const context = named(contexts, name)
  if (context === undefined) throw new KubeconfigError(`${where}: no context ${JSON.stringify(name)}, ${known}`)

  const { cluster: clusterName, user: userName, namespace = '' } = context.fields
  const title = `${where}: context ${JSON.stringify(name)}`
  const clusters = found.flatMap((kubeconfig) => kubeconfig.clusters)
  const cluster = named(clusters, clusterName)
  const server = cluster?.fields['server']
  if (cluster === undefined || typeof server !== 'string') {
    throw new KubeconfigError(`${title} names no cluster that has a server`)
  }
  // Left out it would be another namespace than the one that was meant.
  if (typeof namespace !== 'string') throw new KubeconfigError(`${title}: its namespace is no text`)
  const users = found.flatMap((kubeconfig) => kubeconfig.users)
  const user = named(users, userName) ?? { name: 'anonymous', fields: {} }
  return { name, namespace: namespace === '' ? undefined : namespace, cluster, user, server }
}

/** @returns the text of a file, undefined if there is none @throws KubeconfigError if it cannot be read */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new KubeconfigError(`${file}: ${message}`)
  }
}

interface Kubeconfig {
  currentContext: string | undefined
  contexts: Entry[]
  clusters: Entry[]
  users: Entry[]
}

async function readKubeconfig(file: string): Promise<Kubeconfig | undefined> {
  const text = await readIfThere(file)
  if (text === undefined) return undefined
  const content = (await parsed(file, text)) ?? {} // an empty file says nothing
  if (!isMap(content)) throw new KubeconfigError(`${file} is no kubeconfig`)
  const currentContext = content['current-context'] ?? ''
  if (typeof currentContext !== 'string') throw new KubeconfigError(`${file}: current-context is no text`)
  const clusters = entries(content['clusters'], 'cluster')
  const users = entries(content['users'], 'user')
  for (const { fields } of clusters) makeAbsolute(file, fields, ['certificate-authority'])
  for (const { fields } of users) makeAbsolute(file, fields, ['client-certificate', 'client-key', 'tokenFile'])
  return {
    currentContext: currentContext === '' ? undefined : currentContext,
    contexts: entries(content['contexts'], 'context'),
    clusters,
    users,
  }
}

/** The value of a YAML text. */
async function parsed(file: string, text: string): Promise<unknown> {
  // In a pod there is no kubeconfig, and nothing else of the poller needs the parser.
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { merge: true })
  const [mistake] = document.errors
  // The parser's message quotes the line, and lines of kubeconfigs hold secrets.
  if (mistake !== undefined) {
    throw new KubeconfigError(`${file}: line ${mistake.linePos?.[0].line ?? 1} is no YAML (${mistake.code})`)
  }
  try {
    return document.toJS()
  } catch {
    throw new KubeconfigError(`${file}: an alias in it cannot be resolved`)
  }
}

/** Entries without name or fields cannot be meant by anybody. */
function entries(list: unknown, kind: 'cluster' | 'context' | 'user'): Entry[] {
  return (Array.isArray(list) ? list : []).flatMap((entry: unknown) => {
    if (!isMap(entry) || typeof entry['name'] !== 'string') return []
    const fields = entry[kind] ?? {}
    return isMap(fields) ? [{ name: entry['name'], fields }] : []
  })
}

function named(list: readonly Entry[], name: unknown): Entry | undefined {
  return list.find((entry) => entry.name === name)
}

function makeAbsolute(file: string, fields: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const path = fields[name]
    if (typeof path === 'string' && path !== '') fields[name] = resolve(dirname(file), path)
  }
}
