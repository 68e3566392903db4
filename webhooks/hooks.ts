import type { KindRule } from './contract/request.ts'
import type {
  CompositeRequest,
  CompositeResponse,
  CustomizeRequest,
  CustomizeResponse,
  FinalizeResponse,
} from './contract/types.ts'
import type { HookSettings } from './settings.ts'

/** All that a hook knows besides its request. */
export interface HookContext {
  /** The time of the call, in whole seconds: the same for everything in one answer. */
  now: Date
  settings: HookSettings
}

/** The hooks of one CompositeController: pure functions, called in parallel for different parents. */
export interface CompositeHooks {
  /** Lower-case plural of the parent kind: the first segment of the hooks' paths. */
  resource: string
  apiVersion: string
  kind: string
  /** Kinds of children, as `childResources` of the CompositeController declares them. */
  childRules: readonly KindRule[]
  /** Kinds that `customize` asks for, whatever the parent. */
  relatedRules?: readonly KindRule[]
  sync(request: CompositeRequest, context: HookContext): CompositeResponse
  finalize?(request: CompositeRequest, context: HookContext): FinalizeResponse
  customize?(request: CustomizeRequest, context: HookContext): CustomizeResponse
}
