import type { ConditionDraft } from '../contract/conditions.ts'
import { quantityValue } from '../contract/quantity.ts'
import type { AppSpec } from './app-spec.ts'
import type { AppReport, AppView } from './app-view.ts'
import { wantedClaim } from './packages/claim.ts'
import { hasClaims, observedClaimSize } from './statefulset.ts'

/** Whether the claims of an app are as the spec asks, and what keeps them from it; `undefined` for an app without claims. */
export function storageCondition(view: AppView, spec: AppSpec): ConditionDraft | undefined {
  if (!hasClaims(view, spec) && wantedClaim(view, spec) === undefined) return undefined
  const problem = view.report?.problems?.find((candidate) => candidate.of === 'Claims')
  if (problem !== undefined) return notReady(problem.reason, problem.message)
  const growth = view.report?.storage
  return growth === undefined ? dataClaims(observedClaimSize(view), spec.storage.size) : growing(growth)
}

function growing({ from, size, phase, problem }: NonNullable<AppReport['storage']>): ConditionDraft {
  if (problem !== undefined) return notReady(problem.reason, `Claims grow from ${from} to ${size}: ${problem.message}`)
  return phase === 'Growing'
    ? notReady('Growing', `Claims grow from ${from} to ${size}`)
    : notReady('Replacing', `Claims ask for ${size}; the StatefulSet is replaced, its pods stay`)
}

/** Before the poller has taken it up, and for what it never does. */
function dataClaims(has: string | undefined, wants: string | undefined): ConditionDraft {
  if (has === undefined || wants === undefined || has === wants) return ready
  const more = (quantityValue(wants) ?? 0n) - (quantityValue(has) ?? 0n)
  if (more === 0n) return ready
  return more > 0n
    ? notReady('Growing', `Claims grow from ${has} to ${wants}`)
    : notReady('CannotShrink', `Claims stay ${has}: they cannot shrink to ${wants} (spec.storage.size)`)
}

const ready: ConditionDraft = {
  type: 'StorageReady',
  status: 'True',
  reason: 'AsSpecified',
  message: 'Claims are as large as the spec asks',
}

function notReady(reason: string, message: string): ConditionDraft {
  return { type: 'StorageReady', status: 'False', reason, message }
}
