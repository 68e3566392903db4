import { metacontrollerAnnotations } from './annotations.ts'
import { jsonText } from './json-text.ts'
import type { KindRule } from './request.ts'
import type { CompositeResponse, KubeObject, RelatedRule } from './types.ts'

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
  const kinds = kindsOf(childRules)
  return (answer, { parent, hook }) => {
    const top = closedObject(answer, hook === 'finalize' ? finalizeFields : syncFields, 'the answer')
    if (!isObject(top['status'])) throw new AnswerError('status is not an object')
    if (hook === 'finalize' && typeof top['finalized'] !== 'boolean') {
      throw new AnswerError('finalized is not a boolean')
    }
    checkResync(top)
    checkChildren(top, 'children', kinds, parent)
  }
}

/**
 * A composite's answer as it is sent: its JSON. What is remembered of the children is not serialised again.
 */
export function answerText({ children, ...rest }: CompositeResponse): string {
  return `{"children":[${children.map(childText).join(',')}],${JSON.stringify(rest).slice(1)}`
}

/** JSON of a child; its text may be ready, or that of the pod template in its spec. */
export function childText(child: KubeObject): string {
  return jsonText(child, 2)
}

/**
 * Builds the check of a decorator's answers, made before they are sent.
 *
 * @param attachmentRules the kinds that attachments may have
 * @returns a function that throws AnswerError at the first violation
 */
export function decoratorAnswerCheck(
  attachmentRules: readonly KindRule[],
): (answer: unknown, object: KubeObject) => void {
  const kinds = kindsOf(attachmentRules)
  return (answer, object) => {
    const top = closedObject(answer, decoratorFields, 'the answer')
    checkResync(top)
    checkChildren(top, 'attachments', kinds, object)
    if (!Object.hasOwn(top, 'annotations')) return
    const annotations = top['annotations']
    if (!isObject(annotations)) throw new AnswerError('annotations is not an object')
    for (const [key, value] of Object.entries(annotations)) {
      if (typeof value !== 'string' && value !== null)
        throw new AnswerError(`annotation ${key} is no text and not null`)
      if (metacontrollerAnnotations.includes(key)) throw new AnswerError(`annotation ${key} belongs to Metacontroller`)
    }
  }
}

function kindsOf(rules: readonly KindRule[]): ReadonlySet<string> {
  return new Set(rules.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))
}

function checkResync(top: Record<string, unknown>): void {
  const resync = top['resyncAfterSeconds']
  if (Object.hasOwn(top, 'resyncAfterSeconds') && !(typeof resync === 'number' && resync > 0 && resync < Infinity)) {
    throw new AnswerError('resyncAfterSeconds is not a finite number above 0')
  }
}

function checkChildren(
  top: Record<string, unknown>,
  field: 'children' | 'attachments',
  kinds: ReadonlySet<string>,
  parent: KubeObject,
): void {
  const children = top[field]
  if (!Array.isArray(children)) throw new AnswerError(`${field} is not a list`)
  const seen = new Set<string>()
  for (const [index, child] of children.entries()) {
    const where = `${field}[${index}]`
    const key = checkedChild(child, where, kinds, parent.metadata.namespace)
    // Metacontroller takes the last of two in silence.
    if (seen.has(key)) throw new AnswerError(`${where} (${key}) is there twice`)
    seen.add(key)
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
      if (!isTexts(matchLabels)) throw new AnswerError(`${where}.labelSelector.matchLabels are not all text`)
    }
  }
}

const syncFields = new Set(['status', 'children', 'resyncAfterSeconds'])
const finalizeFields = new Set([...syncFields, 'finalized'])
const decoratorFields = new Set(['annotations', 'attachments', 'resyncAfterSeconds'])
const customizeFields = new Set(['relatedResources'])
const ruleFields = new Set(['apiVersion', 'resource', 'labelSelector', 'namespace', 'names'])
const selectorFields = new Set(['matchLabels'])
/** What a hook may say about a child's identity; uid, resourceVersion and the like belong to the API server. */
const metadataFields = new Set(['name', 'namespace', 'labels', 'annotations', 'finalizers'])
const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

/**
 * Checks a child. It runs for every child of every answer, so messages are put together only when needed.
 *
 * @returns what tells the child from others
 */
function checkedChild(
  child: unknown,
  where: string,
  kinds: ReadonlySet<string>,
  namespace: string | undefined,
): string {
  const fail = (problem: string): never => {
    throw new AnswerError(`${where} ${problem}`)
  }
  if (!isObject(child)) return fail('is not an object')
  const { apiVersion, kind, metadata } = child
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !kinds.has(`${apiVersion} ${kind}`)) {
    return fail(`(${String(kind)}) has an apiVersion and kind that are not declared`)
  }
  if (!isObject(metadata)) return fail(`(${kind}) has no metadata`)
  const key = `${kind} ${String(metadata['namespace'])}/${String(metadata['name'])}`
  if (Object.hasOwn(child, 'status')) return fail(`(${key}) has a status`)
  const problem = metadataProblem(metadata, namespace)
  return problem === undefined ? key : fail(`(${key}) ${problem}`)
}

function metadataProblem(metadata: Record<string, unknown>, namespace: string | undefined): string | undefined {
  const { name, labels, annotations } = metadata
  if (typeof name !== 'string' || name.length > 253 || !subdomain.test(name))
    return 'has no name that is a DNS subdomain'
  // Under a cluster-scoped parent the scope of the kind decides, which is not known here.
  if (namespace !== undefined && metadata['namespace'] !== namespace) return 'is not in the namespace of its parent'
  const foreign = foreignField(metadata, metadataFields)
  if (foreign !== undefined) return `has metadata.${foreign}`
  if (!isTexts(labels)) return 'has labels that are not all text'
  if (!isTexts(annotations)) return 'has annotations that are not all text'
  const theirs = annotations && metacontrollerAnnotations.find((annotation) => Object.hasOwn(annotations, annotation))
  return theirs === undefined ? undefined : `has the annotation ${theirs}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function closedObject(value: unknown, fields: ReadonlySet<string>, where: string): Record<string, unknown> {
  if (!isObject(value)) throw new AnswerError(`${where} is not an object`)
  const foreign = foreignField(value, fields)
  if (foreign !== undefined) throw new AnswerError(`${where} has the field ${foreign}`)
  return value
}

function foreignField(object: Record<string, unknown>, fields: ReadonlySet<string>): string | undefined {
  return Object.keys(object).find((field) => !fields.has(field))
}

/** A map of labels or the like, or nothing. */
function isTexts(map: unknown): map is Record<string, string> | undefined {
  if (map === undefined) return true
  return isObject(map) && Object.values(map).every((value) => typeof value === 'string')
}
