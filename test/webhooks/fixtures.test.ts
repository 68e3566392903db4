/** Replays every examples/hooks/<resource>/<hook>/<case>.request.json over HTTP, as the README does with curl. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { kaspr } from '../../webhooks/kaspr/index.ts'
import { createLogger } from '../../webhooks/logging.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { rollout } from '../../webhooks/rollout/index.ts'
import { buildServer } from '../../webhooks/server.ts'
import { context } from './requests.ts'

const folder = packagePath('examples', 'hooks')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.request.json'),
)

void t.test('every fixture of examples/hooks is answered with its response', async (t) => {
  const { settings } = context()
  const app = await buildServer({ settings, hooks: [kaspr, rollout], logger: createLogger('silent') })
  t.teardown(() => app.close())
  t.ok(files.length >= 5)
  for (const file of files.sort()) {
    const payload = readFileSync(`${folder}/${file}`, 'utf8')
    const expected = readFileSync(`${folder}/${file.replace('.request.', '.response.')}`, 'utf8')
    const headers = { 'content-type': 'application/json' }
    const answer = await app.inject({ method: 'POST', url: `/${dirname(file)}`, payload, headers })
    t.equal(answer.statusCode, 200, file)
    t.equal(`${JSON.stringify(answer.json(), null, 2)}\n`, expected, file)
  }
})
