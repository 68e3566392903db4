import { durations, failures, rates, results, stackedRates } from '../metric-panels.ts'
import { type Panel, resultColours, table, timeSeries } from '../panels.ts'
import { of } from '../queries.ts'

/** What hooks do to children. */
export function resourceSync(): Panel[] {
  const perResource = 'sum by(app_name, resource_name, resource_type)'
  return [
    rates({
      title: 'Resource Sync Rate by Operation',
      width: 12,
      metric: 'resource_sync_total',
      by: ['operation', 'result'],
      calcs: ['mean', 'max'],
      overrides: resultColours,
    }),
    stackedRates({
      title: 'Resource Sync Rate by Type',
      width: 12,
      metric: 'resource_sync_total',
      by: ['resource_type'],
    }),
    durations({
      title: 'Resource Sync Duration (Percentiles)',
      metric: 'resource_sync_duration_seconds',
      by: ['resource_type'],
    }),
    results({ title: 'Total Resource Sync Operations', metric: 'resource_sync_total' }),
    failures({
      title: 'Resource Sync Error Rate',
      metric: 'resource_sync_total',
      thresholds: [
        [5, 'yellow'],
        [10, 'orange'],
        [20, 'red'],
      ],
    }),
    rates({
      title: 'Resource Drift Detection Rate',
      width: 12,
      metric: 'resource_drift_detected_total',
      by: ['resource_type'],
    }),
    timeSeries({
      title: 'Top 10 Drifted Fields',
      width: 12,
      bars: true,
      calcs: ['sum'],
      queries: [
        {
          expr: `topk(10, sum by(drift_field) (${of('resource_drift_detected_total')}))`,
          legend: '{{drift_field}}',
        },
      ],
    }),
    rates({
      title: 'Resource Sync Errors by Type',
      width: 12,
      metric: 'resource_sync_errors_total',
      by: ['resource_type', 'error_type'],
    }),
    table({
      title: 'Resource Sync Operations by Resource',
      width: 12,
      sortBy: 'Operations',
      columns: [
        ['app_name', 'App Name'],
        ['resource_name', 'Resource Name'],
        ['resource_type', 'Type'],
        ['Value #A', 'Operations'],
        ['Value #B', 'Success Rate'],
      ],
      overrides: [
        column('Operations', { 'custom.width': 100 }),
        column('Success Rate', {
          'custom.width': 120,
          unit: 'percentunit',
          'custom.cellOptions': { type: 'gauge', mode: 'lcd' },
          min: 0,
          max: 1,
          thresholds: {
            mode: 'absolute',
            steps: [
              { color: 'red', value: null },
              { color: 'yellow', value: 0.9 },
              { color: 'green', value: 0.95 },
            ],
          },
          color: { mode: 'thresholds' },
        }),
      ],
      queries: [
        { expr: `${perResource} (${of('resource_sync_total')})`, legend: 'Operations' },
        {
          expr: `${perResource} (${of('resource_sync_total', 'result="success"')}) / ${perResource} (${of('resource_sync_total')})`,
          legend: 'Success Rate',
        },
      ],
    }),
  ]
}

function column(heading: string, properties: Record<string, unknown>): object {
  return {
    matcher: { id: 'byName', options: heading },
    properties: Object.entries(properties).map(([id, value]) => ({ id, value })),
  }
}
