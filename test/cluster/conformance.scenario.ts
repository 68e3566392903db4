/**
 * The conformance list: what a driver of hooks has to do, each row a test of its own on a real control plane. It runs on
 * the stand-in, and on the real Metacontroller as well when METACONTROLLER_BIN names one. The objects that each row
 * leaves behind are those that the real one left (metacontroller/final-objects.json; UPDATE=1 with a real one rewrites it).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { packagePath } from '../../webhooks/package-root.ts'
import { Bench } from './metacontroller/lab.ts'
import { childRows } from './metacontroller/rows/children.ts'
import { claimRows } from './metacontroller/rows/claims.ts'

const file = packagePath('test', 'cluster', 'metacontroller', 'final-objects.json')
const left = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
const bin = process.env['METACONTROLLER_BIN'] ?? ''
const updating = process.env['UPDATE'] === '1' && bin !== ''
const only = process.env['ROWS']?.split(',')

/** All rows of both take two minutes on two idle cores. */
const timeout = 900_000
t.setTimeout(2 * timeout)

const rows = [...childRows, ...claimRows]
  .sort((a, b) => Number(a.startsItsOwn ?? false) - Number(b.startsItsOwn ?? false))
  .filter(({ name }) => only?.includes(name) ?? true)

for (const implementation of bin === '' ? [''] : [bin, '']) {
  await t.test(implementation === '' ? 'the stand-in' : 'the real Metacontroller', { timeout }, async (t) => {
    const bench = await Bench.start(implementation, rows)
    t.teardown(() => bench.stop())
    for (const row of rows) {
      await t.test(`${row.title} (${row.name})`, { timeout: 60_000 }, async (t) => {
        const objects = await bench.run(row, t)
        if (updating && implementation !== '') left[row.name] = objects
        t.strictSame(objects, left[row.name], '62: the same final objects')
      })
    }
  })
}
if (updating) writeFileSync(file, `${JSON.stringify(left, null, 2)}\n`)
