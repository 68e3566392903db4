import { hashOf } from '../../webhooks/contract/hash.ts'
import type { AppPart } from './part.ts'

/** Tells each warning of the spec in one Event; `warned` remembers which, for as long as they stand. */
export const warnings: AppPart = {
  fields: ['warned'],
  look({ spec, previous, target }) {
    const told = previous?.warned ?? []
    const standing = (spec.warnings ?? []).map((warning) => ({ ...warning, hash: hashOf(warning) }))
    if (standing.length === 0) return { report: {} }
    return {
      report: { warned: [...new Set(standing.map(({ hash }) => hash))].sort() },
      events: standing
        .filter(({ hash }) => !told.includes(hash))
        .map(({ reason, message }) => ({ target, type: 'Warning', reason, message })),
    }
  },
}
