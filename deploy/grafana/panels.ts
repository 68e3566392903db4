/** A panel in Grafana's JSON, without its place. */
export type Panel = Readonly<Record<string, unknown>> & { title: string; width: number }

/** A query and the name of its series. */
export interface Query {
  expr: string
  legend: string
}

/** Colour from this value on; below the first it is green. */
export type Threshold = readonly [from: number, colour: string]

interface Common {
  title: string
  /** Of 24. */
  width: number
  queries: readonly Query[]
  unit?: string
  thresholds?: readonly Threshold[]
  /** Greatest value of a gauge. */
  max?: number
  overrides?: readonly object[]
}

type Calc = 'mean' | 'max' | 'sum' | 'lastNotNull'

const datasource = { type: 'prometheus', uid: '${datasource}' }
const tooltip = { mode: 'multi', sort: 'desc' }
const reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false }

/** Series that mean success are green, those that mean failure red. */
export const resultColours: readonly object[] = [colourOf('success', 'green'), colourOf('failure', 'red')]

function colourOf(word: string, colour: string): object {
  return {
    matcher: { id: 'byRegexp', options: `/.*${word}.*/i` },
    properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: colour } }],
  }
}

function base(type: string, { title, width, queries, unit, thresholds = [], max, overrides = [] }: Common): Panel {
  const steps = [{ color: 'green', value: null }, ...thresholds.map(([value, color]) => ({ color, value }))]
  return {
    type,
    title,
    width,
    datasource,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      editorMode: 'code',
      expr,
      legendFormat: legend,
      range: true,
    })),
    fieldConfig: {
      defaults: {
        ...(unit === undefined ? {} : { unit }),
        ...(max === undefined ? {} : { min: 0, max }),
        color: { mode: thresholds.length > 0 ? 'thresholds' : 'palette-classic' },
        thresholds: { mode: 'absolute', steps },
      },
      overrides,
    },
  }
}

/** What {@link timeSeries} takes. */
export interface TimeSeriesOptions extends Common {
  /** Columns of the legend. */
  calcs: readonly Calc[]
  stacked?: boolean
  bars?: boolean
}

/** Lines over time; `bars` for bars, `stacked` for one on top of the other. */
export function timeSeries({ calcs, stacked = false, bars = false, ...common }: TimeSeriesOptions): Panel {
  const panel = base('timeseries', common)
  const { defaults, overrides } = panel['fieldConfig'] as { defaults: object; overrides: object[] }
  const custom = {
    drawStyle: bars ? 'bars' : 'line',
    fillOpacity: bars ? 80 : 10,
    lineWidth: 2,
    showPoints: 'never',
    stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
  }
  return {
    ...panel,
    fieldConfig: { defaults: { ...defaults, custom }, overrides },
    options: { legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs }, tooltip },
  }
}

/** One value as a dial. */
export function gauge(common: Common): Panel {
  return {
    ...base('gauge', common),
    options: { reduceOptions, orientation: 'auto', showThresholdLabels: false, showThresholdMarkers: true },
  }
}

/** Values as figures. */
export function stat(common: Common): Panel {
  return {
    ...base('stat', common),
    options: { reduceOptions, colorMode: 'value', graphMode: 'area', justifyMode: 'auto', textMode: 'auto' },
  }
}

/** Shares of a whole. */
export function pie(common: Common): Panel {
  const legend = { displayMode: 'table', placement: 'right', showLegend: true, values: ['value', 'percent'] }
  return { ...base('piechart', common), options: { reduceOptions, pieType: 'pie', legend, tooltip } }
}

interface TableOptions extends Common {
  /** Fields of the result in order, with their headings. */
  columns: readonly (readonly [field: string, heading: string])[]
  /** Heading to sort by, descending. */
  sortBy: string
}

/** One row per series; the queries' values are its columns. */
export function table({ columns, sortBy, ...common }: TableOptions): Panel {
  const panel = base('table', common)
  const targets = (panel['targets'] as object[]).map((target) => ({
    ...target,
    range: false,
    instant: true,
    format: 'table',
  }))
  const renameByName = Object.fromEntries(columns)
  const indexByName = Object.fromEntries(columns.map(([field], index) => [field, index]))
  return {
    ...panel,
    targets,
    options: { showHeader: true, sortBy: [{ displayName: sortBy, desc: true }] },
    transformations: [
      { id: 'merge', options: {} },
      { id: 'organize', options: { excludeByName: { Time: true }, renameByName, indexByName } },
    ],
  }
}
