/** Label names to values. */
export type Labels = Readonly<Record<string, string>>

/** A metric whose samples are kept in rows. */
export interface RowMetric {
  /** With prefix. */
  name: string
  /** Labels that name an object. The others have few values each, the same for all objects. */
  objectLabels: readonly string[]
  otherLabels: readonly string[]
  /** Upper bounds, for a histogram. */
  buckets: readonly number[] | undefined
}

/** A sample as prom-client has it. */
export interface Sample {
  metricName: string
  labels: Record<string, string | number>
  value: number
}

/** A metric with values for the labels that name no object. There are few, and all rows share them. */
interface Column {
  metric: RowMetric
  /** As in the text format. */
  text: string
  labels: Labels
  /** Numbers in a row: one, or for a histogram one for each bucket, then sum and count. */
  width: number
}

/** All samples of one object. */
interface Row {
  labels: Labels
  columns: readonly Column[]
  /** The numbers of one column after those of another. */
  numbers: number[]
}

/** Place of a series: from `at` on in `numbers`. */
export interface Cells {
  numbers: number[]
  at: number
}

/**
 * Samples of many objects with few bytes each: an object has one array of numbers, and its labels once as the text in which
 * they are scraped. prom-client keeps an object, a label set and a text for each series, and another text for each bucket:
 * ten times as much.
 */
export class Rows {
  /** By namespace and app; then by the text of all labels that name the object. */
  readonly #apps = new Map<string, Map<string, Row>>()
  readonly #columns = new Map<RowMetric, Map<string, Column>>()

  /** Number of series; a histogram is one. */
  get size(): number {
    let size = 0
    for (const rows of this.#apps.values()) for (const { columns } of rows.values()) size += columns.length
    return size
  }

  /** The numbers of a series, 0 if it is new. */
  cells(metric: RowMetric, labels: Labels): Cells {
    const { namespace = '', app_name: app = '' } = labels
    const row = this.#row(`${namespace}/${app}`, metric, labels)
    const column = this.#column(metric, labels)
    let at = 0
    for (const known of row.columns) {
      if (known === column) return { numbers: row.numbers, at }
      at += known.width
    }
    // Arrays that grow in place keep room for as much again.
    row.columns = [...row.columns, column]
    row.numbers = [...row.numbers, ...Array<number>(column.width).fill(0)]
    return { numbers: row.numbers, at }
  }

  /** Forgets an app, or what has this one label value. */
  remove(namespace: string, app: string, only?: { label: string; value: string }): void {
    const key = `${namespace}/${app}`
    const rows = this.#apps.get(key)
    if (rows === undefined) return
    for (const [text, { labels }] of rows) {
      if (only === undefined || labels[only.label] === only.value) rows.delete(text)
    }
    if (rows.size === 0) this.#apps.delete(key)
  }

  *samples(metric: RowMetric): Generator<Sample> {
    for (const [column, row] of this.#of(metric)) {
      const labels = { ...row.labels, ...column.labels }
      for (const [suffix, value, le] of points(metric, row.numbers, row.at)) {
        const metricName = metric.name + suffix
        yield { metricName, labels: le === undefined ? labels : { le, ...labels }, value }
      }
    }
  }

  /** Lines of the text format, each with its line feed; a histogram's come together. */
  *lines(metric: RowMetric): Generator<string> {
    const { name } = metric
    for (const [column, { text, numbers, at }] of this.#of(metric)) {
      const labels = column.text === '' ? text : `${text},${column.text}`
      let lines = ''
      for (const [suffix, value, le] of points(metric, numbers, at)) {
        lines += `${name}${suffix}{${le === undefined ? '' : `le="${le}",`}${labels}} ${value}\n`
      }
      yield lines
    }
  }

  *#of(metric: RowMetric): Generator<[Column, Cells & { text: string; labels: Labels }]> {
    for (const rows of this.#apps.values()) {
      for (const [text, { labels, columns, numbers }] of rows) {
        let at = 0
        for (const column of columns) {
          if (column.metric === metric) yield [column, { text, labels, numbers, at }]
          at += column.width
        }
      }
    }
  }

  #row(app: string, { objectLabels }: RowMetric, labels: Labels): Row {
    const rows = this.#apps.get(app) ?? new Map<string, Row>()
    if (rows.size === 0) this.#apps.set(app, rows)
    const text = textOf(objectLabels, labels)
    const known = rows.get(text)
    if (known !== undefined) return known
    const row: Row = { labels: pick(objectLabels, labels), columns: [], numbers: [] }
    rows.set(text, row)
    return row
  }

  #column(metric: RowMetric, labels: Labels): Column {
    const columns = this.#columns.get(metric) ?? new Map<string, Column>()
    this.#columns.set(metric, columns)
    const text = textOf(metric.otherLabels, labels)
    const known = columns.get(text)
    if (known !== undefined) return known
    const width = metric.buckets === undefined ? 1 : metric.buckets.length + 2
    const column = { metric, text, labels: pick(metric.otherLabels, labels), width }
    columns.set(text, column)
    return column
  }
}

/** What is scraped of a series: suffix of the name, value, bound of a bucket. */
function* points(
  { buckets }: RowMetric,
  numbers: readonly number[],
  at: number,
): Generator<[suffix: string, value: number, le?: number | '+Inf']> {
  if (buckets === undefined) {
    yield ['', numbers[at] ?? 0]
    return
  }
  let below = 0
  for (const [i, bound] of buckets.entries()) {
    below += numbers[at + i] ?? 0
    yield ['_bucket', below, bound]
  }
  const [sum = 0, count = 0] = numbers.slice(at + buckets.length, at + buckets.length + 2)
  yield ['_bucket', count, '+Inf']
  yield ['_sum', sum]
  yield ['_count', count]
}

function textOf(names: readonly string[], labels: Labels): string {
  let text = ''
  for (const name of names) text += `${text === '' ? '' : ','}${name}="${escaped(labels[name] ?? '')}"`
  return text
}

function escaped(value: string): string {
  return /[\\\n"]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"') : value
}

function pick(names: readonly string[], labels: Labels): Labels {
  return Object.fromEntries(names.map((name) => [name, labels[name] ?? '']))
}
