import type { KasprAppStatus } from '../../crds/types/kasprapp.ts'
import { type ConditionDraft, conditionOf, conditions } from '../contract/conditions.ts'
import { isMap } from '../contract/objects.ts'
import type { Condition, KubeObject } from '../contract/types.ts'
import { type Problem, problemsText } from '../contract/validate.ts'
import type { HookSettings } from '../settings.ts'
import type { AppPlan } from './app-plan.ts'
import type { AppSpec } from './app-spec.ts'
import type { AppView, ObservedApp, StatefulSet } from './app-view.ts'
import { componentKinds } from './components/kinds.ts'
import { claimDifferences, wantedClaim } from './packages/claim.ts'
import { packagesStatus } from './packages/status.ts'
import { type OversizedChild, oversizedCondition } from './size-limit.ts'
import { immutableStorage } from './statefulset.ts'
import { rebalanceOf } from './rebalance-status.ts'
import { storageCondition } from './storage-status.ts'
import { versionOfImage } from './versions.ts'

/** What a sync found out about an app: its spec cannot be rendered, or it was rendered to a plan and children. */
export type AppOutcome =
  | { valid: false; problems: Problem[] }
  | { valid: true; spec: AppSpec; plan: AppPlan; desired: KubeObject[]; oversized: OversizedChild[] }

/**
 * The complete status of an app. Metacontroller replaces the whole status and adds `observedGeneration`; it describes
 * what was observed, so the same observation gives the same bytes.
 */
export function appStatus(
  view: AppView,
  outcome: AppOutcome,
  settings: HookSettings,
  now: Date,
): Record<string, unknown> {
  const wanted = outcome.valid ? outcome.spec.replicas : wantedReplicas(view.parent)
  const mounts = outcome.valid && outcome.oversized.length === 0
  const links = mounts ? { linkedResources: linkedResources(outcome.plan) } : keptLinkedResources(view.parent)
  const packages = outcome.valid ? packagesOf(view, outcome.plan) : keptPackages(view.parent)
  const rebalance = rebalanceOf(view, outcome, settings)
  const storage = outcome.valid ? storageCondition(view, outcome.spec) : undefined
  const drafts = [
    validCondition(view, outcome),
    ...healthConditions(view, outcome, settings, wanted),
    ...(packages.condition === undefined ? [] : [packages.condition]),
    ...(rebalance.condition === undefined ? [] : [rebalance.condition]),
    ...(storage === undefined ? [] : [storage]),
    ...pollingProblems(view),
  ]
  return {
    ...memberStatus(view, wanted),
    ...rebalance.status,
    ...links,
    ...packages.status,
    conditions: dated(view, drafts, now),
  }
}

/** What keeps the poller from doing what it would; there only while something does. */
function pollingProblems({ report }: AppView): ConditionDraft[] {
  const problem = report?.problems?.find(({ of }) => of === 'Members')
  if (problem === undefined) return []
  return [{ type: 'PollingDegraded', status: 'True', reason: 'MostMembersUnreachable', message: problem.message }]
}

interface PackagesPart {
  status: Pick<KasprAppStatus, 'pythonPackages'>
  condition?: ConditionDraft
}

function packagesOf({ report }: AppView, { installation }: AppPlan): PackagesPart {
  if (installation === undefined) return { status: {} }
  const { pythonPackages, condition } = packagesStatus(installation, report?.packages)
  return { status: { pythonPackages }, condition }
}

/** While the spec cannot be read, what was last known of the packages stands. */
function keptPackages({ status }: KubeObject): PackagesPart {
  const { pythonPackages, conditions: observed } = isMap(status) ? (status as KasprAppStatus) : {}
  const { type, status: state, reason, message = '' } = conditionOf(observed, 'PythonPackagesReady') ?? {}
  if (type === undefined || state === undefined || reason === undefined) return { status: {} }
  return {
    status: pythonPackages === undefined ? {} : { pythonPackages },
    condition: { type, status: state, reason, message },
  }
}

/** The status of an app that is being deleted: what still runs, and what is waited for. */
export function terminatingStatus(app: ObservedApp, now: Date): Record<string, unknown> {
  const left = app.children.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  const message = left.length === 0 ? 'All objects are gone' : `Waiting for the end of ${left.join(', ')}`
  const drafts: ConditionDraft[] = [
    { type: 'Progressing', status: 'True', reason: 'Terminating', message },
    { type: 'Ready', status: 'False', reason: 'Terminating', message: 'The app is being deleted' },
  ]
  return { ...memberStatus(app, 0), ...keptLinkedResources(app.parent), conditions: dated(app, drafts, now) }
}

/** What is seen of the members. */
function memberStatus({ statefulSet, report }: ObservedApp, wanted: number): Omit<KasprAppStatus, 'conditions'> {
  const available = statefulSet?.status?.availableReplicas ?? 0
  const members = report?.members ?? []
  const image = statefulSet?.spec.template.spec.containers.find(({ name }) => name === 'kaspr')?.image
  return {
    ...(image === undefined ? {} : { kasprVersion: versionOfImage(image) }),
    availableMembers: `${available}/${wanted}`,
    rolloutInProgress: isRolling(statefulSet),
    members,
    rebalancingMembers: `${members.filter(({ rebalancing }) => rebalancing === true).length}/${available}`,
  }
}

function dated(view: ObservedApp, drafts: ConditionDraft[], now: Date): Condition[] {
  const { parent } = view
  const observed = isMap(parent['status']) ? parent['status']['conditions'] : undefined
  return conditions(observed, [...drafts, pausedCondition(view)], parent.metadata.generation ?? 0, now)
}

function validCondition(view: AppView, outcome: AppOutcome): ConditionDraft {
  if (!outcome.valid) {
    return {
      type: 'Valid',
      status: 'False',
      reason: 'InvalidSpec',
      message: problemsText(outcome.problems),
    }
  }
  if (outcome.oversized.length > 0) return oversizedCondition(outcome.oversized, outcome.plan.mounted.length)
  const skipped = view.components.flatMap(({ kind, rendered }) =>
    rendered.valid ? [] : [`${kind.kind} ${rendered.name}: ${problemsText(rendered.problems)}`],
  )
  if (skipped.length > 0) {
    return {
      type: 'Valid',
      status: 'False',
      reason: 'InvalidComponent',
      message: `Not mounted: ${skipped.slice(0, 5).join('. ')}`,
    }
  }
  const kept = [...immutableStorage(view, outcome.spec), ...claimDifferences(view, wantedClaim(view, outcome.spec))]
  const message = kept.length === 0 ? 'The spec can be rendered' : `The spec can be rendered, but ${kept.join(', ')}`
  return { type: 'Valid', status: 'True', reason: kept.length === 0 ? 'SpecAccepted' : 'ImmutableFieldsKept', message }
}

const complete: ConditionDraft = {
  type: 'Progressing',
  status: 'False',
  reason: 'ReconcileComplete',
  message: 'All resources are in desired state',
}

/** Progressing and Ready, in the order of precedence: an error, hung members, a new spec, what is waited for, health. */
function healthConditions(
  view: AppView,
  outcome: AppOutcome,
  settings: HookSettings,
  wanted: number,
): ConditionDraft[] {
  if (!outcome.valid || outcome.oversized.length > 0) {
    const { message } = validCondition(view, outcome)
    return [
      { type: 'Progressing', status: 'False', reason: 'Error', message },
      { type: 'Ready', status: 'False', reason: 'Error', message: 'Kaspr app not ready' },
    ]
  }
  const due = view.report?.hung?.due ?? []
  if (due.length > 0) {
    const message = `Members [${due.join(', ')}] hung in rebalancing state - terminating pods`
    return [complete, { type: 'Ready', status: 'False', reason: 'HungMembers', message }]
  }
  if (!view.paused && isNewSpec(view, outcome.plan)) {
    return [
      { type: 'Progressing', status: 'True', reason: 'NewSpec', message: 'Reconciling desired state' },
      { type: 'Ready', status: 'False', reason: 'NotReady', message: 'Rollout in progress' },
    ]
  }
  const available = view.statefulSet?.status?.availableReplicas ?? 0
  const healthy =
    available === wanted && !isRolling(view.statefulSet) && (view.statefulSet !== undefined || wanted === 0)
  return [progressing(view, outcome, healthy), readiness(view, healthy, settings, wanted)]
}

function progressing(view: AppView, { plan, desired }: AppOutcome & { valid: true }, healthy: boolean): ConditionDraft {
  if (view.paused && healthy && !plan.applied) {
    return {
      type: 'Progressing',
      status: 'False',
      reason: 'Paused',
      message: 'What has changed since the pause is not applied',
    }
  }
  if (!view.paused && plan.waitingFor.length > 0) {
    const names = plan.waitingFor.map(({ kind, name }) => `${kind.kind} ${name}`)
    return {
      type: 'Progressing',
      status: 'True',
      reason: 'WaitingForComponents',
      message: `Pods keep their template until the ConfigMaps hold the definitions of ${listed(names)}`,
    }
  }
  const missing = missingObjects(view, desired)
  if (!view.paused && missing.length > 0) {
    const names = missing.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    return {
      type: 'Progressing',
      status: 'True',
      reason: 'WaitingForObjects',
      message: `Waiting for ${listed(names)}; if one does not appear, an object of that name belongs to somebody else`,
    }
  }
  return healthy
    ? complete
    : { type: 'Progressing', status: 'True', reason: 'Reconciling', message: 'Waiting for resources to become ready' }
}

/** The first names of a list, and how many more there are. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ')
  return names.length <= 10 ? shown : `${shown} and ${names.length - 10} more`
}

function readiness({ report }: AppView, healthy: boolean, settings: HookSettings, wanted: number): ConditionDraft {
  if (!healthy) return { type: 'Ready', status: 'False', reason: 'NotReady', message: 'Kaspr app not ready' }
  const polled = settings.READY_NEEDS_MEMBERS && wanted > 0 && report !== undefined && report.members.length > 0
  if (polled && !report.members.some(({ reachable }) => reachable)) {
    return {
      type: 'Ready',
      status: 'Unknown',
      reason: 'MembersUnreachable',
      message: 'Pods are available, but no member answers',
    }
  }
  return { type: 'Ready', status: 'True', reason: 'Healthy', message: 'App is ready' }
}

function pausedCondition({ paused }: ObservedApp): ConditionDraft {
  return paused
    ? {
        type: 'Paused',
        status: 'True',
        reason: 'PausedByAnnotation',
        message: 'Objects are left as they are; the autoscaler is removed',
      }
    : { type: 'Paused', status: 'False', reason: 'Active', message: 'The app is reconciled' }
}

/** A generation that was not answered yet, or whose template the StatefulSet controller has not taken up yet. */
function isNewSpec(view: AppView, plan: AppPlan): boolean {
  const { parent, statefulSet } = view
  const answered = isMap(parent['status']) ? parent['status']['observedGeneration'] : undefined
  if (answered !== parent.metadata.generation) return true
  if (plan.waitingFor.length > 0) return false
  if (statefulSet === undefined) return !wasApplied(view)
  return !plan.applied || statefulSet.status?.observedGeneration !== statefulSet.metadata.generation
}

/**
 * Objects that were asked for and are still not there. Metacontroller says nothing when the name belongs to somebody
 * else, so the app has to.
 */
function missingObjects(view: AppView, desired: KubeObject[]): KubeObject[] {
  if (!wasApplied(view)) return []
  return desired.filter(({ kind, metadata }) =>
    view.children.every((observed) => observed.kind !== kind || observed.metadata.name !== metadata.name),
  )
}

/** Whether an answer was carried out to its end: the Observation is the last kind that Metacontroller creates. */
function wasApplied({ observation, statefulSet }: AppView): boolean {
  return observation !== undefined || statefulSet?.status?.observedGeneration !== undefined
}

/**
 * Whether a rollout is under way. Kubernetes makes the revisions equal when every pod is of the new one and ready; numbers
 * of pods alone are equal half-way, and differ while a pod is merely replaced.
 */
function isRolling(statefulSet: StatefulSet | undefined): boolean {
  return statefulSet?.status?.currentRevision !== statefulSet?.status?.updateRevision
}

function linkedResources({ mounted }: AppPlan): NonNullable<KasprAppStatus['linkedResources']> {
  return Object.fromEntries(
    componentKinds.map((kind) => [
      kind.root,
      mounted
        .filter((component) => component.kind === kind)
        .map(({ name, rendered }) => ({ name, hash: rendered.hash, ...rendered.links.recorded })),
    ]),
  )
}

/** While the spec cannot be read, the last known links stand. */
function keptLinkedResources({ status }: KubeObject): Pick<KasprAppStatus, 'linkedResources'> {
  const links = isMap(status) ? (status as KasprAppStatus).linkedResources : undefined
  return links === undefined ? {} : { linkedResources: links }
}

function wantedReplicas({ spec }: KubeObject): number {
  const replicas = isMap(spec) ? spec['replicas'] : undefined
  return typeof replicas === 'number' ? replicas : 1
}
