/** Values for tests of properties: right almost always, so that an object of many of them mostly is too. */
import fc from 'fast-check'

/** One of these. */
export const of = fc.constantFrom

/** Values that are right almost always, so that an object of many of them mostly is too. */
export function mostly<T>(right: readonly T[], wrong: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 60, arbitrary: of(...right) }, { weight: 1, arbitrary: of(...wrong) })
}

/** Keys of labels and annotations. */
export const labelKey = mostly(['team', 'example.com/team', 'A_b.c-9', 'x'.repeat(63)], ['', '-a', 'a/b/c', '/a', 'é'])

/** Values of labels. */
export const labelValue = mostly(['', 'a', 'shop', 'A_b.c-9', 'x'.repeat(63)], ['-a', 'a b', 'x'.repeat(64)])

/** Quantities. */
export const quantity = mostly<unknown>(['1', '500m', '2Gi', '1.5', 2, '1e3', '1024Mi', 0, '0'], ['-1', 'much', ''])

/** Quantities of what cannot be divided. */
export const wholeQuantity = mostly<unknown>(['1', '2Gi', '1024Mi', '1e3', 3], ['-1', 'much'])

/** Names of objects. */
export const name = mostly(['a', 'keys', 'my-secret', 'x.y'], ['A b', '_', 'ü'])
