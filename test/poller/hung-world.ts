import { decideHung } from '../../poller/kaspr/hung.ts'
import type { HungDecision, HungLimits, HungRules } from '../../poller/kaspr/hung.ts'
import { mergeMembers } from '../../poller/kaspr/members.ts'
import type { KasprAppReport, KasprAppSpec, Look } from '../../poller/kaspr/part.ts'
import type { Answer } from '../../poller/kaspr/poll.ts'
import { runningMembers, trimPod } from '../../poller/kaspr/pods.ts'
import { trimSet } from '../../poller/kaspr/statefulsets.ts'
import type { Outcome } from '../../poller/kaspr/terminations.ts'
import { timestamp } from '../../poller/observation.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'

const labels = { 'kaspr.io/cluster': 'orders', 'kaspr.io/name': 'orders-app', 'kaspr.io/kind': 'KasprApp' }

/** Says what a member says: it waits in a rebalance, works, rebuilds its tables; or does not answer, or is not asked. */
export type Says = 'hung' | 'calm' | 'recovering' | 'silent' | 'not asked'

/** An app with members, for tests of a poller's decision; everything may be changed between looks. */
export class HungWorld {
  /** Milliseconds since 1970; before a first look something has to be rebalancing for longer than the threshold. */
  nowMs = Date.UTC(2030, 0, 1)
  spec: KasprAppSpec
  /** Place in the array is the ordinal. */
  pods: { uid: string; ready: boolean; terminating?: boolean; says: Says }[]
  /** Changes of the set; by default it is settled as far as its pods are. */
  set: { generation?: number; revision?: string; replicas?: number } = {}
  /** The last written report. */
  report: KasprAppReport | undefined
  outcomes = new Map<string, Outcome>()
  rules: HungRules = { intervalMs: 30_000, max: 5 }
  limits: HungLimits = { fleet: () => ({ reachable: 1, unreachable: 0 }), grant: () => true }

  constructor(size: number, says: Says = 'hung') {
    this.spec = kasprAppSpec(size)
    this.pods = Array.from({ length: size }, (_, id) => ({ uid: `u${id}`, ready: true, says }))
  }

  /** What a poller sees now. */
  seen(): Look {
    const pods = this.pods.map(({ uid, ready, terminating = false }, id) =>
      trimPod(kubePod(id, { uid, ready, terminating })),
    )
    const running = runningMembers(pods, this.spec)
    const answers = new Map(
      running.flatMap(({ id, uid }): [string, Answer][] => {
        const says = this.pods[id]?.says ?? 'not asked'
        return says === 'not asked' ? [] : [[uid, answerOf(says)]]
      }),
    )
    const now = new Date(this.nowMs)
    return {
      observation: { apiVersion: 'x', kind: 'Observation', metadata: { name: 'o', uid: 'o' }, spec: {} },
      namespace: 'shop',
      spec: this.spec,
      previous: this.report,
      now,
      target: { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', namespace: 'shop', name: 'orders', uid: 'app' },
      set: trimSet(this.#kubeSet()),
      pods,
      claims: [],
      running,
      answers,
      members: mergeMembers(this.report?.members ?? [], running, answers, timestamp(now)),
    }
  }

  /** A look after `seconds`, whose report is written. */
  look(seconds: number): HungDecision {
    this.nowMs += seconds * 1000
    const decision = decideHung(this.seen(), this.outcomes, this.rules, this.limits)
    this.write(decision)
    return decision
  }

  write({ members, hung }: HungDecision): void {
    this.report = { appUid: 'app', reachable: '', members, ...(hung && { hung }) }
  }

  /** Strikes by ordinal, as the report has them. */
  strikes(): Record<string, number> {
    const members = this.report?.members.filter(({ hungStrikes }) => hungStrikes !== undefined) ?? []
    return Object.fromEntries(members.map(({ id, hungStrikes }) => [id, hungStrikes ?? 0]))
  }

  /** The StatefulSet puts a new pod in the place of the one that was deleted. */
  replace(id: number, ready: boolean, says: Says = 'calm'): void {
    const { uid = '' } = this.pods[id] ?? {}
    this.pods[id] = { uid: `${uid}'`, ready, says }
  }

  #kubeSet(): KubeObject {
    const { generation = 1, revision = 'r1', replicas = this.pods.length } = this.set
    const there = this.pods.filter(({ terminating = false }) => !terminating)
    const status = {
      observedGeneration: 1,
      replicas: this.pods.length,
      availableReplicas: there.filter(({ ready }) => ready).length,
      updatedReplicas: there.length,
      currentRevision: 'r1',
      updateRevision: revision,
    }
    return kubeSet({ generation, replicas, status })
  }
}

export function kasprAppSpec(replicas: number): KasprAppSpec {
  return {
    app: { name: 'orders', uid: 'app' },
    statefulSet: 'orders-app',
    selector: labels,
    port: 6065,
    enabled: true,
    replicas,
    hungMembers: { enabled: true, thresholdSeconds: 300 },
    mayDelete: ['HungMembers', 'StatefulSet'],
  }
}

export function kubeSet({
  generation = 1,
  replicas,
  status,
  owner = 'app',
}: {
  generation?: number
  replicas: number
  status: object
  owner?: string
}): KubeObject {
  const ownerReferences = [{ apiVersion: 'x', kind: 'KasprApp', name: 'orders', uid: owner, controller: true }]
  const metadata = {
    namespace: 'shop',
    name: 'orders-app',
    uid: 'set',
    generation,
    labels: { 'controller-uid': owner },
    ownerReferences,
  }
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { replicas }, status }
}

export function kubePod(
  id: number,
  { uid, ready = true, terminating = false, ip }: { uid: string; ready?: boolean; terminating?: boolean; ip?: string },
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'shop',
      name: `orders-app-${id}`,
      uid,
      labels,
      ...(terminating && { deletionTimestamp: '2030-01-01T00:00:00Z' }),
    },
    spec: { containers: [{ name: 'kaspr' }] },
    status: {
      phase: 'Running',
      podIP: ip ?? `10.0.0.${id + 1}`,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }
}

function answerOf(says: Exclude<Says, 'not asked'>): Answer {
  if (says === 'silent') return { result: 'Timeout' }
  return {
    result: 'Success',
    flags: { leader: false, rebalancing: says !== 'calm', recovering: says === 'recovering' },
  }
}
