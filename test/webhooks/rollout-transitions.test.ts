/** Every row of the table of transitions: when it matches, what it writes, when it wants to look again. */
import t from 'tap'
import type { Test } from 'tap'
import { rowIds, step } from '../../webhooks/rollout/transitions.ts'
import { rolloutView } from '../../webhooks/rollout/view.ts'
import { now } from './rollout-case.ts'
import { plannedCases } from './rollout-cases-planned.ts'
import { rollingCases } from './rollout-cases-rolling.ts'
import { at, carriedOut, noon, pods, reportOf, requestOf, setOf, sync } from './rollout-world.ts'

const cases = [...plannedCases, ...rollingCases]

void t.test('each row', async (t) => {
  for (const { name, row, set, report, env, ...expected } of cases) {
    await t.test(name, async (t) => {
      const object = setOf(set)
      const facts = expected.pods === undefined ? undefined : reportOf(pods(expected.pods), report)
      const hookContext = at(noon, env)
      // Without a report there is an Observation all the same: that it is missing is another test.
      const request = requestOf(object, facts ?? { setUid: 'uid-web' })
      t.equal(step(rolloutView(request, hookContext)).row, row)
      const answer = sync(object, facts ?? { setUid: 'uid-web' }, hookContext)
      const { writes = {}, batch } = expected
      const stamp = Object.keys(writes).length === 0 ? {} : { 'updated-at': now }
      t.strictSame(answer.written, { ...writes, ...stamp }, 'annotations')
      t.equal(answer.resyncAfterSeconds, expected.again, 'time of the next look')
      t.equal(answer.attachments.length, 1, 'the Observation is in every answer')
      t.strictSame((answer.order?.['batch'] as { ordinals: number[] } | undefined)?.ordinals, batch, 'batch')
      isSettled(t, name, carriedOut(object, answer), facts, env)
    })
  }
})

/** Rows that do not lead to another one have nothing to say the second time. */
function isSettled(
  t: Test,
  name: string,
  object: ReturnType<typeof setOf>,
  facts: ReturnType<typeof reportOf> | undefined,
  env?: Record<string, string>,
): void {
  let set = object
  for (let round = 1; round <= 4; round++) {
    const answer = sync(set, facts, at(noon, env))
    if (answer.annotations === undefined) return
    set = carriedOut(set, answer)
  }
  t.fail(`${name}: five syncs in a row have written`)
}

void t.test('every row has a case', (t) => {
  t.strictSame(
    rowIds.filter((id) => !cases.some(({ row }) => row === id)),
    [],
  )
  t.end()
})
