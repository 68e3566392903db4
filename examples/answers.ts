/**
 * Writes examples/hooks/<resource>/<hook>/<case>.response.json from the request beside it, as the hook service answers it
 * with default settings. Run by `npm run generate`; test/webhooks/fixtures.test.ts replays all over HTTP.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { answerInProcess } from '../cli/simulate.ts'
import type { HookCall } from '../cli/world.ts'
import { readSettings } from '../webhooks/environment.ts'
import { kasprHooks } from '../webhooks/kaspr/index.ts'
import { packagePath } from '../webhooks/package-root.ts'
import { hookSettings } from '../webhooks/settings.ts'

const folder = packagePath('examples', 'hooks')
const settings = readSettings(hookSettings, {})

for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.request.json')) continue
  const [soon, later] = [answerAt(file, '2030-01-01T00:00:00Z'), answerAt(file, '2031-01-01T00:00:00Z')]
  // It could not be replayed by curl. The times of conditions come from the status in the request.
  if (soon !== later) throw new Error(`${file}: give the parent the status that this request leads to`)
  writeFileSync(join(folder, file.replace('.request.', '.response.')), soon)
}

function answerAt(file: string, now: string): string {
  const resource = basename(dirname(dirname(file)))
  const hook = basename(dirname(file)) as HookCall['hook']
  const hooks = kasprHooks.find((candidate) => candidate.resource === resource)
  if (hooks === undefined) throw new Error(`${file}: no hooks for ${resource}`)
  const body = JSON.parse(readFileSync(join(folder, file), 'utf8')) as HookCall['body']
  return `${JSON.stringify(answerInProcess({ hooks, hook, body }, { settings, now: new Date(now) }), null, 2)}\n`
}
