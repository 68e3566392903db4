import { type KasprAppSpec, kasprAppSpecSchema } from '../../crds/types/kasprapp.ts'
import { canonicalQuantity, quantityValue } from '../contract/quantity.ts'
import { isMap } from '../contract/objects.ts'
import type { DeclaredObject } from '../contract/types.ts'
import { type Problem, type Validated, shown, specValidator } from '../contract/validate.ts'
import type { RenderedLink } from './app-rendering.ts'
import { configProblems, runtimeConfig } from './config.ts'
import { authenticationProblems } from './kafka.ts'
import { type PythonPackages, packageProblems } from './packages/requirements.ts'
import { ownNames } from './pod-template.ts'
import { canonicalPodValue } from './pod-values.ts'
import { resourceProblems } from './resource-problems.ts'
import { templateProblems } from './template-problems.ts'
import { defaultVersion, imageOf, versions } from './versions.ts'

/** A spec that can be rendered: defaults filled in, quantities canonical. */
export type AppSpec = KasprAppSpec & {
  replicas: number
  storage: NonNullable<KasprAppSpec['storage']>
}

const validate = specValidator<KasprAppSpec>(kasprAppSpecSchema, withoutNulls)

const acceptedQuantity = 'a quantity such as 500m, 2 or 10Gi'

/**
 * The spec of a KasprApp, or everything that keeps it from being rendered. The API server refuses most of it at
 * admission; objects admitted under an older schema, and files that never saw an API server, are held to the same rules.
 *
 * @param components components of the app, whose volumes the template must not take
 */
export function readAppSpec(parent: DeclaredObject, components: readonly RenderedLink[] = []): Validated<AppSpec> {
  const validated = validate(parent['spec'])
  if (!validated.ok) return { ok: false, problems: inWords(validated.problems, parent) }
  const spec = validated.value
  const basic = [
    ...nameProblems(parent.metadata.name),
    ...authenticationProblems(spec),
    ...configProblems(spec.config ?? {}),
    ...versionProblems(spec),
    ...storageProblems(spec),
    ...resourceProblems(spec.resources, 'spec.resources'),
    ...resourceProblems(spec.pythonPackages?.resources, 'spec.pythonPackages.resources'),
    ...packageSizeProblems(spec),
  ]
  const config = configProblems(spec.config ?? {}).length > 0 ? undefined : runtimeConfig(spec, '', [])
  const problems = [
    ...basic,
    ...(config === undefined ? [] : templateProblems(spec, ownNames(parent.metadata.name, spec, config, components))),
    ...(spec.pythonPackages === undefined
      ? []
      : packageProblems(
          spec.pythonPackages,
          (spec.template?.pythonPackagesInitContainer?.env ?? []).map(({ name }) => name),
        )),
  ]
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: canonical(spec) }
}

/** The API server drops nulls. Keys of `config` are data; there a null means the same as none. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isMap(value)) return value
  const fields = Object.entries(value).filter(([, field]) => field !== null)
  return Object.fromEntries(fields.map(([key, field]) => [key, key === 'config' ? field : withoutNulls(field)]))
}

/** Settings of the runtime are told in words, where the schema has a pattern. */
function inWords(problems: Problem[], { spec }: DeclaredObject): Problem[] {
  const config = isMap(spec) && isMap(spec['config']) ? configProblems(spec['config']) : []
  return problems.map((problem) => config.find(({ field }) => field === problem.field) ?? problem)
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
  } else if (storage?.type === 'persistent-claim' && quantityValue(storage.size) === 0n) {
    problems.push({ field: 'spec.storage.size', value: shown(storage.size), accepted: 'a size above 0' })
  }
  return problems
}

function packageSizeProblems({ pythonPackages }: KasprAppSpec): Problem[] {
  const size = pythonPackages?.cache?.size
  if (size === undefined || (quantityValue(size) ?? 0n) > 0n) return []
  return [{ field: 'spec.pythonPackages.cache.size', value: shown(size), accepted: `${acceptedQuantity}, above 0` }]
}

function canonical(spec: KasprAppSpec): AppSpec {
  const { storage = { type: 'ephemeral' }, replicas = 1, resources, template, pythonPackages } = spec
  return {
    ...spec,
    replicas,
    storage: {
      ...storage,
      ...(storage.size === undefined ? {} : { size: canonicalQuantity(storage.size) ?? storage.size }),
    },
    ...(resources === undefined ? {} : { resources: canonicalPodValue(resources) }),
    ...(template === undefined ? {} : { template: canonicalPodValue(template) }),
    ...(pythonPackages === undefined ? {} : { pythonPackages: canonicalPackages(pythonPackages) }),
  }
}

function canonicalPackages(packages: PythonPackages): PythonPackages {
  const { cache, resources } = packages
  const size = canonicalQuantity(cache?.size)
  return {
    ...packages,
    ...(cache === undefined || size === undefined ? {} : { cache: { ...cache, size } }),
    ...(resources === undefined ? {} : { resources: canonicalPodValue(resources) }),
  }
}
