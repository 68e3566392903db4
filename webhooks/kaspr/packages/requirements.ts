import { createHash } from 'node:crypto'
import type { KasprAppSpec } from '../../../crds/types/kasprapp.ts'
import { canonicalJson } from '../../contract/hash.ts'
import { quantityValue } from '../../contract/quantity.ts'
import { type Problem, shown } from '../../contract/validate.ts'

/** `spec.pythonPackages` of a KasprApp. */
export type PythonPackages = NonNullable<KasprAppSpec['pythonPackages']>

const name = '[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?'
const version = '(===|==|~=|!=|<=|>=|<|>)[-A-Za-z0-9._*+!]+'

/** PEP 508 without blanks: name, extras, versions, marker. */
const named = new RegExp(`^${name}(\\[${name}(,${name})*\\])?(${version}(,${version})*)?(;[-A-Za-z0-9._<>=!~'()]+)?$`)

/** Printable ASCII without quote, back-tick, backslash, parentheses and apostrophe. */
const addressCharacters = '[!#-&*-\\[\\]-_a-~]+'

const addressed = new RegExp(
  `^(${name}(\\[[-A-Za-z0-9._,]+\\])?@)?(((git|hg|svn|bzr)[+])?(https?|ssh)://|git@[-A-Za-z0-9.]+:)${addressCharacters}$`,
)

const acceptedPackage =
  'a package without blanks, such as name[extras]>=1,<2, git+https://…, git+ssh://…, git@host:path or https://….whl'

/** Whether pip can be given this entry of `packages`; the CRD holds the same expressions. */
export function isPackage(entry: string): boolean {
  return named.test(entry) || addressed.test(entry)
}

/** Names of the variables that an entry refers to as `$NAME` or `${NAME}`, in order, once each. */
export function variableNames(entry: string): string[] {
  const references = entry.matchAll(/\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g)
  return [...new Set([...references].map(([, braced, plain]) => braced ?? plain ?? ''))]
}

/**
 * What keeps packages from being installed, beyond the schema.
 *
 * @param variables names of variables that the install container gets from the user. A package may refer to no other:
 * those of the service itself are nobody's business.
 */
export function packageProblems(packages: PythonPackages, variables: readonly string[]): Problem[] {
  const known = new Set([...variables, ...(packages.credentials === undefined ? [] : loginVariables)])
  return [
    ...packages.packages.flatMap((entry, index) =>
      entryProblems(entry, `spec.pythonPackages.packages[${index}]`, known),
    ),
    ...cacheProblems(packages),
  ]
}

/** Variables of the install container that hold the login of the indexes. */
export const loginVariables = ['PYPI_USERNAME', 'PYPI_PASSWORD'] as const

function entryProblems(entry: string, field: string, known: ReadonlySet<string>): Problem[] {
  if (!isPackage(entry)) return [{ field, value: shown(entry), accepted: acceptedPackage }]
  return variableNames(entry)
    .filter((variable) => !known.has(variable))
    .map((variable) => ({
      field,
      value: shown(`$${variable}`),
      accepted: 'variables of spec.template.pythonPackagesInitContainer.env, for example from a Secret',
    }))
}

function cacheProblems({ cache }: PythonPackages): Problem[] {
  if (cache?.type !== 'gcs') return []
  if (cache.gcs === undefined) {
    return [{ field: 'spec.pythonPackages.cache.gcs', accepted: '{bucket, secretRef: {name}}' }]
  }
  const { maxArchiveSize } = cache.gcs
  if (maxArchiveSize === undefined || archiveBytes(maxArchiveSize) !== undefined) return []
  return [
    {
      field: 'spec.pythonPackages.cache.gcs.maxArchiveSize',
      value: shown(maxArchiveSize),
      accepted: 'a size such as 500Mi, 1Gi or 2G',
    },
  ]
}

/**
 * Bytes of an archive limit: quantities of Kubernetes, and the suffixes of kaspr-operator (`k`, `m`, `g`, `t` are powers of
 * 1000, so `m` is a million and not a thousandth). `undefined` when the text is neither.
 */
export function archiveBytes(text: string): bigint | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kKMGTmgt]|[KMGT]i)?\s*$/.exec(text)
  if (match === null) return undefined
  const [, number = '', suffix = ''] = match
  const unit = suffix.length === 1 ? (suffix === 'k' || suffix === 'K' ? 'k' : suffix.toUpperCase()) : suffix
  const scale = quantityValue(`1${unit}`) ?? 1n
  const [whole = '', fraction = ''] = number.split('.')
  return (BigInt(whole + fraction) * scale) / 10n ** BigInt(fraction.length)
}

/**
 * PACKAGES_HASH: the first 16 hex digits of the SHA-256 over what kaspr-operator hashes, so that markers on shared volumes and
 * archives in buckets stay valid. Order does not count; cache, login and resources do not either.
 */
export function packagesHash({
  packages,
  indexUrl,
  extraIndexUrls,
  trustedHosts,
  installPolicy,
}: PythonPackages): string {
  const policy = {
    retries: installPolicy?.retries,
    timeout: installPolicy?.timeout,
    on_failure: installPolicy?.onFailure,
  }
  const content = {
    packages: sorted(packages),
    ...(indexUrl === undefined || indexUrl === '' ? {} : { index_url: indexUrl }),
    ...(isFilled(extraIndexUrls) ? { extra_index_urls: sorted(extraIndexUrls) } : {}),
    ...(isFilled(trustedHosts) ? { trusted_hosts: sorted(trustedHosts) } : {}),
    ...(Object.values(policy).every((value) => value === undefined) ? {} : { install_policy: policy }),
  }
  return createHash('sha256')
    .update(escaped(canonicalJson(content)))
    .digest('hex')
    .slice(0, 16)
}

function isFilled(list: string[] | undefined): list is string[] {
  return list !== undefined && list.length > 0
}

/** By code point, as Python sorts. */
function sorted(list: readonly string[]): string[] {
  return list.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/** JSON text with everything beyond ASCII as `\uXXXX`. */
function escaped(json: string): string {
  return json.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
