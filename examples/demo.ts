/**
 * `npm run demo`: starts the hook service and plays Metacontroller for the objects of examples/kaspr/orders.yaml: it POSTs
 * them to the real hooks over HTTP, carries the answers out in memory, and goes on until nothing changes.
 */
import { readFileSync } from 'node:fs'
import { parseAllDocuments, stringify } from 'yaml'
import type { CompositeResponse, KubeObject, ObjectMap } from '../webhooks/contract/types.ts'
import { readSettings } from '../webhooks/environment.ts'
import { kaspr, kasprHooks } from '../webhooks/kaspr/index.ts'
import { createLogger } from '../webhooks/logging.ts'
import { packagePath } from '../webhooks/package-root.ts'
import { buildServer } from '../webhooks/server.ts'
import { hookSettings } from '../webhooks/settings.ts'

const settings = readSettings(hookSettings, { HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn' })
const server = await buildServer({ settings, hooks: [kaspr], logger: createLogger(settings.LOG_LEVEL) })
const url = await server.listen({ host: settings.HOST, port: settings.PORT })

const text = readFileSync(packagePath('examples', 'kaspr', 'orders.yaml'), 'utf8')
const parents = parseAllDocuments(text).map((document, index) => withServerFields(document.toJS() as KubeObject, index))
const children = new Map<KubeObject, KubeObject[]>(parents.map((parent) => [parent, []]))

console.log(`The hook service listens at ${url}. It gets ${parents.length} objects of examples/kaspr/orders.yaml.\n`)
for (let round = 1; ; round++) {
  const before = JSON.stringify([parents, [...children.values()]])
  // Components come first in the file: an app waits for what they report.
  for (const parent of parents) await sync(parent)
  if (JSON.stringify([parents, [...children.values()]]) === before) {
    console.log(`\nRound ${round} changed nothing: this is the desired state.`)
    break
  }
}
for (const [parent, owned] of children) {
  console.log(`\n# ${parent.kind} ${parent.metadata.name}: ${owned.length} children`)
  for (const child of owned) console.log(`---\n${stringify(child).trimEnd()}`)
  console.log(`--- # status\n${stringify(parent['status']).trimEnd()}`)
}
await server.close()

/** What Metacontroller does with one parent: customize where there is such a hook, sync, carry out the answer. */
async function sync(parent: KubeObject): Promise<void> {
  const hooks = kasprHooks.find(({ kind }) => kind === parent.kind)
  if (hooks === undefined) throw new Error(`no hooks for ${parent.kind}`)
  const controller = {
    apiVersion: 'metacontroller.k8s.io/v1alpha1',
    kind: 'CompositeController',
    metadata: { name: hooks.resource },
  }
  if (hooks.customize !== undefined) await post(parent, `/${hooks.resource}/customize`, { controller, parent })
  const answer = (await post(parent, `/${hooks.resource}/sync`, {
    controller,
    parent,
    children: grouped(hooks.childRules, children.get(parent) ?? []),
    related: grouped(hooks.relatedRules ?? [], parents),
    finalizing: false,
  })) as CompositeResponse
  children.set(parent, answer.children)
  parent['status'] = { ...answer.status, observedGeneration: parent.metadata.generation }
}

async function post(parent: KubeObject, path: string, body: unknown): Promise<unknown> {
  const started = performance.now()
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = await response.text()
  const ms = (performance.now() - started).toFixed(1)
  console.log(
    `POST ${path.padEnd(22)} ${parent.metadata.name.padEnd(8)} ${response.status}  ${ms.padStart(6)} ms  ${answer.length} bytes`,
  )
  if (!response.ok) throw new Error(answer)
  return JSON.parse(answer) as unknown
}

function grouped(rules: readonly { apiVersion: string; kind: string }[], objects: readonly KubeObject[]): ObjectMap {
  return Object.fromEntries(
    rules.map(({ apiVersion, kind }) => [
      `${kind}.${apiVersion}`,
      Object.fromEntries(
        objects
          .filter((object) => object.kind === kind && object.apiVersion === apiVersion)
          .map((object) => [`${object.metadata.namespace ?? ''}/${object.metadata.name}`, object]),
      ),
    ]),
  )
}

/** What the API server adds to an object. */
function withServerFields(object: KubeObject, index: number): KubeObject {
  return {
    ...object,
    metadata: { ...object.metadata, uid: `00000000-0000-0000-0000-00000000000${index}`, generation: 1 },
  }
}
