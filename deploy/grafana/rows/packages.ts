import { durations, rates } from '../metric-panels.ts'
import { type Panel, resultColours, stat } from '../panels.ts'
import { of } from '../queries.ts'

/** Installations of Python packages; not in the dashboard of kaspr-operator. */
export function packages(): Panel[] {
  return [
    rates({
      title: 'Package Installs by Result',
      width: 12,
      metric: 'package_install_total',
      by: ['app_name', 'result'],
      overrides: resultColours,
    }),
    durations({
      title: 'Package Install Duration (Percentiles)',
      metric: 'package_install_duration_seconds',
      by: ['app_name'],
    }),
    rates({
      title: 'Package Install Errors by Type',
      width: 12,
      metric: 'package_install_errors_total',
      by: ['app_name', 'error_type'],
    }),
    rates({ title: 'Package Install Retries', width: 6, metric: 'package_install_retries_total', by: ['app_name'] }),
    stat({
      title: 'Apps with Credentials or Own Index',
      width: 6,
      queries: [
        { expr: `count(max by(namespace, app_name) (${of('package_auth_enabled')}) == 1)`, legend: 'Credentials' },
        {
          expr: `count(max by(namespace, app_name) (${of('package_custom_index_enabled')}) == 1)`,
          legend: 'Own index',
        },
      ],
    }),
  ]
}
