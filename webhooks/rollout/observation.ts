import type { ObservationSpec } from '../../crds/types/observation.ts'
import { hashOf } from '../contract/hash.ts'
import { shardLabel, shardOf } from '../contract/shard.ts'
import type { KubeObject } from '../contract/types.ts'
import { observationName, observationRule } from './names.ts'
import type { RolloutRecord } from './record.ts'
import type { RolloutView } from './view.ts'

/** What the poller is asked for, `Observation.spec.rollout`. */
export type RolloutOrder = NonNullable<ObservationSpec['rollout']>

/**
 * What the poller is to look at, and which pods it may delete.
 *
 * @param view the set and its configuration
 * @param record what is recorded once this answer is carried out; the batch comes from it
 * @param certain whether the facts allow to act on a recorded batch
 */
export function observation(
  view: RolloutView,
  record: RolloutRecord,
  certain: boolean,
  namespace?: string,
): KubeObject {
  const { set, config, plan } = view
  const rollout: RolloutOrder = {
    statefulSet: { name: set.name, uid: set.uid },
    maxUnavailable: plan.maxUnavailable,
    delaySeconds: config.delaySeconds,
    readyTimeoutSeconds: config.readyTimeoutSeconds,
    ...(config.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: config.gracePeriodSeconds }),
    useEviction: config.useEviction,
    paused: config.paused,
    ...(config.group === undefined ? {} : { group: config.group }),
    ...(certain ? batchOf(view, record) : {}),
    ...(config.warnings.length === 0 ? {} : { warnings: config.warnings }),
  }
  const spec: ObservationSpec = { rollout }
  return {
    ...observationRule,
    metadata: {
      name: observationName(set.name),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { [shardLabel]: String(shardOf(set.uid)) },
    },
    spec,
  }
}

/** The recorded batch, if it is one of a rollout that runs, to the revision that the set has. */
function batchOf({ set, config }: RolloutView, record: RolloutRecord): Pick<RolloutOrder, 'batch'> {
  const { state, batch: ordinals, targetRevision, batchStartedAt } = record
  if (state !== 'rolling' || config.paused || ordinals.length === 0) return {}
  if (targetRevision === undefined || targetRevision !== set.target) return {}
  const id = hashOf([set.uid, targetRevision, batchStartedAt ?? 0, ordinals])
  return { batch: { id, targetRevision, ordinals } }
}
