/** The client of the object store, run with the real Python and openssl against a server that checks the signature. */
import { execFile, execFileSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { gcsClient } from '../../webhooks/kaspr/packages/scripts.ts'
import { listen } from '../fakes/listen.ts'

function available(): boolean {
  try {
    execFileSync('python3', ['--version'])
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

void t.test(
  'an archive goes up and comes down',
  { skip: available() ? false : 'python3 or openssl is missing' },
  async (t) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const stored = new Map<string, Buffer>()
    const claims: unknown[] = []
    const port = await listen(t, (request, response) => {
      void bodyOf(request).then((body) => {
        const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
        if (pathname === '/token') {
          const [head = '', payload = '', signature = ''] = (
            new URLSearchParams(body.toString()).get('assertion') ?? ''
          ).split('.')
          const genuine = verify(
            'sha256',
            Buffer.from(`${head}.${payload}`),
            createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
            Buffer.from(signature, 'base64url'),
          )
          claims.push(JSON.parse(Buffer.from(payload, 'base64url').toString()))
          response.writeHead(genuine ? 200 : 401).end(JSON.stringify({ access_token: 'secret-token' }))
          return
        }
        if (request.headers.authorization !== 'Bearer secret-token') {
          response.writeHead(403).end()
          return
        }
        const key = searchParams.get('name') ?? decodeURIComponent(pathname.split('/').at(-1) ?? '')
        if (request.method === 'POST') stored.set(key, body)
        const found = stored.get(key)
        response.writeHead(found === undefined ? 404 : 200).end(found)
      })
    })
    const address = `http://127.0.0.1:${port}`
    const folder = mkdtempSync(join(tmpdir(), 'gcs-client-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const keyFile = join(folder, 'sa.json')
    const account = {
      client_email: 'app@example.test',
      token_uri: `${address}/token`,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    }
    writeFileSync(keyFile, JSON.stringify(account))
    const run = (action: string, key: string, file: string): Promise<{ code: number; stderr: string }> =>
      new Promise((resolve) => {
        const env = { ...process.env, STORAGE_EMULATOR_HOST: address }
        execFile('python3', ['-c', gcsClient, action, keyFile, 'bucket', key, file], { env }, (error, _, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), stderr }),
        )
      })
    const [source, target] = [join(folder, 'source'), join(folder, 'target')]
    writeFileSync(source, 'an archive')
    const key = 'team a/orders-app/0123456789abcdef-py3.12.tar.gz'

    const missing = await run('download', key, target)
    t.equal(missing.code, 1)
    t.match(missing.stderr, /^download of gs:\/\/bucket\/team a.*HTTPError: HTTP Error 404/)
    t.notMatch(missing.stderr, /secret-token|Traceback/)
    t.same(await run('upload', key, source), { code: 0, stderr: '' })
    t.same(await run('download', key, target), { code: 0, stderr: '' })
    t.equal(readFileSync(target, 'utf8'), 'an archive')
    t.match(claims[0], { iss: 'app@example.test', aud: `${address}/token`, scope: /devstorage\.read_write$/ })
    writeFileSync(keyFile, '{}')
    t.match(await run('upload', key, source), { code: 1, stderr: /KeyError/ })
  },
)
