/**
 * `npm run demo`: starts the hook service and plays Metacontroller for the objects of examples/kaspr/orders.yaml: the world
 * of `render` carries the answers out in memory until nothing changes, but here it asks the real service over HTTP.
 */
import { readFileSync } from 'node:fs'
import { parseAllDocuments, stringify } from 'yaml'
import { type HookCall, createWorld } from '../cli/world.ts'
import type { KubeObject } from '../webhooks/contract/types.ts'
import { readSettings } from '../webhooks/environment.ts'
import { kaspr } from '../webhooks/kaspr/index.ts'
import { createLogger } from '../webhooks/logging.ts'
import { packagePath } from '../webhooks/package-root.ts'
import { buildServer } from '../webhooks/server.ts'
import { hookSettings } from '../webhooks/settings.ts'

const settings = readSettings(hookSettings, { HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn' })
const server = await buildServer({ settings, hooks: [kaspr], logger: createLogger(settings.LOG_LEVEL) })
const url = await server.listen({ host: settings.HOST, port: settings.PORT })

const text = readFileSync(packagePath('examples', 'kaspr', 'orders.yaml'), 'utf8')
const world = createWorld(parseAllDocuments(text).map((document) => document.toJS() as KubeObject))

console.log(
  `The hook service listens at ${url}. It gets ${world.parents.length} objects of examples/kaspr/orders.yaml.\n`,
)
for (const object of world.parents) {
  const calls = world.settle(object)
  let step = calls.next()
  while (step.done !== true) step = calls.next(await post(step.value))
  const { parent, children, rounds } = step.value
  console.log(`\n# ${parent.kind} ${parent.metadata.name}: ${children.length} children; sync ${rounds} changed nothing`)
  for (const child of children) console.log(`---\n${stringify(child).trimEnd()}`)
  console.log(`--- # status\n${stringify(parent['status'])}`)
}
await server.close()

async function post({ hooks, hook, body }: HookCall): Promise<unknown> {
  const path = `/${hooks.resource}/${hook}`
  const { name } = body.parent.metadata
  const started = performance.now()
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = await response.text()
  const ms = (performance.now() - started).toFixed(1)
  console.log(
    `POST ${path.padEnd(22)} ${name.padEnd(8)} ${response.status}  ${ms.padStart(6)} ms  ${answer.length} bytes`,
  )
  if (!response.ok) throw new Error(answer)
  return JSON.parse(answer) as unknown
}
