import type { Section } from './model.ts'

/** Pods of a section; `ready` and `notReady` count pods of any revision, `missing` ordinals without a pod. */
export interface SectionCounts {
  total: number
  newAndReady: number
  new: number
  old: number
  unknown: number
  ready: number
  notReady: number
  missing: number
}

/** Counts the pods of a section. */
export function sectionCounts({ pods }: Pick<Section, 'pods'>): SectionCounts {
  const count = (fits: (pod: Section['pods'][number]) => boolean): number => pods.filter(fits).length
  return {
    total: pods.length,
    newAndReady: count(({ revision, ready }) => revision === 'new' && ready),
    new: count(({ revision }) => revision === 'new'),
    old: count(({ revision }) => revision === 'old'),
    unknown: count(({ revision }) => revision === 'unknown'),
    ready: count(({ ready }) => ready),
    notReady: count(({ revision, ready }) => revision !== 'missing' && !ready),
    missing: count(({ revision }) => revision === 'missing'),
  }
}
