import { durations, rates, results, stackedRates } from '../metric-panels.ts'
import { gauge, type Panel, resultColours, stat } from '../panels.ts'
import { average, of } from '../queries.ts'

/** Members of apps. */
export function members(): Panel[] {
  return [
    rates({
      title: 'Rebalance Rate by Result',
      width: 12,
      metric: 'rebalance_total',
      by: ['app_name', 'result'],
      overrides: resultColours,
    }),
    results({ title: 'Total Rebalances', metric: 'rebalance_total' }),
    stackedRates({
      title: 'Rebalances by Trigger Reason',
      width: 6,
      metric: 'rebalance_total',
      by: ['trigger_reason'],
    }),
    durations({ title: 'Rebalance Duration (Percentiles)', metric: 'rebalance_duration_seconds', by: ['app_name'] }),
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
    rates({
      title: 'Member State Transitions',
      width: 6,
      metric: 'member_state_transitions_total',
      by: ['app_name', 'member_id', 'from_state', 'to_state'],
      legend: '{{app_name}}/{{member_id}}: {{from_state}}→{{to_state}}',
    }),
    rates({
      title: 'Hung Member Detections',
      width: 12,
      metric: 'hung_members_detected_total',
      by: ['app_name', 'member_id'],
      legend: '{{app_name}}/member-{{member_id}}',
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
    rates({
      title: 'Member Terminations by Reason',
      width: 12,
      metric: 'member_terminations_total',
      by: ['app_name', 'member_id', 'reason'],
      legend: '{{app_name}}/member-{{member_id}} {{reason}}',
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
    stackedRates({ title: 'Status Updates by Field', width: 6, metric: 'status_updates_total', by: ['update_field'] }),
  ]
}
