import { type Panel, resultColours, stat, timeSeries } from '../panels.ts'
import { of, percentiles, rateBy } from '../queries.ts'

/** Installations of Python packages; not in the dashboard of kaspr-operator. */
export function packages(): Panel[] {
  return [
    timeSeries({
      title: 'Package Installs by Result',
      width: 12,
      unit: 'ops',
      calcs: ['sum', 'lastNotNull'],
      overrides: resultColours,
      queries: [{ expr: rateBy('package_install_total', 'app_name', 'result'), legend: '{{app_name}} {{result}}' }],
    }),
    timeSeries({
      title: 'Package Install Duration (Percentiles)',
      width: 12,
      unit: 's',
      calcs: ['mean', 'max'],
      queries: percentiles('package_install_duration_seconds', ['app_name']),
    }),
    timeSeries({
      title: 'Package Install Errors by Type',
      width: 12,
      unit: 'ops',
      calcs: ['sum', 'lastNotNull'],
      queries: [
        {
          expr: rateBy('package_install_errors_total', 'app_name', 'error_type'),
          legend: '{{app_name}} {{error_type}}',
        },
      ],
    }),
    timeSeries({
      title: 'Package Install Retries',
      width: 6,
      unit: 'ops',
      calcs: ['sum', 'lastNotNull'],
      queries: [{ expr: rateBy('package_install_retries_total', 'app_name'), legend: '{{app_name}}' }],
    }),
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
