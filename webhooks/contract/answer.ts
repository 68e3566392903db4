import type { KindRule } from './request.ts'
import type { KubeObject, RelatedRule } from './types.ts'

/** An answer that must not be sent: a mistake in this program. The message names kinds, names and fields, no values. */
export class AnswerError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'AnswerError'
  }
}

/** Which answer, for which parent. */
export interface AnswerContext {
  parent: KubeObject
  /** Which hook answers; only finalize may, and must, say `finalized`. */
  hook: 'sync' | 'finalize'
}

/**
 * Builds the check of a controller's answers, made before they are sent. What it refuses would crash Metacontroller,
 * loop, delete children or create ones that nobody would ever see again.
 *
 * @param childRules the kinds that children may have
 * @returns a function that throws AnswerError at the first violation
 */
export function compositeAnswerCheck(
  childRules: readonly KindRule[],
): (answer: unknown, context: AnswerContext) => void {
  const kinds = new Set(childRules.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))
  return (answer, { parent, hook }) => {
    const top = closedObject(answer, hook === 'finalize' ? finalizeFields : syncFields, 'the answer')
    if (!isObject(top['status'])) throw new AnswerError('status is not an object')
    if (hook === 'finalize' && typeof top['finalized'] !== 'boolean') {
      throw new AnswerError('finalized is not a boolean')
    }
    const resync = top['resyncAfterSeconds']
    if (Object.hasOwn(top, 'resyncAfterSeconds') && !(typeof resync === 'number' && resync > 0 && resync < Infinity)) {
      throw new AnswerError('resyncAfterSeconds is not a finite number above 0')
    }
    const children = top['children']
    if (!Array.isArray(children)) throw new AnswerError('children is not a list')
    const seen = new Set<string>()
    for (const [index, child] of children.entries()) {
      const key = checkedChild(child, `children[${index}]`, kinds, parent.metadata.namespace)
      // Metacontroller takes the last of two in silence.
      if (seen.has(key)) throw new AnswerError(`children[${index}], ${key}, is there twice`)
      seen.add(key)
    }
  }
}

/**
 * Checks a customize answer: a rule that is wrong is cached for 20 minutes and fails every sync until then.
 *
 * @throws AnswerError at the first violation
 */
export function checkCustomizeAnswer(answer: unknown): void {
  const { relatedResources } = closedObject(answer, customizeFields, 'the answer')
  if (!Array.isArray(relatedResources)) throw new AnswerError('relatedResources is not a list')
  for (const [index, element] of relatedResources.entries()) {
    const where = `relatedResources[${index}]`
    const rule: Partial<Record<keyof RelatedRule, unknown>> = closedObject(element, ruleFields, where)
    for (const field of ['apiVersion', 'resource'] as const) {
      if (!isText(rule[field])) throw new AnswerError(`${where}.${field} is not a text`)
    }
    if (Object.hasOwn(rule, 'namespace') && !isText(rule.namespace)) {
      throw new AnswerError(`${where}.namespace is not a text`)
    }
    if (Object.hasOwn(rule, 'names')) {
      if (!Array.isArray(rule.names) || !rule.names.every(isText))
        throw new AnswerError(`${where}.names is no list of texts`)
      if (Object.hasOwn(rule, 'labelSelector')) throw new AnswerError(`${where} has names and a selector`)
    }
    if (Object.hasOwn(rule, 'labelSelector')) {
      const { matchLabels } = closedObject(rule.labelSelector, selectorFields, `${where}.labelSelector`)
      checkTexts(matchLabels, `${where}.labelSelector.matchLabels`)
    }
  }
}

const syncFields = new Set(['status', 'children', 'resyncAfterSeconds'])
const finalizeFields = new Set([...syncFields, 'finalized'])
const customizeFields = new Set(['relatedResources'])
const ruleFields = new Set(['apiVersion', 'resource', 'labelSelector', 'namespace', 'names'])
const selectorFields = new Set(['matchLabels'])
/** What a hook may say about a child's identity; uid, resourceVersion and the like belong to the API server. */
const metadataFields = new Set(['name', 'namespace', 'labels', 'annotations', 'finalizers'])
const metacontrollerAnnotations = [
  'metacontroller.k8s.io/last-applied-configuration',
  'metacontroller.k8s.io/decorator-controller',
]
const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

/** @returns what tells the child from others */
function checkedChild(
  child: unknown,
  where: string,
  kinds: ReadonlySet<string>,
  namespace: string | undefined,
): string {
  if (!isObject(child)) throw new AnswerError(`${where} is not an object`)
  const { apiVersion, kind } = child
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !kinds.has(`${apiVersion} ${kind}`)) {
    throw new AnswerError(`${where} (${String(kind)}) has an apiVersion and kind that are not declared`)
  }
  const metadata = closedObject(child['metadata'], metadataFields, `${where} (${kind}) metadata`)
  const { name, labels, annotations } = metadata
  if (typeof name !== 'string' || name.length > 253 || !subdomain.test(name)) {
    throw new AnswerError(`${where} (${kind}) has no name that is a DNS subdomain`)
  }
  const key = `${kind} ${String(metadata['namespace'])}/${name}`
  // Under a cluster-scoped parent the scope of the kind decides, which is not known here.
  if (namespace !== undefined && metadata['namespace'] !== namespace) {
    throw new AnswerError(`${where}, ${key}, is not in the namespace of its parent`)
  }
  if (Object.hasOwn(child, 'status')) throw new AnswerError(`${where}, ${key}, has a status`)
  checkTexts(labels, `${where}, ${key}, metadata.labels`)
  checkTexts(annotations, `${where}, ${key}, metadata.annotations`)
  for (const annotation of metacontrollerAnnotations) {
    if (isObject(annotations) && Object.hasOwn(annotations, annotation)) {
      throw new AnswerError(`${where}, ${key}, has the annotation ${annotation}`)
    }
  }
  return key
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function closedObject(value: unknown, fields: ReadonlySet<string>, where: string): Record<string, unknown> {
  if (!isObject(value)) throw new AnswerError(`${where} is not an object`)
  for (const field of Object.keys(value)) {
    if (!fields.has(field)) throw new AnswerError(`${where} has the field ${field}`)
  }
  return value
}

function checkTexts(map: unknown, where: string): void {
  if (map === undefined) return
  if (!isObject(map)) throw new AnswerError(`${where} is not an object`)
  for (const [key, value] of Object.entries(map)) {
    if (typeof value !== 'string') throw new AnswerError(`${where} has a value for ${key} that is not a string`)
  }
}
