import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Who talks to the API server with a fixed token. All may do everything; the names tell them apart in the audit log. */
export type ComponentUser =
  'admin' | 'system:kube-controller-manager' | 'system:kube-scheduler' | 'kwok' | 'kubelet' | 'storage'

const users: ComponentUser[] = [
  'admin',
  'system:kube-controller-manager',
  'system:kube-scheduler',
  'kwok',
  'kubelet',
  'storage',
]

/** Files the API server starts with. */
export interface Credentials {
  /** The static token file. */
  tokens: string
  /** Signs and checks ServiceAccount tokens. */
  serviceAccountKey: string
  auditPolicy: string
  /** Kubeconfig of each user. */
  kubeconfigs: Record<ComponentUser, string>
}

/** Where the API server is and how to know it. */
export interface Endpoint {
  /** For example `https://127.0.0.1:23456`. */
  server: string
  caFile: string
}

/** What the audit log leaves out: the API server talking to itself, health checks and discovery. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', users: ['system:apiserver'] },
    { level: 'None', nonResourceURLs: ['*'] },
    { level: 'Metadata' },
  ],
}

/** Writes fresh keys, tokens, the audit policy and the components' kubeconfigs into the plane's folder. */
export async function writeCredentials(dir: string, endpoint: Endpoint): Promise<Credentials> {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const tokens = users.map((user) => ({ user, token: randomBytes(24).toString('base64url') }))
  const credentials: Credentials = {
    tokens: join(dir, 'tokens.csv'),
    serviceAccountKey: join(dir, 'service-account.key'),
    auditPolicy: join(dir, 'audit-policy.json'),
    kubeconfigs: Object.fromEntries(
      users.map((user) => [user, join(dir, `${user.replace(/^system:/, '')}.kubeconfig`)]),
    ) as Record<ComponentUser, string>,
  }
  await Promise.all([
    writeFile(
      credentials.tokens,
      tokens.map(({ user, token }) => `${token},${user},${user},system:masters\n`).join(''),
      { mode: 0o600 },
    ),
    writeFile(credentials.serviceAccountKey, privateKey, { mode: 0o600 }),
    writeFile(credentials.auditPolicy, JSON.stringify(auditPolicy)),
    ...tokens.map(({ user, token }) => writeKubeconfig(credentials.kubeconfigs[user], endpoint, token)),
  ])
  return credentials
}

/** Writes a kubeconfig (JSON, which every client reads as YAML) for a bearer token. */
export async function writeKubeconfig(file: string, { server, caFile }: Endpoint, token: string): Promise<void> {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'plane', cluster: { server, 'certificate-authority': caFile } }],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'plane', context: { cluster: 'plane', user: 'user', namespace: 'default' } }],
    'current-context': 'plane',
  }
  await writeFile(file, JSON.stringify(config, null, 2), { mode: 0o600 })
}
