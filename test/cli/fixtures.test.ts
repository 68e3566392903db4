/** examples/hooks: a case for each hook, the recorded answers as the generator writes them, the README's way to replay one. */
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { kasprHooks } from '../../webhooks/kaspr/index.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { rolloutHooks } from '../../webhooks/rollout/index.ts'
import { startNode } from './process.ts'

const files = readdirSync(packagePath('examples', 'hooks'), { recursive: true, encoding: 'utf8' })

void t.test('there is a case for each hook, and each request has its response', async (t) => {
  const requests = files.filter((name) => name.endsWith('.request.json'))
  const wanted = [...kasprHooks, rolloutHooks].flatMap(({ resource, ...hooks }) =>
    (['sync', 'finalize', 'customize'] as const).filter((hook) => hook in hooks).map((hook) => `${resource}/${hook}`),
  )
  t.equal(wanted.length, 9)
  t.same([...new Set(requests.map(dirname))].sort(), wanted.sort())
  t.same(
    files.filter((name) => name.endsWith('.response.json')).sort(),
    requests.map((name) => name.replace('.request.', '.response.')).sort(),
  )
})

/** That the cases are answered so over HTTP is tested without curl, in test/webhooks/fixtures.test.ts; here it is the README's command. */
const hasCurl = spawnSync('curl', ['--version']).status === 0

void t.test('the README replays a case by curl', { skip: hasCurl ? false : 'curl is missing' }, async (t) => {
  const [, script = ''] = /```sh\n(case=[^`]*)```/.exec(readFileSync(packagePath('README.md'), 'utf8')) ?? []
  const serve = startNode(t, 'cli/main.js', ['serve'], { HOST: '127.0.0.1', PORT: '0' })
  const port = await serve.port()
  const replay = (text: string): { status: number | null; stdout: string } =>
    spawnSync('sh', ['-c', text.replace('localhost:8080', `127.0.0.1:${port}`)], {
      cwd: packagePath(),
      encoding: 'utf8',
    })
  t.match(replay(script), { status: 0, stdout: '' })
  const other = script.replace(/\| diff - .*/, '| diff - examples/hooks/kasprapps/sync/settled.response.json')
  t.equal(replay(other).status, 1, 'and would show a difference')
})
