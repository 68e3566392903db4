import { readFileSync } from 'node:fs'
import { parser } from '@prometheus-io/lezer-promql'
import { Registry } from 'prom-client'
import t from 'tap'
import { dashboard, dashboardFile } from '../../deploy/grafana/generate.ts'
import { packagePath } from '../../webhooks/package-root.ts'
import { registries } from './registries.ts'

interface Target {
  expr: string
  legendFormat: string
}

interface Panel {
  id: number
  type: string
  title: string
  gridPos: { h: number; w: number; x: number; y: number }
  targets?: Target[]
}

const { panels } = dashboard() as { panels: Panel[] }

void t.test('deploy/grafana/kaspr.json is what `npm run generate` makes of its description', async (t) => {
  t.equal(readFileSync(packagePath('deploy', 'grafana', 'kaspr.json'), 'utf8'), await dashboardFile())
})

void t.test('the 29 panels of kaspr-operator in their rows and widths, then two more rows', (t) => {
  const shown = panels.map(({ type, title, gridPos }) =>
    type === 'row' ? `# ${title}` : `${title}, ${type} ${gridPos.w}`,
  )
  t.same(shown.slice(0, 32), [
    '# Reconciliation Health',
    'Reconciliation Rate by Result, timeseries 12',
    'Reconciliation Error Rate, gauge 6',
    'Total Reconciliations, stat 6',
    'Reconciliation Duration (Percentiles), timeseries 12',
    'Average Reconciliation Duration, stat 6',
    'Reconciliations by Trigger Source, timeseries 6',
    'Reconciliation Errors by Type, timeseries 12',
    'Top 10 Most Active Resources, piechart 12',
    '# Kubernetes Resource Sync',
    'Resource Sync Rate by Operation, timeseries 12',
    'Resource Sync Rate by Type, timeseries 12',
    'Resource Sync Duration (Percentiles), timeseries 12',
    'Total Resource Sync Operations, stat 6',
    'Resource Sync Error Rate, gauge 6',
    'Resource Drift Detection Rate, timeseries 12',
    'Top 10 Drifted Fields, timeseries 12',
    'Resource Sync Errors by Type, timeseries 12',
    'Resource Sync Operations by Resource, table 12',
    '# Rebalance & Member Health',
    'Rebalance Rate by Result, timeseries 12',
    'Total Rebalances, stat 6',
    'Rebalances by Trigger Reason, timeseries 6',
    'Rebalance Duration (Percentiles), timeseries 12',
    'Average Rebalance Duration, stat 6',
    'Member State Transitions, timeseries 6',
    'Hung Member Detections, timeseries 12',
    'Hung Member Strike Count, gauge 6',
    'Hung Member Duration, stat 6',
    'Member Terminations by Reason, timeseries 12',
    'Total Member Terminations, stat 6',
    'Status Updates by Field, timeseries 6',
  ])
  t.same(shown.filter((title) => title.startsWith('#')).slice(3), ['# Poller', '# Python packages'])
  t.end()
})

void t.test('panels do not overlap, leave the grid or share an id', (t) => {
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const cells = new Set<string>()
  for (const { title, gridPos } of panels) {
    t.ok(gridPos.x + gridPos.w <= 24, title)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        t.notOk(cells.has(`${x} ${y}`), `${title} at ${x} ${y}`)
        cells.add(`${x} ${y}`)
      }
    }
  }
  t.end()
})

/** A query without Grafana's variables. */
function plain(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(namespace|app_name)/g, '.*')
}

/** Names that a query uses: its metrics and its labels. Throws at the first syntax error. */
function names(expr: string): { metrics: string[]; labels: string[] } {
  const metrics: string[] = []
  const labels: string[] = []
  parser.parse(expr).iterate({
    enter({ type, from, to }) {
      const text = expr.slice(from, to)
      if (type.isError) throw new Error(`no PromQL at ${from}: ${expr}`)
      if (type.name === 'Identifier' && !text.startsWith('__')) metrics.push(text)
      if (type.name === 'LabelName') labels.push(text)
    },
  })
  return { metrics, labels }
}

/** Metrics as they are scraped, with their labels: a histogram is three. */
async function scraped(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (const registry of await registries()) {
    for (const { name, type } of await registry.getMetricsAsJSON()) {
      // Not in the type: the labels a metric was made with.
      const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: string[] }
      if (String(type) !== 'histogram') found.set(name, labelNames)
      else {
        for (const suffix of ['sum', 'count']) found.set(`${name}_${suffix}`, labelNames)
        found.set(`${name}_bucket`, [...labelNames, 'le'])
      }
    }
  }
  return found
}

void t.test('every query is PromQL, and every metric and label in it is one of ours', async (t) => {
  const known = await scraped()
  const targets = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })))
  t.ok(targets.length > 40)
  for (const { title, expr, legendFormat } of targets) {
    const { metrics, labels } = names(plain(expr))
    t.ok(metrics.length > 0, title)
    const shown = [...legendFormat.matchAll(/{{(\w+)}}/g)].map(([, label = '']) => label)
    for (const metric of metrics) {
      const own = known.get(metric)
      t.ok(own, `${title}: ${metric}`)
      for (const label of [...labels, ...shown]) t.ok(own?.includes(label), `${title}: ${metric} has ${label}`)
    }
  }
})

void t.test('the checks above can fail', async (t) => {
  const known = await scraped()
  t.throws(() => names('sum by(x (rate(up[5m]))'), /no PromQL/)
  t.throws(() => names('rate(up{a="b"[5m])'), /no PromQL/)
  t.same(names('sum by(a) (up{b=~".*"}) / down'), { metrics: ['up', 'down'], labels: ['a', 'b'] })
  t.notOk(known.has('kasprop_reconcile_total_bucket'))
  t.notOk(known.get('kasprop_reconcile_duration_seconds_sum')?.includes('le'))
  t.ok(known.get('kasprop_reconcile_duration_seconds_bucket')?.includes('le'))
  t.notOk(new Registry().getSingleMetric('up'))
})

void t.test('variables ask for labels that exist', async (t) => {
  const { templating } = dashboard() as { templating: { list: { name: string; definition?: string }[] } }
  const known = await scraped()
  for (const { name, definition } of templating.list) {
    if (definition === undefined) continue
    const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? []
    const { metrics, labels } = names(plain(selector))
    t.equal(label, name)
    for (const wanted of [label, ...labels]) t.ok(known.get(metrics[0] ?? '')?.includes(wanted), wanted)
  }
})

void t.test('docs/metrics.md has every metric', async (t) => {
  const text = readFileSync(packagePath('docs', 'metrics.md'), 'utf8')
  const fullName = (name = ''): string => (name.startsWith('rollout_operator_') ? name : `kasprop_${name}`)
  const listed = new Set([...text.matchAll(/^\| `(\w+)` \(/gm)].map(([, name]) => fullName(name)))
  const all = await Promise.all((await registries()).map((registry) => registry.getMetricsAsJSON()))
  const own = new Set(
    all
      .flat()
      .map(({ name }) => name)
      .filter((name) => /^(kasprop|rollout_operator)_/.test(name)),
  )
  t.same([...listed].sort(), [...own].sort())
})
