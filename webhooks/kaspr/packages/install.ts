import { hashOf } from '../../contract/hash.ts'
import type { EnvVar } from '../environment.ts'
import { type PythonPackages, archiveBytes, loginVariables, packagesHash } from './requirements.ts'
import { asArgument, gcsClient, installScript } from './scripts.ts'

/** Where installed packages are kept: in each pod, on a volume that all pods share, or as an archive in a bucket. */
export type CacheMode = 'ephemeral' | 'persistent' | 'gcs'

/** Directory of the packages volume in both containers. */
export const packagesDirectory = '/opt/kaspr/packages'

/** Directory of the service account's key in the install container. */
export const keyDirectory = '/var/run/secrets/gcs'

/** Packages of an app as the pod template needs them. */
export interface Installation {
  packages: PythonPackages
  mode: CacheMode
  /** PACKAGES_HASH */
  hash: string
  /** Name of the set's directory: what is asked for, and the image whose Python it is made with. */
  set: string
}

/** The mode of `spec.pythonPackages`. */
export function cacheMode({ cache }: PythonPackages): CacheMode {
  if (cache?.type === 'gcs') return 'gcs'
  return cache?.enabled === true ? 'persistent' : 'ephemeral'
}

/** @param image image of both containers */
export function installation(packages: PythonPackages, image: string): Installation {
  const hash = packagesHash(packages)
  // Pods of the old and the new image run side by side during a roll; a shared directory would serve one of them wrongly.
  return { packages, mode: cacheMode(packages), hash, set: `${hash}-${hashOf(image).slice(0, 8)}` }
}

/** Variables of the install container, without those of the template. */
export function installEnvironment({ packages, mode, hash }: Installation, app: string): EnvVar[] {
  const { indexUrl, extraIndexUrls = [], trustedHosts = [], credentials, cache } = packages
  const [username, password] = loginVariables
  const secret = credentials?.secretRef
  return [
    ...(mode === 'ephemeral' ? [] : [{ name: 'PACKAGES_HASH', value: hash }]),
    ...(mode !== 'gcs' || cache?.gcs === undefined
      ? []
      : [
          { name: 'GCS_BUCKET', value: cache.gcs.bucket },
          { name: 'GCS_OBJECT_KEY', value: objectKey(folderOf(cache.gcs.prefix), app, hash) },
        ]),
    ...(indexUrl === undefined ? [] : [{ name: 'INDEX_URL', value: indexUrl }]),
    ...(extraIndexUrls.length === 0 ? [] : [{ name: 'EXTRA_INDEX_URLS', value: extraIndexUrls.join(',') }]),
    ...(trustedHosts.length === 0 ? [] : [{ name: 'TRUSTED_HOSTS', value: trustedHosts.join(',') }]),
    ...(secret === undefined
      ? []
      : [
          { name: username, valueFrom: { secretKeyRef: { name: secret.name, key: secret.usernameKey ?? 'username' } } },
          { name: password, valueFrom: { secretKeyRef: { name: secret.name, key: secret.passwordKey ?? 'password' } } },
        ]),
  ]
}

/** Arguments of `/bin/bash` in the install container; install.sh explains them. */
export function installArguments({ packages, mode, hash, set }: Installation): string[] {
  const { retries = 3, timeout = 600, onFailure = 'block' } = packages.installPolicy ?? {}
  const gcs = mode === 'gcs' ? packages.cache?.gcs : undefined
  const options: [string, string | number | boolean][] = [
    ['directory', packagesDirectory],
    ['set', set],
    ['hash', hash],
    ['attempts', retries + 1],
    ['timeout', timeout],
    ['on-failure', onFailure],
    ['report', '/dev/termination-log'],
    ['shared', mode === 'persistent'],
    ...(gcs === undefined
      ? []
      : ([
          ['gcs-key-file', `${keyDirectory}/${gcs.secretRef.key ?? 'sa.json'}`],
          ['max-archive-bytes', String(archiveBytes(gcs.maxArchiveSize ?? '1Gi') ?? 0n)],
          ['gcs-client', gcsClient],
        ] satisfies [string, string][])),
  ]
  return [
    '-c',
    installScript,
    'install-packages',
    ...options.flatMap(([option, value]) => [`--${option}`, String(value)]),
    '--',
    ...packages.packages,
  ].map(asArgument)
}

function folderOf(prefix = ''): string {
  return prefix === '' ? 'kaspr-packages/' : prefix
}

/**
 * Key of the archive in the bucket, to which install.sh adds the Python version.
 *
 * @param app name of the StatefulSet
 */
export function objectKey(prefix: string, app: string, hash: string): string {
  return `${prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`}${app}/${hash}.tar.gz`
}
