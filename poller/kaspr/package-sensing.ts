import type { ObservationStatus } from '../../crds/types/observation.ts'
import { isMap } from '../../webhooks/contract/objects.ts'
import { retriedFailures } from '../../webhooks/kaspr/packages/status.ts'
import type { AppEvent, PackageError, Sensor, SensorState } from '../../webhooks/sensors/sensor.ts'

/** What a report says about the install container of a pod. */
export type InstallReport = NonNullable<NonNullable<ObservationStatus['kasprApp']>['packages']>

/** Where an installation stands. */
export type InstallState =
  { at: 'running' } | { at: 'installed'; durationSeconds?: number } | { at: 'failed'; errorType: PackageError }

/** Reads a report; undefined if no installation has begun. */
export function installState({
  state,
  reason = '',
  exitCode = 0,
  message = '',
}: InstallReport): InstallState | undefined {
  if (state === 'running') return { at: 'running' }
  if (state === 'waiting') {
    return retriedFailures.includes(reason) ? { at: 'failed', errorType: errorType(`${reason} ${message}`) } : undefined
  }
  const marker = exitCode === 0 ? markerOf(message) : undefined
  // Without a marker it ended well only because the policy lets members run without packages, or nothing is known.
  if (exitCode !== 0 || (marker === undefined && message !== '')) return { at: 'failed', errorType: errorType(message) }
  return { at: 'installed', ...durationOf(marker) }
}

/** Kind of a failure, by the words of its message, as kaspr-operator did. */
function errorType(message: string): PackageError {
  if (/timeout|timed out/i.test(message)) return 'timeout'
  if (/network|connection/i.test(message)) return 'network'
  return /invalid|not[_ ]found/i.test(message) ? 'invalid_package' : 'unknown'
}

/** What install.sh writes after a success. */
function markerOf(message: string): Record<string, unknown> | undefined {
  try {
    const marker: unknown = JSON.parse(message)
    return isMap(marker) && Array.isArray(marker['packages']) ? marker : undefined
  } catch {
    return undefined
  }
}

function durationOf(marker: Record<string, unknown> | undefined): { durationSeconds?: number } {
  const [, seconds] = /^(\d+)s$/.exec(String(marker?.['duration'])) ?? []
  return seconds === undefined ? {} : { durationSeconds: Number(seconds) }
}

/** The installation in one pod. */
interface Installation {
  key: string
  state: SensorState
  failures: number
  last: InstallState['at'] | undefined
}

/**
 * Tells sensors about the installations of apps from the reports about them: each end once for a pod and a set of
 * packages. What an earlier poller has reported already is in the first report, so a restart repeats nothing.
 */
export class PackageSensing {
  readonly #sensor: Sensor
  /** By uid of the Observation. */
  readonly #installations = new Map<string, Installation>()

  constructor(sensor: Sensor) {
    this.#sensor = sensor
  }

  /**
   * What is reported has changed.
   *
   * @param uid of the Observation
   * @param podUid of the pod that `after` is about
   */
  changed(
    uid: string,
    app: AppEvent,
    { before, after }: { before: InstallReport | undefined; after: InstallReport | undefined },
    podUid: string,
  ): void {
    if (after === undefined) {
      this.#installations.delete(uid)
      return
    }
    const key = `${podUid} ${after.set}`
    const known = this.#installations.get(uid)
    const installation =
      known?.key === key ? known : this.#begin(uid, key, known === undefined ? before : undefined, after)
    const state = installState(after)
    if (state !== undefined) this.#step(app, installation, state)
  }

  forget(uid: string): void {
    this.#installations.delete(uid)
  }

  #begin(uid: string, key: string, before: InstallReport | undefined, after: InstallReport): Installation {
    const isReported = before?.pod === after.pod && before.set === after.set
    const reported = isReported ? installState(before)?.at : undefined
    // What follows on an end is the installation of the next pod of that name.
    const last = reported === 'installed' ? undefined : reported
    const installation = { key, state: undefined, failures: last === 'failed' ? 1 : 0, last }
    this.#installations.set(uid, installation)
    return installation
  }

  #step(app: AppEvent, installation: Installation, state: InstallState): void {
    const { last } = installation
    if (state.at === last || last === 'installed') return
    installation.last = state.at
    if (state.at === 'running' || last === undefined) installation.state = this.#sensor.onPackageInstallStart(app)
    if (state.at === 'running') return
    if (state.at === 'failed') {
      installation.failures++
      // Further attempts of the same pod count as retries.
      if (installation.failures > 1) return
      this.#sensor.onPackageInstallComplete({ ...app, success: false, errorType: state.errorType }, undefined)
      return
    }
    const { durationSeconds } = state
    const outcome = { ...app, success: true, retries: installation.failures }
    const begun = installation.state
    installation.state = undefined
    this.#sensor.onPackageInstallComplete(
      durationSeconds === undefined ? outcome : { ...outcome, durationSeconds },
      begun,
    )
  }
}
