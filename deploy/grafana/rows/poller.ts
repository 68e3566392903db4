import { type Panel, timeSeries } from '../panels.ts'
import { percentiles, percentilesOfAll, rateOfAll } from '../queries.ts'

/** The poller itself; not in the dashboard of kaspr-operator. */
export function poller(): Panel[] {
  return [
    timeSeries({
      title: 'Queue Depth',
      width: 6,
      calcs: ['max', 'lastNotNull'],
      queries: [{ expr: 'sum(kasprop_poller_queue_depth)', legend: 'Apps waiting' }],
    }),
    timeSeries({
      title: 'Queue Wait (P95, P99)',
      width: 6,
      unit: 's',
      calcs: ['mean', 'max'],
      queries: percentiles('reconcile_queue_wait_seconds', []).slice(1),
    }),
    timeSeries({
      title: 'Poll Lag (P95, P99)',
      width: 12,
      unit: 's',
      calcs: ['mean', 'max'],
      queries: percentilesOfAll('poll_lag_seconds'),
    }),
    timeSeries({
      title: 'Polls by Result',
      width: 12,
      unit: 'ops',
      stacked: true,
      calcs: ['sum', 'lastNotNull'],
      queries: rateOfAll('polls_total', 'result'),
    }),
    timeSeries({
      title: 'Members by State',
      width: 6,
      stacked: true,
      calcs: ['lastNotNull'],
      queries: [{ expr: 'sum by(state) (kasprop_members)', legend: '{{state}}' }],
    }),
    timeSeries({
      title: 'Apps by Readiness',
      width: 6,
      calcs: ['lastNotNull'],
      queries: [
        // Each replica of the hooks counts the apps it is asked about.
        { expr: 'max by(ready) (kasprop_apps)', legend: 'Ready {{ready}}' },
        { expr: 'max(kasprop_rebalance_pending)', legend: 'rebalance pending' },
      ],
    }),
  ]
}
