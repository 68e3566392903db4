/**
 * The conformance list: what a driver of hooks has to do, each row a test of its own on a real control plane. It runs on
 * the stand-in, and on the real Metacontroller as well when METACONTROLLER_BIN names one. The objects that each row
 * leaves behind are those that the real one left (metacontroller/final-objects.json; UPDATE=1 with a real one rewrites it).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Test } from 'tap'
import { packagePath } from '../../webhooks/package-root.ts'
import { Bench } from './metacontroller/lab.ts'
import type { Row } from './metacontroller/lab.ts'
import { callRows } from './metacontroller/rows/calls.ts'
import { childRows } from './metacontroller/rows/children.ts'
import { claimRows } from './metacontroller/rows/claims.ts'
import { decoratorRows } from './metacontroller/rows/decorators.ts'
import { hazardRows } from './metacontroller/rows/hazards.ts'
import { requestRows } from './metacontroller/rows/requests.ts'

const file = packagePath('test', 'cluster', 'metacontroller', 'final-objects.json')
const left = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
const bin = process.env['METACONTROLLER_BIN'] ?? ''
const updating = process.env['UPDATE'] === '1' && bin !== ''
const only = process.env['ROWS']?.split(',')

/** All rows of both take two minutes on two idle cores. */
const timeout = 900_000
t.setTimeout(2 * timeout)

const chosen = (rows: Row[]): Row[] => rows.filter(({ name }) => only?.includes(name) ?? true)
const sharing = chosen([...childRows, ...claimRows, ...callRows, ...requestRows, ...decoratorRows])
const ending = chosen(hazardRows)

for (const implementation of bin === '' ? [''] : [bin, '']) {
  await t.test(implementation === '' ? 'the stand-in' : 'the real Metacontroller', { timeout }, async (t) => {
    const bench = await Bench.start(implementation, [...sharing, ...ending])
    t.teardown(() => bench.stop())
    const play = (t: Test, row: Row, parallel: boolean): Promise<unknown> =>
      t.test(`${row.title} (${row.name})`, { timeout: 60_000, buffered: parallel }, async (t) => {
        const objects = await bench.run(row, t)
        if (updating && implementation !== '') left[row.name] = objects
        if (!row.startsItsOwn) t.strictSame(objects, left[row.name], '62: the same final objects')
      })
    await t.test('rows that share a Metacontroller', { timeout, jobs: 8 }, async (t) => {
      await bench.launchShared()
      await Promise.all(sharing.map((row) => play(t, row, true)))
      await bench.stopShared()
    })
    for (const row of ending) await play(t, row, false)
  })
}
if (updating) writeFileSync(file, `${JSON.stringify(left, null, 2)}\n`)
