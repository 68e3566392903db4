/** Writes deploy/grafana/kaspr.json. Run by `npm run generate`; `npm test` fails when the file is stale. */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { format } from 'prettier'
import { packagePath } from '../../webhooks/package-root.ts'
import type { Panel } from './panels.ts'
import { rows } from './rows.ts'

const gridWidth = 24
const panelHeight = 8

/** The dashboard in Grafana's JSON model. */
export function dashboard(): Record<string, unknown> {
  return {
    title: 'Kaspr Operator',
    uid: 'kaspr-operator',
    tags: ['kaspr', 'kubernetes'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    time: { from: 'now-1h', to: 'now' },
    refresh: '30s',
    timepicker: { refresh_intervals: ['10s', '30s', '1m', '5m', '15m', '30m', '1h'] },
    timezone: '',
    // Shared cross-hair.
    graphTooltip: 1,
    annotations: { list: [] },
    templating: { list: variables() },
    panels: placed(),
  }
}

function variables(): object[] {
  const query = (name: string, label: string, expr: string): object => ({
    type: 'query',
    name,
    label,
    datasource: { type: 'prometheus', uid: '${datasource}' },
    query: { query: expr, refId: name },
    definition: expr,
    includeAll: true,
    allValue: '.*',
    multi: false,
    // By name; anew when the time range changes.
    sort: 1,
    refresh: 2,
    current: { selected: true, text: 'All', value: '$__all' },
  })
  return [
    { type: 'datasource', name: 'datasource', label: 'Data source', query: 'prometheus' },
    query('namespace', 'Namespace', 'label_values(kasprop_reconcile_total, namespace)'),
    query('app_name', 'App', 'label_values(kasprop_reconcile_total{namespace=~"$namespace"}, app_name)'),
  ]
}

/** All panels in their places: rows one below the other, panels from left to right as far as they fit. */
function placed(): object[] {
  let id = 1
  let y = 0
  return rows.flatMap(({ title, panels }) => {
    const row = { type: 'row', id: id++, title, collapsed: false, panels: [], gridPos: { h: 1, w: gridWidth, x: 0, y } }
    y += 1
    let x = 0
    const inRow = panels.map(({ width, ...panel }: Panel) => {
      if (x + width > gridWidth) {
        x = 0
        y += panelHeight
      }
      const gridPos = { h: panelHeight, w: width, x, y }
      x += width
      return { ...panel, id: id++, gridPos }
    })
    y += panelHeight
    return [row, ...inRow]
  })
}

/** Text of the file. */
export async function dashboardFile(): Promise<string> {
  return format(JSON.stringify(dashboard()), { parser: 'json', printWidth: 120 })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(packagePath('deploy', 'grafana', 'kaspr.json'), await dashboardFile())
}
