import type { KasprAppStatus } from '../../../crds/types/kasprapp.ts'
import type { ConditionDraft } from '../../contract/conditions.ts'
import { isMap } from '../../contract/objects.ts'
import type { InstallReport } from '../app-view.ts'
import type { Installation } from './install.ts'

/** `status.pythonPackages` and its condition. */
export interface PackagesStatus {
  pythonPackages: NonNullable<KasprAppStatus['pythonPackages']>
  condition: ConditionDraft
}

const failures = ['CrashLoopBackOff', 'Error', 'ErrImagePull', 'ImagePullBackOff']
const longestMessage = 500

/** What the install container of a pod says about the wanted packages. Nothing is known without a report. */
export function packagesStatus(wanted: Installation, report: InstallReport | undefined): PackagesStatus {
  const { mode, hash } = wanted
  const known = { cacheMode: mode, ...(mode === 'ephemeral' ? {} : { hash }) }
  const installing = (detail = ''): PackagesStatus => ({
    pythonPackages: known,
    condition: condition('False', 'Installing', `Installing packages (${mode} mode${detail})`),
  })
  const failed = (message: string): PackagesStatus => ({
    pythonPackages: known,
    condition: condition('False', 'InstallationFailed', message.slice(0, longestMessage)),
  })
  if (report === undefined) return installing()
  const { state, reason = '', exitCode = 0, message } = report
  if (state === 'waiting' && failures.includes(reason)) {
    return failed(message === undefined ? 'Package installation failed (retrying)' : `Installation failed: ${message}`)
  }
  if (state === 'waiting') return installing(reason === '' ? '' : `, status: ${reason}`)
  if (state === 'running') return installing()
  if (exitCode !== 0) return failed(message ?? 'Package installation failed')
  if (report.set !== wanted.set) {
    return {
      pythonPackages: known,
      condition: condition('False', 'PackagesUpdating', `Updating packages to hash ${hash.slice(0, 8)}...`),
    }
  }
  return ended(wanted, known, message)
}

/** The install container ended well: with the marker of the set, or because the policy allows to do without. */
function ended(
  { packages, mode }: Installation,
  known: PackagesStatus['pythonPackages'],
  message: string | undefined,
): PackagesStatus {
  if (message === undefined || message === '') {
    const warning = 'Installation completed but there are no details of it'
    return {
      pythonPackages: { ...known, warnings: [warning] },
      condition: condition('True', 'PackagesInstalled', 'Packages installed (details unavailable)'),
    }
  }
  const marker = markerOf(message)
  if (marker === undefined) {
    const text = `Members run without packages, as installPolicy.onFailure allows: ${message}`
    return {
      pythonPackages: known,
      condition: condition('False', 'InstallationFailed', text.slice(0, longestMessage)),
    }
  }
  const { length } = packages.packages
  const count = `${length} ${length === 1 ? 'package' : 'packages'}`
  const how = mode === 'persistent' ? `in ${marker.installDuration ?? 'unknown'}` : '(emptyDir mode)'
  return {
    pythonPackages: {
      ...known,
      ...marker,
      ...(mode === 'ephemeral' ? { warnings: ['Ephemeral storage: packages reinstalled on every pod start'] } : {}),
    },
    condition: condition('True', 'PackagesInstalled', `Successfully installed ${count} ${how}`),
  }
}

/** What install.sh writes after a success, or `undefined` when the text is something else. */
function markerOf(message: string): PackagesStatus['pythonPackages'] | undefined {
  let marker: unknown
  try {
    marker = JSON.parse(message)
  } catch {
    return undefined
  }
  if (!isMap(marker) || !Array.isArray(marker['packages'])) return undefined
  const text = (field: string): string | undefined => {
    const value = marker[field]
    return typeof value === 'string' ? value : undefined
  }
  const [lastInstallTime, installDuration, installedBy] = [text('install_time'), text('duration'), text('pod_name')]
  return {
    installed: marker['packages'].filter((entry): entry is string => typeof entry === 'string'),
    ...(lastInstallTime === undefined ? {} : { lastInstallTime }),
    ...(installDuration === undefined ? {} : { installDuration }),
    ...(installedBy === undefined ? {} : { installedBy }),
  }
}

function condition(status: ConditionDraft['status'], reason: string, message: string): ConditionDraft {
  return { type: 'PythonPackagesReady', status, reason, message }
}
