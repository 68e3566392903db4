import type { KubeObject } from '../../../../webhooks/contract/types.ts'
import { aloneRow, inPlace } from '../lab.ts'
import type { Lab, Row } from '../lab.ts'
import { configMap, thing } from '../lab-kinds.ts'
import { Reply } from '../scripted-hooks.ts'

/**
 * What a hook must never do. Where it crashes the real Metacontroller, both have to end with code 2 and a panic. Where it
 * drives the real one into a loop or leaks objects, the stand-in ends, and the real one is seen doing it.
 */

/** Starts a Metacontroller and gives it a parent, whereupon it is to end with code 2 and a line that begins with `panic:`. */
async function panics(lab: Lab, expected: RegExp, args: string[] = []): Promise<void> {
  const metacontroller = await lab.bench.launch(args)
  await lab.create(lab.parent('p'))
  const exit = await Promise.race([metacontroller.exited, lab.until('the end', () => metacontroller.running.exit)])
  lab.t.strictSame(exit, { code: 2, signal: null })
  lab.t.match(await metacontroller.panic(), lab.kind === 'real' ? /^panic: / : expected)
}

/** Starts a real Metacontroller with a parent, waits until it was seen doing it, and stops it. */
async function isSeen(lab: Lab, what: string, check: () => unknown): Promise<void> {
  const metacontroller = await lab.bench.launch()
  try {
    await lab.create(lab.parent('p'))
    await lab.until(what, check)
  } finally {
    await metacontroller.stop()
  }
}

interface Misplaced {
  child: KubeObject
  /** Child rules of the controller. */
  rules: object[]
  /** What the stand-in says. */
  reason: RegExp
  /** What the real one is seen doing. */
  seen: () => unknown
}

/** Both the stand-in's panic and the real one's deed. */
async function misplaced(lab: Lab, { child, rules, reason, seen }: Misplaced): Promise<void> {
  lab.hooks.sync = () => ({ children: [child] })
  await lab.composite({ childResources: rules })
  if (lab.kind === 'stand-in') await panics(lab, reason)
  else await isSeen(lab, 'the misplaced child', seen)
}

/** Whether the child was created, and yet is in no request. */
function isCreatedUnseen(lab: Lab, { kind, metadata: { name } }: KubeObject): boolean {
  const isCreated = lab.bench.proxy.writes.some(
    ({ code, body }) => code === 201 && body?.['kind'] === kind && (body['metadata'] as { name: string }).name === name,
  )
  const observed = lab.hooks.calls.flatMap(({ body }) => Object.values(body.children).flatMap((g) => Object.keys(g)))
  return isCreated && lab.hooks.calls.length > 1 && observed.length === 0
}

export const hazardRows: Row[] = [
  aloneRow('nullchild', '55, 0.1: a null child ends the process', async (lab) => {
    lab.hooks.sync = () => ({ children: [null] })
    await lab.composite()
    await panics(lab, /^panic: .* would crash Metacontroller: null element children\[0\]/)
  }),
  aloneRow('nullrule', '55, 0.1: a null related rule ends the process', async (lab) => {
    lab.hooks.customize = () => ({ relatedResources: [null] })
    await lab.composite({}, ['sync', 'customize'])
    await panics(lab, /^panic: .* would crash Metacontroller: null element relatedResources\[0\]/)
  }),
  aloneRow(
    'bare',
    '53, 0.3: 429 without whole seconds: the stand-in ends, the real one loops without pause',
    async (lab) => {
      lab.hooks.sync = () => new Reply(429, '', { 'retry-after': '1.5' })
      await lab.composite()
      if (lab.kind === 'stand-in') return panics(lab, /^panic: .* hot loop: 429 with Retry-After "1.5"/)
      await isSeen(lab, '500 calls', () => lab.hooks.calls.length > 500)
    },
  ),
  aloneRow(
    'elsewhere',
    '56: a child in another namespace: the stand-in ends, the real one creates and never sees it',
    async (lab) => {
      const child = configMap('elsewhere', {})
      child.metadata.namespace = 'default'
      const rules = [inPlace('v1', 'configmaps')]
      const reason = /not in its parent's namespace elsewhere/
      await misplaced(lab, { child, rules, reason, seen: () => isCreatedUnseen(lab, child) })
    },
  ),
  aloneRow(
    'clusterwide',
    '56: a cluster-scoped child of a namespaced parent: the stand-in ends, the real one creates and never sees it',
    async (lab) => {
      const child: KubeObject = { apiVersion: 'lab.dev/v1', kind: 'Wide', metadata: { name: 'clusterwide' }, spec: {} }
      const rules = [inPlace('lab.dev/v1', 'wides')]
      const reason = /it is cluster-scoped and its parent is not/
      await misplaced(lab, { child, rules, reason, seen: () => isCreatedUnseen(lab, child) })
    },
  ),
  aloneRow(
    'ruleless',
    '56, 3.6: a child of a kind without a rule: the stand-in ends, the real one creates and never sees it',
    async (lab) => {
      const child = thing('c', {})
      const rules = [inPlace('v1', 'configmaps')]
      const reason = /kind Thing are those of no rule/
      await misplaced(lab, { child, rules, reason, seen: () => isCreatedUnseen(lab, child) })
    },
  ),
  aloneRow(
    'versions',
    '56: a child in another version than its rule: the stand-in ends, the real one deletes and creates for ever',
    async (lab) => {
      const child = { ...thing('c', {}), apiVersion: 'lab.dev/v2' }
      const rules = [inPlace('lab.dev/v1', 'things')]
      const reason = /apiVersion lab.dev\/v2 and kind Thing are those of no rule/
      const deletions = (): number => lab.writes('things').filter(({ method }) => method === 'DELETE').length
      await misplaced(lab, { child, rules, reason, seen: () => deletions() > 10 })
    },
  ),
  aloneRow(
    'wordless',
    '50: told to fail on it, the stand-in ends at an answer without children (the real one has no such switch)',
    async (lab) => {
      if (lab.kind === 'real') {
        lab.t.comment('skipped: the real one has no such switch')
        return
      }
      lab.hooks.sync = () => ({ status: {} })
      await lab.composite()
      await panics(lab, /^panic: .* an answer without children deletes them all/, ['--fail-without-children'])
    },
  ),
]
