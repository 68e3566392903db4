import { isDeepStrictEqual } from 'node:util'
import { isMap } from '../contract/objects.ts'
import type { KubeObject } from '../contract/types.ts'

/** What the metrics of apps are made of, beside their children. */
export interface AppFacts {
  /** Status of the condition Ready. */
  ready: 'True' | 'False' | 'Unknown'
  rebalanceRequired: boolean
  /** Undefined for an app without Python packages. */
  packages: { authEnabled: boolean; customIndexEnabled: boolean } | undefined
}

/**
 * Facts about an app, from its spec and the status that was answered. A spec may be anything: it is checked by the
 * hooks, and a wrong one is answered too.
 */
export function appFacts({ spec }: KubeObject, status: Record<string, unknown>): AppFacts {
  const { conditions, rebalanceRequired } = status
  const ready = Array.isArray(conditions) ? conditions.filter(isMap).find(({ type }) => type === 'Ready') : undefined
  const packages = isMap(spec) ? spec['pythonPackages'] : undefined
  return {
    ready: ready?.['status'] === 'True' ? 'True' : ready?.['status'] === 'False' ? 'False' : 'Unknown',
    rebalanceRequired: rebalanceRequired === true,
    packages: isMap(packages)
      ? {
          authEnabled: packages['credentials'] !== undefined,
          customIndexEnabled: packages['indexUrl'] !== undefined || packages['extraIndexUrls'] !== undefined,
        }
      : undefined,
  }
}

/** Fields of a status that an answer changes, adds or removes. Metacontroller itself sets `observedGeneration`. */
export function changedFields(before: unknown, after: Record<string, unknown>): string[] {
  const observed = isMap(before) ? before : {}
  return [...new Set([...Object.keys(observed), ...Object.keys(after)])].filter(
    (field) => field !== 'observedGeneration' && !isDeepStrictEqual(observed[field], after[field]),
  )
}
