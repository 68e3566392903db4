/** What holds for every StatefulSet, whatever its pods, its annotations and the order of events. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { chunks, nextBatch, ordinalsOf } from '../../webhooks/rollout/batches.ts'
import type { ReportedPod } from '../../webhooks/rollout/pods.ts'
import { type Answer, at, carriedOut, noon, reportOf, rfc3339, setOf, sync } from './rollout-world.ts'

t.setTimeout(120_000)

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 300)

const sizes = fc.record({ replicas: fc.nat(20), start: fc.constantFrom(0, 0, 5) })
const plans = fc.record({ halfSplit: fc.boolean(), maxUnavailable: fc.integer({ min: 1, max: 6 }) })

void t.test('a batch never takes down more than the budget has room for', (t) => {
  const wordsOf = (...words: string[]): fc.Arbitrary<string[]> =>
    fc.array(fc.constantFrom(...words), { minLength: 20, maxLength: 20 })
  const words = fc.oneof(wordsOf('new', 'old', 'NEW', 'OLD', 'gone', '-'), wordsOf('new', 'old', 'old', 'old', 'OLD'))
  const property = fc.property(sizes, plans, words, (size, plan, words) => {
    const ordinals = ordinalsOf(size)
    const word = (ordinal: number): string => words[ordinal - size.start] ?? '-'
    const old = new Set(ordinals.filter((ordinal) => word(ordinal).toLowerCase() === 'old'))
    const unavailable = new Set(ordinals.filter((ordinal) => !['new', 'old'].includes(word(ordinal))))
    const batch = nextBatch(chunks(size, plan), { old, unavailable }, plan.maxUnavailable)
    if (batch === undefined) {
      assert.equal(old.size + unavailable.size, 0, 'only a finished rollout has no batch')
      return
    }
    const after = new Set([...unavailable, ...batch.ordinals])
    assert.ok(after.size <= Math.max(plan.maxUnavailable, unavailable.size), 'budget')
    assert.ok(
      batch.ordinals.every((ordinal) => old.has(ordinal)),
      'old pods only',
    )
    assert.deepEqual(
      batch.ordinals,
      [...new Set(batch.ordinals)].sort((a, b) => a - b),
      'ascending',
    )
    const isBlocked = [...unavailable].some((ordinal) => !old.has(ordinal))
    if (!isBlocked) assert.ok(batch.ordinals.length > 0, 'pods of the old revision never block their own repair')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
  t.end()
})

/** A pod of the model: a StatefulSet controller makes it again at once, and it gets ready when the world says so. */
interface ModelPod {
  revision: string
  ready: boolean
}

/** What may happen in a world. */
const events = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ is: fc.constant('sync' as const) }) },
    { weight: 4, arbitrary: fc.record({ is: fc.constant('report' as const) }) },
    { weight: 6, arbitrary: fc.record({ is: fc.constant('delete' as const) }) },
    { weight: 4, arbitrary: fc.record({ is: fc.constant('ready' as const), ordinal: fc.nat(19) }) },
    { weight: 1, arbitrary: fc.record({ is: fc.constant('break' as const), ordinal: fc.nat(19) }) },
    { weight: 1, arbitrary: fc.record({ is: fc.constant('template' as const), revision: fc.constantFrom('b', 'c') }) },
  ),
  { minLength: 20, maxLength: 150 },
)

/**
 * A set, its pods, and a poller that does what rules say: it deletes only pods of the batch that its own computation
 * from live pods allows too. Its report may be old, and it may see an old Observation.
 */
class World {
  readonly #size: { replicas: number; start: number }
  readonly #pods = new Map<number, ModelPod>()
  readonly #plan: { halfSplit: boolean; maxUnavailable: number }
  #set: KubeObject
  #reported: ReportedPod[] = []
  #order: Answer['order']
  #now = noon
  #target = 'a'
  deletions: number[] = []

  constructor(size: { replicas: number; start: number }, plan: { halfSplit: boolean; maxUnavailable: number }) {
    this.#size = size
    this.#plan = plan
    const annotations = {
      'config.rollout-operator/max-unavailable': String(plan.maxUnavailable),
      'config.rollout-operator/half-split': String(plan.halfSplit),
      'config.rollout-operator/delay-seconds': '0',
    }
    this.#set = setOf({ ...size, target: 'a', annotations })
    for (const ordinal of ordinalsOf(size)) this.#pods.set(ordinal, { revision: 'a', ready: true })
    this.report()
  }

  get state(): string | undefined {
    return this.#set.metadata.annotations?.['rollout-operator/state']
  }

  get isUpdated(): boolean {
    return [...this.#pods.values()].every(({ revision, ready }) => revision === this.#target && ready)
  }

  template(revision: string): void {
    this.#target = revision
    this.#set = { ...this.#set, status: { ...(this.#set['status'] as object), updateRevision: revision } }
  }

  setReady(ordinal: number, ready: boolean): void {
    const found = this.#pods.get(ordinal)
    if (found !== undefined) found.ready = ready
  }

  allReady(): void {
    for (const found of this.#pods.values()) found.ready = true
  }

  report(): void {
    this.#reported = [...this.#pods].map(([ordinal, { revision, ready }]) => ({
      uid: `${ordinal}-${revision}`,
      ordinal,
      revision,
      ...(ready ? { readySince: rfc3339(noon - 60) } : {}),
    }))
  }

  sync(): void {
    this.#now += 1
    const answer = sync(this.#set, reportOf(this.#reported), at(this.#now))
    this.#set = carriedOut(this.#set, answer)
    this.#order = answer.order
  }

  delete(): void {
    const batch = this.#order?.['batch'] as { targetRevision: string; ordinals: number[] } | undefined
    if (batch?.targetRevision !== this.#target) return
    const facts = this.#facts()
    const own = nextBatch(chunks(this.#size, this.#plan), facts, Number(this.#order?.['maxUnavailable']))
    const before = facts.unavailable.size
    for (const ordinal of (own?.ordinals ?? []).filter((ordinal) => batch.ordinals.includes(ordinal))) {
      assert.notEqual(this.#pods.get(ordinal)?.revision, this.#target, 'a pod of the target revision is never deleted')
      this.#pods.set(ordinal, { revision: this.#target, ready: false })
      this.deletions.push(ordinal)
    }
    assert.ok(this.#facts().unavailable.size <= Math.max(this.#plan.maxUnavailable, before), 'budget')
  }

  #facts(): { old: Set<number>; unavailable: Set<number> } {
    const all = [...this.#pods]
    return {
      old: new Set(all.filter(([, { revision }]) => revision !== this.#target).map(([ordinal]) => ordinal)),
      unavailable: new Set(all.filter(([, { ready }]) => !ready).map(([ordinal]) => ordinal)),
    }
  }
}

void t.test('whatever happens, the budget holds, and once pods get ready the rollout ends', (t) => {
  const property = fc.property(sizes, plans, events, (size, plan, events) => {
    const world = new World(size, plan)
    for (const event of events) {
      switch (event.is) {
        case 'sync':
          world.sync()
          break
        case 'report':
          world.report()
          break
        case 'delete':
          world.delete()
          break
        case 'ready':
          world.setReady(event.ordinal, true)
          break
        case 'break':
          world.setReady(event.ordinal, false)
          break
        case 'template':
          world.template(event.revision)
          break
      }
    }
    for (let round = 0; round < 100 && !(world.isUpdated && ['done', undefined].includes(world.state)); round++) {
      world.report()
      world.sync()
      world.delete()
      world.allReady()
    }
    assert.ok(world.isUpdated, 'all pods are of the last revision')
    assert.ok(['done', undefined].includes(world.state), 'and the record says so')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
  t.end()
})

void t.test('undisturbed, each pod is deleted once: upper half first, ascending, however often anybody looks', (t) => {
  const property = fc.property(sizes, plans, fc.array(fc.integer({ min: 1, max: 3 })), (size, plan, looks) => {
    const world = new World(size, plan)
    world.template('b')
    for (let round = 0; round < 100 && !(world.isUpdated && world.state === 'done'); round++) {
      for (let look = looks[round] ?? 1; look > 0; look--) world.sync()
      world.delete()
      world.report()
      world.sync()
      world.allReady()
      world.report()
      if (size.replicas === 0) break
    }
    const expected = chunks(size, plan).flatMap(({ ordinals }) => ordinals)
    assert.deepEqual(world.deletions, expected)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
  t.end()
})
