import { gauge, type Panel, resultColours, stat, type Threshold, timeSeries, type TimeSeriesOptions } from './panels.ts'
import { errorRate, percentiles, rateBy, totals } from './queries.ts'

interface OfMetric {
  title: string
  metric: string
}

interface RateOptions extends OfMetric, Partial<Omit<TimeSeriesOptions, 'title' | 'queries'>> {
  width: number
  /** Labels: a line for each of their values. */
  by: readonly string[]
  /** Default: the values of the labels. */
  legend?: string
}

/** Growth of a counter per second. */
export function rates({
  metric,
  by,
  legend = by.map((label) => `{{${label}}}`).join(' '),
  ...more
}: RateOptions): Panel {
  const queries = [{ expr: rateBy(metric, ...by), legend }]
  return timeSeries({ unit: 'ops', calcs: ['sum', 'lastNotNull'], ...more, queries })
}

/** The same as shares of a whole, one on top of the other. */
export function stackedRates(options: RateOptions): Panel {
  return rates({ stacked: true, calcs: ['sum'], ...options })
}

/** Percentiles of a histogram of seconds, by these labels. */
export function durations({ title, metric, by }: OfMetric & { by: readonly string[] }): Panel {
  return timeSeries({ title, width: 12, unit: 's', calcs: ['mean', 'max'], queries: percentiles(metric, by) })
}

/** Part of failures of a counter of results. */
export function failures({ title, metric, thresholds }: OfMetric & { thresholds: readonly Threshold[] }): Panel {
  return gauge({ title, width: 6, unit: 'percent', max: 100, thresholds, queries: errorRate(metric) })
}

/** Both results of such a counter. */
export function results({ title, metric }: OfMetric): Panel {
  return stat({ title, width: 6, overrides: resultColours, queries: totals(metric) })
}
