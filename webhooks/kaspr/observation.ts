import type { ObservationSpec } from '../../crds/types/observation.ts'
import { shardLabel, shardOf } from '../contract/shard.ts'
import type { KubeObject } from '../contract/types.ts'
import type { HookSettings } from '../settings.ts'
import type { ObservedApp } from './app-view.ts'
import { child, childRules } from './child.ts'
import { appNames, appSelector } from './names.ts'

/**
 * What the poller is asked for besides looking. Nothing by default: an app that is paused, invalid or being deleted is
 * looked at, and left alone.
 */
export type Orders = Partial<
  Omit<NonNullable<ObservationSpec['kasprApp']>, 'app' | 'statefulSet' | 'selector' | 'port'>
>

/**
 * What the poller is to look at for an app. It is rendered fresh in every answer, also while everything else is frozen:
 * through it the poller learns what it may do.
 *
 * @param webPort HTTP port of the members
 */
export function observation(
  { parent }: ObservedApp,
  webPort: number,
  settings: HookSettings,
  orders: Orders = {},
): KubeObject {
  const { name, uid = '' } = parent.metadata
  const names = appNames(name)
  const spec: ObservationSpec = {
    kasprApp: {
      app: { name, uid },
      statefulSet: names.statefulSet,
      selector: appSelector(name),
      port: webPort,
      enabled: settings.CLIENT_STATUS_CHECK_ENABLED,
      autoRebalance: false,
      mayDelete: [],
      ...orders,
    },
  }
  return child(childRules.observation, parent, names.observation, { [shardLabel]: String(shardOf(uid)) }, { spec })
}

/** Port of the members by what runs, for an app whose spec cannot be read. */
export function runningPort({ statefulSet }: ObservedApp): number {
  const main = statefulSet?.spec.template.spec.containers.find(({ name }) => name === 'kaspr')
  return main?.ports?.find(({ name }) => name === 'http')?.containerPort ?? 6065
}
