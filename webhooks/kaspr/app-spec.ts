import { type KasprAppSpec, kasprAppSpecSchema } from '../../crds/types/kasprapp.ts'
import { canonicalQuantity } from '../contract/quantity.ts'
import type { KubeObject } from '../contract/types.ts'
import { type Problem, type Validated, shown, specValidator } from '../contract/validate.ts'
import { configProblems } from './config.ts'
import { authenticationProblems } from './kafka.ts'
import { defaultVersion, imageOf, versions } from './versions.ts'

/** A spec that can be rendered: defaults filled in, quantities canonical. */
export type AppSpec = KasprAppSpec & {
  replicas: number
  storage: NonNullable<KasprAppSpec['storage']>
}

const validate = specValidator<KasprAppSpec>(kasprAppSpecSchema)

const acceptedQuantity = 'a quantity such as 500m, 2 or 10Gi'

/**
 * The spec of a KasprApp, or everything that keeps it from being rendered. The API server refuses most of it at
 * admission; objects admitted under an older schema, and files that never saw an API server, are held to the same rules.
 */
export function readAppSpec(parent: KubeObject): Validated<AppSpec> {
  const validated = validate(parent['spec'])
  if (!validated.ok) return validated
  const spec = validated.value
  const problems = [
    ...nameProblems(parent.metadata.name),
    ...authenticationProblems(spec),
    ...configProblems(spec.config ?? {}),
    ...versionProblems(spec),
    ...storageProblems(spec),
    ...resourceProblems(spec),
  ]
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: canonical(spec) }
}

/** The name is used as Service name and, with 15 characters more, as the label value `controller-revision-hash`. */
function nameProblems(name: string): Problem[] {
  if (/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= 48) return []
  const accepted = 'lower-case letters, digits and dashes, starting with a letter, 48 characters at most'
  return [{ field: 'metadata.name', value: shown(name), accepted }]
}

function versionProblems(spec: KasprAppSpec): Problem[] {
  if (imageOf(spec, '') !== undefined) return []
  return [
    {
      field: 'spec.version',
      value: shown(spec.version),
      accepted: `${versions.slice(0, 5).join(', ')}, … (default ${defaultVersion})`,
    },
  ]
}

function storageProblems({ storage }: KasprAppSpec): Problem[] {
  const problems: Problem[] = []
  if (storage?.type === 'persistent-claim' && storage.size === undefined) {
    problems.push({ field: 'spec.storage.size', accepted: 'the size of each claim, for example 10Gi' })
  }
  if (storage?.size !== undefined && canonicalQuantity(storage.size) === undefined) {
    problems.push({ field: 'spec.storage.size', value: shown(storage.size), accepted: acceptedQuantity })
  }
  return problems
}

function resourceProblems({ resources }: KasprAppSpec): Problem[] {
  return (['limits', 'requests'] as const).flatMap((part) =>
    Object.entries(resources?.[part] ?? {})
      .filter(([, value]) => canonicalQuantity(value) === undefined)
      .map(([name, value]) => ({
        field: `spec.resources.${part}.${name}`,
        value: shown(value),
        accepted: acceptedQuantity,
      })),
  )
}

function canonical(spec: KasprAppSpec): AppSpec {
  const { storage = { type: 'ephemeral' }, replicas = 1 } = spec
  return {
    ...spec,
    replicas,
    storage: {
      ...storage,
      ...(storage.size === undefined ? {} : { size: canonicalQuantity(storage.size) ?? storage.size }),
    },
    ...(spec.resources === undefined ? {} : { resources: canonicalResources(spec.resources) }),
  }
}

function canonicalResources(resources: NonNullable<KasprAppSpec['resources']>): NonNullable<KasprAppSpec['resources']> {
  const canonicalMap = (map: Record<string, number | string>): Record<string, string> =>
    Object.fromEntries(Object.entries(map).map(([name, value]) => [name, canonicalQuantity(value) ?? String(value)]))
  return {
    ...resources,
    ...(resources.limits === undefined ? {} : { limits: canonicalMap(resources.limits) }),
    ...(resources.requests === undefined ? {} : { requests: canonicalMap(resources.requests) }),
  }
}
