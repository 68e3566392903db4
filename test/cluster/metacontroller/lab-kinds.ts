import type { KubeObject } from '../../../webhooks/contract/types.ts'

/** Kinds, roles and objects that the conformance rows work with. */

/** Where objects of a kind are found. */
interface KindPath {
  collection: string
  namespaced: boolean
}

const builtIn: Record<string, KindPath> = {
  ConfigMap: { collection: '/api/v1/{ns}configmaps', namespaced: true },
  Secret: { collection: '/api/v1/{ns}secrets', namespaced: true },
  Event: { collection: '/api/v1/{ns}events', namespaced: true },
  Namespace: { collection: '/api/v1/namespaces', namespaced: false },
  CompositeController: {
    collection: '/apis/metacontroller.k8s.io/v1alpha1/compositecontrollers',
    namespaced: false,
  },
  DecoratorController: {
    collection: '/apis/metacontroller.k8s.io/v1alpha1/decoratorcontrollers',
    namespaced: false,
  },
}

/** Kinds of the group lab.dev beside the parents: a child with free fields, and cluster-scoped ones. */
export const clusterScopedKinds = ['Wide', 'Wideparent']

/** Plural of a lab kind. */
export const pluralOf = (kind: string): string => `${kind.toLowerCase()}s`

/** Path of all objects of a kind in a namespace (or of a cluster-scoped kind). */
export function collectionOf(kind: string, namespace: string | undefined): string {
  const path = builtIn[kind]?.collection ?? `/apis/lab.dev/v1/{ns}${pluralOf(kind)}`
  const isClusterScoped = namespace === undefined || clusterScopedKinds.includes(kind)
  return path.replace('{ns}', isClusterScoped ? '' : `namespaces/${namespace}/`)
}

/** Path of an object. */
export function pathOf({ kind, metadata }: KubeObject): string {
  return `${collectionOf(kind, metadata.namespace)}/${metadata.name}`
}

/** A CRD of the group lab.dev with free fields and a status subresource; Things come in two versions. */
export function labCrd(kind: string): object {
  const plural = pluralOf(kind)
  const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.lab.dev` },
    spec: {
      group: 'lab.dev',
      scope: clusterScopedKinds.includes(kind) ? 'Cluster' : 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: (kind === 'Thing' ? ['v1', 'v2'] : ['v1']).map((name) => ({
        name,
        served: true,
        storage: name === 'v1',
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: free, status: free } } },
      })),
    },
  }
}

const read = ['get', 'list', 'watch']

/** What a Metacontroller needs for the rows, and nothing else. */
export const labRole = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'metacontroller' },
  rules: [
    { apiGroups: ['metacontroller.k8s.io'], resources: ['compositecontrollers', 'decoratorcontrollers'], verbs: read },
    { apiGroups: ['metacontroller.k8s.io'], resources: ['controllerrevisions'], verbs: read },
    { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: read },
    { apiGroups: [''], resources: ['namespaces', 'secrets'], verbs: read },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
    { apiGroups: [''], resources: ['configmaps'], verbs: [...read, 'create', 'update', 'delete'] },
    { apiGroups: ['lab.dev'], resources: ['*'], verbs: [...read, 'create', 'update', 'delete'] },
  ],
}

export const labServiceAccount = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'metacontroller', namespace: 'default' },
}

export const labBinding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'metacontroller' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'metacontroller' },
  subjects: [{ kind: 'ServiceAccount', name: 'metacontroller', namespace: 'default' }],
}

/** A ConfigMap as a hook answers it: no namespace, so it gets its parent's. */
export function configMap(name: string, data: Record<string, string>, labels?: Record<string, string>): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...(labels && { labels }) }, data }
}

/** A child whose fields no schema limits. */
export function thing(name: string, spec: object): KubeObject {
  return { apiVersion: 'lab.dev/v1', kind: 'Thing', metadata: { name }, spec }
}
