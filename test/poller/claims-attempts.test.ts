/** Acts on claims that come to nothing now and are tried again. */
import t from 'tap'
import { Attempts } from '../../poller/kaspr/attempts.ts'
import { KeptClaims } from '../../poller/kaspr/claims.ts'
import type { AppPart, KasprAppSpec, Look, PartReport } from '../../poller/kaspr/part.ts'
import { StorageGrowth } from '../../poller/kaspr/storage.ts'
import { collections, kept, lookAt, pause, run, statefulSet, storage, world, writes } from './claims-world.ts'
import type { World } from './claims-world.ts'

void t.test('what cannot be done now is tried again in a while, not at once, and is no problem to tell', async (t) => {
  const act = async ({ acts = [] }: PartReport): Promise<number> => {
    for (const act of acts) await act(new AbortController().signal)
    return acts.length
  }
  const parts: [name: string, part: (w: World) => AppPart, asked: Partial<KasprAppSpec>][] = [
    ['growth', (w) => new StorageGrowth(w.client, new Attempts(w.clock)), { storage }],
    ['kept claims', (w) => new KeptClaims(w.client, new Attempts(w.clock)), { claims: [kept] }],
  ]
  for (const [name, make, asked] of parts) {
    const w = await world(t)
    w.api.put(collections.set, statefulSet('1Gi'))
    pause(w)
    const part = make(w)
    t.equal(await act(part.look(lookAt(w, asked))), 1, `${name}: the hooks have not said yet that the app is paused`)
    const next = part.look(lookAt(w, asked))
    t.strictSame([next.acts, next.againMs, next.events], [[], 5_000, []], name)
    t.notMatch(next.report, { problems: [] }, name)
    t.equal(next.report.storage?.problem, undefined, name)
    await w.clock.advance(5_000)
    t.equal(await act(part.look(lookAt(w, asked))), 1, `${name}: then again`)
    t.strictSame(writes(w.api), [], name)
  }
})

void t.test(
  'a claim that the watch has not told of yet is no problem; one of that name without our labels is',
  async (t) => {
    const w = await world(t)
    const part = new KeptClaims(w.client, new Attempts(w.clock))
    const blind = (): Look => ({ ...lookAt(w, { claims: [kept] }), claims: [] })
    const step = async (): Promise<PartReport> => {
      const seen = part.look(blind())
      for (const act of seen.acts ?? []) await act(new AbortController().signal)
      return seen
    }
    await step()
    await step()
    t.match(await step(), { report: {}, acts: [], events: [], againMs: 5_000 }, 'made, and not seen')
    t.strictSame(part.look(lookAt(w, { claims: [kept] })), { report: {}, events: [], acts: [] }, 'seen')
    await step()
    await w.clock.advance(5_000)
    await step()
    t.match(await step(), { report: { problems: [{ reason: /./ }] }, events: [{ type: 'Warning' }] }, 'never seen')
  },
)

void t.test('a refusal of the API server is a problem, and is tried again later', async (t) => {
  const w = await world(t)
  const part = new KeptClaims(w.client, new Attempts(w.clock))
  w.api.fault = ({ method }) =>
    method === 'POST'
      ? { status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'exceeded quota' } }
      : undefined
  const [, second] = await run(w, part, { claims: [kept] })
  t.match(second, { report: { problems: [{ reason: 'Forbidden', message: /exceeded quota/ }] }, againMs: 30_000 })
  w.api.fault = undefined
  await w.clock.advance(30_000)
  const reports = await run(w, part, { claims: [kept] })
  t.strictSame(reports.at(-1)?.report, {})
  t.equal(w.api.objects(collections.claim).length, 1)
})
