import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { parse } from 'yaml'
import type { Environment } from '../../webhooks/environment.ts'

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

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Finds credentials: the given kubeconfig file, else `$KUBECONFIG`, else the pod's service account, else
 * `~/.kube/config`. Nothing is read before the first call of the source; what cannot be read fails that call.
 */
export function credentialSource(
  kubeconfig?: string,
  env: Environment = process.env,
  serviceAccount = serviceAccountFolder,
): CredentialSource {
  const host = env['KUBERNETES_SERVICE_HOST']
  const configured = kubeconfig ?? env['KUBECONFIG']
  if (configured !== undefined && configured !== '') return kubeconfigSource(configured.split(delimiter))
  if (host === undefined || !existsSync(`${serviceAccount}/token`)) {
    return kubeconfigSource([join(homedir(), '.kube', 'config')])
  }
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`
  return () => readServiceAccount(server, serviceAccount)
}

/** In a pod two files are enough; the Kubernetes client library would cost 75 MB of memory for reading them. */
async function readServiceAccount(server: string, folder: string): Promise<Credentials> {
  const [token, ca] = await Promise.all([
    readFile(join(folder, 'token'), 'utf8'),
    readFile(join(folder, 'ca.crt'), 'utf8'),
  ])
  return { server, headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } }
}

/** Kubeconfig files with all their ways to authenticate (tokens, client certificates, exec plugins, OIDC). */
function kubeconfigSource(files: string[]): CredentialSource {
  // One for good: its authenticators cache what exec plugins return until it expires.
  let kubeConfig: KubeConfig | undefined
  return async () => {
    const { KubeConfig } = await import('@kubernetes/client-node')
    kubeConfig ??= new KubeConfig()
    for (const [i, file] of files.entries()) {
      const config = i === 0 ? kubeConfig : new KubeConfig()
      config.loadFromFile(file)
      if (i > 0) kubeConfig.mergeConfig(config)
    }
    const cluster = kubeConfig.getCurrentCluster()
    if (cluster === null) {
      throw new Error(`${files.join()}: the current context "${kubeConfig.currentContext}" names no cluster`)
    }
    if (cluster.proxyUrl !== undefined) throw new Error('kubeconfig: proxy-url is not supported')
    const options: RequestOptions & { headers: Record<string, string> } = { headers: {} }
    await kubeConfig.applyToHTTPSOptions(options)
    const headers = Object.fromEntries(
      Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value.trim()]),
    )
    const tokenFile = await tokenFileOf(kubeConfig.getCurrentUser()?.name, files)
    if (tokenFile !== undefined) headers['authorization'] ??= `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`
    if (options.auth != null) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
    return {
      server: cluster.server,
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

/** The `tokenFile` of a user, which the library (1.4) overlooks: it asks for `token-file`. */
async function tokenFileOf(name: string | undefined, files: string[]): Promise<string | undefined> {
  for (const file of files) {
    const config = parse(await readFile(file, 'utf8')) as RawConfig | null
    const tokenFile = config?.users?.find((user) => user.name === name)?.user?.tokenFile
    if (tokenFile !== undefined) return resolve(dirname(file), tokenFile)
  }
  return undefined
}

interface RawConfig {
  users?: { name: string; user?: { tokenFile?: string } }[]
}

function text(name: 'ca' | 'cert' | 'key', value: unknown): Credentials['tls'] {
  return Buffer.isBuffer(value) || typeof value === 'string' ? { [name]: value.toString() } : {}
}
