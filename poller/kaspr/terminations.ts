import type { KasprAppReport, Look } from './part.ts'
import type { Member } from './members.ts'
import type { MemberPod } from './pods.ts'
import type { TrimmedSet } from './statefulsets.ts'
import { unsettled } from './statefulsets.ts'
import { ageMs, cycleShare } from './strikes.ts'

/** A pod that is, was or should have been deleted because its member hung; see crds/observations.yaml. */
export type Termination = NonNullable<KasprAppReport['hung']>['terminations'][number]

/** What came of deleting a pod. */
export type Outcome =
  /** It was deleted by us, now or before a restart. */
  | { state: 'Terminated' }
  /** It was gone already, by somebody else's doing. */
  | { state: 'Gone' }
  /** Something was not fit any more; nothing was asked for. */
  | { state: 'Withdrawn'; message: string }
  | { state: 'Failed'; message: string }
  /** It would have been deleted. */
  | { state: 'DryRun' }

/** Within this time a missing pod that we deleted is our doing and no rollout. */
const ownMs = 5 * 60_000

/** What was announced, with what has come of it; older ones are dropped. */
export function settled(look: Look, outcomes: ReadonlyMap<string, Outcome>): Termination[] {
  const { previous, now, pods } = look
  const recent = previous?.hung?.terminations.filter(({ time }) => ageMs(time, now) <= ownMs) ?? []
  return recent.flatMap((termination) => {
    if (termination.state !== 'Announced') return termination
    const outcome = outcomes.get(termination.podUID)
    if (outcome !== undefined) return outcome.state === 'Gone' ? [] : { ...termination, ...outcome }
    // Nothing is known of it: there was a restart, or no answer. The pod itself tells.
    return hasEnded(termination, pods) ? { ...termination, state: 'Terminated' } : termination
  })
}

/** Whether the pod is gone or on its way. */
function hasEnded({ podUID }: Termination, pods: readonly MemberPod[]): boolean {
  const pod = pods.find(({ metadata }) => metadata.uid === podUID)
  return pod === undefined || pod.metadata.deletionTimestamp !== undefined
}

/** Terminations whose pods have ended. */
export function ended({ pods }: Look, terminations: readonly Termination[]): Termination[] {
  return terminations.filter(
    (termination) =>
      termination.state === 'Terminated' ||
      (['Announced', 'Failed'].includes(termination.state) && hasEnded(termination, pods)),
  )
}

/**
 * Why nobody may be deleted, in words: a rollout, scaling, pods that are not ready. Pods that are missing because we
 * deleted them are no reason; otherwise each deletion would put off the next.
 */
export function obstacles(look: Look, terminations: readonly Termination[]): string[] {
  const { set, spec, pods } = look
  const ours = new Set(ended(look, terminations).map(({ id }) => id))
  const reasons = unsettled(set, spec.replicas)
  if (reasons.length === 0 || set === undefined || ours.size === 0) return reasons
  const ordinals = Array.from({ length: set.replicas }, (_, id) => id)
  const areAllOurs = ordinals.every((id) => ours.has(id) || isReady(podAt(pods, spec.statefulSet, id)))
  return areAllOurs ? unsettled(asIfBack(set, ours.size), spec.replicas) : reasons
}

/** The set as it will be when up to so many pods that are missing now are back. */
export function asIfBack(set: TrimmedSet, missing: number): TrimmedSet {
  const { replicas, status } = set
  const back = (count = 0): number => (count < replicas && count >= replicas - missing ? replicas : count)
  const { availableReplicas, updatedReplicas } = status
  return {
    ...set,
    status: { ...status, availableReplicas: back(availableReplicas), updatedReplicas: back(updatedReplicas) },
  }
}

/**
 * Who is deleted next: the longest in its rebalance first. A termination takes a place for a poll interval, and until the
 * pod that follows is ready.
 *
 * @param due members that hang, see strikes.ts
 * @param max places
 */
export function nextTerminations(
  look: Look,
  due: readonly Member[],
  terminations: readonly Termination[],
  { intervalMs, max }: { intervalMs: number; max: number },
): Member[] {
  const isFresh = ({ time }: Termination): boolean => ageMs(time, look.now) < cycleShare * intervalMs
  const places = new Set([...terminations.filter(isFresh), ...withoutSuccessor(look, terminations)])
  const last = new Map(terminations.map((termination) => [termination.podUID, termination]))
  const canBeTried = ({ podUID }: Member): boolean => {
    const termination = last.get(podUID)
    if (termination === undefined) return true
    return !isFresh(termination) && ['Announced', 'Withdrawn', 'Failed'].includes(termination.state)
  }
  return due
    .filter(canBeTried)
    .sort((a, b) => startOf(a) - startOf(b) || a.id - b.id)
    .slice(0, Math.max(0, max - places.size))
}

/** Terminations whose place in the set is still empty, or taken by a pod that is not ready yet. */
export function withoutSuccessor(look: Look, terminations: readonly Termination[]): Termination[] {
  const { pods, spec } = look
  return ended(look, terminations).filter(({ id, podUID }) => {
    const pod = podAt(pods, spec.statefulSet, id)
    return pod?.metadata.uid === podUID || !isReady(pod)
  })
}

function startOf({ rebalancingSince = '' }: Member): number {
  return Date.parse(rebalancingSince)
}

function podAt(pods: readonly MemberPod[], statefulSet: string, id: number): MemberPod | undefined {
  return pods.find(({ metadata }) => metadata.name === `${statefulSet}-${id}`)
}

function isReady(pod: MemberPod | undefined): boolean {
  return pod !== undefined && pod.ready && pod.metadata.deletionTimestamp === undefined
}
