import { Gauge, type Registry } from 'prom-client'
import type { CompositeRequest, CompositeResponse, FinalizeResponse, KubeObject } from '../contract/types.ts'
import { appLabel } from '../kaspr/names.ts'
import { appFacts, changedFields } from './app-facts.ts'
import { type ChildChange, childChanges, observedChildren } from './child-changes.ts'
import { type ParentMemory, Parents, type PendingChange } from './parents.ts'
import type { SensorDelegate } from './delegate.ts'
import type { ComponentEvent, SensorState, TriggerSource } from './sensor.ts'

/** A change that an answer asked for was not seen within this time. */
const overdueMs = 60_000

/** The class of this error is what `resource_sync_errors_total` names. */
export class NotCarriedOutError extends Error {}

export interface CallSensingOptions {
  sensor: SensorDelegate
  /** For the metrics that count parents. */
  registry: Registry
  /** Milliseconds that only go forward. */
  ticks: () => number
}

/** A hook call about a known parent, until it ends. */
export interface SensedCall {
  who: ComponentEvent
  state: SensorState
  /** Uid of a parent that this call has let go. */
  gone?: string | undefined
}

/**
 * Tells sensors about hook calls: beginning and end, what answers do to children and status, what somebody else did to
 * children, and which changes did not come about. It stands beside the hooks, which know nothing of it, and remembers
 * per parent the versions of the objects of the last request: the same objects give the same answer, so nothing is
 * compared until one of them has changed.
 *
 * Several replicas each see a part of the calls. What is counted once is counted by whoever answered; durations end with
 * the next call that comes to the same replica.
 */
export class CallSensing {
  readonly #options: CallSensingOptions
  readonly #parents: Parents

  constructor(options: CallSensingOptions) {
    const { sensor, registry, ticks } = options
    this.#options = options
    this.#parents = new Parents(({ who, isApp }) => (isApp ? sensor.onAppGone(who) : sensor.onComponentGone(who)))
    registerGauges(registry, this.#parents, ticks)
  }

  /** A call has come about this parent. */
  begin(parent: KubeObject, triggerSource: TriggerSource): SensedCall {
    const who = identity(parent)
    const event = { ...who, generation: parent.metadata.generation ?? 0, triggerSource }
    return { who, state: this.#options.sensor.onReconcileStart(event) }
  }

  /** It has been answered, or has failed. */
  end({ who, state, gone }: SensedCall, success: boolean, error?: unknown): void {
    this.#options.sensor.onReconcileComplete({ ...who, success, ...(error === undefined ? {} : { error }) }, state)
    if (gone !== undefined) this.#parents.drop(gone)
  }

  /** This is the answer to a sync or finalize call. Never throws. */
  answered(call: SensedCall, request: CompositeRequest, answer: CompositeResponse | FinalizeResponse): void {
    try {
      this.#compare(call.who, request, answer)
      if ('finalized' in answer && answer.finalized) call.gone = request.parent.metadata.uid
    } catch (error) {
      this.#options.sensor.failed('CallSensing', 'answered', error)
    }
  }

  #compare(who: ComponentEvent, request: CompositeRequest, { status, children }: CompositeResponse): void {
    const { parent } = request
    const { uid } = parent.metadata
    if (uid === undefined) return
    const now = this.#options.ticks()
    const memory = this.#parents.touch(uid, who, isApp(parent), now)
    const versions = versionsOf(request)
    if (versions !== '' && versions === memory.versions && memory.pending.size === 0) return
    memory.versions = versions
    this.#compareChildren(memory, request, children, now)
    if (memory.isApp) this.#compareApp(memory, parent, status)
  }

  #compareChildren(memory: ParentMemory, request: CompositeRequest, desired: readonly KubeObject[], now: number): void {
    const { sensor } = this.#options
    const observed = observedChildren(request.children)
    const changes = childChanges(observed, desired, memory.children)
    memory.children = new Set(observed.keys())
    for (const [key, pending] of memory.pending) {
      const fate = fateOf(pending, observed.get(key), changes.get(key))
      const event = resource(memory, pending)
      if (fate !== 'open') {
        memory.pending.delete(key)
        if (fate === 'done' && !pending.overdue)
          sensor.onResourceSyncComplete({ ...event, success: true }, pending.state)
      } else if (!pending.overdue && now - pending.sinceMs > overdueMs) {
        pending.overdue = true
        const error = new NotCarriedOutError(`${pending.operation} of ${key} was not seen within ${overdueMs / 1000} s`)
        sensor.onResourceSyncComplete({ ...event, success: false, error }, pending.state)
      }
    }
    for (const [key, change] of changes) {
      if (memory.pending.has(key)) continue
      const event = resource(memory, change)
      if (change.drift !== undefined) sensor.onResourceDriftDetected({ ...event, driftFields: [change.drift] })
      const state = sensor.onResourceSyncStart(event)
      memory.pending.set(key, { ...change, sinceMs: now, state, overdue: false })
    }
  }

  #compareApp(memory: ParentMemory, parent: KubeObject, status: Record<string, unknown>): void {
    const { sensor } = this.#options
    const fields = changedFields(parent['status'], status)
    if (fields.length > 0) sensor.onStatusUpdate({ ...memory.who, fields })
    const facts = appFacts(parent, status)
    const none = { authEnabled: false, customIndexEnabled: false }
    const packages = facts.packages ?? (memory.facts?.packages === undefined ? undefined : none)
    if (packages !== undefined) sensor.onPackageConfigUpdated({ ...memory.who, ...packages })
    memory.facts = facts
  }
}

/** Whether a change that was asked for has come about, is no longer wanted, or is still open. */
function fateOf(
  { operation }: PendingChange,
  live: KubeObject | undefined,
  change: ChildChange | undefined,
): 'done' | 'withdrawn' | 'open' {
  if (change?.operation === operation) return 'open'
  if (operation !== 'delete') return live === undefined ? 'withdrawn' : 'done'
  if (live === undefined) return 'done'
  return live.metadata.deletionTimestamp === undefined ? 'withdrawn' : 'open'
}

function resource<C extends { name: string; type: string }>(
  { who }: ParentMemory,
  change: C,
): ComponentEvent & { resourceName: string; resourceType: string } & C {
  return { ...change, ...who, resourceName: change.name, resourceType: change.type }
}

/** A component belongs to the app that its label names; an app is its own component. */
function identity(parent: KubeObject): ComponentEvent {
  const { name, namespace = '', labels } = parent.metadata
  return { app: isApp(parent) ? name : (labels?.[appLabel] ?? name), component: name, namespace }
}

function isApp({ kind }: KubeObject): boolean {
  return kind === 'KasprApp'
}

/** The versions of all objects of a request in one text; empty if an object has none. */
function versionsOf({ parent, children, related }: CompositeRequest): string {
  let versions = parent.metadata.resourceVersion ?? ''
  if (versions === '') return ''
  for (const map of [children, related]) {
    for (const group of Object.values(map)) {
      versions += ';'
      for (const { metadata } of Object.values(group)) {
        if (metadata.resourceVersion === undefined) return ''
        // Versions are unique among the objects of a kind, and differ after a deletion and re-creation.
        versions += `,${metadata.resourceVersion}`
      }
    }
  }
  return versions
}

function registerGauges(registry: Registry, parents: Parents, ticks: () => number): void {
  const registers = [registry]
  const note = 'as this replica last answered; not those it was not asked about for 15 minutes'
  new Gauge({
    name: 'kasprop_apps',
    help: `Apps by status of their condition Ready, ${note}.`,
    labelNames: ['ready'],
    registers,
    collect() {
      parents.sweep(ticks())
      const counts = { True: 0, False: 0, Unknown: 0 }
      for (const { ready } of parents.apps()) counts[ready]++
      for (const [ready, count] of Object.entries(counts)) this.set({ ready }, count)
    },
  })
  new Gauge({
    name: 'kasprop_rebalance_pending',
    help: `Apps that need a rebalance for a changed subscription, ${note}.`,
    registers,
    collect() {
      this.set(parents.apps().filter(({ rebalanceRequired }) => rebalanceRequired).length)
    },
  })
}
