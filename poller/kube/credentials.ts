import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import type { Environment } from '../../webhooks/environment.ts'
import { readContext, readIfThere } from './kubeconfig.ts'

/** How to reach and authenticate to an API server at this moment. */
export interface Credentials {
  /** Origin and optional base path, for example `https://10.96.0.1:443`. */
  server: string
  /** Authorization and impersonation headers. */
  headers: Record<string, string>
  /** TLS material; a change of any of it needs new connections. */
  tls: {
    ca?: string
    cert?: string
    key?: string
    servername?: string
    rejectUnauthorized?: boolean
  }
}

/** Gives the credentials as they are now: token files, certificates and kubeconfig files are read again. */
export type CredentialSource = () => Promise<Credentials>

/** Which API server is meant, and as whom. */
export interface ClusterChoice {
  /** Path of a kubeconfig; default those of `$KUBECONFIG`, the pod's service account, `~/.kube/config`. */
  kubeconfig?: string | undefined
  /** A context of the kubeconfig, so never the pod's service account; default its current one. */
  context?: string | undefined
  /** Default `process.env`. */
  env?: Environment
  /** Folder of the pod's service account; default where Kubernetes mounts it. */
  serviceAccount?: string
}

/** The context in use. */
export interface ContextInUse {
  /** Undefined for the pod's service account. */
  context: string | undefined
  /** Namespace for those who name none, as kubectl has it: of the context or of the service account, else `default`. */
  namespace: string
}

/** Finds credentials. Nothing is read before the first call of the source; what cannot be read fails that call. */
export function credentialSource(choice: ClusterChoice = {}): CredentialSource {
  const place = placeOf(choice)
  return place.kind === 'pod' ? () => readServiceAccount(place) : kubeconfigSource(place)
}

/**
 * Reads which context is in use now. Who goes on for a while asks once and then names it: users change the current one.
 *
 * @throws KubeconfigError
 */
export async function contextInUse(choice: ClusterChoice = {}): Promise<ContextInUse> {
  const place = placeOf(choice)
  if (place.kind === 'pod') {
    const namespace = (await readIfThere(join(place.folder, 'namespace')))?.trim() ?? ''
    return { context: undefined, namespace: namespace === '' ? 'default' : namespace }
  }
  const { name, namespace = 'default' } = await readContext(place.files, place.context)
  return { context: name, namespace }
}

interface Pod {
  kind: 'pod'
  server: string
  folder: string
}

interface Files {
  kind: 'files'
  files: string[]
  context: string | undefined
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

function placeOf({
  kubeconfig = '',
  context,
  env = process.env,
  serviceAccount = serviceAccountFolder,
}: ClusterChoice): Pod | Files {
  const configured = kubeconfig === '' ? (env['KUBECONFIG'] ?? '').split(delimiter) : [kubeconfig]
  const files = configured.filter((file) => file !== '')
  if (files.length > 0) return { kind: 'files', files, context }
  const host = env['KUBERNETES_SERVICE_HOST']
  if (context !== undefined || host === undefined || !existsSync(join(serviceAccount, 'token'))) {
    return { kind: 'files', files: [join(homedir(), '.kube', 'config')], context }
  }
  const address = host.includes(':') ? `[${host}]` : host
  const server = `https://${address}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`
  return { kind: 'pod', server, folder: serviceAccount }
}

/** In a pod two files are enough; the Kubernetes client library would cost 75 MB of memory for reading them. */
async function readServiceAccount({ server, folder }: Pod): Promise<Credentials> {
  const [token, ca] = await Promise.all([
    readFile(join(folder, 'token'), 'utf8'),
    readFile(join(folder, 'ca.crt'), 'utf8'),
  ])
  return { server, headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } }
}

/** Contexts of kubeconfigs with all their ways to authenticate (tokens, client certificates, exec plugins, OIDC). */
function kubeconfigSource({ files, context }: Files): CredentialSource {
  // One for good: its authenticators cache what exec plugins return until it expires.
  let kubeConfig: KubeConfig | undefined
  return async () => {
    const { name, cluster, user, server } = await readContext(files, context)
    if ((cluster.fields['proxy-url'] ?? '') !== '') throw new Error('kubeconfig: proxy-url is not supported')
    const { KubeConfig } = await import('@kubernetes/client-node')
    kubeConfig ??= new KubeConfig()
    // Only what is used: the library merges files in another way than kubectl, and refuses all for one bad entry.
    kubeConfig.loadFromString(
      JSON.stringify({
        clusters: [{ name: cluster.name, cluster: cluster.fields }],
        users: [{ name: user.name, user: user.fields }],
        contexts: [{ name, context: { cluster: cluster.name, user: user.name } }],
        'current-context': name,
      }),
    )
    const options: RequestOptions & { headers: Record<string, string> } = { headers: {} }
    await kubeConfig.applyToHTTPSOptions(options)
    const headers = Object.fromEntries(
      Object.entries(options.headers).map(([key, value]) => [key.toLowerCase(), value.trim()]),
    )
    // The library (1.4) overlooks it: it asks for `token-file`.
    const { tokenFile } = user.fields
    if (typeof tokenFile === 'string') {
      headers['authorization'] ??= `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`
    }
    if (options.auth != null) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
    return {
      server: server.replace(/\/$/, ''),
      headers,
      tls: {
        ...text('ca', options.ca),
        ...text('cert', options.cert),
        ...text('key', options.key),
        ...(options.servername !== undefined && { servername: options.servername }),
        ...(options.rejectUnauthorized !== undefined && { rejectUnauthorized: options.rejectUnauthorized }),
      },
    }
  }
}

function text(name: 'ca' | 'cert' | 'key', value: unknown): Credentials['tls'] {
  return Buffer.isBuffer(value) || typeof value === 'string' ? { [name]: value.toString() } : {}
}
