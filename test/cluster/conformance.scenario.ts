/**
 * The conformance list: what a driver of hooks has to do, each row a test of its own on a real control plane. It runs on
 * the stand-in, and on the real Metacontroller as well when METACONTROLLER_BIN names one. The objects that each row
 * leaves behind are those that the real one left (metacontroller/final-objects.json; UPDATE=1 with a real one rewrites it).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Test } from 'tap'
import { packagePath } from '../../webhooks/package-root.ts'
import { Bench } from './metacontroller/bench.ts'
import type { Row } from './metacontroller/lab.ts'
import { callRows } from './metacontroller/rows/calls.ts'
import { childRows } from './metacontroller/rows/children.ts'
import { claimRows } from './metacontroller/rows/claims.ts'
import { controllerRows } from './metacontroller/rows/controllers.ts'
import { decoratorRows } from './metacontroller/rows/decorators.ts'
import { hazardRows } from './metacontroller/rows/hazards.ts'
import { requestRows } from './metacontroller/rows/requests.ts'

const file = packagePath('test', 'cluster', 'metacontroller', 'final-objects.json')
const bin = process.env['METACONTROLLER_BIN'] ?? ''
const updating = process.env['UPDATE'] === '1' && bin !== ''
/** Names of rows, to run only these. */
const only = process.env['ROWS']?.split(',')
/** What each row leaves, by its name. */
const recorded = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
const left: Record<string, unknown> = updating && !only ? {} : recorded

/** All rows of both take two minutes on two idle cores. */
const timeout = 900_000
t.setTimeout(2 * timeout)

const all = [childRows, claimRows, callRows, requestRows, decoratorRows, controllerRows, hazardRows]
const rows = all.flat().filter(({ name }) => only?.includes(name) ?? true)

for (const implementation of bin === '' ? [''] : [bin, '']) {
  await t.test(implementation === '' ? 'the stand-in' : 'the real Metacontroller', { timeout }, async (t) => {
    const bench = await Bench.start(implementation, rows)
    t.teardown(() => bench.stop())
    const play = (t: Test, row: Row, parallel: boolean): Promise<unknown> =>
      t.test(`${row.title} (${row.name})`, { timeout: 60_000, buffered: parallel }, async (t) => {
        const objects = await bench.run(row, t)
        if (updating && implementation !== '' && !row.startsItsOwn) left[row.name] = objects
        if (!row.startsItsOwn) t.strictSame(objects, left[row.name], '62: the same final objects')
      })
    await t.test('rows that share a Metacontroller', { timeout, jobs: 8 }, async (t) => {
      await bench.launchShared()
      await Promise.all(rows.filter((row) => !row.startsItsOwn).map((row) => play(t, row, true)))
      await bench.stopShared()
    })
    for (const row of rows.filter((row) => row.startsItsOwn)) await play(t, row, false)
  })
}
const sorted = Object.fromEntries(Object.entries(left).sort(([a], [b]) => (a < b ? -1 : 1)))
if (updating) writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`)
