import type { KubeObject } from '../../../webhooks/contract/types.ts'
import type { LabelSelector, SelectorRequirement } from './selectors.ts'

/** CompositeController and DecoratorController, as far as the stand-in reads them (metacontroller.k8s.io/v1alpha1). */

export interface ResourceRule {
  apiVersion: string
  /** Lower-case plural. */
  resource: string
}

export interface ChildRule extends ResourceRule {
  updateStrategy?: { method?: string }
}

export interface KeyRef {
  name: string
  namespace: string
  key?: string
}

export interface Webhook {
  url?: string
  path?: string
  service?: { name: string; namespace: string; port?: number; protocol?: string }
  /** Go duration. */
  timeout?: string
  responseUnMarshallMode?: 'loose' | 'strict'
  authorization?: { type?: string; secretRef: KeyRef }
  caBundle?: { inline?: string; secretRef?: KeyRef; configMapRef?: KeyRef }
  clientTLS?: { secretRef: { name: string; namespace: string }; certKey?: string; privateKeyKey?: string }
  /** Not played: a controller that uses one of these is refused. */
  etag?: { enabled?: boolean }
  basicAuth?: unknown
}

export interface HookSpec {
  version?: 'v1' | 'v2'
  webhook?: Webhook
}

export interface Hooks {
  sync?: HookSpec
  finalize?: HookSpec
  customize?: HookSpec
}

interface CommonSpec {
  hooks?: Hooks
  resyncPeriodSeconds?: number
  /** Not played: a controller that uses it is refused. */
  endpointConfigs?: unknown[]
}

export interface CompositeController extends KubeObject {
  spec: CommonSpec & {
    parentResource: ResourceRule & { labelSelector?: LabelSelector; ignoreStatusChanges?: boolean }
    childResources?: ChildRule[]
    generateSelector?: boolean
  }
}

export interface TargetRule extends ResourceRule {
  labelSelector?: LabelSelector
  annotationSelector?: { matchAnnotations?: Record<string, string>; matchExpressions?: SelectorRequirement[] }
  ignoreStatusChanges?: boolean
}

export interface DecoratorController extends KubeObject {
  spec: CommonSpec & {
    resources: TargetRule[]
    attachments?: ChildRule[]
  }
}

/** One rule of a customize answer; which fields may stand together: spec of `selectRelated`. */
export interface RelatedRule extends ResourceRule {
  labelSelector?: LabelSelector | null
  namespaceSelector?: LabelSelector | null
  namespace?: string
  names?: string[] | null
}
