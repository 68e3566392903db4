/** The hook of rollouts over HTTP, and what the server refuses from and for decorators. */
import type { FastifyInstance, FastifyPluginAsync, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { type DecoratorHooks, registerDecorator } from '../../webhooks/hooks.ts'
import { createLogger } from '../../webhooks/logging.ts'
import { rollout, rolloutHooks } from '../../webhooks/rollout/index.ts'
import { buildServer } from '../../webhooks/server.ts'
import { context } from './requests.ts'
import { noon, pods, reportOf, requestOf, setOf } from './rollout-world.ts'

async function serverOf(t: Test, hooks: FastifyPluginAsync): Promise<FastifyInstance> {
  const { settings } = context()
  const now = (): Date => new Date(noon * 1000)
  const app = await buildServer({ settings, hooks: [hooks], logger: createLogger('silent'), now })
  t.teardown(() => app.close())
  return app
}

function post(app: FastifyInstance, body: unknown, url = '/rollouts/sync'): Promise<LightMyRequestResponse> {
  const headers = { 'content-type': 'application/json' }
  return app.inject({ method: 'POST', url, payload: JSON.stringify(body), headers })
}

const request = requestOf(setOf(), reportOf(pods('old old old old')))

void t.test('a sync is answered; there is no other hook', async (t) => {
  const app = await serverOf(t, rollout)
  const answer = await post(app, request)
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), {
    annotations: { 'rollout-operator/state': 'planned', 'rollout-operator/planned-at': String(noon) },
    attachments: [{ kind: 'Observation', metadata: { name: 'rollout-web', namespace: 'shop' } }],
  })
  for (const hook of ['finalize', 'customize']) t.equal((await post(app, request, `/rollouts/${hook}`)).statusCode, 404)
  const metrics = (await app.inject('/metrics')).body
  t.match(metrics, /kind="StatefulSet"/, 'the call is measured')
  t.notMatch(metrics, /"web"/, 'and is no matter of the metrics of apps')
})

void t.test('what is no request of this hook is refused', async (t) => {
  const app = await serverOf(t, rollout)
  const cases: [body: unknown, status: number, text: RegExp][] = [
    [{ ...request, object: undefined }, 400, /^object is missing$/],
    [{ ...request, attachments: undefined }, 400, /^attachments is missing$/],
    [
      { ...request, object: { ...setOf(), kind: 'Deployment' } },
      400,
      /^object.kind is "Deployment", accepted is "Stateful/,
    ],
    [{ ...request, attachments: {} }, 500, /no attachment group for Observation .*DecoratorController of StatefulSet/],
  ]
  for (const [body, status, text] of cases) {
    const answer = await post(app, body)
    t.equal(answer.statusCode, status)
    t.match(answer.json<{ error: string }>().error, text)
  }
})

void t.test('a wrong answer is never sent', async (t) => {
  const attachment = { ...rolloutHooks.attachmentRules[0], metadata: { name: 'x', namespace: 'shop' } }
  const wrong: [answer: unknown, text: RegExp][] = [
    [{}, /attachments is not a list/],
    [{ attachments: [null] }, /attachments\[0\] is not an object/],
    [{ attachments: [attachment, attachment] }, /attachments\[1\] .* is there twice/],
    [{ attachments: [{ ...attachment, kind: 'Pod' }] }, /not declared/],
    [{ attachments: [], status: {} }, /has the field status/],
    [{ attachments: [], labels: {} }, /has the field labels/],
    [{ attachments: [], annotations: { a: 1 } }, /annotation a is no text and not null/],
    [{ attachments: [], annotations: [] }, /annotations is not an object/],
    [
      { attachments: [], annotations: { 'metacontroller.k8s.io/decorator-controller': 'x' } },
      /belongs to Metacontroller/,
    ],
    [{ attachments: [], resyncAfterSeconds: 0 }, /resyncAfterSeconds/],
  ]
  let current: unknown
  const hooks: DecoratorHooks = { ...rolloutHooks, sync: () => current as never }
  const app = await serverOf(t, async (app) => registerDecorator(app, hooks))
  for (const [answer, text] of wrong) {
    current = answer
    const response = await post(app, request)
    t.equal(response.statusCode, 500)
    t.match(response.json<{ error: string }>().error, text)
  }
  current = { attachments: [attachment], annotations: { a: 'b', c: null }, resyncAfterSeconds: 0.5 }
  t.strictSame((await post(app, request)).json(), current)
})
