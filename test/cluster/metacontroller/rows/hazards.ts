import type { KubeObject } from '../../../../webhooks/contract/types.ts'
import { aloneRow } from '../lab.ts'
import type { Lab, Row } from '../lab.ts'
import { configMap, thing } from '../lab-kinds.ts'
import { Reply } from '../scripted-hooks.ts'

/**
 * What a hook must never do. Where it crashes the real Metacontroller, both have to end with code 2 and a panic. Where it
 * drives the real one into a loop or leaks objects, the stand-in ends, and the real one is seen doing it.
 */

/** Starts a Metacontroller, which is to end with code 2 and a line that begins with `panic:`. */
async function panics(lab: Lab, expected: RegExp, args: string[] = []): Promise<void> {
  const metacontroller = await lab.bench.launch(args)
  const exit = await Promise.race([metacontroller.exited, lab.until('the end', () => metacontroller.running.exit)])
  lab.t.strictSame(exit, { code: 2, signal: null })
  lab.t.match(await metacontroller.panic(), lab.kind === 'real' ? /^panic: / : expected)
}

/** Starts a real Metacontroller, waits until it was seen doing it, and stops it. */
async function isSeen(lab: Lab, what: string, check: () => unknown): Promise<void> {
  const metacontroller = await lab.bench.launch()
  try {
    await lab.until(what, check)
  } finally {
    await metacontroller.stop()
  }
}

/** Both the stand-in's panic and the real one's deed. */
async function misplaced(lab: Lab, child: KubeObject, reason: RegExp, seen: () => Promise<unknown>): Promise<void> {
  lab.hooks.sync = () => ({ children: [child] })
  await lab.composite()
  await lab.create(lab.parent('p'))
  if (lab.kind === 'stand-in') await panics(lab, reason)
  else await isSeen(lab, 'the misplaced child', seen)
}

export const hazardRows: Row[] = [
  aloneRow('nullchild', '55, 0.1: a null child ends the process', async (lab) => {
    lab.hooks.sync = () => ({ children: [null] })
    await lab.composite()
    await lab.create(lab.parent('p'))
    await panics(lab, /^panic: .* would crash Metacontroller: null element children\[0\]/)
  }),
  aloneRow('nullrule', '55, 0.1: a null related rule ends the process', async (lab) => {
    lab.hooks.customize = () => ({ relatedResources: [null] })
    await lab.composite({}, ['sync', 'customize'])
    await lab.create(lab.parent('p'))
    await panics(lab, /^panic: .* would crash Metacontroller: null element relatedResources\[0\]/)
  }),
  aloneRow(
    'bare',
    '53, 0.3: 429 without whole seconds: the stand-in ends, the real one loops without pause',
    async (lab) => {
      lab.hooks.sync = () => new Reply(429, '', { 'retry-after': '1.5' })
      await lab.composite()
      await lab.create(lab.parent('p'))
      if (lab.kind === 'stand-in') return panics(lab, /^panic: .* hot loop: 429 with Retry-After "1.5"/)
      await isSeen(lab, '500 calls', () => lab.hooks.calls.length > 500)
    },
  ),
  aloneRow(
    'elsewhere',
    '56: a child in another namespace: the stand-in ends, the real one creates and never sees it',
    async (lab) => {
      const child = configMap('c', {})
      child.metadata.namespace = 'default'
      const calls = (): number => lab.hooks.calls.length
      await misplaced(lab, child, /not in its parent's namespace elsewhere/, async () => {
        const path = '/api/v1/namespaces/default/configmaps'
        const isCreated = lab.bench.proxy.writes.some((write) => write.path === path && write.code === 201)
        const isUnseen = lab.hooks.calls.every(
          ({ body }) => Object.keys(body.children['ConfigMap.v1'] ?? {}).length === 0,
        )
        return (await Promise.resolve(isCreated)) && isUnseen && calls() > 1
      })
    },
  ),
  aloneRow(
    'clusterwide',
    '56: a cluster-scoped child of a namespaced parent: the stand-in ends, the real one creates and never sees it',
    async (lab) => {
      const child: KubeObject = { apiVersion: 'lab.dev/v1', kind: 'Wide', metadata: { name: 'clusterwide' }, spec: {} }
      await misplaced(lab, child, /apiVersion lab.dev\/v1 and kind Wide are those of no rule/, async () =>
        (await lab.list('Wide')).some(({ metadata }) => metadata.name === 'clusterwide'),
      )
    },
  ),
  aloneRow(
    'ruleless',
    '3.6: a child of a kind without a rule: the stand-in ends, the real one creates and never sees it',
    async (lab) => {
      await misplaced(lab, thing('c', {}), /kind Thing are those of no rule/, () => lab.find('Thing', 'c'))
    },
  ),
  aloneRow(
    'wordless',
    '50: told to fail on it, the stand-in ends at an answer without children (the real one has no such switch)',
    async (lab) => {
      if (lab.kind === 'real') return
      lab.hooks.sync = () => ({ status: {} })
      await lab.composite()
      await lab.create(lab.parent('p'))
      await panics(lab, /^panic: .* an answer without children deletes them all/, ['--fail-without-children'])
    },
  ),
]
