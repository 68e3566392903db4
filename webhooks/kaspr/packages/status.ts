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

/** Reasons of a waiting install container that has failed and will be tried again. */
export const retriedFailures = ['CrashLoopBackOff', 'Error', 'ErrImagePull', 'ImagePullBackOff']
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
  if (state === 'waiting' && retriedFailures.includes(reason)) {
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

/**
 * The install container ended well: with the details of what it installed, or because the policy allows to do without.
 * The policy is part of the set, so a report about the set is about the policy too.
 */
function ended(
  { packages, mode }: Installation,
  known: PackagesStatus['pythonPackages'],
  message: string | undefined,
): PackagesStatus {
  const details = message === undefined ? undefined : detailsOf(message)
  if (details === undefined && packages.installPolicy?.onFailure === 'allow' && message !== undefined) {
    const text = `Members run without packages, as installPolicy.onFailure allows: ${message}`
    return {
      pythonPackages: known,
      condition: condition('False', 'InstallationFailed', text.slice(0, longestMessage)),
    }
  }
  const installed = { ...known, installed: packages.packages }
  if (details === undefined) {
    const warning = 'Installation completed but there are no details of it'
    return {
      pythonPackages: { ...installed, warnings: [warning] },
      condition: condition('True', 'PackagesInstalled', 'Packages installed (details unavailable)'),
    }
  }
  const { length } = packages.packages
  const count = `${length} ${length === 1 ? 'package' : 'packages'}`
  const how = mode === 'persistent' ? `in ${details.installDuration ?? 'unknown'}` : '(emptyDir mode)'
  return {
    pythonPackages: {
      ...installed,
      ...details,
      ...(mode === 'ephemeral' ? { warnings: ['Ephemeral storage: packages reinstalled on every pod start'] } : {}),
    },
    condition: condition('True', 'PackagesInstalled', `Successfully installed ${count} ${how}`),
  }
}

/** What install.sh reports after a success, or `undefined` when the text is something else. */
function detailsOf(message: string): Omit<PackagesStatus['pythonPackages'], 'installed'> | undefined {
  let report: unknown
  try {
    report = JSON.parse(message)
  } catch {
    return undefined
  }
  if (!isMap(report)) return undefined
  const text = (field: string): string | undefined => {
    const value = report[field]
    return typeof value === 'string' ? value : undefined
  }
  const [lastInstallTime, installDuration, installedBy] = [text('install_time'), text('duration'), text('pod_name')]
  return {
    ...(lastInstallTime === undefined ? {} : { lastInstallTime }),
    ...(installDuration === undefined ? {} : { installDuration }),
    ...(installedBy === undefined ? {} : { installedBy }),
  }
}

function condition(status: ConditionDraft['status'], reason: string, message: string): ConditionDraft {
  return { type: 'PythonPackagesReady', status, reason, message }
}
