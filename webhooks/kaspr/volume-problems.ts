import type { KasprAppSpec } from '../../crds/types/kasprapp.ts'
import { isMap, own } from '../contract/objects.ts'
import { canonicalQuantity, quantityValue } from '../contract/quantity.ts'
import { type Problem, shown } from '../contract/validate.ts'
import { annotationKeyProblems, labelKeyProblems } from './label-keys.ts'
import { duplicates, each, unless } from './problem-lists.ts'

type Template = NonNullable<KasprAppSpec['template']>
type Volume = NonNullable<NonNullable<Template['pod']>['volumes']>[number]
type ContainerTemplate = NonNullable<Template['kasprContainer']>
type Items = { path: string }[]

const sources = [
  ...['secret', 'configMap', 'emptyDir', 'persistentVolumeClaim', 'csi', 'projected', 'downwardAPI', 'hostPath', 'nfs'],
  ...['ephemeral', 'image'],
]
const projections = ['secret', 'configMap', 'downwardAPI', 'serviceAccountToken']

/** What the pod API refuses of a volume, beyond the schema. */
export function volumeProblems(volume: Volume, field: string): Problem[] {
  const found = Object.keys(volume).filter((key) => key !== 'name')
  const limit = isMap(volume.emptyDir) ? volume.emptyDir['sizeLimit'] : undefined
  if (limit !== undefined && canonicalQuantity(limit) === undefined) {
    return [{ field: `${field}.emptyDir.sizeLimit`, value: shown(limit), accepted: 'a quantity such as 64Mi' }]
  }
  if (found.length !== 1 || !sources.includes(found[0] ?? '')) {
    return [{ field, value: found.join(' and ') || 'no source', accepted: `exactly one of ${sources.join(', ')}` }]
  }
  return sourceProblems(volume, field)
}

function sourceProblems(volume: Volume, field: string): Problem[] {
  const { secret, configMap, downwardAPI, projected, hostPath, image, ephemeral } = volume
  const host = hostPath?.path ?? ''
  const reference = image?.reference ?? ''
  return [
    ...itemProblems(secret?.items, `${field}.secret.items`),
    ...itemProblems(configMap?.items, `${field}.configMap.items`),
    ...itemProblems(downwardAPI?.items, `${field}.downwardAPI.items`),
    ...(projected === undefined ? [] : projectedProblems(projected, `${field}.projected`)),
    ...unless(!host.split('/').includes('..'), `${field}.hostPath.path`, host, 'a path without ..'),
    ...unless(
      reference.trim() === reference,
      `${field}.image.reference`,
      reference,
      'a reference without blanks around it',
    ),
    ...(ephemeral === undefined ? [] : claimProblems(ephemeral.volumeClaimTemplate, `${field}.ephemeral`)),
  ]
}

function projectedProblems({ sources: list }: NonNullable<Volume['projected']>, field: string): Problem[] {
  const paths = list.flatMap(({ secret, configMap, downwardAPI }) =>
    [secret, configMap, downwardAPI].flatMap((source) => (source?.items ?? []).map(({ path }) => path)),
  )
  const twice = paths.find((path, index) => paths.indexOf(path) < index)
  return [
    ...each(list, `${field}.sources`, (source, at) => {
      const found = Object.keys(source)
      const { secret, configMap, downwardAPI, serviceAccountToken: token } = source
      return [
        ...unless(found.length <= 1, at, found.join(' and '), `one of ${projections.join(', ')}`),
        ...itemProblems(secret?.items, `${at}.secret.items`),
        ...itemProblems(configMap?.items, `${at}.configMap.items`),
        ...itemProblems(downwardAPI?.items, `${at}.downwardAPI.items`),
        ...(token === undefined ? [] : fileProblems(token.path, `${at}.serviceAccountToken.path`)),
      ]
    }),
    ...unless(twice === undefined, `${field}.sources`, twice, 'each path once in all sources'),
  ]
}

function itemProblems(items: Items | undefined, list: string): Problem[] {
  return each(items, list, ({ path }, field) => fileProblems(path, `${field}.path`))
}

/** Files of a volume stay inside of it, and leave the names with two dots at the start to the kubelet. */
function fileProblems(path: string, field: string): Problem[] {
  const fine = !path.startsWith('/') && !path.startsWith('..') && !path.split('/').includes('..')
  return unless(fine, field, path, 'a relative path without ..')
}

function claimProblems(
  { metadata, spec }: NonNullable<Volume['ephemeral']>['volumeClaimTemplate'],
  field: string,
): Problem[] {
  const at = `${field}.volumeClaimTemplate`
  const { accessModes, resources } = spec
  const { requests } = resources
  const size = own(requests, 'storage')
  const alone = !accessModes.includes('ReadWriteOncePod') || accessModes.length === 1
  return [
    ...labelKeyProblems(metadata?.labels, `${at}.metadata.labels`),
    ...annotationKeyProblems(metadata?.annotations, `${at}.metadata.annotations`),
    ...unless(alone, `${at}.spec.accessModes`, accessModes, 'ReadWriteOncePod alone, or others'),
    ...unless(
      (quantityValue(size) ?? 0n) > 0n,
      `${at}.spec.resources.requests.storage`,
      size,
      'a size above 0, for example 1Gi',
    ),
    ...(['requests', 'limits'] as const).flatMap((part) =>
      Object.keys(resources[part] ?? {}).flatMap((name) =>
        unless(name === 'storage', `${at}.spec.resources.${part}`, name, 'storage'),
      ),
    ),
  ]
}

/**
 * What the pod API refuses of the volume mounts of a container, beyond the schema.
 *
 * @param taken paths that the container uses already
 * @param volumes names of the volumes of the pod
 */
export function mountProblems(
  { volumeMounts, securityContext }: ContainerTemplate,
  list: string,
  taken: readonly string[],
  volumes: readonly string[],
): Problem[] {
  const paths = (volumeMounts ?? []).map(({ mountPath }) => mountPath)
  return [
    ...duplicates(paths, taken, list, 'mountPath'),
    ...each(
      volumeMounts,
      list,
      ({ name, subPath, subPathExpr, mountPropagation, recursiveReadOnly, readOnly }, field) => [
        ...unless(volumes.includes(name), `${field}.name`, name, 'a name of spec.template.pod.volumes'),
        ...belowProblems(subPath, `${field}.subPath`),
        ...belowProblems(subPathExpr, `${field}.subPathExpr`),
        ...unless(
          (subPath ?? '') === '' || (subPathExpr ?? '') === '',
          field,
          'subPath and subPathExpr',
          'one of subPath and subPathExpr',
        ),
        ...unless(
          mountPropagation !== 'Bidirectional' || securityContext?.privileged === true,
          `${field}.mountPropagation`,
          mountPropagation,
          'None or HostToContainer, unless the container is privileged',
        ),
        ...unless(
          recursiveReadOnly === undefined ||
            recursiveReadOnly === 'Disabled' ||
            (readOnly === true && (mountPropagation ?? 'None') === 'None'),
          `${field}.recursiveReadOnly`,
          recursiveReadOnly,
          'Disabled, unless readOnly is true and mountPropagation is None',
        ),
      ],
    ),
  ]
}

function belowProblems(path: string | undefined, field: string): Problem[] {
  const fine = path === undefined || (!path.startsWith('/') && !path.split('/').includes('..'))
  return unless(fine, field, path, 'a relative path without ..')
}
