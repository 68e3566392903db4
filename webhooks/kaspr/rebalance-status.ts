import type { KasprAppStatus } from '../../crds/types/kasprapp.ts'
import type { ConditionDraft } from '../contract/conditions.ts'
import { isMap } from '../contract/objects.ts'
import type { HookSettings } from '../settings.ts'
import { appAnnotations, hasStaticMembership } from './annotations.ts'
import type { AppOutcome } from './app-status.ts'
import type { AppReport, AppView } from './app-view.ts'

export interface RebalancePart {
  status: Pick<KasprAppStatus, 'rebalanceRequired'>
  condition?: ConditionDraft
}

/**
 * Whether a rebalance is due, and what it waits for. Due is what is, never what has just changed: the wanted topics
 * differ from those that the last rebalance took up. As long as those are not known, what the status says is kept: the
 * poller takes a rebalance that was pending before its first look from there.
 */
export function rebalanceOf(view: AppView, outcome: AppOutcome, settings: HookSettings): RebalancePart {
  if (!hasStaticMembership(view.parent)) return { status: { rebalanceRequired: false } }
  const { status } = view.parent
  const applied = view.report?.subscriptions?.applied
  if (!outcome.valid || applied === undefined) {
    const kept = isMap(status) ? status['rebalanceRequired'] : undefined
    return { status: typeof kept === 'boolean' ? { rebalanceRequired: kept } : {} }
  }
  const isDue = applied !== outcome.plan.subscriptions
  return { status: { rebalanceRequired: isDue }, condition: condition(view, isDue, settings) }
}

function condition({ parent, report, paused }: AppView, isDue: boolean, settings: HookSettings): ConditionDraft {
  const type = 'Rebalanced'
  const { signal, deferred, problem, attempts } = report?.rebalance ?? {}
  if (signal !== undefined && signal.phase !== 'asking') {
    const message = `Member ${signal.member} was asked for a rebalance; waiting for the members to finish it`
    return { type, status: 'False', reason: 'Rebalancing', message }
  }
  if (!isDue) return { type, status: 'True', reason: 'UpToDate', message: 'The members consume the topics of the app' }
  const due = 'The topics of the app have changed; the rebalance'
  if (paused) return { type, status: 'False', reason: 'Paused', message: `${due} waits for the app to go on` }
  if (!appAnnotations(parent, settings).autoRebalance) {
    const message = `${due} is left to you: set the annotation kaspr.io/rebalance`
    return { type, status: 'False', reason: 'AutomaticRebalanceOff', message }
  }
  if (problem !== undefined) {
    const next =
      deferred ?? (attempts?.retryAt === undefined ? undefined : `next try at ${wholeSeconds(attempts.retryAt)}`)
    const message = `${due} failed: ${problem}${next === undefined ? '' : `; ${next}`}`
    return { type, status: 'False', reason: 'Failing', message }
  }
  return { type, status: 'False', reason: 'Waiting', message: `${due} waits: ${waitsFor(report)}` }
}

function waitsFor(report: AppReport | undefined): string {
  return report?.rebalance?.deferred ?? 'the poller is about to ask for it'
}

function wholeSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z')
}
