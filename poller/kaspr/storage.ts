import type { ObservationStatus } from '../../crds/types/observation.ts'
import { quantityValue } from '../../webhooks/contract/quantity.ts'
import type { Act } from '../controller.ts'
import type { KubeClient } from '../kube/client.ts'
import type { ObjectEvent } from '../kube/events.ts'
import { type Attempts, Outdated, type Problem } from './attempts.ts'
import { read } from '../kube/read.ts'
import { appObstacle } from './live.ts'
import { type Claim, Obstacle, WouldDo, claimsPath, dryRunReason, grow, isSmaller } from './grow.ts'

import type { AppPart, Look, PartReport } from './part.ts'
import { trimSet, unsettled } from './statefulsets.ts'
import type { TrimmedSet } from './statefulsets.ts'

/** `status.kasprApp.storage` of an Observation. */
type StorageReport = NonNullable<NonNullable<ObservationStatus['kasprApp']>['storage']>

/**
 * Grows the data claims of an app. Claim templates of a StatefulSet cannot change, so: each claim is grown, then the set is
 * deleted without its pods, and the hooks make it again with the larger template. The pods are adopted, their revision is
 * the same, nothing rolls. Each step is found again from the cluster after a restart.
 */
export class StorageGrowth implements AppPart {
  readonly fields = ['storage'] as const
  readonly #client: KubeClient
  readonly #attempts: Attempts
  readonly #dryRun: boolean
  /** Set of which all claims are known to be large enough, by uid of the Observation. */
  readonly #grown = new Map<string, string>()

  /** @param dryRun look at everything, tell what would be done, and do nothing */
  constructor(client: KubeClient, attempts: Attempts, dryRun = false) {
    this.#client = client
    this.#attempts = attempts
    this.#dryRun = dryRun
  }

  forget(uid: string): void {
    this.#grown.delete(uid)
    this.#attempts.forget(uid)
  }

  look(look: Look): PartReport {
    const { spec, set, previous, observation } = look
    const before = previous?.storage
    // Between two sets of this name: the hooks make the next one, with as many replicas as were reported.
    if (set?.metadata.deletionTimestamp !== undefined || set === undefined)
      return { report: before === undefined ? {} : { storage: before } }
    const has = set.claims.find(({ name }) => name === spec.storage?.claim)?.size
    if (spec.storage !== undefined && has !== undefined && compare(spec.storage.size, has) > 0) {
      return this.#growth(look, set, has, spec.storage.size)
    }
    this.forget(observation.metadata.uid ?? '')
    const isDone = before !== undefined && has !== undefined && compare(before.size, has) === 0
    return { report: {}, events: isDone ? [grownEvent(look, before.size)] : [] }
  }

  #growth(look: Look, set: TrimmedSet, from: string, size: string): PartReport {
    const uid = look.observation.metadata.uid ?? ''
    const isGrown = this.#grown.get(uid) === grownKey(set, size)
    const failure = this.#attempts.problem(uid)
    const obstacle = isGrown ? replacementWaitsFor(look, set) : undefined
    const problem = failure ?? obstacle
    const storage: StorageReport = {
      from,
      size,
      phase: isGrown ? 'Replacing' : 'Growing',
      ...(problem !== undefined && { problem }),
    }
    const isNews = failure !== undefined && look.previous?.storage?.problem?.message !== failure.message
    const waitMs = this.#attempts.waitMs(uid)
    const isDue = waitMs === 0 && obstacle === undefined
    return {
      report: { storage },
      events: isNews ? [problemEvent(look, failure)] : [],
      acts: !isDue ? [] : [isGrown ? this.#replace(look, set, size) : this.#grow(look, set, size)],
      ...(waitMs > 0 && { againMs: waitMs }),
    }
  }

  #grow(look: Look, set: TrimmedSet, size: string): Act {
    const uid = look.observation.metadata.uid ?? ''
    return (signal) =>
      this.#attempts.run(uid, signal, async () => {
        const obstacle = await appObstacle({ client: this.#client }, look, signal)
        if (obstacle !== undefined) throw new Outdated(obstacle)
        const [client, dryRun] = [this.#client, this.#dryRun]
        await grow({ client, dryRun }, await this.#claims(look, signal), size, signal)
        this.#grown.set(uid, grownKey(set, size))
      })
  }

  /** Deletes the set, never its pods, if it is still the one that was reported and nothing rolls. */
  #replace(look: Look, set: TrimmedSet, size: string): Act {
    const { observation, namespace, spec } = look
    const uid = observation.metadata.uid ?? ''
    return (signal) =>
      this.#attempts.run(uid, signal, async () => {
        const obstacle = await appObstacle({ client: this.#client }, look, signal)
        const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/${spec.statefulSet}`
        const object = await read({ client: this.#client }, path, signal)
        const live = object && trimSet(object)
        const isAsReported = live?.metadata.uid === set.metadata.uid && live?.replicas === set.replicas
        if (obstacle !== undefined || !isAsReported || unsettled(live, undefined).length > 0) {
          throw new Outdated(obstacle ?? 'the StatefulSet has changed')
        }
        // One more may have been made from the old template meanwhile.
        if ((await this.#claims(look, signal)).some((claim) => isSmaller(claim, size))) {
          this.#grown.delete(uid)
          return
        }
        if (this.#dryRun) {
          throw new WouldDo(`The StatefulSet ${spec.statefulSet} would be deleted without its pods and made again`)
        }
        const { resourceVersion } = live.metadata
        const preconditions = { uid: live.metadata.uid, resourceVersion }
        const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Orphan', preconditions }
        await this.#client.request({ method: 'DELETE', path, body, signal })
      })
  }

  /** Data claims of the app's members, also of those that are scaled away; never the packages claim. */
  async #claims({ namespace, spec }: Look, signal: AbortSignal): Promise<Claim[]> {
    const labelSelector = Object.entries(spec.selector)
      .map(([key, value]) => `${key}=${value}`)
      .join()
    const { items } = await this.#client.request<{ items: Claim[] }>({
      path: claimsPath(namespace),
      query: { labelSelector },
      signal,
    })
    const prefix = `${spec.storage?.claim ?? ''}-${spec.statefulSet}-`
    const mine = items.filter(({ metadata }) =>
      /^\d+$/.test(metadata.name.startsWith(prefix) ? metadata.name.slice(prefix.length) : ''),
    )
    for (const { metadata } of mine) {
      if (metadata.deletionTimestamp !== undefined) {
        throw new Obstacle('ClaimIsDeleted', `the claim ${metadata.name} is being deleted`)
      }
    }
    return mine
  }
}

/** Why the set cannot be replaced yet: not allowed, or something rolls. */
function replacementWaitsFor({ spec }: Look, set: TrimmedSet): Problem | undefined {
  if (spec.mayDelete?.includes('StatefulSet') !== true) {
    return {
      reason: 'Held',
      message: 'the StatefulSet could not be made again now: see the conditions Valid and Progressing',
    }
  }
  const reasons = unsettled(set, undefined)
  return reasons.length === 0 ? undefined : { reason: 'RolloutInProgress', message: reasons.join(', ') }
}

/** Below 0, 0 or above, as a is less than, equal to or more than b. */
function compare(a: string, b: string): number {
  return Number((quantityValue(a) ?? 0n) - (quantityValue(b) ?? 0n))
}

function grownKey({ metadata }: TrimmedSet, size: string): string {
  return `${metadata.uid} ${size}`
}

function grownEvent({ target }: Look, size: string): ObjectEvent {
  const message = `The claims of all members ask for ${size}; the StatefulSet was replaced, its pods were not`
  return { target, type: 'Normal', reason: 'StorageGrown', message }
}

function problemEvent({ target }: Look, { reason, message }: Problem): ObjectEvent {
  if (reason === dryRunReason) return { target, type: 'Warning', reason, message }
  return { target, type: 'Warning', reason: 'StorageGrowthFailed', message: `Claims cannot grow: ${message}` }
}
