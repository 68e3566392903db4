/** StatefulSets, reports and requests for tests of rollouts. */
import type { DecoratorRequest, DecoratorResponse, KubeObject } from '../../webhooks/contract/types.ts'
import type { HookContext } from '../../webhooks/hooks.ts'
import { patched } from '../../webhooks/rollout/record.ts'
import type { ReportedPod, RolloutReport } from '../../webhooks/rollout/pods.ts'
import { syncRollout } from '../../webhooks/rollout/sync.ts'
import { context } from './requests.ts'

/** The time of all tests that do not move it, in Unix seconds: 2026-01-01T00:00:00Z. */
export const noon = Date.UTC(2026, 0, 1) / 1000

/** Hook context at a time in Unix seconds. */
export function at(seconds: number, environment: Record<string, string> = {}): HookContext {
  return context(environment, new Date(seconds * 1000).toISOString())
}

/** What a set differs in from the usual one. */
export interface SetChanges {
  name?: string
  uid?: string
  replicas?: number
  start?: number
  minReadySeconds?: number
  strategy?: string
  target?: string
  generation?: number
  observedGeneration?: number
  labels?: Record<string, string>
  /** Keys without prefix are recorded ones. */
  record?: Record<string, string>
  annotations?: Record<string, string>
  metadata?: Partial<KubeObject['metadata']>
}

/** An enrolled StatefulSet `shop/web` of 4 pods whose update revision is `web-new`. */
export function setOf(changes: SetChanges = {}): KubeObject {
  const { name = 'web', uid = 'uid-web', replicas = 4, start, minReadySeconds, generation = 7 } = changes
  const recorded = Object.entries(changes.record ?? {}).map(([key, value]) => [`rollout-operator/${key}`, value])
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name,
      namespace: 'shop',
      uid,
      generation,
      labels: changes.labels ?? { 'rollout-operator/enabled': 'true' },
      annotations: { ...(Object.fromEntries(recorded) as Record<string, string>), ...changes.annotations },
      ...changes.metadata,
    },
    spec: {
      replicas,
      updateStrategy: { type: changes.strategy ?? 'OnDelete' },
      ...(start === undefined ? {} : { ordinals: { start } }),
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    },
    status: {
      observedGeneration: changes.observedGeneration ?? generation,
      replicas,
      currentRevision: 'web-old',
      updateRevision: changes.target ?? 'web-new',
    },
  }
}

/** A time as the API server writes it. */
export function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '')
}

/** A pod by ordinal and a word: `new` and `old` are ready, `NEW` and `OLD` are not, `gone` is terminating. */
export function pod(ordinal: number, word: 'new' | 'old' | 'NEW' | 'OLD' | 'gone'): ReportedPod {
  const isReady = word === 'new' || word === 'old'
  return {
    uid: `uid-${ordinal}-${word.toLowerCase()}`,
    ordinal,
    revision: word.toLowerCase() === 'new' ? 'web-new' : 'web-old',
    ...(isReady ? { readySince: rfc3339(noon - 3600) } : { reason: 'Running/CrashLoopBackOff' }),
    ...(word === 'gone' ? { terminating: true } : {}),
  }
}

/** Pods from 0 upwards by words such as `new old OLD - gone`; `-` is a missing one. */
export function pods(words: string, start = 0): ReportedPod[] {
  return words
    .split(' ')
    .flatMap((word, index) => (word === '-' || word === '' ? [] : [pod(start + index, word as 'new')]))
}

/** A report about the usual set. */
export function reportOf(list: ReportedPod[] | undefined, more: Partial<RolloutReport> = {}): RolloutReport {
  return { setUid: 'uid-web', ...(list === undefined ? {} : { pods: list }), ...more }
}

/** A sync request; without a report there is no Observation yet. */
export function requestOf(set: KubeObject, report?: RolloutReport, observation?: KubeObject): DecoratorRequest {
  const observed: KubeObject | undefined =
    report === undefined
      ? observation
      : {
          apiVersion: 'metacontroller.kaspr.io/v1alpha1',
          kind: 'Observation',
          metadata: { name: `rollout-${set.metadata.name}`, namespace: 'shop', uid: 'uid-observation' },
          ...observation,
          status: { rollout: report },
        }
  return {
    controller: {
      apiVersion: 'metacontroller.k8s.io/v1alpha1',
      kind: 'DecoratorController',
      metadata: { name: 'rollouts' },
    },
    object: set,
    attachments: {
      'Observation.metacontroller.kaspr.io/v1alpha1':
        observed === undefined ? {} : { [`shop/${observed.metadata.name}`]: observed },
    },
    related: {},
    finalizing: false,
  }
}

/** An answer with its annotations under their short keys. */
export interface Answer extends DecoratorResponse {
  /** Changed annotations without the prefix. */
  written: Record<string, string | null>
  /** `spec.rollout` of the Observation. */
  order: Record<string, unknown> | undefined
}

/** Calls the hook. */
export function sync(set: KubeObject, report?: RolloutReport, hookContext: HookContext = at(noon)): Answer {
  const answer = syncRollout(requestOf(set, report), hookContext)
  const entries = Object.entries(answer.annotations ?? {})
  const written = Object.fromEntries(entries.map(([key, value]) => [key.replace('rollout-operator/', ''), value]))
  const spec = answer.attachments[0]?.['spec'] as { rollout?: Record<string, unknown> } | undefined
  return { ...answer, written, order: spec?.rollout }
}

/** The set as it stands once the annotations of an answer are written. */
export function carriedOut(set: KubeObject, { annotations = {} }: DecoratorResponse): KubeObject {
  return { ...set, metadata: { ...set.metadata, annotations: patched(set.metadata.annotations, annotations) } }
}
