import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { contextInUse, credentialSource } from '../../poller/kube/credentials.ts'
import type { ClusterChoice } from '../../poller/kube/credentials.ts'
import { KubeconfigError } from '../../poller/kube/kubeconfig.ts'

const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
t.teardown(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | object): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

/** A kubeconfig with the cluster `c`, the user `u` and contexts `name: namespace`. */
function kubeconfig(name: string, contexts: Record<string, unknown>, currentContext?: unknown): string {
  return file(name, {
    clusters: [{ name: 'c', cluster: { server: `https://${name}` } }],
    users: [{ name: 'u', user: { token: `token-of-${name}` } }],
    contexts: Object.entries(contexts).map(([context, namespace]) => ({
      name: context,
      context: { cluster: 'c', user: 'u', namespace },
    })),
    'current-context': currentContext,
  })
}

const one = kubeconfig('one', { shop: 'shop', plain: undefined, '': 'never' }, 'shop')
const two = kubeconfig('two', { shop: 'other', staging: 'tests' }, 'staging')
const none = kubeconfig('none', { 'none-a': 'a', 'none-b': 'b' })
const empty = file('empty', '# nothing yet\n')
const missing = join(folder, 'missing')
const serviceAccount = join(file('pod/token', 'pod-token'), '..')
file('pod/ca.crt', 'authority')
file('pod/namespace', 'pods\n')
const inPod = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }

function several(...files: string[]): ClusterChoice {
  return { env: { KUBECONFIG: files.join(delimiter) } }
}

void t.test('the context in use, its namespace, server and user', async (t) => {
  const anchors = file(
    'anchors',
    `clusters: [{ name: c, cluster: { server: 'https://anchors' } }]
users: [{ name: u, user: { token: token-of-anchors } }]
contexts:
  - name: a
    context: &a { cluster: c, user: u, namespace: a }
  - name: b
    context: { <<: *a, namespace: b }
  - name: half
current-context: b
`,
  )
  const table: [
    about: string,
    choice: ClusterChoice,
    context: string | undefined,
    namespace: string,
    server: string,
    token: string,
  ][] = [
    ['current context', { kubeconfig: one }, 'shop', 'shop', 'one', 'one'],
    ['a named context', { kubeconfig: two, context: 'shop' }, 'shop', 'other', 'two', 'two'],
    ['no namespace in it', { kubeconfig: one, context: 'plain' }, 'plain', 'default', 'one', 'one'],
    ['anchors, and an entry that says nothing', { kubeconfig: anchors }, 'b', 'b', 'anchors', 'anchors'],
    ['several: the first current context', several(one, two), 'shop', 'shop', 'one', 'one'],
    ['several: entries of the first', several(two, one), 'staging', 'tests', 'two', 'two'],
    ['several: the first that has one', several(none, two), 'staging', 'tests', 'none', 'none'],
    ['several: one for all, the context in the second', { ...several(one, two), context: 'staging' }, 'staging', 'tests', 'one', 'one'], // prettier-ignore
    ['several: missing and empty ones', several(missing, '', empty, two), 'staging', 'tests', 'two', 'two'],
    ['a given one wins', { ...several(one), kubeconfig: two }, 'staging', 'tests', 'two', 'two'],
    ['and over the pod', { kubeconfig: two, env: inPod, serviceAccount }, 'staging', 'tests', 'two', 'two'],
  ]
  for (const [about, choice, context, namespace, server, token] of table) {
    t.strictSame(await contextInUse(choice), { context, namespace }, about)
    const credentials = { server: `https://${server}`, headers: { authorization: `Bearer token-of-${token}` } }
    t.match(await credentialSource(choice)(), credentials, about)
  }
})

void t.test('in a pod: the namespace of the service account', async (t) => {
  const pod = { env: inPod, serviceAccount }
  t.strictSame(await contextInUse(pod), { context: undefined, namespace: 'pods' })
  const bare = join(file('bare/token', 'x'), '..')
  t.strictSame(await contextInUse({ ...pod, serviceAccount: bare }), { context: undefined, namespace: 'default' })
  t.match(await contextInUse({ ...pod, env: { ...inPod, KUBECONFIG: two } }), { namespace: 'tests' })
  const ofFile = { message: /^kubeconfig \S+\.kube.config: no (such file|context "of no file")/ }
  await t.rejects(contextInUse({ ...pod, context: 'of no file' }), ofFile, 'a pod has no contexts')
})

void t.test('paths are those of the folder of their file', async (t) => {
  file('keys/ca.crt', 'authority')
  file('keys/token', 'from a file\n')
  const first = file('keys/first', {
    clusters: [{ name: 'c', cluster: { server: 'https://c/', 'certificate-authority': 'ca.crt' } }],
  })
  const second = file('second', {
    users: [{ name: 'u', user: { tokenFile: 'keys/token' } }],
    contexts: [
      { name: 'x', context: { cluster: 'c', user: 'u' } },
      { name: 'nobody', context: { cluster: 'c' } },
    ],
    'current-context': 'x',
  })
  t.strictSame(await credentialSource(several(first, second))(), {
    server: 'https://c',
    headers: { authorization: 'Bearer from a file' },
    tls: { ca: 'authority' },
  })
  const nobody = await credentialSource({ ...several(first, second), context: 'nobody' })()
  t.match(nobody, { headers: {}, tls: { ca: 'authority' } })
  t.notOk('authorization' in nobody.headers)
})

void t.test('what cannot be used is said, without what it holds', async (t) => {
  const secret = file('secret', 'users:\n- name: u\n  user: {token: s3cret\ncurrent-context: [x\n')
  const serverless = file('serverless', {
    clusters: [{ name: 'c', cluster: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c' } }],
    'current-context': 'x',
  })
  const table: [choice: ClusterChoice, message: RegExp][] = [
    [{ kubeconfig: missing }, /^kubeconfig \S+missing: no such file$/],
    [several(missing, `${missing}2`), /^kubeconfig \S+missing, \S+missing2: no such file$/],
    [{ kubeconfig: folder }, /EISDIR/],
    [{ kubeconfig: secret }, /secret: line \d+ is no YAML \([A-Z_]+\)$/],
    [several(one, secret), /secret: line \d+ is no YAML/],
    [{ kubeconfig: file('text', 'hello') }, /text is no kubeconfig$/],
    [{ kubeconfig: file('alias', 'contexts: *a') }, /alias: .*alias/],
    [{ kubeconfig: empty }, /empty: no context is the current one, known are: none$/],
    [{ kubeconfig: none }, /none: no context is the current one, known are: none-a, none-b$/],
    [{ kubeconfig: two, context: 'prod' }, /two: no context "prod", known are: shop, staging$/],
    [{ ...several(two, none), context: 'prod' }, /two, \S+none: no context "prod", known are: shop, staging, none-a/],
    [{ kubeconfig: kubeconfig('gone', { a: 'a' }, 'b') }, /gone: no context "b", known are: a$/],
    [{ kubeconfig: kubeconfig('number', { a: 7 }, 'a') }, /number: context "a": its namespace is no text$/],
    [{ kubeconfig: kubeconfig('current', { a: 'a' }, 7) }, /current: current-context is no text$/],
    [{ kubeconfig: serverless }, /serverless: context "x" names no cluster that has a server$/],
  ]
  for (const [choice, message] of table) {
    for (const read of [contextInUse, (of: ClusterChoice) => credentialSource(of)()]) {
      const error: unknown = await read(choice).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      t.ok(error instanceof KubeconfigError, String(message))
      t.match((error as Error).message, message)
      t.notMatch((error as Error).message, /s3cret|\n/)
    }
  }
})
