import { listed } from './listed.ts'
import { type ReportedPod, downPods, maxReplicas, notDeletedYet, unnumbered } from './pods.ts'
import type { RolloutSet } from './stateful-set.ts'
import type { KnownView } from './view.ts'

/** Why a set cannot be rolled as it is; undefined if it can. */
export function unfit({ replicas }: RolloutSet, pods: readonly ReportedPod[]): string | undefined {
  if (replicas > maxReplicas) return `${replicas} replicas; sets of up to ${maxReplicas} are rolled`
  const names = unnumbered(pods)
  if (names.length === 0) return undefined
  return `pods without a label apps.kubernetes.io/pod-index that agrees with their name: ${listed(names, 5)}`
}

/** Why a rollout may not start or go on, whatever the time. */
export function heldBack({ config, report }: KnownView): string | undefined {
  if (config.paused) return 'paused'
  if (config.group === undefined) return undefined
  const { group } = report
  if (group?.name !== config.group) return `waits for what is known about the rollout group ${config.group}`
  return group.blockedBy === undefined ? undefined : `waits for ${group.blockedBy} of the rollout group ${config.group}`
}

/** Seconds until a planned rollout may start; 0 or less when it may. */
export function secondsToStart({ record, config, target, now }: KnownView): number {
  return config.startNow === target ? 0 : (record.plannedAt ?? now) + config.delaySeconds - now
}

/** Seconds until a rollout that does not move counts as stalled; infinite if never. */
export function secondsToStall({ config, record, pods, now }: KnownView): number {
  if (config.readyTimeoutSeconds === 0) return Infinity
  const { batch, batchStartedAt, updatedAt, startedAt } = record
  const isFinished = batch.every((ordinal) => !pods.unfinished.has(ordinal))
  const since = (batch.length === 0 ? undefined : batchStartedAt) ?? updatedAt ?? startedAt
  if (since === undefined) return Infinity
  // A batch that has come to its end has not stalled; what comes after it has.
  const ends = isFinished ? batch.map((ordinal) => pods.availableSince.get(ordinal) ?? 0) : []
  return Math.max(since, ...ends) + config.readyTimeoutSeconds - now
}

/** Seconds until the next pod counts as available; `undefined` when none is about to. */
export function nextAvailable({ pods, now }: KnownView): number | undefined {
  return pods.nextAvailable === undefined ? undefined : pods.nextAvailable - now
}

/** Which pods a stalled rollout waits for, and why they are not available. */
export function stallMessage({ pods, record }: KnownView): string {
  const down = downPods(pods)
  const staying = record.batch.filter((ordinal) => pods.old.has(ordinal))
  if (down.length === 0 && staying.length > 0) return `${notDeletedYet}: ${listed(staying, 10)}`
  if (down.length === 0 && pods.outside > 0) return `${pods.outside} pods above the range do not go`
  return `not available: ${listed(down, 10)}`
}
