import { durations, failures, rates, results, stackedRates } from '../metric-panels.ts'
import { type Panel, pie, resultColours, stat } from '../panels.ts'
import { average, of } from '../queries.ts'

/** Looks at apps and components: hook calls and runs of the poller. */
export function reconciliation(): Panel[] {
  return [
    rates({
      title: 'Reconciliation Rate by Result',
      width: 12,
      metric: 'reconcile_total',
      by: ['app_name', 'component_name', 'result'],
      calcs: ['mean', 'max'],
      overrides: resultColours,
      legend: '{{app_name}}/{{component_name}} {{result}}',
    }),
    failures({
      title: 'Reconciliation Error Rate',
      metric: 'reconcile_total',
      thresholds: [
        [5, 'yellow'],
        [10, 'orange'],
        [25, 'red'],
      ],
    }),
    results({ title: 'Total Reconciliations', metric: 'reconcile_total' }),
    durations({
      title: 'Reconciliation Duration (Percentiles)',
      metric: 'reconcile_duration_seconds',
      by: ['app_name', 'component_name'],
    }),
    stat({
      title: 'Average Reconciliation Duration',
      width: 6,
      unit: 's',
      thresholds: [
        [5, 'yellow'],
        [10, 'orange'],
        [30, 'red'],
      ],
      queries: average('reconcile_duration_seconds'),
    }),
    stackedRates({
      title: 'Reconciliations by Trigger Source',
      width: 6,
      metric: 'reconcile_total',
      by: ['trigger_source'],
    }),
    rates({
      title: 'Reconciliation Errors by Type',
      width: 12,
      metric: 'reconcile_errors_total',
      by: ['app_name', 'component_name', 'error_type'],
      legend: '{{app_name}}/{{component_name}} {{error_type}}',
    }),
    pie({
      title: 'Top 10 Most Active Resources',
      width: 12,
      queries: [
        {
          expr: `topk(10, sum by(app_name, component_name) (${of('reconcile_total')}))`,
          legend: '{{app_name}}/{{component_name}}',
        },
      ],
    }),
  ]
}
