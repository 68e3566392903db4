import type { KubeObject } from '../../../webhooks/contract/types.ts'
import type { Resource } from './discovery.ts'
import type { KindCache } from './informers.ts'
import { isEmpty, matches } from './selectors.ts'
import type { RelatedRule } from './spec.ts'

/** Which objects a customize rule selects. */

/** What a rule's meaning depends on. */
export interface RuleContext {
  /** Version of the customize hook: v1 keeps rules inside a namespaced parent's namespace. */
  version: 'v1' | 'v2'
  /** Of the parent; undefined for a cluster-scoped one. */
  namespace: string | undefined
  /** Labels of a namespace, for `namespaceSelector`; undefined if there is no such namespace. */
  namespaceLabels: (namespace: string) => Record<string, string> | undefined
}

/** Throws if the rule combines what cannot stand together. */
export function checkRule(rule: RelatedRule, resource: Resource, { version, namespace }: RuleContext): void {
  const hasNames = (rule.names ?? []).length > 0
  if (hasNames && (rule.labelSelector || rule.namespaceSelector)) {
    throw new Error('related rule cannot have both names and labelSelector/namespaceSelector specified')
  }
  if (rule.namespace && rule.namespaceSelector) {
    throw new Error('related rule cannot have both namespace and namespaceSelector specified')
  }
  if (rule.namespaceSelector && !resource.namespaced) {
    throw new Error('namespaceSelector is only supported for namespaced related resources')
  }
  if (version === 'v2' || namespace === undefined || !resource.namespaced) return
  if (rule.namespaceSelector) {
    throw new Error('namespaceSelector is not supported for namespaced parent in v1 hook version')
  }
  if (rule.namespace && rule.namespace !== namespace) {
    throw new Error(`requested related object namespace ${rule.namespace} differs from parent namespace ${namespace}`)
  }
}

/** Whether a rule that passed `checkRule` selects an object of its kind. */
export function selects(rule: RelatedRule, object: KubeObject, context: RuleContext): boolean {
  const { namespace, name, labels } = object.metadata
  if (namespace !== undefined && !isNamespaceSelected(rule, namespace, context)) return false
  if (rule.names && rule.names.length > 0) return rule.names.includes(name)
  return matches(rule.labelSelector, labels)
}

function isNamespaceSelected(rule: RelatedRule, namespace: string, context: RuleContext): boolean {
  if (rule.namespace) return namespace === rule.namespace
  if (context.version === 'v1' && context.namespace !== undefined) return namespace === context.namespace
  if (!rule.namespaceSelector) return true
  const labels = context.namespaceLabels(namespace)
  return labels !== undefined && matches(rule.namespaceSelector, labels)
}

/** All objects the rule selects, found by the narrowest index. */
export function selectRelated(rule: RelatedRule, cache: KindCache, context: RuleContext): KubeObject[] {
  return candidates(rule, cache).filter((object) => selects(rule, object, context))
}

function candidates(rule: RelatedRule, cache: KindCache): KubeObject[] {
  const { namespace, names, labelSelector } = rule
  if (names && names.length > 0 && (namespace || !cache.resource.namespaced)) {
    return names.flatMap((name) => cache.get(namespace, name) ?? [])
  }
  if (labelSelector && !isEmpty(labelSelector)) {
    const [pair] = Object.entries(labelSelector.matchLabels ?? {})
    if (pair) return cache.withLabel(...pair)
  }
  return namespace && cache.resource.namespaced ? cache.inNamespace(namespace) : cache.list()
}
