import { own } from '../contract/objects.ts'
import type { KasprAppSpec } from '../../crds/types/kasprapp.ts'
import { canonicalQuantity, quantityValue } from '../contract/quantity.ts'
import { type Problem, shown } from '../contract/validate.ts'
import { unless } from './problem-lists.ts'

type Quantities = Record<string, number | string>

/** Resources of a container, as the spec has them. */
export interface Resources {
  limits?: Quantities
  requests?: Quantities
}

const acceptedQuantity = 'a quantity such as 500m, 2 or 10Gi'
const acceptedName = 'cpu, memory, ephemeral-storage, hugepages-<size> or a name with a domain such as example.com/gpu'
const subdomain = '[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*'
const extended = new RegExp(`^(?!requests[.])${subdomain}/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)

/** What the pod API refuses of the resources of a container. */
export function resourceProblems(resources: Resources | undefined, field: string): Problem[] {
  const { limits = {}, requests = {} } = resources ?? {}
  const names = [...new Set([...Object.keys(limits), ...Object.keys(requests)])]
  const pages = names.filter(isHugePage)
  return [
    ...amountProblems(limits, `${field}.limits`),
    ...amountProblems(requests, `${field}.requests`),
    ...names.flatMap((name) => pairProblems(name, own(limits, name), own(requests, name), field)),
    ...unless(
      pages.length === 0 || names.includes('cpu') || names.includes('memory'),
      field,
      pages.join(' and '),
      'huge pages together with cpu or memory',
    ),
  ]
}

function amountProblems(amounts: Quantities, field: string): Problem[] {
  return Object.entries(amounts).flatMap(([name, amount]) => {
    const at = `${field}.${name}`
    if (!isResource(name)) return [{ field, value: shown(name), accepted: acceptedName }]
    const text = canonicalQuantity(amount)
    if (text === undefined || text.startsWith('-')) return unless(false, at, amount, acceptedQuantity)
    const whole = !/[num]$/.test(text)
    const size = quantityValue(text) ?? 0n
    return [
      ...unless(whole || !name.includes('/'), at, amount, 'a whole number'),
      ...unless(
        !isHugePage(name) || (whole && size % pageBytes(name) === 0n),
        at,
        amount,
        `a multiple of ${name.slice(pagePrefix.length)}`,
      ),
    ]
  })
}

/** A request is at most its limit; of what cannot be shared, exactly. */
function pairProblems(
  name: string,
  limit: number | string | undefined,
  request: number | string | undefined,
  field: string,
): Problem[] {
  const at = `${field}.requests.${name}`
  if (request === undefined || !isResource(name)) return []
  const exact = name.includes('/') || isHugePage(name)
  if (limit === undefined) return unless(!exact, at, request, `requests that have a limit, in ${field}.limits.${name}`)
  const [amount, bound] = [milli(request), milli(limit)]
  if (amount === undefined || bound === undefined) return []
  return exact
    ? unless(amount === bound, at, request, `exactly the limit ${limit}`)
    : unless(amount <= bound, at, request, `at most the limit ${limit}`)
}

/** Device claims that the pod does not have, or that are named twice. */
export function deviceProblems({ resources, template }: KasprAppSpec): Problem[] {
  const claims = (template?.pod?.resourceClaims ?? []).map(({ name }) => name)
  const used = resources?.claims ?? []
  const same = used.map(({ name, request = '' }) => `${name} ${request}`)
  return used.flatMap(({ name }, index) => [
    ...unless(
      claims.includes(name),
      `spec.resources.claims[${index}].name`,
      name,
      'a name of spec.template.pod.resourceClaims',
    ),
    ...unless(
      same.indexOf(same[index] ?? '') === index && (used[index]?.request === undefined || !whole(used, name)),
      `spec.resources.claims[${index}]`,
      name,
      'each claim once, or each of its requests once',
    ),
  ])
}

/** Whether a claim is used as a whole. */
function whole(used: readonly { name: string; request?: string }[], name: string): boolean {
  return used.some((other) => other.name === name && other.request === undefined)
}

const pagePrefix = 'hugepages-'

function isHugePage(name: string): boolean {
  return name.startsWith(pagePrefix) && (quantityValue(name.slice(pagePrefix.length)) ?? 0n) > 0n
}

function pageBytes(name: string): bigint {
  return quantityValue(name.slice(pagePrefix.length)) ?? 1n
}

function isResource(name: string): boolean {
  return ['cpu', 'memory', 'ephemeral-storage'].includes(name) || isHugePage(name) || extended.test(name)
}

/** In thousandths: processors are counted in them. */
function milli(value: unknown): bigint | undefined {
  const text = canonicalQuantity(value)
  if (text === undefined) return undefined
  return text.endsWith('m') ? BigInt(text.slice(0, -1)) : (quantityValue(text) ?? 0n) * 1000n
}
