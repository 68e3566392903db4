/**
 * Kubernetes quantities in the API server's canonical form (k8s.io/apimachinery, pkg/api/resource: "Canonical form").
 * A child must be sent in that form: `1000m` where the API server stores `1` looks like drift at every sync.
 */

const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimal: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const decimalSuffix = new Map(Object.entries(decimal).map(([suffix, exponent]) => [exponent, suffix]))
const syntax = /^([+-]?)(\d+|\d+\.\d*|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d{1,3})?$/

/** A quantity as a whole number of nanos, and the family of suffixes it was written in. */
interface Quantity {
  nanos: bigint
  format: 'binary' | 'decimal' | 'exponent'
}

function parse(text: string): Quantity | undefined {
  const match = syntax.exec(text)
  if (match === null) return undefined
  const [, sign = '', digits = '0', suffix = ''] = match
  const [whole = '', fraction = ''] = digits.split('.')
  const mantissa = BigInt(whole + fraction)
  const binaryPower = binary.indexOf(suffix)
  const exponentForm = /^[eE][+-]?\d/.test(suffix)
  const format = binaryPower > 0 ? 'binary' : exponentForm ? 'exponent' : 'decimal'
  const exponent =
    (format === 'binary' ? 0 : exponentForm ? Number(suffix.slice(1)) : (decimal[suffix] ?? 0)) + 9 - fraction.length
  const scaled = format === 'binary' ? mantissa * 1024n ** BigInt(binaryPower) : mantissa
  const nanos = exponent >= 0 ? scaled * 10n ** BigInt(exponent) : ceilDivide(scaled, 10n ** BigInt(-exponent))
  return { nanos: sign === '-' ? -nanos : nanos, format }
}

/** Kubernetes keeps nano precision and rounds what is finer away from zero. */
function ceilDivide(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by
}

const nano = 10n ** 9n

/**
 * Canonical text of a quantity (`1000m` -> `1`, `1024Mi` -> `1Gi`, `1.5Gi` -> `1536Mi`, number 2 -> `2`), or `undefined`
 * when it is none.
 */
export function canonicalQuantity(value: unknown): string | undefined {
  const quantity = typeof value === 'number' || typeof value === 'string' ? parse(String(value)) : undefined
  if (quantity === undefined) return undefined
  if (quantity.nanos === 0n) return '0'
  const small = quantity.nanos > -1024n * nano && quantity.nanos < 1024n * nano
  if (quantity.format === 'binary' && !small && quantity.nanos % nano === 0n) return inBase1024(quantity.nanos / nano)
  return inBase1000(quantity.nanos, quantity.format === 'exponent')
}

function inBase1024(value: bigint): string {
  let power = 0
  while (value % 1024n === 0n && power < binary.length - 1) {
    value /= 1024n
    power++
  }
  return `${value}${binary[power] ?? ''}`
}

function inBase1000(nanos: bigint, exponentForm: boolean): string {
  let exponent = -9
  while (nanos % 1000n === 0n && (exponentForm || exponent < 18)) {
    nanos /= 1000n
    exponent += 3
  }
  if (!exponentForm) return `${nanos}${decimalSuffix.get(exponent) ?? ''}`
  return exponent === 0 ? `${nanos}` : `${nanos}e${exponent}`
}

/** The amount in whole units, rounded up, for comparing sizes; `undefined` when the text is no quantity. */
export function quantityValue(value: unknown): bigint | undefined {
  const quantity = typeof value === 'number' || typeof value === 'string' ? parse(String(value)) : undefined
  return quantity === undefined ? undefined : ceilDivide(quantity.nanos, nano)
}
