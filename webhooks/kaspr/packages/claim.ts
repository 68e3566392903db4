import type { ObservationSpec } from '../../../crds/types/observation.ts'
import { quantityValue } from '../../contract/quantity.ts'
import type { KubeObject } from '../../contract/types.ts'
import type { AppSpec } from '../app-spec.ts'
import type { AppView } from '../app-view.ts'
import { child, childRules } from '../child.ts'
import { appLabels, appNames } from '../names.ts'
import { cacheMode } from './install.ts'

/** A claim as the poller is told of it. */
export type WantedClaim = NonNullable<NonNullable<ObservationSpec['kasprApp']>['claims']>[number]

/** Claim of the packages volume that the spec asks for, or `undefined`. */
export function wantedClaim(view: AppView, { pythonPackages }: AppSpec): WantedClaim | undefined {
  if (pythonPackages === undefined || cacheMode(pythonPackages) !== 'persistent') return undefined
  const { size = '256Mi', storageClass, deleteClaim } = pythonPackages.cache ?? {}
  const { name } = view.parent.metadata
  return {
    name: appNames(name).packagesClaim,
    keep: deleteClaim === false,
    size,
    accessModes: ['ReadWriteMany'],
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
    labels: { ...view.parent.metadata.labels, ...appLabels(name), 'kaspr.io/component': 'python-packages' },
  }
}

/**
 * The claim as a child. One that is to outlive the app is not (it would be collected with it): the poller makes it, or releases
 * the one that is observed, which stays in the answer until then, so that nobody deletes it.
 *
 * Class and size are those of the observed claim. The class cannot change, and growing is refused where the class does not allow it: the poller
 * looks first.
 */
export function packagesClaim(view: AppView, wanted: WantedClaim | undefined): KubeObject[] {
  const observed = view.packagesClaim
  if (wanted === undefined || (wanted.keep && observed === undefined)) return []
  const storageClassName = observed === undefined ? wanted.storageClassName : observed.spec.storageClassName
  const storage = observed?.spec.resources?.requests?.storage ?? wanted.size
  return [
    child(childRules.claim, view.parent, wanted.name, wanted.labels ?? {}, {
      spec: {
        accessModes: wanted.accessModes,
        resources: { requests: { storage } },
        ...(storageClassName === undefined ? {} : { storageClassName }),
      },
    }),
  ]
}

/** What the spec asks of the claim that it does not have, or cannot have, in words. */
export function claimDifferences({ packagesClaim }: AppView, wanted: WantedClaim | undefined): string[] {
  if (wanted === undefined || packagesClaim === undefined) return []
  const { storageClassName, resources } = packagesClaim.spec
  const size = resources?.requests?.storage
  const [has, wants] = [quantityValue(size) ?? 0n, quantityValue(wanted.size) ?? 0n]
  const field = 'spec.pythonPackages.cache'
  return [
    ...(wanted.storageClassName === undefined || wanted.storageClassName === storageClassName
      ? []
      : [`${field}.storageClass stays ${storageClassName ?? 'the default'} for as long as the claim exists`]),
    ...(wants < has ? [`${field}.size stays ${size ?? ''}: a claim cannot shrink`] : []),
    ...(wants > has ? [`${field}.size is still ${size ?? ''}`] : []),
  ]
}
