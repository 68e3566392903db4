/**
 * JSON Schemas of the hook protocol: what request.ts checks and what the OpenAPI document shows. They refer to each
 * other by `$id`. Requests are open (a newer Metacontroller may send more), answers are closed (Metacontroller refuses
 * unknown fields of v2 answers).
 */

const text = { type: 'string', minLength: 1 } as const
const texts = { type: 'object', additionalProperties: { type: 'string' } } as const

const kubeObject = {
  $id: 'KubeObject',
  description: 'Any Kubernetes object.',
  type: 'object',
  required: ['apiVersion', 'kind', 'metadata'],
  properties: {
    apiVersion: text,
    kind: text,
    metadata: {
      type: 'object',
      required: ['name'],
      properties: {
        name: text,
        namespace: text,
        uid: text,
        generation: { type: 'integer' },
        resourceVersion: { type: 'string' },
        creationTimestamp: { type: 'string' },
        deletionTimestamp: { type: 'string' },
        labels: texts,
        annotations: texts,
        finalizers: { type: 'array', items: { type: 'string' } },
        ownerReferences: {
          type: 'array',
          items: {
            type: 'object',
            required: ['apiVersion', 'kind', 'name', 'uid'],
            properties: { apiVersion: text, kind: text, name: text, uid: text, controller: { type: 'boolean' } },
          },
        },
      },
    },
  },
} as const

const objectMap = {
  $id: 'ObjectMap',
  description:
    'One group per rule, keyed `Kind.version` or `Kind.group/version`, empty ones included; objects in a group are keyed `name` or `namespace/name`.',
  type: 'object',
  additionalProperties: { type: 'object', additionalProperties: { $ref: 'KubeObject#' } },
} as const

/** A parent is an object that the API server has stored, so it has a uid. */
const parent = {
  $id: 'Parent',
  description: 'The object whose hook is called.',
  allOf: [{ $ref: 'KubeObject#' }],
  type: 'object',
  required: ['metadata'],
  properties: { metadata: { type: 'object', required: ['uid'] } },
} as const

const compositeRequest = {
  $id: 'CompositeRequest',
  description: 'Body of sync and finalize calls.',
  type: 'object',
  required: ['controller', 'parent', 'children', 'related', 'finalizing'],
  properties: {
    controller: { type: 'object', description: 'The CompositeController. Not read.' },
    parent: { $ref: 'Parent#' },
    children: { $ref: 'ObjectMap#' },
    related: { $ref: 'ObjectMap#' },
    finalizing: { type: 'boolean' },
  },
} as const

const decoratorRequest = {
  $id: 'DecoratorRequest',
  description: 'Body of sync calls of a decorator.',
  type: 'object',
  required: ['controller', 'object', 'attachments', 'related', 'finalizing'],
  properties: {
    controller: { type: 'object', description: 'The DecoratorController. Not read.' },
    object: { $ref: 'Parent#' },
    attachments: { $ref: 'ObjectMap#' },
    related: { $ref: 'ObjectMap#' },
    finalizing: { type: 'boolean' },
  },
} as const

const customizeRequest = {
  $id: 'CustomizeRequest',
  description: 'Body of customize calls.',
  type: 'object',
  required: ['controller', 'parent'],
  properties: {
    controller: { type: 'object', description: 'The CompositeController. Not read.' },
    parent: { $ref: 'Parent#' },
  },
} as const

const compositeAnswer = {
  status: { type: 'object', description: 'The complete status of the parent.' },
  children: { type: 'array', items: { $ref: 'KubeObject#' }, description: 'Every desired child; others are deleted.' },
  resyncAfterSeconds: { type: 'number', exclusiveMinimum: 0 },
} as const

const decoratorResponse = {
  $id: 'DecoratorResponse',
  type: 'object',
  additionalProperties: false,
  required: ['attachments'],
  properties: {
    annotations: {
      type: 'object',
      additionalProperties: { type: ['string', 'null'] },
      description: 'Annotations of the object to set, or with null to remove; others stay.',
    },
    attachments: {
      type: 'array',
      items: { $ref: 'KubeObject#' },
      description: 'Every desired attachment; others are deleted.',
    },
    resyncAfterSeconds: compositeAnswer.resyncAfterSeconds,
  },
} as const

const compositeResponse = {
  $id: 'CompositeResponse',
  type: 'object',
  additionalProperties: false,
  required: ['status', 'children'],
  properties: compositeAnswer,
} as const

const finalizeResponse = {
  $id: 'FinalizeResponse',
  type: 'object',
  additionalProperties: false,
  required: ['status', 'children', 'finalized'],
  properties: { ...compositeAnswer, finalized: { type: 'boolean', description: 'true lets the parent go.' } },
} as const

const customizeResponse = {
  $id: 'CustomizeResponse',
  type: 'object',
  additionalProperties: false,
  required: ['relatedResources'],
  properties: {
    relatedResources: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['apiVersion', 'resource'],
        properties: {
          apiVersion: text,
          resource: text,
          labelSelector: { type: 'object', additionalProperties: false, properties: { matchLabels: texts } },
          namespace: text,
          names: { type: 'array', items: text },
        },
      },
    },
  },
} as const

const errorResponse = {
  $id: 'ErrorResponse',
  type: 'object',
  additionalProperties: false,
  required: ['error'],
  properties: { error: { type: 'string', description: 'What is wrong, in one line.' } },
} as const

/** All schemas, in an order in which each refers only to earlier ones. */
export const schemas = [
  kubeObject,
  objectMap,
  parent,
  compositeRequest,
  decoratorRequest,
  customizeRequest,
  compositeResponse,
  decoratorResponse,
  finalizeResponse,
  customizeResponse,
  errorResponse,
] as const

/** `$id` of one of the schemas. */
export type SchemaId = (typeof schemas)[number]['$id']
