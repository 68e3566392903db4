import { isDeepStrictEqual } from 'node:util'
import { quantityValue } from '../../webhooks/contract/quantity.ts'
import type { KubeObject, OwnerReference } from '../../webhooks/contract/types.ts'
import type { Act } from '../controller.ts'
import type { KubeClient } from '../kube/client.ts'
import type { StoreEvent } from '../kube/store.ts'
import { trimMetadata } from '../kube/trim.ts'
import { type Attempts, Outdated, type Problem } from './attempts.ts'
import { type Claim, WouldDo, claimsPath, grow, isSmaller } from './grow.ts'
import { appObstacle } from './live.ts'
import type { AppPart, KasprAppSpec, Look, PartReport } from './part.ts'

/** Claim of a packages volume as far as it is used. */
export type PackagesClaim = Claim & { owners: OwnerReference[] }

type WantedClaim = NonNullable<KasprAppSpec['claims']>[number]

/** Claims of packages volumes; one watch for all of them. */
export const claimSelector = 'kaspr.io/component=python-packages'

/** Label by which Metacontroller finds the children of a parent whose selector it makes up. */
const childLabel = 'controller-uid'
const appLabel = 'kaspr.io/cluster'

/** Keeps of a claim what is used. */
export function trimClaim(claim: KubeObject): PackagesClaim {
  const { apiVersion, kind, metadata, spec } = claim as Claim
  const { storageClassName, resources } = spec
  return {
    apiVersion,
    kind,
    metadata: trimMetadata(metadata, [childLabel, appLabel]),
    owners: metadata.ownerReferences ?? [],
    spec: {
      ...(storageClassName !== undefined && { storageClassName }),
      ...(resources !== undefined && { resources: { requests: { ...resources.requests } } }),
    },
  }
}

/** Index key of the claim of an app: `namespace/app`. */
export function claimKeys({ metadata }: PackagesClaim): string[] {
  const app = metadata.labels?.[appLabel]
  return app === undefined ? [] : [`${metadata.namespace}/${app}`]
}

/** Whether a change of a claim can change what is to be done. */
export function changesClaim({ type, object, old }: StoreEvent<PackagesClaim>): boolean {
  return (
    type !== 'modified' ||
    !isDeepStrictEqual(
      [object.owners, object.spec, object.metadata.labels],
      [old?.owners, old?.spec, old?.metadata.labels],
    )
  )
}

/**
 * Makes the claims that an app wants to outlive it, which Metacontroller cannot (its children go with their parent), takes
 * them out of the app's hands or puts them back, and grows them.
 */
export class KeptClaims implements AppPart {
  readonly fields = []
  readonly problemsOf = 'Claims'
  readonly #client: KubeClient
  readonly #attempts: Attempts
  readonly #dryRun: boolean

  /** @param dryRun look at everything, tell what would be done, and do nothing */
  constructor(client: KubeClient, attempts: Attempts, dryRun = false) {
    this.#client = client
    this.#attempts = attempts
    this.#dryRun = dryRun
  }

  forget(uid: string): void {
    this.#attempts.forget(uid)
  }

  look(look: Look): PartReport {
    const { observation, claims, spec, previous, target } = look
    const uid = observation.metadata.uid ?? ''
    const steps = (spec.claims ?? []).map((wanted) =>
      this.#step(
        look,
        wanted,
        claims.find(({ metadata }) => metadata.name === wanted.name),
      ),
    )
    const acts = steps.flatMap((step) => (typeof step === 'function' ? [step] : []))
    if (acts.length === 0) this.#attempts.forget(uid)
    const failure = this.#attempts.problem(uid)
    const problems = [
      ...steps.flatMap((step) => (typeof step === 'object' ? [step] : [])),
      ...(failure ? [failure] : []),
    ]
    const waitMs = this.#attempts.waitMs(uid)
    const told = previous?.problems?.map(({ message }) => message) ?? []
    return {
      report: problems.length === 0 ? {} : { problems: problems.map((problem) => ({ of: 'Claims', ...problem })) },
      events: problems
        .filter(({ message }) => !told.includes(message))
        .map(({ reason, message }) => ({ target, type: 'Warning', reason, message })),
      acts: waitMs > 0 ? [] : acts,
      ...(waitMs > 0 && { againMs: waitMs }),
    }
  }

  /** What is to be done next about one claim, or what is wrong with it, or nothing. */
  #step(look: Look, wanted: WantedClaim, claim: PackagesClaim | undefined): Act | Problem | undefined {
    if (claim === undefined) return wanted.keep ? this.#create(look, wanted) : undefined
    if (claim.metadata.deletionTimestamp !== undefined) return undefined
    return this.#ownership(look, wanted, claim) ?? this.#size(look, wanted, claim)
  }

  #ownership(look: Look, { name, keep }: WantedClaim, claim: PackagesClaim): Act | Problem | undefined {
    const { uid } = look.spec.app
    const owner = claim.owners.find(({ controller }) => controller === true)
    const label = claim.metadata.labels?.[childLabel]
    if (owner !== undefined && owner.uid !== uid) {
      return { reason: 'ClaimOfAnother', message: `The claim ${name} belongs to ${owner.kind} ${owner.name}` }
    }
    if (keep && (owner !== undefined || label !== undefined)) {
      const ownerReferences = claim.owners.filter((reference) => reference.uid !== uid)
      const changes = { ownerReferences, labels: { [childLabel]: null } }
      return this.#patch(look, claim, changes, 'be kept when the app is deleted')
    }
    // An unowned one with this label is taken for a child again.
    if (!keep && owner === undefined && label !== uid) {
      return this.#patch(look, claim, { labels: { [childLabel]: uid } }, 'be deleted with the app')
    }
    return undefined
  }

  #size(look: Look, { name, keep, size }: WantedClaim, claim: PackagesClaim): Act | Problem | undefined {
    if (isSmaller(claim, size)) {
      const [client, dryRun] = [this.#client, this.#dryRun]
      return this.#act(look, (signal) => grow({ client, dryRun }, [claim], size, signal))
    }
    const has = claim.spec.resources?.requests?.storage
    const isTooLarge = (quantityValue(has) ?? 0n) > (quantityValue(size) ?? 0n)
    return isTooLarge && keep
      ? { reason: 'ClaimCannotShrink', message: `The claim ${name} stays ${has ?? ''}: a claim cannot shrink` }
      : undefined
  }

  #create(look: Look, { name, size, accessModes, storageClassName, labels }: WantedClaim): Act {
    const { namespace } = look
    const body = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace, labels },
      spec: {
        accessModes,
        resources: { requests: { storage: size } },
        ...(storageClassName !== undefined && { storageClassName }),
      },
    }
    return this.#act(look, async (signal) => {
      if (this.#dryRun) throw new WouldDo(`The claim ${name} would be made`)
      await this.#client.request({ method: 'POST', path: claimsPath(namespace), body, signal })
    })
  }

  /** @param effect what comes of the changes, in words that follow "would" */
  #patch(look: Look, { metadata }: PackagesClaim, changes: object, effect: string): Act {
    const { uid, resourceVersion, name } = metadata
    const path = `${claimsPath(look.namespace)}/${name}`
    const body = { metadata: { uid, resourceVersion, ...changes } }
    return this.#act(look, async (signal) => {
      if (this.#dryRun) throw new WouldDo(`The claim ${name} would ${effect}`)
      await this.#client.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json', signal })
    })
  }

  #act(look: Look, work: (signal: AbortSignal) => Promise<void>): Act {
    return (signal) =>
      this.#attempts.run(look.observation.metadata.uid ?? '', signal, async () => {
        const obstacle = await appObstacle({ client: this.#client }, look, signal)
        if (obstacle !== undefined) throw new Outdated(obstacle)
        await work(signal)
      })
  }
}
