import type { KasprAppSpec } from '../../crds/types/kasprapp.ts'
import { isMap } from '../contract/objects.ts'
import { canonicalQuantity, quantityValue } from '../contract/quantity.ts'
import { type Problem, shown } from '../contract/validate.ts'
import { keyDirectory, packagesDirectory } from './packages/install.ts'

type Template = NonNullable<KasprAppSpec['template']>
type ContainerTemplate = NonNullable<Template['kasprContainer']>

/** What the pods of an app have of their own, so that the template cannot have it too. */
export interface OwnNames {
  /** Names of volumes. */
  volumes: readonly string[]
  /** Paths in the member container, and in the install container. */
  memberPaths: readonly string[]
}

const sources = [
  ...['secret', 'configMap', 'emptyDir', 'persistentVolumeClaim', 'csi', 'projected', 'downwardAPI', 'hostPath', 'nfs'],
  ...['ephemeral', 'image'],
]

/**
 * What keeps `spec.template` from becoming objects that the API server takes, beyond the schema. An object that it refuses would hold up
 * the status of the whole app, with no word on the app itself.
 */
export function templateProblems(spec: KasprAppSpec, own: OwnNames): Problem[] {
  const { template = {} } = spec
  const volumes = template.pod?.volumes ?? []
  const volumeNames = [...own.volumes, ...volumes.map(({ name }) => name)]
  return [
    ...labelProblems(template),
    ...volumes.flatMap((volume, index) => volumeProblems(volume, `spec.template.pod.volumes[${index}]`)),
    ...duplicates(
      volumes.map(({ name }) => name),
      own.volumes,
      'spec.template.pod.volumes',
      'name',
    ),
    ...duplicates(
      (template.pod?.hostAliases ?? []).map(({ ip }) => ip),
      [],
      'spec.template.pod.hostAliases',
      'ip',
    ),
    ...containerProblems(template.kasprContainer, 'spec.template.kasprContainer', own.memberPaths, volumeNames),
    ...containerProblems(
      template.pythonPackagesInitContainer,
      'spec.template.pythonPackagesInitContainer',
      spec.pythonPackages?.cache?.type === 'gcs' ? [packagesDirectory, keyDirectory] : [packagesDirectory],
      volumeNames,
    ),
    ...claimProblems(spec),
  ]
}

function containerProblems(
  container: ContainerTemplate | undefined,
  field: string,
  ownPaths: readonly string[],
  volumes: readonly string[],
): Problem[] {
  const mounts = container?.volumeMounts ?? []
  return [
    ...(container?.env ?? []).flatMap((variable, index) => variableProblems(variable, `${field}.env[${index}]`)),
    ...duplicates(
      mounts.map(({ mountPath }) => mountPath),
      ownPaths,
      `${field}.volumeMounts`,
      'mountPath',
    ),
    ...mounts.flatMap(({ name }, index) =>
      volumes.includes(name)
        ? []
        : [
            {
              field: `${field}.volumeMounts[${index}].name`,
              value: shown(name),
              accepted: 'a name of spec.template.pod.volumes',
            },
          ],
    ),
  ]
}

function variableProblems(
  { value, valueFrom }: NonNullable<ContainerTemplate['env']>[number],
  field: string,
): Problem[] {
  const problem = (at: string, accepted: string): Problem[] => [{ field: at, value: 'this combination', accepted }]
  if ((value === undefined) === (valueFrom === undefined)) return problem(field, 'exactly one of value and valueFrom')
  if (valueFrom === undefined) return []
  const found = Object.keys(valueFrom)
  const known = ['secretKeyRef', 'configMapKeyRef', 'fieldRef']
  if (found.length === 1 && known.includes(found[0] ?? '')) return []
  return problem(`${field}.valueFrom`, 'exactly one of secretKeyRef, configMapKeyRef and fieldRef')
}

function volumeProblems(volume: object, field: string): Problem[] {
  const found = Object.keys(volume).filter((key) => key !== 'name')
  const limit = 'emptyDir' in volume && isMap(volume.emptyDir) ? volume.emptyDir['sizeLimit'] : undefined
  if (limit !== undefined && canonicalQuantity(limit) === undefined) {
    return [{ field: `${field}.emptyDir.sizeLimit`, value: shown(limit), accepted: 'a quantity such as 64Mi' }]
  }
  if (found.length === 1 && sources.includes(found[0] ?? '')) return []
  return [{ field, value: found.join(' and ') || 'no source', accepted: `exactly one of ${sources.join(', ')}` }]
}

/** Entries whose key is taken, by the app itself or by an entry before. */
function duplicates(keys: readonly string[], taken: readonly string[], list: string, key: string): Problem[] {
  return keys.flatMap((value, index) =>
    taken.includes(value) || keys.indexOf(value) < index
      ? [{ field: `${list}[${index}].${key}`, value: shown(value), accepted: 'one that is not in use yet' }]
      : [],
  )
}

const qualifiedName = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

function labelProblems(template: Template): Problem[] {
  return (['serviceAccount', 'service', 'pod'] as const).flatMap((part) =>
    (['labels', 'annotations'] as const).flatMap((map) =>
      Object.keys(template[part]?.metadata?.[map] ?? {})
        .filter((key) => !qualifiedName.test(key))
        .map((key) => ({
          field: `spec.template.${part}.metadata.${map}`,
          value: shown(key),
          accepted: 'keys such as team or example.com/team',
        })),
    ),
  )
}

/** Device claims that the pod does not have, and requests above their limits. */
function claimProblems({ resources, template, pythonPackages }: KasprAppSpec): Problem[] {
  const claims = (template?.pod?.resourceClaims ?? []).map(({ name }) => name)
  const unknown = (resources?.claims ?? []).flatMap(({ name }, index) =>
    claims.includes(name)
      ? []
      : [
          {
            field: `spec.resources.claims[${index}].name`,
            value: shown(name),
            accepted: 'a name of spec.template.pod.resourceClaims',
          },
        ],
  )
  return [
    ...unknown,
    ...aboveLimit(resources, 'spec.resources'),
    ...aboveLimit(pythonPackages?.resources, 'spec.pythonPackages.resources'),
  ]
}

type Quantities = Record<string, number | string>

function aboveLimit(resources: { limits?: Quantities; requests?: Quantities } | undefined, field: string): Problem[] {
  return Object.entries(resources?.requests ?? {}).flatMap(([name, request]) => {
    const limits = resources?.limits ?? {}
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined
    if (limit === undefined || !isAbove(request, limit)) return []
    return [{ field: `${field}.requests.${name}`, value: shown(request), accepted: `at most the limit ${limit}` }]
  })
}

/** In thousandths: processors are counted in them. */
function isAbove(request: unknown, limit: unknown): boolean {
  const [a, b] = [milli(request), milli(limit)]
  return a !== undefined && b !== undefined && a > b
}

function milli(value: unknown): bigint | undefined {
  const text = canonicalQuantity(value)
  if (text === undefined) return undefined
  return text.endsWith('m') ? BigInt(text.slice(0, -1)) : (quantityValue(text) ?? 0n) * 1000n
}
