/**
 * The Metacontroller hook protocol, version v2, as 4.17.2 speaks it.
 * Requests arrive complete (all five fields, every rule's group, possibly empty); answers are closed objects.
 */

/** Metadata of a Kubernetes object, as far as this project reads or writes it. */
export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  generation?: number
  resourceVersion?: string
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** Any Kubernetes object. Fields beyond these are read after narrowing. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

/** Objects of one rule, keyed `name` or `namespace/name`; look them up by their own metadata, never by key. */
export type ObjectGroup = Record<string, KubeObject>

/** Groups keyed `Kind.version` or `Kind.group/version`, one per rule, `{}` when empty. */
export type ObjectMap = Record<string, ObjectGroup>

/** Body of a composite controller's sync and finalize calls. */
export interface CompositeRequest {
  controller: KubeObject
  parent: KubeObject
  children: ObjectMap
  related: ObjectMap
  finalizing: boolean
}

/** Answer to a composite sync: the complete desired children and the complete status. */
export interface CompositeResponse {
  status: Record<string, unknown>
  children: KubeObject[]
  /** Seconds, > 0; absent for none. */
  resyncAfterSeconds?: number
}

/** Answer to finalize; `finalized: true` lets the parent go. Sync never carries it (it would loop). */
export interface FinalizeResponse extends CompositeResponse {
  finalized: boolean
}

/** Body of a decorator controller's sync call. */
export interface DecoratorRequest {
  controller: KubeObject
  object: KubeObject
  attachments: ObjectMap
  related: ObjectMap
  finalizing: boolean
}

/**
 * Answer to a decorator's sync. Labels and status, which the protocol also knows, are left out: the objects that this
 * project decorates are not its own, and an absent status is never written.
 */
export interface DecoratorResponse {
  /** Keys to set, or with null to remove; others stay. */
  annotations?: Record<string, string | null>
  /** The complete desired attachments; others are deleted. */
  attachments: KubeObject[]
  /** Seconds, > 0; absent for none. */
  resyncAfterSeconds?: number
}

/** Body of a customize call: for composites and decorators alike the object is called `parent`. */
export interface CustomizeRequest {
  controller: KubeObject
  parent: KubeObject
}

export interface RelatedRule {
  apiVersion: string
  /** Lower-case plural. */
  resource: string
  labelSelector?: { matchLabels?: Record<string, string> }
  namespace?: string
  names?: string[]
}

export interface CustomizeResponse {
  relatedResources: RelatedRule[]
}

/** A condition as every kind of this project writes it (kstatus; `kubectl wait --for=condition=…`). */
export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  /** RFC 3339, whole seconds, UTC. Moves only when `status` changes. */
  lastTransitionTime: string
  observedGeneration: number
}

/** What is declared of a resource: enough to render it. */
export interface DeclaredObject {
  metadata: Pick<ObjectMeta, 'name'>
  spec?: unknown
}
