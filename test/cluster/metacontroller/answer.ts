import type { KubeObject } from '../../../webhooks/contract/types.ts'
import { type Fields, isFields, own } from './objects.ts'
import { Hazard } from './hazard.ts'
import type { RelatedRule } from './spec.ts'

/**
 * Reading a hook's answer. Field names are case-sensitive. In strict mode an unknown field is an error, except inside
 * a child, which is the API server's business. (The original also refuses duplicate keys; JSON.parse cannot see them.)
 */

export type Mode = 'loose' | 'strict'

/** Answer of a composite's sync or finalize hook; absent fields have their zero value. */
export interface CompositeAnswer {
  status: Fields | undefined
  children: KubeObject[]
  resyncAfterSeconds: number
  finalized: boolean
}

/** Answer of a decorator's sync or finalize hook. */
export interface DecoratorAnswer extends CompositeAnswer {
  labels: Record<string, string | null>
  annotations: Record<string, string | null>
}

const wrong = (field: string, expected: string): Error =>
  new Error(`can't unmarshal webhookResponse: ${field}: expected ${expected}`)

/** Parses the body to an object; `null` is an object without fields. Throws on anything else. */
function parse(body: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (cause) {
    throw new Error("can't unmarshal webhookResponse: no JSON", { cause })
  }
  if (value === null) return {}
  if (!isFields(value)) throw wrong('body', 'an object')
  return value
}

function checkFields(value: Fields, known: string[], mode: Mode, prefix = ''): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (mode === 'strict' && unknown !== undefined) {
    throw new Error(`strict validation failed for webhookResponse: unknown field "${prefix}${unknown}"`)
  }
}

/** Reads one optional field; null counts as absent. */
function optional<T>(value: unknown, field: string, expected: string, is: (v: unknown) => v is T): T | undefined {
  const found = own(value, field) ?? undefined
  if (found !== undefined && !is(found)) throw wrong(field, expected)
  return found
}

const isNumber = (v: unknown): v is number => typeof v === 'number'
const isBoolean = (v: unknown): v is boolean => typeof v === 'boolean'
const isString = (v: unknown): v is string => typeof v === 'string'
const isList = (v: unknown): v is unknown[] => Array.isArray(v)
const isStringList = (v: unknown): v is string[] => isList(v) && v.every(isString)
const isStringOrNullMap = (v: unknown): v is Record<string, string | null> =>
  isFields(v) && Object.values(v).every((item) => item === null || isString(item))

/** The list of a field; a null element ends the original's whole process. */
function elements(value: unknown, field: string): Fields[] {
  const list = optional(value, field, 'a list', isList) ?? []
  return list.map((item, i) => {
    if (item === null) throw new Hazard(`would crash Metacontroller: null element ${field}[${i}]`)
    if (!isFields(item)) throw wrong(`${field}[${i}]`, 'an object')
    return item
  })
}

function asChild(child: Fields, field: string): KubeObject {
  if (!isString(child['kind']) || child['kind'] === '') throw wrong(`${field} without kind`, 'an object with a kind')
  // What else is missing, the API server will tell.
  return { ...child, apiVersion: child['apiVersion'] ?? '', metadata: child['metadata'] ?? {} } as KubeObject
}

function common(value: Fields, field: string): CompositeAnswer {
  return {
    status: optional(value, 'status', 'an object', isFields),
    children: elements(value, field).map((child) => asChild(child, field)),
    resyncAfterSeconds: optional(value, 'resyncAfterSeconds', 'a number', isNumber) ?? 0,
    finalized: optional(value, 'finalized', 'a boolean', isBoolean) ?? false,
  }
}

/** Whether an answer names its list at all: without it everything observed is deleted. */
export function names(body: string, field: 'children' | 'attachments'): boolean {
  return isList(own(parse(body), field))
}

/** Reads a composite answer. Throws Error when the sync fails, Hazard for what would crash the original. */
export function compositeAnswer(body: string, mode: Mode): CompositeAnswer {
  const value = parse(body)
  checkFields(value, ['status', 'children', 'resyncAfterSeconds', 'finalized'], mode)
  return common(value, 'children')
}

/** Reads a decorator answer. */
export function decoratorAnswer(body: string, mode: Mode): DecoratorAnswer {
  const value = parse(body)
  const known = ['labels', 'annotations', 'status', 'attachments', 'resyncAfterSeconds', 'finalized']
  checkFields(value, known, mode)
  const strings = (field: string): Record<string, string | null> =>
    optional(value, field, 'an object of strings', isStringOrNullMap) ?? {}
  return { ...common(value, 'attachments'), labels: strings('labels'), annotations: strings('annotations') }
}

/** Reads a customize answer. The rules' meaning is checked later, as in the original, so a senseless one is cached. */
export function customizeAnswer(body: string, mode: Mode): RelatedRule[] {
  const value = parse(body)
  checkFields(value, ['relatedResources'], mode)
  return elements(value, 'relatedResources').map((rule, i) => {
    const known = ['apiVersion', 'resource', 'labelSelector', 'namespaceSelector', 'namespace', 'names']
    checkFields(rule, known, mode, `relatedResources[${i}].`)
    optional(rule, 'labelSelector', 'an object', isFields)
    optional(rule, 'namespaceSelector', 'an object', isFields)
    optional(rule, 'namespace', 'a string', isString)
    optional(rule, 'names', 'a list of strings', isStringList)
    const text = (field: string): string => optional(rule, field, 'a string', isString) ?? ''
    return { ...rule, apiVersion: text('apiVersion'), resource: text('resource') }
  })
}
