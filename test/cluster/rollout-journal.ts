import type { KubeClient } from '../../poller/kube/client.ts'
import { Informer } from '../../poller/kube/informer.ts'
import type { StoreEvent } from '../../poller/kube/store.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { ordinalsOf } from '../../webhooks/rollout/batches.ts'
import { recordPrefix } from '../../webhooks/rollout/names.ts'
import { readSet } from '../../webhooks/rollout/stateful-set.ts'

/** A pod of a StatefulSet that began to end, whoever wanted that. */
export interface Ending {
  set: string
  pod: string
  /** Ordinals of the set without a ready pod from that moment on, this one among them; ascending. */
  down: number[]
  /** Grace period that the pod was given, seconds. */
  gracePeriodSeconds: number | undefined
  /** Unix milliseconds. */
  ms: number
}

interface Watched extends KubeObject {
  isReady: boolean
  gracePeriodSeconds: number | undefined
}

/**
 * What happens to the StatefulSets of a namespace, as watches tell it: the API server sends every change of a pod in its
 * order, so the pods at each moment are known, and not only those at the moments at which somebody asks.
 */
export class RolloutJournal {
  /** Pods that began to end, in their order. */
  readonly endings: Ending[] = []
  /** Each state that was recorded, by set, without repetitions. */
  readonly states = new Map<string, string[]>()
  /** Called after every change of what is recorded on a set, or announced in an Observation. */
  onStep: (() => void) | undefined
  readonly pods: Informer<Watched>
  readonly sets: Informer
  readonly #observations: Informer
  readonly #down = new Map<string, number[]>()
  readonly #mostDown = new Map<string, number>()
  /** Sets that had pods down at the same moment as others. */
  readonly #together = new Set<string>()

  constructor(client: KubeClient, namespace: string) {
    this.pods = new Informer<Watched>({
      client,
      path: `/api/v1/namespaces/${namespace}/pods`,
      trim: watched,
      onEvent: (event) => this.#onPod(event),
    })
    this.sets = new Informer({
      client,
      path: `/apis/apps/v1/namespaces/${namespace}/statefulsets`,
      onEvent: ({ object, old }) => this.#onSet(object, old),
    })
    this.#observations = new Informer({
      client,
      path: `/apis/metacontroller.kaspr.io/v1alpha1/namespaces/${namespace}/observations`,
      onEvent: ({ object, old }) => {
        if (announced(object) !== announced(old)) this.onStep?.()
      },
    })
  }

  async start(): Promise<void> {
    const informers = [this.pods, this.sets, this.#observations]
    for (const informer of informers) informer.start()
    await Promise.all(informers.map(({ synced }) => synced))
  }

  async stop(): Promise<void> {
    await Promise.all([this.pods, this.sets, this.#observations].map((informer) => informer.stop()))
  }

  /** Forgets what was; what is down now counts from now on. */
  reset(): void {
    this.endings.length = 0
    this.#mostDown.clear()
    this.#together.clear()
    for (const [set, down] of this.#down) this.#mostDown.set(set, down.length)
  }

  /** Most ordinals of a set that were without a ready pod at one moment. */
  mostDown(set = 'web'): number {
    return this.#mostDown.get(set) ?? 0
  }

  /** Names of sets that had pods down at the same moment as another set. */
  downTogether(): string[] {
    return [...this.#together].sort()
  }

  #onPod({ type, object, old }: StoreEvent<Watched>): void {
    const { name, ownerReferences, deletionTimestamp } = object.metadata
    const owner = ownerReferences?.find(({ kind, controller }) => kind === 'StatefulSet' && controller === true)
    const set = this.sets.get(object.metadata.namespace, owner?.name ?? '')
    if (set === undefined) return
    const down = this.#downOf(set)
    this.#down.set(set.metadata.name, down)
    this.#mostDown.set(set.metadata.name, Math.max(this.mostDown(set.metadata.name), down.length))
    const together = [...this.#down].filter(([, ordinals]) => ordinals.length > 0).map(([other]) => other)
    if (together.length > 1) for (const other of together) this.#together.add(other)
    const isLeaving = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined
    const begins = type === 'deleted' ? deletionTimestamp === undefined : isLeaving(object) && !(old && isLeaving(old))
    if (!begins) return
    const { gracePeriodSeconds } = object
    this.endings.push({ set: set.metadata.name, pod: name, down, gracePeriodSeconds, ms: Date.now() })
  }

  #downOf(set: KubeObject): number[] {
    const { namespace, name, uid } = set.metadata
    return ordinalsOf(readSet(set)).filter((ordinal) => {
      const pod = this.pods.get(namespace, `${name}-${ordinal}`)
      const isOwn = pod?.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true
      return !isOwn || !pod.isReady || pod.metadata.deletionTimestamp !== undefined
    })
  }

  #onSet(set: KubeObject, old: KubeObject | undefined): void {
    const state = set.metadata.annotations?.[`${recordPrefix}state`]
    const states = this.states.get(set.metadata.name) ?? []
    this.states.set(set.metadata.name, states)
    if (state !== undefined && states.at(-1) !== state) states.push(state)
    if (recorded(set) !== recorded(old)) this.onStep?.()
  }
}

function watched({ apiVersion, kind, metadata, status }: KubeObject): Watched {
  const { conditions } = (status ?? {}) as { conditions?: { type: string; status: string }[] }
  const { deletionGracePeriodSeconds } = metadata as { deletionGracePeriodSeconds?: number }
  return {
    apiVersion,
    kind,
    metadata,
    isReady: conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true,
    gracePeriodSeconds: deletionGracePeriodSeconds,
  }
}

function recorded(set: KubeObject | undefined): string {
  const entries = Object.entries(set?.metadata.annotations ?? {}).filter(([key]) => key.startsWith(recordPrefix))
  return JSON.stringify(entries.sort())
}

function announced(observation: KubeObject | undefined): string {
  const { rollout } = (observation?.['status'] ?? {}) as { rollout?: { deleting?: { uids: string[] } } }
  return String(rollout?.deleting?.uids)
}
