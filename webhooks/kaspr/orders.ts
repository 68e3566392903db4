import type { HookSettings } from '../settings.ts'
import { type Warning, appAnnotations, hasStaticMembership } from './annotations.ts'
import type { AppPlan } from './app-plan.ts'
import type { AppOutcome } from './app-status.ts'
import type { AppView } from './app-view.ts'
import { appNames } from './names.ts'
import type { Orders } from './observation.ts'
import { wantedClaim } from './packages/claim.ts'

/**
 * What the poller may and should do for an app. Pausing and a spec that cannot be rendered leave it looking; only a
 * rebalance that somebody asks for by hand is served all the same.
 */
export function ordersFor(view: AppView, outcome: AppOutcome, settings: HookSettings): Orders {
  const { autoRebalance, manualRebalance, hungMembers, warnings } = appAnnotations(view.parent, settings)
  const always: Orders = {
    ...(manualRebalance === undefined ? {} : { manualRebalance }),
    hungMembers,
    ...warningsOf(warnings),
  }
  if (!outcome.valid) return always
  const { spec, plan } = outcome
  const known: Orders = {
    ...always,
    ...warningsOf([...warnings, ...linkWarnings(plan)]),
    replicas: spec.replicas,
    ...(hasStaticMembership(view.parent) ? { subscriptions: plan.subscriptions } : {}),
    ...(plan.installation === undefined ? {} : { packages: { set: plan.installation.set } }),
  }
  if (view.paused) return known
  const claim = wantedClaim(view, spec)
  const { storage } = spec
  return {
    ...known,
    autoRebalance,
    mayDelete: ['HungMembers', ...(isMadeAgain(outcome) ? (['StatefulSet'] as const) : [])],
    ...(claim === undefined ? {} : { claims: [claim] }),
    ...(storage.type === 'ephemeral' || storage.size === undefined
      ? {}
      : { storage: { claim: appNames(view.parent.metadata.name).tables, size: storage.size } }),
  }
}

/** Whether the hook would make the StatefulSet again if it were gone; otherwise its pods would be left to themselves. */
function isMadeAgain({ plan, oversized }: AppOutcome & { valid: true }): boolean {
  return plan.waitingFor.length === 0 && oversized.every(({ kind }) => kind !== 'StatefulSet')
}

/** What the runtime takes, and does not do what its user may expect. Tables are called as their resources, so never alike. */
function linkWarnings({ mounted }: AppPlan): Warning[] {
  const patterns = mounted.filter(({ rendered }) => rendered.links.recorded.topicPattern !== undefined)
  if (patterns.length === 0) return []
  const names = patterns.map(({ kind, name }) => `${kind.kind} ${name}`).sort()
  const listed = names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ')
  return [{ reason: 'TopicPattern', message: `Topic patterns do not work in the runtime yet: ${listed}` }]
}

function warningsOf(warnings: Warning[]): Orders {
  return warnings.length === 0 ? {} : { warnings }
}
