import { quantityValue } from '../contract/quantity.ts'
import type { KubeObject } from '../contract/types.ts'
import type { HookSettings } from '../settings.ts'
import type { AppSpec } from './app-spec.ts'
import type { AppView } from './app-view.ts'
import { child, childRules } from './child.ts'
import { appNames, appSelector } from './names.ts'

/**
 * The StatefulSet of an app. What Kubernetes lets nobody change (service name, pod management, claim templates) is read
 * back from the observed set: an update that touches it is refused as a whole and would block everything else.
 *
 * @param template pod template to apply
 */
export function statefulSet(view: AppView, spec: AppSpec, settings: HookSettings, template: unknown): KubeObject {
  const { name } = view.parent.metadata
  const names = appNames(name)
  const observed = view.statefulSet?.spec
  const claims = observed === undefined ? claimTemplates(names.tables, spec) : observed.volumeClaimTemplates
  const replicas = statefulSetReplicas(view, spec.replicas, settings.INITIAL_MAX_REPLICAS)
  return child(
    childRules.statefulSet,
    view.parent,
    names.statefulSet,
    {},
    {
      spec: {
        ...(replicas === undefined ? {} : { replicas }),
        serviceName: observed?.serviceName ?? names.headlessService,
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'RollingUpdate' },
        persistentVolumeClaimRetentionPolicy: {
          whenDeleted: spec.storage.deleteClaim === true ? 'Delete' : 'Retain',
          whenScaled: 'Retain',
        },
        selector: { matchLabels: appSelector(name) },
        template,
        ...(claims === undefined || claims.length === 0 ? {} : { volumeClaimTemplates: claims }),
      },
    },
  )
}

/** Whether the tables of an app are on claims: as the observed set has it, which cannot change, else as the spec says. */
export function hasClaims({ statefulSet }: AppView, spec: AppSpec): boolean {
  if (statefulSet === undefined) return spec.storage.type === 'persistent-claim'
  return (statefulSet.spec.volumeClaimTemplates ?? []).length > 0
}

/** What the spec asks of the storage that the observed set cannot take on, in words; empty when nothing. */
export function immutableStorage(view: AppView, spec: AppSpec): string[] {
  if (view.statefulSet === undefined) return []
  const claimed = hasClaims(view, spec)
  const observedType = claimed ? 'persistent-claim' : 'ephemeral'
  if (spec.storage.type !== observedType) return [stays('type', observedType)]
  if (!claimed) return []
  const template = view.statefulSet.spec.volumeClaimTemplates?.[0] as ClaimTemplate | undefined
  return [
    ...ifDifferent('class', spec.storage.class, template?.spec?.storageClassName),
    ...ifSmaller(spec.storage.size, template?.spec?.resources?.requests?.storage),
  ]
}

function ifDifferent(field: string, wanted: string | undefined, observed: string | undefined): string[] {
  return wanted === undefined || wanted === observed ? [] : [stays(field, observed)]
}

/** More is no conflict: the poller grows the claims and replaces the set. */
function ifSmaller(wanted: string | undefined, observed: string | undefined): string[] {
  if (wanted === observed) return []
  const isSmaller = wanted !== undefined && (quantityValue(wanted) ?? 0n) < (quantityValue(observed) ?? 0n)
  return isSmaller ? [`spec.storage.size stays ${observed ?? ''}: claims cannot shrink`] : []
}

/** Size of the data claims that the observed set makes; `undefined` without a set or without claims. */
export function observedClaimSize({ statefulSet }: AppView): string | undefined {
  const template = statefulSet?.spec.volumeClaimTemplates?.[0] as ClaimTemplate | undefined
  return template?.spec?.resources?.requests?.storage
}

function stays(field: string, value: string | undefined): string {
  return `spec.storage.${field} stays ${value ?? 'the default'} for as long as the StatefulSet exists`
}

interface ClaimTemplate {
  spec?: { storageClassName?: string; resources?: { requests?: { storage?: string } } }
}

function claimTemplates(name: string, { storage }: AppSpec): unknown[] {
  if (storage.type === 'ephemeral') return []
  return [
    {
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: storage.size } },
        ...(storage.class === undefined ? {} : { storageClassName: storage.class }),
      },
    },
  ]
}

/**
 * `spec.replicas` to apply. The autoscaler, or whoever scales by hand, owns the number while the app runs: it is echoed.
 * Never the wanted number: that would start all members at once.
 *
 * @param wanted members the app asks for; 0 stops it
 * @param initial replicas of an app that goes from 0 to more, until the autoscaler takes over
 * @returns `undefined` for a new app, which Kubernetes starts with one member
 */
export function statefulSetReplicas(
  { statefulSet, autoscaler, report }: AppView,
  wanted: number,
  initial: number,
): number | undefined {
  const observed = statefulSet === undefined ? undefined : (statefulSet.spec.replicas ?? 1)
  if (wanted === 0) {
    // The autoscaler goes first: it would scale what is going down.
    return observed !== undefined && autoscaler !== undefined ? observed : 0
  }
  const before = observed ?? report?.lastReplicas
  if (before === undefined) return undefined
  if (before === 0) return Math.min(wanted, initial)
  return observed ?? Math.min(wanted, before)
}
