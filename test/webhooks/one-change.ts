/** Objects with one thing wrong. */
import fc from 'fast-check'
import { of } from './arbitrary-values.ts'

/** What a user might put where something else belongs. */
const wrongValues = [
  null,
  '',
  0,
  -1,
  1.5,
  1e300,
  true,
  [],
  {},
  [null],
  { a: {} },
  '\u0000',
  'x'.repeat(300),
  '__proto__',
  '1',
  'yes',
]

/** A value with one place in it replaced, or one field left out. */
export function withOneChange(value: unknown): fc.Arbitrary<unknown> {
  const found: string[][] = []
  const walk = (node: unknown, path: string[]): void => {
    found.push(path)
    if (typeof node === 'object' && node !== null) {
      for (const [key, item] of Object.entries(node)) walk(item, [...path, key])
    }
  }
  walk(value, [])
  const changed = found.filter((place) => place.length > 0)
  if (changed.length === 0) return of(...wrongValues)
  return fc
    .tuple(of(...changed), fc.option(of(...wrongValues), { nil: undefined, freq: 8 }))
    .map(([place, item]) => replaced(value, place, item))
}

/** `undefined` takes the place away. */
function replaced(node: unknown, [key, ...rest]: readonly string[], item: unknown): unknown {
  if (key === undefined) return item
  if (Array.isArray(node)) {
    return node.flatMap((entry: unknown, index) => {
      const next = String(index) === key ? replaced(entry, rest, item) : entry
      return next === undefined ? [] : [next]
    })
  }
  const entries = Object.entries(node as object).map(([name, field]): [string, unknown] => [
    name,
    name === key ? replaced(field, rest, item) : field,
  ])
  return Object.fromEntries(entries.filter(([, field]) => field !== undefined))
}
