/** The claim of packages that outlives its app. */
import t from 'tap'
import { Attempts } from '../../poller/kaspr/attempts.ts'
import { KeptClaims, changesClaim, trimClaim } from '../../poller/kaspr/claims.ts'
import { collections, kept, owner, packagesClaim, run, sizes, world, writes } from './claims-world.ts'

void t.test('a claim to be kept is made without an owner', async (t) => {
  const w = await world(t)
  const part = new KeptClaims(w.client, new Attempts(w.clock))
  await run(w, part, { claims: [kept] })
  t.match(w.api.objects(collections.claim), [
    { metadata: { name: kept.name, namespace: 'shop', labels: kept.labels }, spec: { storageClassName: 'fast' } },
  ])
  t.equal(w.api.objects(collections.claim)[0]?.metadata.ownerReferences, undefined)
  t.equal(w.api.requests.filter(({ method }) => method === 'POST').length, 1)
  const other = await world(t)
  await run(other, part, { claims: [{ ...kept, keep: false }] })
  t.strictSame(writes(other.api), [], 'the hooks make the others')
})

void t.test('a claim that is owned is released, and taken back', async (t) => {
  const w = await world(t)
  w.api.put(collections.claim, packagesClaim('2Gi', true))
  const part = new KeptClaims(w.client, new Attempts(w.clock))
  await run(w, part, { claims: [kept] })
  const [released] = w.api.objects(collections.claim)
  t.strictSame(released?.metadata.ownerReferences, [])
  t.equal(released?.metadata.labels?.['controller-uid'], undefined)
  await run(w, part, { claims: [{ ...kept, keep: false }] })
  t.equal(
    w.api.objects(collections.claim)[0]?.metadata.labels?.['controller-uid'],
    'app-uid',
    'for Metacontroller to adopt',
  )
  t.equal(writes(w.api).length, 2)
})

void t.test('a claim grows, never shrinks, and one of somebody else is left alone', async (t) => {
  const w = await world(t)
  const part = new KeptClaims(w.client, new Attempts(w.clock))
  w.api.put(collections.claim, packagesClaim('1Gi', false))
  await run(w, part, { claims: [kept] })
  t.match(sizes(w.api), { [kept.name]: '2Gi' })

  const shrink = await run(w, part, { claims: [{ ...kept, size: '1Gi' }] })
  t.match(shrink.at(-1), { report: { problems: [{ reason: 'ClaimCannotShrink' }] }, events: [{ type: 'Warning' }] })
  t.match(sizes(w.api), { [kept.name]: '2Gi' })

  const foreign = packagesClaim('1Gi', true)
  const theirs = { ...owner, uid: 'other', name: 'b' }
  w.api.put(collections.claim, { ...foreign, metadata: { ...foreign.metadata, ownerReferences: [theirs] } })
  const seen = await run(w, part, { claims: [kept] })
  t.match(seen.at(-1)?.report.problems, [{ reason: 'ClaimOfAnother', message: /belongs to KasprApp b/ }])
})

void t.test('which changes of a claim wake', (t) => {
  const object = trimClaim(packagesClaim('1Gi', false))
  t.ok(changesClaim({ type: 'added', object }))
  t.ok(changesClaim({ type: 'deleted', object }))
  t.notOk(changesClaim({ type: 'modified', object: { ...object }, old: object }))
  t.ok(changesClaim({ type: 'modified', object: trimClaim(packagesClaim('2Gi', false)), old: object }))
  t.ok(changesClaim({ type: 'modified', object: trimClaim(packagesClaim('1Gi', true)), old: object }))
  t.end()
})
