import { readFileSync } from 'node:fs'
import { packagePath } from '../../webhooks/package-root.ts'

/** The records of one table of test/golden/kaspr-runtime: what functions of kaspr-operator 0.18.51 did with some input. */
export function table<T>(name: string): T[] {
  return JSON.parse(readFileSync(packagePath('test', 'golden', 'kaspr-runtime', `${name}.json`), 'utf8')) as T[]
}

/** A difference from the original that is meant: which records it is about, and what we do instead. */
export interface Difference<Row, Result> {
  applies: (record: Row) => boolean
  /** What is expected of us, from what the original did. */
  instead: (result: Result, record: Row) => Result
}

/** What is expected of us for a record: what the original did, changed by every difference that applies. */
export function expectedOf<Row, Result>(
  record: Row,
  original: Result,
  differences: Record<string, Difference<Row, Result>>,
): Result {
  return Object.values(differences)
    .filter(({ applies }) => applies(record))
    .reduce((result, { instead }) => instead(result, record), original)
}
