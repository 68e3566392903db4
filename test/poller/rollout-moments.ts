/** Moments of rollouts for tests: single ones by hand, and courses as the hook really makes them. */
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { ordinalsOf } from '../../webhooks/rollout/batches.ts'
import { observation } from '../../webhooks/rollout/observation.ts'
import type { RolloutOrder } from '../../webhooks/rollout/observation.ts'
import { type ReportedPod, podFacts } from '../../webhooks/rollout/pods.ts'
import { annotationPatch, patched, readRecord } from '../../webhooks/rollout/record.ts'
import { readSet } from '../../webhooks/rollout/stateful-set.ts'
import { step } from '../../webhooks/rollout/transitions.ts'
import { rolloutView } from '../../webhooks/rollout/view.ts'
import type { Moment } from '../../poller/rollout/moment.ts'
import {
  at,
  noon,
  pods as podsOf,
  reportOf,
  requestOf,
  rfc3339,
  type SetChanges,
  setOf,
} from '../webhooks/rollout-world.ts'

/** What a moment by hand differs in from the usual one. */
export interface MomentChanges extends SetChanges {
  /** Words as `pods` of rollout-world.ts has them, or the pods. */
  pods?: string | ReportedPod[]
  order?: Partial<RolloutOrder>
  now?: number
}

/** A moment of the set `shop/web`, 4 pods of revision `web-old`, to be updated to `web-new`. */
export function momentOf({ pods = 'old old old old', order, now = noon, ...set }: MomentChanges = {}): Moment {
  const reported = typeof pods === 'string' ? podsOf(pods, set.start) : pods
  return lookAt(setOf(set), reported, { ...usualOrder, ...order }, now)
}

const usualOrder: RolloutOrder = {
  statefulSet: { name: 'web', uid: 'uid-web' },
  maxUnavailable: 2,
  delaySeconds: 600,
  readyTimeoutSeconds: 1800,
  useEviction: false,
  paused: false,
}

function lookAt(object: KubeObject, reported: ReportedPod[], order: RolloutOrder, now: number): Moment {
  const set = readSet(object)
  return {
    namespace: 'shop',
    set,
    currentRevision: 'web-old',
    record: readRecord(object.metadata.annotations),
    order,
    reported,
    pods: set.target === undefined ? undefined : podFacts(reportOf(reported), reported, set, set.target, now),
    now,
  }
}

/** A pod of a {@link Course}. */
interface CoursePod {
  revision: string
  ready: boolean
}

/** A StatefulSet `shop/web` with its pods, taken through rollouts by the real hook. */
export class Course {
  readonly #pods = new Map<number, CoursePod>()
  #set: KubeObject
  #order: RolloutOrder = usualOrder
  #now = noon
  /** Whether pods have their index label. */
  isNumbered = true

  constructor({ replicas = 4, ...annotations }: { replicas?: number } & Record<string, string | number>) {
    const config = Object.entries({ 'delay-seconds': 0, ...annotations }).map(([key, value]) => [key, String(value)])
    this.#set = setOf({ replicas, target: 'web-old' })
    this.configure(Object.fromEntries(config) as Record<string, string>)
    for (const ordinal of ordinalsOf({ replicas, start: 0 })) {
      this.#pods.set(ordinal, { revision: 'web-old', ready: true })
    }
  }

  /** Annotations that users write; null takes one away. */
  configure(changes: Record<string, string | null>): void {
    const { metadata } = this.#set
    const patch = Object.entries(changes).map(([key, value]) => [`config.rollout-operator/${key}`, value])
    const annotations = patched(metadata.annotations, Object.fromEntries(patch) as typeof changes)
    this.#set = { ...this.#set, metadata: { ...metadata, annotations } }
  }

  template(revision: string): void {
    this.#set = { ...this.#set, status: { ...(this.#set['status'] as object), updateRevision: revision } }
  }

  strategy(type: 'OnDelete' | 'RollingUpdate'): void {
    this.#set = { ...this.#set, spec: { ...(this.#set['spec'] as object), updateStrategy: { type } } }
  }

  pass(seconds: number): void {
    this.#now += seconds
  }

  /** Makes pods ready, or not; all without an ordinal. */
  ready(ready: boolean, ordinal?: number): void {
    for (const [key, pod] of this.#pods) if (ordinal === undefined || key === ordinal) pod.ready = ready
  }

  /** Deletes the old pods of the batch; the StatefulSet makes them again at once. */
  delete(): void {
    const { batch } = this.#order
    for (const ordinal of batch?.ordinals ?? []) {
      if (this.#pods.get(ordinal)?.revision !== batch?.targetRevision) {
        this.#pods.set(ordinal, { revision: batch?.targetRevision ?? '', ready: false })
      }
    }
  }

  /**
   * Calls the hook, which sees the pods as they are, and carries its answer out.
   *
   * @returns the row of its table
   */
  sync(): string {
    const view = rolloutView(requestOf(this.#set, reportOf(this.#report())), at(this.#now))
    const { row, changes, certain } = step(view)
    const { annotations } = this.#set.metadata
    const written = patched(annotations, annotationPatch(annotations, changes, this.#now))
    this.#set = { ...this.#set, metadata: { ...this.#set.metadata, annotations: written } }
    const { spec } = observation(view, readRecord(written), certain) as unknown as { spec: { rollout: RolloutOrder } }
    this.#order = spec.rollout
    return row
  }

  /** What the poller sees now. */
  look(): Moment {
    return lookAt(this.#set, this.#report(), this.#order, this.#now)
  }

  #report(): ReportedPod[] {
    return [...this.#pods].map(([ordinal, { revision, ready }]) => ({
      uid: `${ordinal}-${revision}`,
      ...(this.isNumbered ? { ordinal } : { name: `web-${ordinal}` }),
      revision,
      ...(ready ? { readySince: rfc3339(noon - 60) } : { reason: 'Pending/ContainerCreating' }),
    }))
  }
}

/** What may happen to a {@link Course}, and how to make it happen. */
export const happenings = {
  sync: (course: Course) => void course.sync(),
  delete: (course: Course) => course.delete(),
  allReady: (course: Course) => course.ready(true),
  oneReady: (course: Course) => course.ready(true, 1),
  oneBroken: (course: Course) => course.ready(false, 2),
  templateB: (course: Course) => course.template('web-b'),
  templateC: (course: Course) => course.template('web-c'),
  revert: (course: Course) => course.template('web-old'),
  rolling: (course: Course) => course.strategy('RollingUpdate'),
  onDelete: (course: Course) => course.strategy('OnDelete'),
  pause: (course: Course) => course.configure({ paused: 'true' }),
  resume: (course: Course) => course.configure({ paused: null }),
  mistake: (course: Course) => course.configure({ 'half-split': 'perhaps' }),
  correct: (course: Course) => course.configure({ 'half-split': null }),
  unnumber: (course: Course) => void (course.isNumbered = false),
  number: (course: Course) => void (course.isNumbered = true),
  second: (course: Course) => course.pass(1),
  hour: (course: Course) => course.pass(3600),
} satisfies Record<string, (course: Course) => void>

/** Name of a happening. */
export type Happening = keyof typeof happenings
