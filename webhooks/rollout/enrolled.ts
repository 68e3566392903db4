import { own } from '../contract/objects.ts'
import type { KubeObject } from '../contract/types.ts'
import type { HookSettings } from '../settings.ts'
import { enabledLabel } from './names.ts'

/** The settings that decide which StatefulSets are rolled out; hooks and poller must have them alike. */
export type EnrolmentSettings = Pick<
  HookSettings,
  'RO_TARGET_NAMESPACE' | 'RO_TARGET_STATEFUL_SET' | 'RO_WATCH_NAMESPACES'
>

/**
 * Whether this operator rolls a StatefulSet out. With a single target, its namespace and name decide and labels are
 * ignored; else the label `rollout-operator/enabled: "true"` does, in the namespaces of RO_WATCH_NAMESPACES.
 */
export function enrolled({ metadata }: Pick<KubeObject, 'metadata'>, settings: EnrolmentSettings): boolean {
  const { namespace = '', name, labels } = metadata
  if (isSingleTarget(settings)) {
    return namespace === settings.RO_TARGET_NAMESPACE?.trim() && name === settings.RO_TARGET_STATEFUL_SET?.trim()
  }
  const namespaces = watchedNamespaces(settings)
  return own(labels, enabledLabel) === 'true' && (namespaces.length === 0 || namespaces.includes(namespace))
}

/** Whether one StatefulSet is rolled out by name, instead of all with the label. */
export function isSingleTarget(settings: EnrolmentSettings): boolean {
  return settings.RO_TARGET_NAMESPACE !== undefined && settings.RO_TARGET_STATEFUL_SET !== undefined
}

/** Namespaces whose labelled StatefulSets are rolled out; none named means all. */
export function watchedNamespaces({ RO_WATCH_NAMESPACES }: EnrolmentSettings): string[] {
  return RO_WATCH_NAMESPACES.split(/[\s,]+/).filter((name) => name !== '')
}
