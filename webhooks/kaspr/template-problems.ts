import type { KasprAppSpec } from '../../crds/types/kasprapp.ts'
import type { Problem } from '../contract/validate.ts'
import { annotationKeyProblems, labelKeyProblems } from './label-keys.ts'
import { keyDirectory, packagesDirectory } from './packages/install.ts'
import { duplicates, each, unless } from './problem-lists.ts'
import { deviceProblems } from './resource-problems.ts'
import { schedulingProblems } from './scheduling-problems.ts'
import { containerSecurityProblems, podSecurityProblems } from './security-problems.ts'
import { mountProblems, volumeProblems } from './volume-problems.ts'

type Template = NonNullable<KasprAppSpec['template']>
type PodParts = NonNullable<Template['pod']>
type ContainerTemplate = NonNullable<Template['kasprContainer']>

/** What the pods of an app have of their own, so that the template cannot have it too. */
export interface OwnNames {
  /** Names of volumes. */
  volumes: readonly string[]
  /** Paths in the member container, and in the install container. */
  memberPaths: readonly string[]
}

/**
 * What keeps `spec.template` from becoming objects that the API server takes, beyond the schema. An object that it refuses would hold up
 * the status of the whole app, with no word on the app itself.
 */
export function templateProblems(spec: KasprAppSpec, own: OwnNames): Problem[] {
  const { template = {} } = spec
  const { pod = {} } = template
  const volumes = [...own.volumes, ...(pod.volumes ?? []).map(({ name }) => name)]
  return [
    ...metadataProblems(template),
    // Everything else that is mounted has a path of its own.
    ...unless(
      new Set(own.memberPaths).size === own.memberPaths.length,
      'spec.config.tableDir',
      own.memberPaths[0],
      'a directory that is used for nothing else',
    ),
    ...podProblems(pod, own),
    ...containerProblems(template.kasprContainer, 'spec.template.kasprContainer', own.memberPaths, volumes),
    ...containerProblems(
      template.pythonPackagesInitContainer,
      'spec.template.pythonPackagesInitContainer',
      spec.pythonPackages?.cache?.type === 'gcs' ? [packagesDirectory, keyDirectory] : [packagesDirectory],
      volumes,
    ),
    ...deviceProblems(spec),
  ]
}

function podProblems(pod: PodParts, own: OwnNames): Problem[] {
  const field = 'spec.template.pod'
  const names = (list: { name: string }[] | undefined): string[] => (list ?? []).map(({ name }) => name)
  const addresses = (pod.hostAliases ?? []).map(({ ip }) => ip)
  return [
    ...each(pod.volumes, `${field}.volumes`, volumeProblems),
    ...duplicates(names(pod.volumes), own.volumes, `${field}.volumes`, 'name'),
    ...duplicates(addresses, [], `${field}.hostAliases`, 'ip'),
    ...addresses.flatMap((ip, index) =>
      unless(isAddress(ip), `${field}.hostAliases[${index}].ip`, ip, 'an address such as 10.0.0.1 or fd00::1'),
    ),
    ...duplicates(names(pod.resourceClaims), [], `${field}.resourceClaims`, 'name'),
    ...each(pod.resourceClaims, `${field}.resourceClaims`, (claim, at) =>
      unless(
        (claim.resourceClaimName === undefined) !== (claim.resourceClaimTemplateName === undefined),
        at,
        claim,
        'exactly one of resourceClaimName and resourceClaimTemplateName',
      ),
    ),
    ...schedulingProblems(pod),
    ...(pod.securityContext === undefined ? [] : podSecurityProblems(pod.securityContext, `${field}.securityContext`)),
  ]
}

/** The parser of URLs knows IPv6 addresses; it takes short forms of IPv4 ones, which the pod API does not. */
function isAddress(text: string): boolean {
  if (text.includes(':')) return /^[0-9a-fA-F:.]+$/.test(text) && URL.canParse(`http://[${text}]`)
  const numbers = text.split('.')
  return numbers.length === 4 && numbers.every((number) => /^(0|[1-9]\d{0,2})$/.test(number) && Number(number) <= 255)
}

function containerProblems(
  container: ContainerTemplate | undefined,
  field: string,
  ownPaths: readonly string[],
  volumes: readonly string[],
): Problem[] {
  if (container === undefined) return []
  const { env, securityContext } = container
  return [
    ...each(env, `${field}.env`, variableProblems),
    ...mountProblems(container, `${field}.volumeMounts`, ownPaths, volumes),
    ...(securityContext === undefined ? [] : containerSecurityProblems(securityContext, `${field}.securityContext`)),
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

function metadataProblems(template: Template): Problem[] {
  return (['serviceAccount', 'service', 'pod'] as const).flatMap((part) => {
    const { labels, annotations } = template[part]?.metadata ?? {}
    const field = `spec.template.${part}.metadata`
    return [
      ...labelKeyProblems(labels, `${field}.labels`),
      ...annotationKeyProblems(annotations, `${field}.annotations`),
    ]
  })
}
