import { own } from './objects.ts'

/** metav1.LabelSelector and its evaluation. */

export interface SelectorRequirement {
  key: string
  operator: string
  values?: string[]
}

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: SelectorRequirement[]
}

type Labels = Record<string, string> | undefined

function meets(labels: Labels, { key, operator, values = [] }: SelectorRequirement): boolean {
  const value = own(labels, key)
  const isOneOf = typeof value === 'string' && values.includes(value)
  switch (operator) {
    case 'In':
      return isOneOf
    case 'NotIn':
      return !isOneOf
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      throw new Error(`"${operator}" is not a valid label selector operator`)
  }
}

/** Whether labels (or annotations) match; an absent or empty selector matches everything. Throws on an unknown operator. */
export function matches(selector: LabelSelector | null | undefined, labels: Labels): boolean {
  const pairs = Object.entries(selector?.matchLabels ?? {})
  return (
    pairs.every(([key, value]) => own(labels, key) === value) &&
    (selector?.matchExpressions ?? []).every((requirement) => meets(labels, requirement))
  )
}

/** Whether the selector says anything at all. */
export function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0
}
