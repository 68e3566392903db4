/**
 * Writes examples/hooks/<resource>/<hook>/<case>.response.json from the request beside it, as the hook service answers it
 * with default settings. Run by `npm run generate`; test/webhooks/fixtures.test.ts replays all over HTTP.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { answerInProcess } from '../cli/simulate.ts'
import type { HookCall } from '../cli/world.ts'
import { decoratorAnswerCheck } from '../webhooks/contract/answer.ts'
import { checkAttachments, decoratorRequest } from '../webhooks/contract/request.ts'
import { readSettings } from '../webhooks/environment.ts'
import type { HookContext } from '../webhooks/hooks.ts'
import { kasprHooks } from '../webhooks/kaspr/index.ts'
import { packagePath } from '../webhooks/package-root.ts'
import { rolloutHooks } from '../webhooks/rollout/index.ts'
import { hookSettings } from '../webhooks/settings.ts'

const folder = packagePath('examples', 'hooks')
const settings = readSettings(hookSettings, {})

for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.request.json')) continue
  const answer = timelessAnswer(file) ?? (keepStatus(file), timelessAnswer(file))
  if (answer === undefined) throw new Error(`${file}: its answer depends on the time, curl could not replay it`)
  writeFileSync(join(folder, file.replace('.request.', '.response.')), answer)
}

/** The answer, if it is the same at any time: the times of all conditions come from the status in the request. */
function timelessAnswer(file: string): string | undefined {
  const [soon, later] = [answerAt(file, '2030-01-01T00:00:00Z'), answerAt(file, '2031-01-01T00:00:00Z')]
  return soon === later ? soon : undefined
}

/**
 * Gives the parent of a request the status that the request leads to, at the generation it had. A decorator's answer has
 * no status to be carried over: its request is written so that the answer is timeless.
 */
function keepStatus(file: string): void {
  const path = join(folder, file)
  const body = JSON.parse(readFileSync(path, 'utf8')) as Partial<HookCall['body']>
  if (body.parent === undefined) return
  const { status } = JSON.parse(answerAt(file, '2026-01-01T00:00:00Z')) as { status?: Record<string, unknown> }
  const { observedGeneration } = (body.parent['status'] ?? {}) as { observedGeneration?: number }
  body.parent['status'] = { ...status, ...(observedGeneration !== undefined && { observedGeneration }) }
  writeFileSync(path, `${JSON.stringify(body, null, 2)}\n`)
}

function answerAt(file: string, now: string): string {
  const resource = basename(dirname(dirname(file)))
  const hook = basename(dirname(file)) as HookCall['hook']
  const body: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const context = { settings, now: new Date(now) }
  const hooks = kasprHooks.find((candidate) => candidate.resource === resource)
  if (hooks === undefined && resource !== rolloutHooks.resource) throw new Error(`${file}: no hooks for ${resource}`)
  const answer =
    hooks === undefined
      ? decoratorAnswer(body, context)
      : answerInProcess({ hooks, hook, body: body as HookCall['body'] }, context)
  return `${JSON.stringify(answer, null, 2)}\n`
}

function decoratorAnswer(body: unknown, context: HookContext): unknown {
  const request = decoratorRequest(body, rolloutHooks)
  checkAttachments(request, rolloutHooks)
  const answer = rolloutHooks.sync(request, context)
  decoratorAnswerCheck(rolloutHooks.attachmentRules)(answer, request.object)
  return answer
}
