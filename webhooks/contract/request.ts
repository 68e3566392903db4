import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { schemas, type SchemaId } from './schemas.ts'
import type {
  CompositeRequest,
  CustomizeRequest,
  DecoratorRequest,
  KubeObject,
  ObjectMap,
  ObjectMeta,
} from './types.ts'

/** A kind as a Metacontroller rule names it. */
export interface KindRule {
  /** `v1`, `apps/v1`. */
  apiVersion: string
  /** `ConfigMap`, `StatefulSet`. */
  kind: string
}

/** A parent kind and what its controller is expected to declare. */
export interface DeclaredRules extends KindRule {
  childRules: readonly KindRule[]
  relatedRules?: readonly KindRule[]
}

/**
 * A request that cannot be answered: 400 if it is none of this hook's, 500 if the controller that sends it is set up
 * wrong. Its message is for whoever installed the controller.
 */
export class RequestError extends Error {
  readonly statusCode: 400 | 500

  constructor(statusCode: 400 | 500, message: string) {
    super(message)
    this.name = 'RequestError'
    this.statusCode = statusCode
  }
}

// Stops at the first problem; coercion, defaults and removal of unknown fields are off, so requests stay as they came.
const ajv = new Ajv({ schemas: [...schemas], verbose: true, strictRequired: false })
const isCompositeRequest = compiled<CompositeRequest>('CompositeRequest')
const isDecoratorRequest = compiled<DecoratorRequest>('DecoratorRequest')
const isCustomizeRequest = compiled<CustomizeRequest>('CustomizeRequest')

/**
 * Checks the body of a sync or finalize call. What the controller must declare is a second check, `checkGroups`, so that
 * its failure can name the parent.
 *
 * @throws RequestError 400 naming field, value and what is accepted
 */
export function compositeRequest(body: unknown, expected: KindRule): CompositeRequest {
  if (!isCompositeRequest(body)) throw malformed(isCompositeRequest.errors)
  checkKind('parent', body.parent, expected)
  return body
}

/**
 * Checks the body of a decorator's sync call: every attachment rule's group must be there, as for a composite's children.
 *
 * @throws RequestError 400 naming field, value and what is accepted
 */
export function decoratorRequest(body: unknown, expected: KindRule): DecoratorRequest {
  if (!isDecoratorRequest(body)) throw malformed(isDecoratorRequest.errors)
  checkKind('object', body.object, expected)
  return body
}

/**
 * Checks that the decorator declares what the hook relies on, see {@link checkGroups}.
 *
 * @throws RequestError 500 naming the rule that is missing
 */
export function checkAttachments(
  { attachments }: DecoratorRequest,
  declared: KindRule & { attachmentRules: readonly KindRule[] },
): void {
  for (const rule of declared.attachmentRules) checkGroup(attachments, rule, 'attachment', declared)
}

/**
 * Checks that the controller declares what the hook relies on.
 *
 * Every child rule's group must be there: an absent one means that the controller lacks the rule, and taking it for "no
 * children observed" would let the hook act on what it cannot see. Related groups are needed by `sync` only: a
 * `finalize` must come to its end without them.
 *
 * @throws RequestError 500 naming the rule that is missing
 */
export function checkGroups(request: CompositeRequest, declared: DeclaredRules): void {
  for (const rule of declared.childRules) checkGroup(request.children, rule, 'child', declared)
  if (request.finalizing) return
  for (const rule of declared.relatedRules ?? []) checkGroup(request.related, rule, 'related', declared)
}

/**
 * Checks the body of a customize call. Metacontroller also makes it for parents that its selector leaves out.
 *
 * @throws RequestError 400 naming field, value and what is accepted
 */
export function customizeRequest(body: unknown, expected: KindRule): CustomizeRequest {
  if (!isCustomizeRequest(body)) throw malformed(isCustomizeRequest.errors)
  checkKind('parent', body.parent, expected)
  return body
}

/**
 * The observed objects of one rule, keyed by their own metadata (`namespace/name`, or `name` if cluster-scoped) and in
 * the order of these keys, so that neither the version of the protocol nor the order of the request shows.
 */
export function objectsOf(map: ObjectMap, rule: KindRule): ReadonlyMap<string, KubeObject> {
  const key = groupKey(rule)
  const group = Object.hasOwn(map, key) ? map[key] : undefined
  if (group === undefined) return new Map()
  const entries = Object.values(group).map((object): [string, KubeObject] => [objectKey(object.metadata), object])
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

/** Key of an object in what `objectsOf` returns. */
export function objectKey({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** Key of a rule's group in a request: `ConfigMap.v1`, `StatefulSet.apps/v1`. */
export function groupKey({ apiVersion, kind }: KindRule): string {
  return `${kind}.${apiVersion}`
}

function compiled<T>(id: SchemaId): ValidateFunction<T> {
  const validate = ajv.getSchema<T>(id)
  if (validate === undefined) throw new Error(`no schema ${id}`)
  return validate as ValidateFunction<T>
}

function checkKind(place: 'parent' | 'object', object: KubeObject, expected: KindRule): void {
  for (const field of ['apiVersion', 'kind'] as const) {
    if (object[field] !== expected[field]) {
      throw new RequestError(400, `${place}.${field} is ${shown(object[field])}, accepted is "${expected[field]}"`)
    }
  }
}

const remedies = {
  child: 'the CompositeController of KIND has no childResources rule for it',
  related: 'the CompositeController of KIND has no customize hook, or one that does not ask for it',
  attachment: 'the DecoratorController of KIND has no attachments rule for it',
}

function checkGroup(map: ObjectMap, rule: KindRule, role: keyof typeof remedies, { kind }: KindRule): void {
  if (Object.hasOwn(map, groupKey(rule))) return
  const wanted = `${rule.kind} (${rule.apiVersion})`
  const remedy = remedies[role].replace('KIND', kind)
  throw new RequestError(500, `the request has no ${role} group for ${wanted}: ${remedy}`)
}

/** One line from the validator's first finding. Values are shortened, objects and lists are only named. */
function malformed(errors: ErrorObject[] | null | undefined): RequestError {
  const error = errors?.[0]
  if (error === undefined) return new RequestError(400, 'the body is no hook request')
  const missing = (error.params as { missingProperty?: string }).missingProperty
  const path = fieldPath(missing === undefined ? error.instancePath : `${error.instancePath}/${missing}`)
  if (missing !== undefined) return new RequestError(400, `${path} is missing`)
  return new RequestError(400, `${path} is ${shown(error.data)}, accepted is ${accepted(error)}`)
}

/** `/children/ConfigMap.v1/metadata` → `children["ConfigMap.v1"].metadata`. */
function fieldPath(pointer: string): string {
  const names = pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  const path = names.map((name) => (/^\w+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`)).join('')
  return path === '' ? 'the body' : path.replace(/^\./, '')
}

function accepted({ keyword, schema }: ErrorObject): string {
  if (keyword === 'minLength') return 'a string that is not empty'
  const type = String(schema)
  return /^[aio]/.test(type) ? `an ${type}` : `a ${type}`
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (value === undefined) return 'missing'
  const json = JSON.stringify(value)
  return json.length > 80 ? `${json.slice(0, 80)}…` : json
}
