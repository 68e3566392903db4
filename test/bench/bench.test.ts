import t from 'tap'
import { lastApplied } from '../../webhooks/contract/freeze.ts'
import { sameJson } from '../../webhooks/contract/objects.ts'
import { objectsOf } from '../../webhooks/contract/request.ts'
import type { CompositeResponse, KubeObject } from '../../webhooks/contract/types.ts'
import { kaspr } from '../../webhooks/kaspr/index.ts'
import { createLogger } from '../../webhooks/logging.ts'
import { buildServer } from '../../webhooks/server.ts'
import { context, hooksOf } from '../webhooks/requests.ts'
import { load, quantile } from './load.ts'
import { startServer } from './server-process.ts'
import { settledRequest } from './settled.ts'

void t.test('the requests of the bench are answered, and the answer changes nothing', async (t) => {
  const app = await buildServer({ settings: context().settings, hooks: [kaspr], logger: createLogger('silent') })
  t.teardown(() => app.close())
  for (const components of [1, 20, 200]) {
    const sent = settledRequest(components)
    const response = await app.inject({ method: 'POST', url: '/kasprapps/sync', payload: sent })
    t.equal(response.statusCode, 200)
    const { children, status } = response.json<CompositeResponse>()
    t.ok(sameJson({ ...status, observedGeneration: 1 }, sent.parent['status']), 'the status stands')
    t.match(status['conditions'], [{ status: 'True' }, { reason: 'ReconcileComplete' }, { reason: 'Healthy' }, {}])
    const observed = hooksOf('kasprapps').childRules.flatMap((rule) => [...objectsOf(sent.children, rule).values()])
    t.equal(children.length, observed.length)
    for (const child of children) {
      const held = observed.find(({ kind, metadata }) => kind === child.kind && metadata.name === child.metadata.name)
      t.ok(sameJson(held && withoutLabel(lastApplied(held)), child), `${child.kind} ${child.metadata.name} stands`)
    }
    const mounted = children.find(({ kind }) => kind === 'StatefulSet') as
      { spec: { template: { spec: { volumes: unknown[] } } } } | undefined
    t.equal(mounted?.spec.template.spec.volumes.length, components, 'every component is valid')
  }
})

void t.test(
  'the floor parses and answers with as many bytes as it is asked for, and load counts its answers',
  async (t) => {
    const bare = await startServer('test/bench/bare-server.js')
    t.teardown(bare.stop)
    const body = JSON.stringify(settledRequest(1))
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${bare.url}/1234`, { method: 'POST', headers, body })
    t.equal((await answer.text()).length, 1234)
    t.equal((await fetch(`${bare.url}/1234`, { method: 'POST', headers, body: '{' })).status, 400)

    const { requestsPerSecond, latencies } = await load(`${bare.url}/1234`, body, 1)
    t.ok(requestsPerSecond > 0)
    t.ok(latencies.length > 0)
    await t.rejects(load(`${bare.url}/1234`, '{', 1), /refused/)
    t.equal(quantile([3, 1, 2], 0.5), 2)
  },
)

/** The label that Metacontroller adds. */
function withoutLabel(applied: KubeObject | undefined): unknown {
  if (applied === undefined) return undefined
  const { 'controller-uid': _, ...labels } = applied.metadata.labels ?? {}
  const { labels: __, ...metadata } = applied.metadata
  return { ...applied, metadata: { ...metadata, ...(Object.keys(labels).length === 0 ? {} : { labels }) } }
}
