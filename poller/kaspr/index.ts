import { setMaxListeners } from 'node:events'
import type { BaseLogger } from 'pino'
import type { Clock } from '../clock.ts'
import type { Report, Reporter } from '../controller.ts'
import type { KubeClient } from '../kube/client.ts'
import { Informer } from '../kube/informer.ts'
import type { Observation } from '../observation.ts'
import { timestamp } from '../observation.ts'
import { appReport } from './app-report.ts'
import { MemberBackoff } from './backoff.ts'
import { changesClaim, claimKeys, claimSelector, trimClaim } from './claims.ts'
import type { PackagesClaim } from './claims.ts'
import { memberEvents } from './member-events.ts'
import { mergeMembers } from './members.ts'
import type { AppPart, KasprAppReport, KasprAppSpec, Look } from './part.ts'
import type { Member } from './members.ts'
import { changesMembers, podKeys, podSelector, runningMembers, trimPod } from './pods.ts'
import type { MemberPod, RunningMember } from './pods.ts'
import type { Answer, MemberPoller } from './poll.ts'
import { changesSet, setSelector, trimSet } from './statefulsets.ts'
import type { TrimmedSet } from './statefulsets.ts'

export interface KasprOptions {
  client: KubeClient
  clock: Clock
  poller: MemberPoller
  /** Has the Observations that the index files under the key looked at soon. */
  wake: (index: string, key: string) => void
  /** Between two rounds, and while something is going on; a fifth more or less at random. */
  intervalMs: number
  fastIntervalMs: number
  /** For a whole round; what has arrived by then counts. */
  roundTimeoutMs: number
  /** What else is done for an app, in this order; each sees the members as the earlier ones left them. */
  parts?: AppPart[]
  random?: () => number
  logger?: BaseLogger
}

/** Longest pause before a member that does not answer is asked again. */
const longestBackoffMs = 60_000
const byApp = 'kasprApp'
const bySet = 'kasprAppSet'

/** Polls the members of Kaspr apps. */
export class KasprApps implements Reporter {
  readonly member = 'kasprApp'
  readonly index = {
    [byApp]: (observation: Observation): string[] => keysOf(observation, ({ app }) => app.name),
    [bySet]: (observation: Observation): string[] => keysOf(observation, ({ statefulSet }) => statefulSet),
  }
  readonly pods: Informer<MemberPod>
  readonly sets: Informer<TrimmedSet>
  readonly claims: Informer<PackagesClaim>
  readonly #options: KasprOptions
  /** By uid of the Observation. Only pauses are kept here; what matters is in the report. */
  readonly #backoffs = new Map<string, MemberBackoff>()

  constructor(options: KasprOptions) {
    this.#options = options
    const common = { client: options.client, ...(options.logger && { logger: options.logger }) }
    this.pods = new Informer<MemberPod>({
      ...common,
      path: '/api/v1/pods',
      labelSelector: podSelector,
      trim: trimPod,
      index: { [byApp]: podKeys },
      onEvent: (event) => {
        if (changesMembers(event)) for (const key of podKeys(event.object)) options.wake(byApp, key)
      },
    })
    this.sets = new Informer<TrimmedSet>({
      ...common,
      path: '/apis/apps/v1/statefulsets',
      labelSelector: setSelector,
      trim: trimSet,
      onEvent: (event) => {
        const { namespace, name } = event.object.metadata
        if (changesSet(event)) options.wake(bySet, `${namespace}/${name}`)
      },
    })
    this.claims = new Informer<PackagesClaim>({
      ...common,
      path: '/api/v1/persistentvolumeclaims',
      labelSelector: claimSelector,
      trim: trimClaim,
      index: { [byApp]: claimKeys },
      onEvent: (event) => {
        if (changesClaim(event)) for (const key of claimKeys(event.object)) options.wake(byApp, key)
      },
    })
  }

  forget({ metadata }: Observation): void {
    const uid = metadata.uid ?? ''
    this.#backoffs.delete(uid)
    for (const part of this.#options.parts ?? []) part.forget?.(uid)
  }

  /** Members in the reports of these Observations. */
  countMembers(observations: Observation[]): { reachable: number; unreachable: number } {
    const reports = observations.flatMap(({ status }) => (status?.['kasprApp'] as KasprAppReport | undefined) ?? [])
    const members = reports.flatMap((report) => report.members)
    const reachable = members.filter((member) => member.reachable).length
    return { reachable, unreachable: members.length - reachable }
  }

  async report(observation: Observation, now: Date, signal: AbortSignal): Promise<Report> {
    const { parts = [] } = this.#options
    const spec = specOf(observation)
    const last = observation.status?.['kasprApp'] as KasprAppReport | undefined
    const previous = last?.appUid === spec.app.uid ? last : undefined
    if (!spec.enabled) {
      const condition = { status: 'False', reason: 'Disabled', message: 'Polling of members is switched off' } as const
      const nobody = { running: [], answers: new Map<string, Answer>(), members: [] }
      const seen = appReport(parts, this.#lookAt(observation, previous, now, nobody))
      return { ...seen, condition, againMs: Math.min(seen.againMs, this.#jittered(this.#options.intervalMs)) }
    }
    const backoff = this.#backoffOf(observation)
    const asked = this.#running(observation, spec).filter(({ uid }) => backoff.isDue(uid))
    const answers = await this.#round(observation, spec, asked, signal)
    // Pods as they are now, so that one that vanished during the round is not told of.
    const running = this.#running(observation, spec)
    backoff.update(answers, new Set(running.map(({ uid }) => uid)))
    const before = previous?.members ?? []
    const members = mergeMembers(before, running, answers, timestamp(now))
    const look = this.#lookAt(observation, previous, now, { running, answers, members })
    const seen = appReport(parts, look)
    return {
      condition: { status: 'True', reason: 'Polled', message: 'Members are asked for their status' },
      ...seen,
      events: [...memberEvents(look.target, before, members, answers), ...seen.events],
      againMs: Math.min(seen.againMs, this.#againMs(backoff, before, members, running)),
    }
  }

  #lookAt(
    observation: Observation,
    previous: KasprAppReport | undefined,
    now: Date,
    round: Pick<Look, 'running' | 'answers' | 'members'>,
  ): Look {
    const spec = specOf(observation)
    const namespace = observation.metadata.namespace ?? ''
    const set = this.sets.get(namespace, spec.statefulSet)
    return {
      observation,
      namespace,
      spec,
      previous,
      now,
      target: { apiVersion: 'kaspr.io/v1alpha1', kind: 'KasprApp', namespace, ...spec.app },
      set: set?.owner === spec.app.uid ? set : undefined,
      pods: this.pods.indexed(byApp, `${namespace}/${spec.app.name}`),
      claims: this.claims.indexed(byApp, `${namespace}/${spec.app.name}`),
      ...round,
    }
  }

  #running({ metadata }: Observation, spec: KasprAppSpec): RunningMember[] {
    return runningMembers(this.pods.indexed(byApp, `${metadata.namespace}/${spec.app.name}`), spec)
  }

  /** Asks the members at once. Those that could not be asked to the end within the round are not in the result. */
  async #round(
    { metadata }: Observation,
    { app, port, statefulSet }: KasprAppSpec,
    asked: RunningMember[],
    signal: AbortSignal,
  ): Promise<Map<string, Answer>> {
    const answers = new Map<string, Answer>()
    const round = new AbortController()
    setMaxListeners(0, round.signal) // two for each member
    const end = (): void => round.abort(new Error('The round is over'))
    const timer = setTimeout(end, this.#options.roundTimeoutMs)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
    try {
      const domain = `${statefulSet}.${metadata.namespace}.svc.cluster.local`
      await Promise.allSettled(
        asked.map(async ({ uid, name, ip }) => {
          const address = { ip, port, host: `${name}.${domain}` }
          answers.set(uid, await this.#options.poller.ask(`${metadata.namespace}/${app.name}`, address, round.signal))
        }),
      )
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
    signal.throwIfAborted()
    return answers
  }

  #backoffOf({ metadata }: Observation): MemberBackoff {
    const uid = metadata.uid ?? ''
    const { fastIntervalMs, clock } = this.#options
    const limits = { firstMs: fastIntervalMs, longestMs: Math.max(fastIntervalMs, longestBackoffMs) }
    const backoff = this.#backoffs.get(uid) ?? new MemberBackoff(limits, clock)
    this.#backoffs.set(uid, backoff)
    return backoff
  }

  /** Soon while a member is busy, new or not asked; else at the usual pace, or when a silent one is due. */
  #againMs(backoff: MemberBackoff, before: Member[], members: Member[], running: RunningMember[]): number {
    const { intervalMs, fastIntervalMs } = this.#options
    const isLively =
      members.length < running.length ||
      members.some(({ rebalancing, recovering }) => rebalancing === true || recovering === true) ||
      members.some(({ podUID }) => !before.some((member) => member.podUID === podUID))
    const pace = this.#jittered(isLively ? fastIntervalMs : intervalMs)
    // Never before it is due: the others would be asked in vain.
    const dueMs = backoff.nextMs() ?? Infinity
    return Math.min(pace, Math.max(dueMs, this.#jittered(dueMs)))
  }

  #jittered(ms: number): number {
    return ms * (0.8 + (this.#options.random ?? Math.random)() * 0.4)
  }
}

/** The API server has checked it against the schema. */
function specOf({ spec }: Observation): KasprAppSpec {
  return spec['kasprApp'] as KasprAppSpec
}

function keysOf(observation: Observation, name: (spec: KasprAppSpec) => string): string[] {
  if (observation.spec['kasprApp'] === undefined) return []
  return [`${observation.metadata.namespace}/${name(specOf(observation))}`]
}
