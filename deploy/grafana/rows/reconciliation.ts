import { gauge, type Panel, pie, resultColours, stat, timeSeries } from '../panels.ts'
import { average, errorRate, of, percentiles, rateBy, totals } from '../queries.ts'

/** Looks at apps and components: hook calls and runs of the poller. */
export function reconciliation(): Panel[] {
  return [
    timeSeries({
      title: 'Reconciliation Rate by Result',
      width: 12,
      unit: 'ops',
      calcs: ['mean', 'max'],
      overrides: resultColours,
      queries: [
        {
          expr: rateBy('reconcile_total', 'app_name', 'component_name', 'result'),
          legend: '{{app_name}}/{{component_name}} {{result}}',
        },
      ],
    }),
    gauge({
      title: 'Reconciliation Error Rate',
      width: 6,
      unit: 'percent',
      max: 100,
      thresholds: [
        [5, 'yellow'],
        [10, 'orange'],
        [25, 'red'],
      ],
      queries: errorRate('reconcile_total'),
    }),
    stat({
      title: 'Total Reconciliations',
      width: 6,
      overrides: resultColours,
      queries: totals('reconcile_total'),
    }),
    timeSeries({
      title: 'Reconciliation Duration (Percentiles)',
      width: 12,
      unit: 's',
      calcs: ['mean', 'max'],
      queries: percentiles('reconcile_duration_seconds', ['app_name', 'component_name']),
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
    timeSeries({
      title: 'Reconciliations by Trigger Source',
      width: 6,
      unit: 'ops',
      stacked: true,
      calcs: ['sum'],
      queries: [{ expr: rateBy('reconcile_total', 'trigger_source'), legend: '{{trigger_source}}' }],
    }),
    timeSeries({
      title: 'Reconciliation Errors by Type',
      width: 12,
      unit: 'ops',
      calcs: ['sum', 'lastNotNull'],
      queries: [
        {
          expr: rateBy('reconcile_errors_total', 'app_name', 'component_name', 'error_type'),
          legend: '{{app_name}}/{{component_name}} {{error_type}}',
        },
      ],
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
