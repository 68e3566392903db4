/**
 * Lives of an app, and what controllers do wrong with them: a crash between two writes, an older view after a newer one, a step
 * that nobody saw (Sun et al., "Automatic Reliability Testing for Cluster Management Controllers", OSDI 2022).
 */
import assert from 'node:assert/strict'
import t from 'tap'
import { simulate } from '../../cli/simulate.ts'
import { storedChild } from '../../cli/stored.ts'
import type { CompositeResponse, KubeObject } from '../../webhooks/contract/types.ts'
import { appOf } from './app-arbitrary.ts'
import { componentOf } from './component-arbitrary.ts'
import { context, hooksOf, request } from './requests.ts'

t.setTimeout(120_000)

const hooks = hooksOf('kasprapps')
const { settings, now } = context()

/** What is to be seen at one time. */
interface View {
  parent: KubeObject
  children: KubeObject[]
  related: KubeObject[]
}

const sound = {
  replicas: 2,
  bootstrapServers: 'kafka:9092',
  authentication: { type: 'plain' },
  storage: { type: 'persistent-claim', size: '1Gi' },
}
const packages = (entries: string[]): object => ({ packages: entries, cache: { enabled: true, size: '1Gi' } })
const agent = (topic: string): KubeObject => componentOf('KasprAgent', 'a', { input: { topic: { name: topic } } })
const table = componentOf('KasprTable', 't', {})
const paused = { annotations: { 'kaspr.io/pause-reconciliation': 'true' } }

/** Each life is a row of states that users asked for: spec and metadata of the app, and its components. */
const lives: Record<string, [spec: object, metadata: Partial<KubeObject['metadata']>, components: KubeObject[]][]> = {
  'components, settings and image': [
    [sound, {}, []],
    [sound, {}, [agent('in')]],
    [sound, {}, [agent('in'), table]],
    [{ ...sound, config: { webPort: 8080 } }, {}, [agent('in'), table]],
    [{ ...sound, config: { webPort: 8080 }, image: 'kaspr:2' }, {}, [agent('other'), table]],
    [{ ...sound, image: 'kaspr:2' }, {}, [table]],
  ],
  'storage, pause and packages': [
    [{ ...sound, pythonPackages: packages(['a']) }, {}, [agent('in')]],
    [
      { ...sound, storage: { type: 'persistent-claim', size: '2Gi' }, pythonPackages: packages(['a']) },
      {},
      [agent('in')],
    ],
    [{ ...sound, image: 'kaspr:2', pythonPackages: packages(['a']) }, paused, [agent('in')]],
    [{ ...sound, image: 'kaspr:2', pythonPackages: packages(['a', 'b']) }, {}, [agent('in')]],
    [{ ...sound, replicas: 'many', pythonPackages: packages(['a', 'b']) }, {}, [agent('in')]],
    [{ ...sound, replicas: 0, pythonPackages: packages(['a', 'b']) }, {}, [agent('in')]],
    [{ ...sound, pythonPackages: packages(['a', 'b']) }, {}, [agent('in')]],
  ],
}

function answer({ parent, children, related }: View): CompositeResponse {
  return hooks.sync(request(hooks, parent, children, related), { settings, now })
}

/** Kinds that hold what cannot be made again. */
const precious = ['StatefulSet', 'PersistentVolumeClaim']

/** Carries an answer out to its end, or up to a number of writes, after which the controller crashes. */
function carriedOut(view: View, writes = Infinity): View {
  const { children, status } = answer(view)
  checkNothingIsLost(view, children)
  const next = new Map(view.children.map((child) => [keyOf(child), child]))
  const gone = view.children.filter((child) => !children.some((wanted) => keyOf(wanted) === keyOf(child)))
  const steps = [
    ...gone.map((child) => () => next.delete(keyOf(child))),
    ...children.map(
      (child) => () => next.set(keyOf(child), running(storedChild(child, next.get(keyOf(child)), view.parent))),
    ),
  ]
  for (const step of steps.slice(0, writes)) step()
  const parent =
    writes > steps.length
      ? { ...view.parent, status: { ...status, observedGeneration: view.parent.metadata.generation } }
      : view.parent
  return { ...view, parent, children: [...next.values()] }
}

/** A set that its controller has seen. */
function running(child: KubeObject): KubeObject {
  if (child.kind !== 'StatefulSet') return child
  const { replicas = 1 } = child['spec'] as { replicas?: number }
  const revision = {
    currentRevision: 'r',
    updateRevision: 'r',
    replicas,
    availableReplicas: replicas,
    updatedReplicas: replicas,
  }
  return {
    ...child,
    spec: { ...(child['spec'] as object), replicas },
    status: { observedGeneration: child.metadata.generation, ...revision },
  }
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`
}

function checkNothingIsLost(view: View, children: readonly KubeObject[]): void {
  for (const child of view.children.filter(({ kind }) => precious.includes(kind))) {
    assert(
      children.some((wanted) => keyOf(wanted) === keyOf(child)),
      `${keyOf(child)} is observed and not in the answer`,
    )
  }
}

/** Lets a view settle: how many rounds it took, and what is there then. */
function settled(view: View): { view: View; rounds: number } {
  let current = view
  for (let rounds = 1; rounds <= 10; rounds++) {
    const next = carriedOut(current)
    if (JSON.stringify(next) === JSON.stringify(current)) return { view: current, rounds: rounds - 1 }
    current = next
  }
  throw new Error('never settles')
}

/** Children as desired, without the number of replicas, which is what was seen. */
function desired(view: View): string {
  return JSON.stringify(answer(view).children)
}

/** The states of a life one after the other, and everything that was to be seen on the way. */
function lived(life: (typeof lives)[string]): { views: View[]; ends: View[] } {
  const views: View[] = []
  const ends: View[] = []
  let children: KubeObject[] = []
  let status: unknown
  for (const [index, [spec, metadata, components]] of life.entries()) {
    const related = [...simulate(components, { settings, now })].map(({ parent }) => parent)
    const parent = {
      ...appOf(spec, { ...metadata, generation: index + 1 }),
      ...(status === undefined ? {} : { status }),
    }
    let view: View = { parent, children, related }
    views.push(view)
    for (let round = 0; round < 4; round++) {
      view = carriedOut(view)
      views.push(view)
    }
    const end = settled(view).view
    ends.push(end)
    children = end.children
    status = end.parent['status']
  }
  return { views, ends }
}

/** Same app and components, but the children of another time. */
function at(view: View, { children }: View): View {
  return { ...view, children }
}

for (const [name, life] of Object.entries(lives)) {
  void t.test(name, async (t) => {
    const { views, ends } = lived(life)
    let most = 0
    const converges = (view: View, end: View, what: string): void => {
      const { view: after, rounds } = settled(view)
      most = Math.max(most, rounds)
      assert(rounds <= 3, `${what}: ${rounds} rounds`)
      assert.equal(desired(after), desired(end), what)
    }

    await t.test('a crash after each write', (t) => {
      let crashes = 0
      for (const [index, view] of views.entries()) {
        const end = ends[Math.floor(index / 5)]
        assert(end !== undefined)
        const { length } = answer(view).children
        for (let writes = 0; writes <= length; writes++) {
          converges(carriedOut(view, writes), end, `view ${index}, ${writes} writes`)
          crashes++
        }
      }
      t.ok(crashes > 100, `${crashes} crashes`)
      t.end()
    })

    await t.test('an answer from an older view loses nothing, and is made good', (t) => {
      let pairs = 0
      for (const [index, newer] of views.entries()) {
        const end = ends[Math.floor(index / 5)]
        for (const older of views.slice(0, index)) {
          // The answer to what was there is carried out on what is there.
          const stale = answer({ ...older })
          checkNothingIsLost(
            at(older, newer),
            stale.children.concat(newer.children.filter(({ kind }) => isNew(kind, older, newer))),
          )
          const children = new Map(newer.children.map((child) => [keyOf(child), child]))
          for (const child of stale.children)
            children.set(keyOf(child), running(storedChild(child, children.get(keyOf(child)), newer.parent)))
          assert(end !== undefined)
          const { view: after, rounds } = settled({ ...newer, children: [...children.values()] })
          most = Math.max(most, rounds)
          assert(rounds <= 3, `${rounds} rounds`)
          pairs++
          if (!isFrozen(end)) assert.equal(withoutReplicas(desired(after)), withoutReplicas(desired(end)))
        }
      }
      t.ok(pairs > 100, `${pairs} pairs`)
      t.end()
    })

    await t.test('a state that was never seen leaves no trace', (t) => {
      for (const [index, end] of ends.entries()) {
        const before = ends[index - 2]
        if (before === undefined) continue
        const { view: after, rounds } = settled(at(end, before))
        most = Math.max(most, rounds)
        assert(rounds <= 3)
        if (!isFrozen(end)) assert.equal(withoutReplicas(desired(after)), withoutReplicas(desired(end)))
      }
      t.pass(`at most ${most} rounds`)
      t.end()
    })

    await t.test('the end comes in order, from wherever it is asked for', (t) => {
      for (const end of ends) {
        let children = end.children
        const kinds: string[] = []
        for (let round = 0; round < 8; round++) {
          const parent = {
            ...end.parent,
            metadata: { ...end.parent.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
          }
          const asked = { ...request(hooks, parent, children, []), finalizing: true }
          const last = hooks.finalize?.(asked, { settings, now })
          assert(last !== undefined)
          if (last.finalized) break
          assert(children.length > 0)
          for (const child of children)
            if (!last.children.some((wanted) => keyOf(wanted) === keyOf(child))) kinds.push(child.kind)
          children = last.children.map((wanted) => {
            const live = children.find((child) => keyOf(child) === keyOf(wanted))
            return running(storedChild(wanted, live, end.parent))
          })
        }
        assert.equal(children.length, 0)
        const order = ['HorizontalPodAutoscaler', 'StatefulSet', 'ConfigMap'].filter((kind) => kinds.includes(kind))
        assert.deepEqual(
          order,
          [...order].sort((a, b) => kinds.indexOf(a) - kinds.indexOf(b)),
        )
      }
      t.pass(`${ends.length} ends`)
      t.end()
    })
  })
}

/** Paused or wrong: whatever is there then stays as it is, so that the way there shows until the next state. */
function isFrozen({ parent }: View): boolean {
  return parent.metadata.annotations !== undefined || (parent['spec'] as { replicas?: unknown }).replicas === 'many'
}

/** Whether an older view did not have a kind yet. */
function isNew(kind: string, older: View, newer: View): boolean {
  return newer.children.some((child) => child.kind === kind) && !older.children.some((child) => child.kind === kind)
}

/** Whoever comes from another number of replicas keeps that one. */
function withoutReplicas(children: string): string {
  const objects = JSON.parse(children) as KubeObject[]
  return JSON.stringify(
    objects.map((child) =>
      child.kind === 'StatefulSet' ? { ...child, spec: { ...(child['spec'] as object), replicas: 0 } } : child,
    ),
  )
}
