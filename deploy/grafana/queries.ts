import type { Query } from './panels.ts'

/** What the user has chosen; for metrics that name namespace and app. */
const chosen = 'namespace=~"$namespace", app_name=~"$app_name"'
const window = '[$__rate_interval]'

/** A metric of the operator, of the chosen apps. */
export function of(metric: string, also = ''): string {
  return `kasprop_${metric}{${also === '' ? chosen : `${chosen}, ${also}`}}`
}

/** Its growth per second, summed up by these labels. */
export function rateBy(metric: string, ...labels: string[]): string {
  return `sum by(${labels.join(', ')}) (rate(${of(metric)}${window}))`
}

/** Percentiles 50, 95 and 99 of a histogram, by these labels. */
export function percentiles(metric: string, labels: readonly string[]): Query[] {
  const names = labels.map((label) => `{{${label}}} `).join('')
  const by = [...labels, 'le'].join(', ')
  return [50, 95, 99].map((percent) => ({
    expr: `histogram_quantile(${(percent / 100).toFixed(2)}, sum by(${by}) (rate(${of(`${metric}_bucket`)}${window})))`,
    legend: `${names}P${percent}`,
  }))
}

/** Mean of a histogram. */
export function average(metric: string): Query[] {
  const sum = (suffix: string): string => `sum(rate(${of(`${metric}_${suffix}`)}${window}))`
  return [{ expr: `${sum('sum')} / ${sum('count')}`, legend: 'Average' }]
}

/** Part of failures, in percent. */
export function errorRate(metric: string): Query[] {
  const failed = `sum(rate(${of(metric, 'result="failure"')}${window}))`
  return [{ expr: `100 * ${failed} / sum(rate(${of(metric)}${window}))`, legend: 'Error rate' }]
}

/** Counts of both results. */
export function totals(metric: string): Query[] {
  return [
    { expr: `sum(${of(metric, 'result="success"')})`, legend: 'Success' },
    { expr: `sum(${of(metric, 'result="failure"')})`, legend: 'Failure' },
  ]
}

/** The same without the choice, for metrics that name no app. */
export function rateOfAll(metric: string, label: string): Query[] {
  return [{ expr: `sum by(${label}) (rate(kasprop_${metric}${window}))`, legend: `{{${label}}}` }]
}

/** Percentiles 95 and 99 of such a histogram. */
export function percentilesOfAll(metric: string): Query[] {
  return [95, 99].map((percent) => ({
    expr: `histogram_quantile(0.${percent}, sum by(le) (rate(kasprop_${metric}_bucket${window})))`,
    legend: `P${percent}`,
  }))
}
