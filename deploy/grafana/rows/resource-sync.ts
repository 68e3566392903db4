import { gauge, type Panel, resultColours, stat, table, timeSeries } from '../panels.ts'
import { errorRate, of, percentiles, rateBy, totals } from '../queries.ts'

/** What hooks do to children. */
export function resourceSync(): Panel[] {
  const perResource = 'sum by(app_name, resource_name, resource_type)'
  return [
    timeSeries({
      title: 'Resource Sync Rate by Operation',
      width: 12,
      unit: 'ops',
      calcs: ['mean', 'max'],
      overrides: resultColours,
      queries: [{ expr: rateBy('resource_sync_total', 'operation', 'result'), legend: '{{operation}} {{result}}' }],
    }),
    timeSeries({
      title: 'Resource Sync Rate by Type',
      width: 12,
      unit: 'ops',
      stacked: true,
      calcs: ['sum'],
      queries: [{ expr: rateBy('resource_sync_total', 'resource_type'), legend: '{{resource_type}}' }],
    }),
    timeSeries({
      title: 'Resource Sync Duration (Percentiles)',
      width: 12,
      unit: 's',
      calcs: ['mean', 'max'],
      queries: percentiles('resource_sync_duration_seconds', ['resource_type']),
    }),
    stat({
      title: 'Total Resource Sync Operations',
      width: 6,
      overrides: resultColours,
      queries: totals('resource_sync_total'),
    }),
    gauge({
      title: 'Resource Sync Error Rate',
      width: 6,
      unit: 'percent',
      max: 100,
      thresholds: [
        [5, 'yellow'],
        [10, 'orange'],
        [20, 'red'],
      ],
      queries: errorRate('resource_sync_total'),
    }),
    timeSeries({
      title: 'Resource Drift Detection Rate',
      width: 12,
      unit: 'ops',
      calcs: ['sum', 'lastNotNull'],
      queries: [{ expr: rateBy('resource_drift_detected_total', 'resource_type'), legend: '{{resource_type}}' }],
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
    timeSeries({
      title: 'Resource Sync Errors by Type',
      width: 12,
      unit: 'ops',
      calcs: ['sum', 'lastNotNull'],
      queries: [
        {
          expr: rateBy('resource_sync_errors_total', 'resource_type', 'error_type'),
          legend: '{{resource_type}} {{error_type}}',
        },
      ],
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
