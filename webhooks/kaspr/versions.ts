/**
 * Kaspr runtime versions and their images. Every version ever listed stays listed: an app pinned to one must not stop
 * reconciling when the service is upgraded.
 */

/** Version of apps that name neither version nor image. */
export const defaultVersion = '0.11.19'

const repository = 'kasprio/kaspr'

/** Versions whose image tag is the version itself. */
const plain = [
  ...['0.11.19', '0.11.18', '0.11.17', '0.11.16', '0.11.15', '0.11.14', '0.11.13', '0.11.12', '0.11.11', '0.11.9'],
  ...['0.11.8', '0.11.7', '0.11.6', '0.11.5', '0.11.4', '0.11.2', '0.10.6', '0.3.0-dev1', '0.1.0'],
]

/** Versions whose image tag is the version with the suffix `-alpha`. */
const alpha = [
  ...['0.10.5', '0.10.4', '0.10.3', '0.10.2', '0.10.1', '0.9.1', '0.8.2', '0.8.1', '0.8.0', '0.7.4', '0.7.3', '0.7.2'],
  ...[
    '0.7.1',
    '0.7.0',
    '0.6.15',
    '0.6.14',
    '0.6.13',
    '0.6.12',
    '0.6.11',
    '0.6.10',
    '0.6.9',
    '0.6.8',
    '0.6.7',
    '0.5.11',
  ],
  ...['0.5.10', '0.5.9', '0.5.8', '0.5.6', '0.5.4', '0.5.2', '0.5.1', '0.4.4'],
]

/** Versions published under the tag of another. */
const renamed: [version: string, tag: string][] = [
  ['0.7.5', '0.7.6-alpha'],
  ['0.6.0', '0.6.6-alpha'],
  ['0.5.28', '0.6.5-alpha'],
  ['0.5.27', '0.6.5-alpha'],
  ['0.5.26', '0.6.4-alpha'],
  ['0.5.25', '0.6.3-alpha'],
  ['0.5.24', '0.6.2-alpha'],
  ['0.5.22', '0.6.1-alpha'],
  ['0.5.21', '0.5.19-alpha'],
  ['0.5.20', '0.5.19-alpha'],
  ['0.5.19', '0.5.18-alpha'],
  ['0.5.18', '0.5.17-alpha'],
  ['0.5.17', '0.5.16-alpha'],
  ['0.5.16', '0.5.15-alpha'],
  ['0.5.15', '0.5.14-alpha'],
  ['0.5.14', '0.5.13-alpha'],
  ['0.5.13', '0.5.12-alpha'],
]

const tags = new Map<string, string>([
  ...plain.map((version): [string, string] => [version, version]),
  ...alpha.map((version): [string, string] => [version, `${version}-alpha`]),
  ...renamed,
])

/** Supported versions, newest first. */
export const versions: readonly string[] = [...tags.keys()]

/**
 * Image of an app: the explicit image, else that of its version, else that of the default version.
 * The registry prefix goes in front of either.
 *
 * @param registry host and path, without it the image is used as it is
 * @returns `undefined` when the version is not supported
 */
export function imageOf(spec: { image?: string; version?: string }, registry: string): string | undefined {
  const tag = tags.get(spec.version ?? defaultVersion)
  const image =
    spec.image !== undefined && spec.image !== '' ? spec.image : tag === undefined ? undefined : `${repository}:${tag}`
  if (image === undefined) return undefined
  const prefix = registry.replace(/\/+$/, '')
  return prefix === '' ? image : `${prefix}/${image}`
}

/** The version an image reference stands for: its tag (`host:5000/kaspr:1.2` -> `1.2`), `unknown` without one. */
export function versionOfImage(image: string): string {
  const name = image.split('@')[0] ?? ''
  const tag = /:([^:/]+)$/.exec(name)?.[1]
  return tag ?? 'unknown'
}
