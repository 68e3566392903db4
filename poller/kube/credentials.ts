import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'

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

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Finds credentials: the given kubeconfig file, else `$KUBECONFIG`, else the pod's service account, else
 * `~/.kube/config`. Nothing is read before the first call of the source; what cannot be read fails that call.
 */
export function credentialSource(kubeconfig?: string, env: NodeJS.ProcessEnv = process.env): CredentialSource {
  const inCluster = env['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(`${serviceAccount}/token`)
  if (kubeconfig === undefined && !env['KUBECONFIG'] && inCluster) return () => readServiceAccount(env)
  return kubeconfigSource(kubeconfig)
}

/** In a pod two files are enough; the Kubernetes client library would cost 75 MB of memory for reading them. */
async function readServiceAccount(env: NodeJS.ProcessEnv): Promise<Credentials> {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? ''
  const [token, ca] = await Promise.all([
    readFile(`${serviceAccount}/token`, 'utf8'),
    readFile(`${serviceAccount}/ca.crt`, 'utf8'),
  ])
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`,
    headers: { authorization: `Bearer ${token.trim()}` },
    tls: { ca },
  }
}

/** A kubeconfig with all its ways to authenticate (tokens, token files, client certificates, exec plugins, OIDC). */
function kubeconfigSource(path: string | undefined): CredentialSource {
  // One KubeConfig for good: its authenticators cache what exec plugins return until it expires.
  const config = import('@kubernetes/client-node').then(({ KubeConfig }) => new KubeConfig())
  config.catch(() => undefined) // reported by each call below
  return async () => {
    const kubeConfig = await config
    if (path === undefined) kubeConfig.loadFromDefault()
    else kubeConfig.loadFromFile(path)
    const cluster = kubeConfig.getCurrentCluster()
    if (cluster === null) {
      throw new Error(`${path ?? 'kubeconfig'}: the current context "${kubeConfig.currentContext}" names no cluster`)
    }
    if (cluster.proxyUrl !== undefined) throw new Error('kubeconfig: proxy-url is not supported')
    const options: RequestOptions & { headers: Record<string, string> } = { headers: {} }
    await kubeConfig.applyToHTTPSOptions(options)
    const headers = Object.fromEntries(
      Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value.trim()]),
    )
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

function text(name: 'ca' | 'cert' | 'key', value: unknown): Credentials['tls'] {
  return Buffer.isBuffer(value) || typeof value === 'string' ? { [name]: value.toString() } : {}
}
