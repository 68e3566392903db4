import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import t from 'tap'
import type { Test } from 'tap'
import { packagePath } from '../../webhooks/package-root.ts'
import { createClient } from '../../poller/kube/client.ts'
import { credentialSource } from '../../poller/kube/credentials.ts'

const certificate = (name: string): string => packagePath('test', 'webhooks', 'certificates', name)

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'credentials-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

/** Writes a kubeconfig and gives its path. */
function kubeconfig(t: Test, user: object, cluster: object = {}): string {
  const path = join(folder(t), 'kubeconfig')
  const server = { server: 'https://api.example.com:6443/base/', ...cluster }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: server }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  }
  writeFileSync(path, JSON.stringify(config))
  return path
}

void t.test('in a pod: the files of the service account, read each time', async (t) => {
  const path = folder(t)
  writeFileSync(join(path, 'token'), 'one\n')
  writeFileSync(join(path, 'ca.crt'), 'authority')
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' }
  const source = credentialSource({ env, serviceAccount: path })
  t.strictSame(await source(), {
    server: 'https://10.0.0.1:6443',
    headers: { authorization: 'Bearer one' },
    tls: { ca: 'authority' },
  })
  writeFileSync(join(path, 'token'), 'two')
  t.match(await source(), { headers: { authorization: 'Bearer two' } })
  const ipv6 = credentialSource({ env: { KUBERNETES_SERVICE_HOST: 'fd00::1' }, serviceAccount: path })
  t.match(await ipv6(), { server: 'https://[fd00::1]:443' })
})

void t.test('a given kubeconfig wins over the pod', async (t) => {
  const path = folder(t)
  writeFileSync(join(path, 'token'), 'pod')
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }
  const source = credentialSource({ kubeconfig: kubeconfig(t, { token: 'file' }), env, serviceAccount: path })
  t.match(await source(), { server: 'https://api.example.com:6443/base', headers: { authorization: 'Bearer file' } })
})

void t.test('kubeconfig users', async (t) => {
  const tokenFile = join(folder(t), 'token')
  writeFileSync(tokenFile, 'first')
  const source = credentialSource({ kubeconfig: kubeconfig(t, { tokenFile }) })
  t.match(await source(), { headers: { authorization: 'Bearer first' } })
  writeFileSync(tokenFile, 'second')
  t.match(await source(), { headers: { authorization: 'Bearer second' } }, 'a token file that rotates')

  const ca = certificate('ca.pem')
  const files = credentialSource({
    kubeconfig: kubeconfig(
      t,
      { 'client-certificate': certificate('client.pem'), 'client-key': certificate('client.key') },
      { 'certificate-authority': ca, 'tls-server-name': 'other.example.com' },
    ),
  })
  t.strictSame((await files()).tls, {
    ca: readFileSync(ca, 'utf8'),
    cert: readFileSync(certificate('client.pem'), 'utf8'),
    key: readFileSync(certificate('client.key'), 'utf8'),
    servername: 'other.example.com',
  })

  const basic = credentialSource({ kubeconfig: kubeconfig(t, { username: 'a', password: 'b' }) })
  t.match(await basic(), { headers: { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` } })

  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'made' },
  }
  const exec = { apiVersion: credential.apiVersion, command: 'echo', args: [JSON.stringify(credential)] }
  t.match(await credentialSource({ kubeconfig: kubeconfig(t, { exec }) })(), {
    headers: { authorization: 'Bearer made' },
  })
})

void t.test('what cannot be used is said', async (t) => {
  await t.rejects(credentialSource({ kubeconfig: '/nowhere' })(), { message: /\/nowhere/ })
  const proxied = kubeconfig(t, {}, { 'proxy-url': 'http://proxy' })
  await t.rejects(credentialSource({ kubeconfig: proxied })(), { message: /proxy-url/ })
})

void t.test('TLS with a client certificate, and new connections when it changes', async (t) => {
  const known: boolean[] = []
  const server = createServer(
    {
      cert: readFileSync(certificate('server.pem')),
      key: readFileSync(certificate('server.key')),
      ca: readFileSync(certificate('ca.pem')),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const isKnown = request.socket instanceof TLSSocket && request.socket.authorized
      known.push(isKnown)
      response.writeHead(isKnown ? 200 : 401).end('{}')
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const own = folder(t)
  const paths = { 'client-certificate': join(own, 'cert'), 'client-key': join(own, 'key') }
  const present = (name: string): void => {
    writeFileSync(paths['client-certificate'], readFileSync(certificate(`${name}.pem`)))
    writeFileSync(paths['client-key'], readFileSync(certificate(`${name}.key`)))
  }
  present('stranger')
  const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority': certificate('ca.pem') }
  const client = createClient({ kubeconfig: kubeconfig(t, paths, cluster) })
  const untrusting = createClient({ kubeconfig: kubeconfig(t, {}, { server: cluster.server }) })
  t.teardown(async () => {
    await Promise.all([client.close(), untrusting.close()])
    server.close()
  })
  await t.rejects(client.request({ method: 'POST', path: '/' }), { message: '{}' })
  present('client')
  await new Promise((resolve) => setTimeout(resolve, 1010)) // files are read at most once a second
  await client.request({ method: 'POST', path: '/' })
  t.strictSame(known, [false, false, false, true], 'refused, tried again at once, and after the change')
  await t.rejects(untrusting.request({ method: 'POST', path: '/' }), { message: /certificate/ })
})
