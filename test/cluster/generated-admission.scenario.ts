/** What a real API server says to what becomes of generated KasprApps: an object that it refuses would hold up the app in silence. */
import fc from 'fast-check'
import t from 'tap'
import { ApiError } from '../../poller/kube/client.ts'
import type { Condition, KubeObject } from '../../webhooks/contract/types.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { appOf, appSpecs } from '../webhooks/app-arbitrary.ts'
import { componentSets } from '../webhooks/component-arbitrary.ts'
import { context, hooksOf, request, synced } from '../webhooks/requests.ts'
import { startPlane } from './plane.ts'

t.setTimeout(900_000)

const runs = Number(process.env['ADMISSION_RUNS'] ?? 300)
const seed = Number(process.env['ADMISSION_SEED'] ?? 1)

const plane = await startPlane({ scheduler: false, name: 'generated' })
t.teardown(() => plane.stop({ failed: !t.passing() }))
await plane.kubectl(['apply', '--server-side', '-k', packagePath('crds')])
await plane.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
await plane.kubectl(['create', 'namespace', 'shop'])

/** The API server's words about an object that it refuses; `undefined` when it would take it. */
async function refusal(object: KubeObject): Promise<string | undefined> {
  const { apiVersion, kind, metadata } = object
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const path = `${root}/namespaces/${metadata.namespace ?? ''}/${kind.toLowerCase()}s`
  const { uid: _, ...rest } = metadata
  try {
    const query = { dryRun: 'All', fieldValidation: 'Strict' }
    await plane.client.request({ method: 'POST', path, query, body: { ...object, metadata: rest } })
    return undefined
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return error.message
  }
}

function invalid({ status }: { status: Record<string, unknown> }): string | undefined {
  const conditions = status['conditions'] as Condition[]
  return conditions.find(({ type, reason }) => type === 'Valid' && reason === 'InvalidSpec')?.message
}

void t.test(`the children of generated apps are taken (seed ${seed}, ${runs} apps)`, async (t) => {
  const apps = fc.sample(fc.tuple(appSpecs, componentSets), { numRuns: runs, seed })
  const hooks = hooksOf('kasprapps')
  let rendered = 0
  let objects = 0
  let admittedOnly = 0
  for (const [spec, components] of apps) {
    const app = appOf(spec)
    const related = components.map((component) => synced(component))
    const answer = hooks.sync(request(hooks, app, [], related), context())
    const problem = invalid(answer)
    const words = await refusal(app)
    if (problem !== undefined) {
      if (words === undefined) {
        admittedOnly++
        t.comment(`admitted only: ${problem}`)
      }
      continue
    }
    rendered++
    if (words !== undefined) t.fail(`refused at admission but rendered: ${words}`, { spec })
    for (const child of answer.children) {
      objects++
      const refused = await refusal(child)
      if (refused !== undefined) t.fail(`${child.kind} is refused: ${refused}`, { spec })
    }
  }
  t.comment(
    `${rendered} of ${runs} apps rendered to ${objects} objects; ${admittedOnly} were admitted and refused by the hook`,
  )
  t.ok(rendered > runs / 2, 'most generated apps can be rendered')
})
