/** What a dry run says of claims and of the StatefulSet, and that it leaves them alone. */
import t from 'tap'
import { Attempts } from '../../poller/kaspr/attempts.ts'
import { KeptClaims } from '../../poller/kaspr/claims.ts'
import type { AppPart, KasprAppSpec } from '../../poller/kaspr/part.ts'
import { StorageGrowth } from '../../poller/kaspr/storage.ts'
import {
  claim,
  collections,
  kept,
  lookAt,
  never,
  packagesClaim,
  pause,
  run,
  statefulSet,
  storage,
  world,
  writes,
} from './claims-world.ts'
import type { World } from './claims-world.ts'

void t.test('a dry run looks at everything, tells once what it would do, and writes nothing', async (t) => {
  const growth = (w: World): AppPart => new StorageGrowth(w.client, new Attempts(w.clock), true)
  const keeping = (w: World): AppPart => new KeptClaims(w.client, new Attempts(w.clock), true)
  const small = (w: World): void => {
    for (const id of [0, 1]) w.api.put(collections.claim, claim(`a-app-pv-a-app-${id}`, '1Gi'))
  }
  const own = (size: string, owned: boolean) => (w: World) => w.api.put(collections.claim, packagesClaim(size, owned))
  const rows: [
    name: string,
    part: (w: World) => AppPart,
    arrange: (w: World) => void,
    asked: Partial<KasprAppSpec>,
    says: string,
  ][] = [
    ['growth', growth, small, { storage }, 'Claims that would ask for 2Gi: a-app-pv-a-app-0, a-app-pv-a-app-1'],
    [
      'replacement',
      growth,
      () => undefined,
      { storage },
      'The StatefulSet a-app would be deleted without its pods and made again',
    ],
    ['creation', keeping, () => undefined, { claims: [kept] }, `The claim ${kept.name} would be made`],
    [
      'release',
      keeping,
      own('2Gi', true),
      { claims: [kept] },
      `The claim ${kept.name} would be kept when the app is deleted`,
    ],
    [
      'return',
      keeping,
      own('2Gi', false),
      { claims: [{ ...kept, keep: false }] },
      `The claim ${kept.name} would be deleted with the app`,
    ],
    [
      'growth of a kept one',
      keeping,
      own('1Gi', false),
      { claims: [kept] },
      `Claims that would ask for 2Gi: ${kept.name}`,
    ],
  ]
  for (const [name, make, arrange, asked, says] of rows) {
    const w = await world(t)
    w.api.put(collections.set, statefulSet('1Gi'))
    arrange(w)
    const part = make(w)
    const [last = { report: {} }] = (await run(w, part, asked)).slice(-1)
    const message = `${says} (POLLER_DRY_RUN)`
    const { report, events, againMs = 0 } = last
    t.match(report.storage?.problem ?? report.problems?.[0], { reason: 'DryRun', message }, name)
    t.match(events, [{ type: 'Warning', reason: 'DryRun', message, target: { kind: 'KasprApp' } }], name)
    await w.clock.advance(againMs)
    const again = part.look(lookAt(w, asked, report))
    t.strictSame([again.acts?.length, again.events], [1, []], `${name}: looks again, and does not repeat itself`)
    for (const act of again.acts ?? []) await act(never)
    t.strictSame(part.look(lookAt(w, asked, report)).report, report, `${name}: an unchanged report`)
    t.strictSame(writes(w.api), [], name)
  }
})

void t.test('a dry run says first what stands in the way', async (t) => {
  const w = await world(t)
  w.api.put(collections.set, statefulSet('1Gi'))
  w.api.put(collections.claim, claim('a-app-pv-a-app-0', '1Gi', { class: 'fixed' }))
  const reports = await run(w, new StorageGrowth(w.client, new Attempts(w.clock), true), { storage })
  t.match(reports.at(-1)?.report.storage?.problem, { reason: 'ExpansionNotAllowed' })
  pause(w)
  const part = new KeptClaims(w.client, new Attempts(w.clock), true)
  t.strictSame((await run(w, part, { claims: [kept] })).at(-1)?.report, {}, 'a paused app')
  t.strictSame(writes(w.api), [])
})
