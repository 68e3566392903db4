import { createHash } from 'node:crypto'
import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'

/** When everything in the bench's world was made. */
export const storedAt = '2026-01-01T00:00:00Z'

const annotationOf = {
  'kubectl-client-side-apply': 'kubectl.kubernetes.io/last-applied-configuration',
  metacontroller: 'metacontroller.k8s.io/last-applied-configuration',
} as const

/**
 * An applied object as the API server gives it back and Metacontroller sends it on: identity, generation, owner, record
 * of what was applied, and managed fields, which are a quarter of all bytes; keys sorted, as Go marshals them. It was
 * made after requests of a real Metacontroller, whose sizes it meets within a few per cent.
 *
 * @param by who applied `object`
 * @param live what the cluster adds to it, `status` for example
 */
export function stored(
  object: KubeObject,
  by: keyof typeof annotationOf,
  live: Record<string, unknown> = {},
  owner?: KubeObject,
): KubeObject {
  const { apiVersion, kind, metadata } = object
  const record = JSON.stringify(sorted(object)) + (by === 'metacontroller' ? '' : '\n')
  const annotations = { ...metadata.annotations, [annotationOf[by]]: record }
  const ownerReferences = owner === undefined ? {} : { ownerReferences: [ownerReference(owner)] }
  const set = { ...object, metadata: { labels: metadata.labels ?? {}, annotations, ...ownerReferences } }
  const { status, ...rest } = live
  const entry = { apiVersion, fieldsType: 'FieldsV1', operation: 'Update', time: storedAt }
  const managedFields = [
    { ...entry, manager: by, fieldsV1: ownedFields({ ...set, ...rest }) },
    ...(status === undefined
      ? []
      : [{ ...entry, manager: 'kube-controller-manager', subresource: 'status', fieldsV1: ownedFields({ status }) }]),
  ]
  return sorted({
    ...object,
    ...live,
    metadata: {
      ...metadata,
      annotations,
      ...ownerReferences,
      creationTimestamp: storedAt,
      generation: 1,
      managedFields,
      resourceVersion: '4711',
      uid: uidOf(kind, metadata.name),
    },
  }) as KubeObject
}

/** The uid of the object of that kind and name in the bench's world. */
export function uidOf(kind: string, name: string): string {
  const hex = createHash('sha256').update(`${kind}/${name}`).digest('hex')
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function ownerReference({ apiVersion, kind, metadata: { name } }: KubeObject): unknown {
  return { apiVersion, blockOwnerDeletion: true, controller: true, kind, name, uid: uidOf(kind, name) }
}

/** Lists that are merged by keys, as far as they are met here; others belong to one manager as a whole. */
const listKeys: Record<string, string[]> = {
  conditions: ['type'],
  containers: ['name'],
  env: ['name'],
  members: ['id'],
  ownerReferences: ['uid'],
  ports: ['containerPort', 'port', 'protocol'],
  volumeMounts: ['mountPath'],
  volumes: ['name'],
}
/** Maps that belong to one manager as a whole. */
const atomicMaps = ['configMapKeyRef', 'fieldRef', 'secretKeyRef', 'selector', 'matchLabels']

/** The `fieldsV1` of whoever set everything in `value`. */
function ownedFields(value: unknown, key = ''): Record<string, unknown> {
  const keys = listKeys[key]
  if (Array.isArray(value) && keys !== undefined) {
    return { '.': {}, ...Object.fromEntries(value.map((item) => [itemKey(item, keys), ownedFields(item)])) }
  }
  if (!isMap(value) || atomicMaps.includes(key)) return {}
  const identity = ['apiVersion', 'kind', 'name', 'namespace']
  const fields = Object.entries(value).filter(
    ([field]) => key !== '' || !isMap(value['metadata']) || !identity.includes(field),
  )
  return {
    ...(key === '' ? {} : { '.': {} }),
    ...Object.fromEntries(fields.map(([field, item]) => [`f:${field}`, ownedFields(item, field)])),
  }
}

function itemKey(item: unknown, keys: readonly string[]): string {
  const fields = isMap(item) ? keys.filter((key) => Object.hasOwn(item, key)).map((key) => [key, item[key]]) : []
  return `k:${JSON.stringify(Object.fromEntries(fields))}`
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isMap(value)) return value
  const keys = Object.keys(value).sort()
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]))
}
