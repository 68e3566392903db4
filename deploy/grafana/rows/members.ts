import { gauge, type Panel, resultColours, stat, timeSeries } from '../panels.ts'
import { average, of, percentiles, rateBy, totals } from '../queries.ts'

/** Members of apps. */
export function members(): Panel[] {
  return [
    timeSeries({
      title: 'Rebalance Rate by Result',
      width: 12,
      unit: 'ops',
      calcs: ['sum', 'lastNotNull'],
      overrides: resultColours,
      queries: [{ expr: rateBy('rebalance_total', 'app_name', 'result'), legend: '{{app_name}} {{result}}' }],
    }),
    stat({ title: 'Total Rebalances', width: 6, overrides: resultColours, queries: totals('rebalance_total') }),
    timeSeries({
      title: 'Rebalances by Trigger Reason',
      width: 6,
      unit: 'ops',
      stacked: true,
      calcs: ['sum'],
      queries: [{ expr: rateBy('rebalance_total', 'trigger_reason'), legend: '{{trigger_reason}}' }],
    }),
    timeSeries({
      title: 'Rebalance Duration (Percentiles)',
      width: 12,
      unit: 's',
      calcs: ['mean', 'max'],
      queries: percentiles('rebalance_duration_seconds', ['app_name']),
    }),
    stat({
      title: 'Average Rebalance Duration',
      width: 6,
      unit: 's',
      thresholds: [
        [60, 'yellow'],
        [120, 'orange'],
        [300, 'red'],
      ],
      queries: average('rebalance_duration_seconds'),
    }),
    timeSeries({
      title: 'Member State Transitions',
      width: 6,
      unit: 'ops',
      calcs: ['sum', 'lastNotNull'],
      queries: [
        {
          expr: rateBy('member_state_transitions_total', 'app_name', 'member_id', 'from_state', 'to_state'),
          legend: '{{app_name}}/{{member_id}}: {{from_state}}→{{to_state}}',
        },
      ],
    }),
    timeSeries({
      title: 'Hung Member Detections',
      width: 12,
      unit: 'ops',
      calcs: ['sum', 'lastNotNull'],
      queries: [
        {
          expr: rateBy('hung_members_detected_total', 'app_name', 'member_id'),
          legend: '{{app_name}}/member-{{member_id}}',
        },
      ],
    }),
    gauge({
      title: 'Hung Member Strike Count',
      width: 6,
      max: 3,
      thresholds: [
        [1, 'yellow'],
        [2, 'orange'],
        [3, 'red'],
      ],
      queries: [{ expr: of('hung_member_consecutive_detections'), legend: '{{app_name}}/member-{{member_id}}' }],
    }),
    stat({
      title: 'Hung Member Duration',
      width: 6,
      unit: 's',
      thresholds: [
        [30, 'yellow'],
        [60, 'orange'],
        [120, 'red'],
      ],
      queries: [{ expr: of('hung_member_duration_seconds'), legend: '{{app_name}}/member-{{member_id}}' }],
    }),
    timeSeries({
      title: 'Member Terminations by Reason',
      width: 12,
      unit: 'ops',
      calcs: ['sum', 'lastNotNull'],
      queries: [
        {
          expr: rateBy('member_terminations_total', 'app_name', 'member_id', 'reason'),
          legend: '{{app_name}}/member-{{member_id}} {{reason}}',
        },
      ],
    }),
    stat({
      title: 'Total Member Terminations',
      width: 6,
      thresholds: [
        [5, 'yellow'],
        [10, 'red'],
      ],
      queries: [{ expr: `sum(${of('member_terminations_total')})`, legend: 'Terminations' }],
    }),
    timeSeries({
      title: 'Status Updates by Field',
      width: 6,
      unit: 'ops',
      stacked: true,
      calcs: ['sum'],
      queries: [{ expr: rateBy('status_updates_total', 'update_field'), legend: '{{update_field}}' }],
    }),
  ]
}
