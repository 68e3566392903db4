import type { KasprAppSpec } from '../../crds/types/kasprapp.ts'
import type { Problem } from '../contract/validate.ts'
import { each, unless } from './problem-lists.ts'
import { labelKeyProblems } from './label-keys.ts'

type Pod = NonNullable<NonNullable<KasprAppSpec['template']>['pod']>
type PodAffinity = NonNullable<NonNullable<Pod['affinity']>['podAffinity']>
type PodTerm = NonNullable<PodAffinity['requiredDuringSchedulingIgnoredDuringExecution']>[number]
type Selector = NonNullable<PodTerm['labelSelector']>
type Expression = { key: string; operator: string; values?: string[] }

/**
 * Rules of the pod API about where pods may run that tie several fields together (k8s.io/kubernetes 1.36,
 * pkg/apis/core/validation); what concerns one field is in the schema.
 */
export function schedulingProblems(pod: Pod): Problem[] {
  const at = 'spec.template.pod'
  return [
    ...labelKeyProblems(pod.nodeSelector, `${at}.nodeSelector`),
    ...each(pod.tolerations, `${at}.tolerations`, tolerationProblems),
    ...spreadProblems(pod.topologySpreadConstraints ?? [], `${at}.topologySpreadConstraints`),
    ...nodeAffinityProblems(pod.affinity?.nodeAffinity ?? {}, `${at}.affinity.nodeAffinity`),
    ...podAffinityProblems(pod.affinity?.podAffinity, `${at}.affinity.podAffinity`),
    ...podAffinityProblems(pod.affinity?.podAntiAffinity, `${at}.affinity.podAntiAffinity`),
  ]
}

function tolerationProblems(
  { key = '', operator = '', value = '', effect = '', tolerationSeconds }: NonNullable<Pod['tolerations']>[number],
  field: string,
): Problem[] {
  const equal = operator === '' || operator === 'Equal'
  return [
    ...unless(key !== '' || operator === 'Exists', `${field}.operator`, operator, 'Exists, without a key'),
    ...unless(operator !== 'Exists' || value === '', `${field}.value`, value, 'none with the operator Exists'),
    ...unless(!equal || isLabelValue(value), `${field}.value`, value, acceptedLabelValue),
    ...unless(
      (operator !== 'Gt' && operator !== 'Lt') || /^(0|-?[1-9]\d{0,17})$/.test(value),
      `${field}.value`,
      value,
      `a whole number with the operator ${operator}`,
    ),
    ...unless(
      tolerationSeconds === undefined || effect === 'NoExecute',
      `${field}.tolerationSeconds`,
      tolerationSeconds,
      'none unless effect is NoExecute',
    ),
  ]
}

function spreadProblems(constraints: NonNullable<Pod['topologySpreadConstraints']>, list: string): Problem[] {
  const seen = new Set<string>()
  return each(constraints, list, (constraint, field) => {
    const { minDomains, whenUnsatisfiable, topologyKey } = constraint
    const kind = `${topologyKey} and ${whenUnsatisfiable}`
    const isNew = !seen.has(kind)
    seen.add(kind)
    return [
      ...unless(
        minDomains === undefined || whenUnsatisfiable === 'DoNotSchedule',
        `${field}.minDomains`,
        minDomains,
        'none unless whenUnsatisfiable is DoNotSchedule',
      ),
      ...unless(isNew, field, kind, 'one constraint for each topologyKey and whenUnsatisfiable'),
      ...selectorProblems(constraint.labelSelector, `${field}.labelSelector`),
      ...labelKeyListProblems(constraint, field),
    ]
  })
}

function nodeAffinityProblems(
  {
    preferredDuringSchedulingIgnoredDuringExecution: preferred,
    requiredDuringSchedulingIgnoredDuringExecution: required,
  }: NonNullable<NonNullable<Pod['affinity']>['nodeAffinity']>,
  field: string,
): Problem[] {
  const termProblems = ({ matchExpressions }: { matchExpressions?: Expression[] }, at: string): Problem[] =>
    each(matchExpressions, `${at}.matchExpressions`, expressionProblems)
  return [
    ...each(preferred, `${field}.preferredDuringSchedulingIgnoredDuringExecution`, ({ preference }, at) =>
      termProblems(preference, `${at}.preference`),
    ),
    ...each(
      required?.nodeSelectorTerms,
      `${field}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`,
      termProblems,
    ),
  ]
}

function podAffinityProblems(affinity: PodAffinity | undefined, field: string): Problem[] {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution
  return [
    ...each(required, `${field}.requiredDuringSchedulingIgnoredDuringExecution`, podTermProblems),
    ...each(preferred, `${field}.preferredDuringSchedulingIgnoredDuringExecution`, ({ podAffinityTerm }, at) =>
      podTermProblems(podAffinityTerm, `${at}.podAffinityTerm`),
    ),
  ]
}

function podTermProblems(term: PodTerm, field: string): Problem[] {
  return [
    ...selectorProblems(term.labelSelector, `${field}.labelSelector`),
    ...selectorProblems(term.namespaceSelector, `${field}.namespaceSelector`),
    ...labelKeyListProblems(term, field),
  ]
}

/** Label keys whose values are taken from the pod narrow a selector down: there must be one, and each key counts once. */
function labelKeyListProblems(
  {
    matchLabelKeys = [],
    mismatchLabelKeys = [],
    labelSelector,
  }: Pick<PodTerm, 'matchLabelKeys' | 'mismatchLabelKeys' | 'labelSelector'>,
  field: string,
): Problem[] {
  const selected = [
    ...Object.keys(labelSelector?.matchLabels ?? {}),
    ...(labelSelector?.matchExpressions ?? []).map(({ key }) => key),
  ]
  const listed = (list: 'matchLabelKeys' | 'mismatchLabelKeys', keys: string[]): Problem[] =>
    unless(
      keys.length === 0 || labelSelector !== undefined,
      `${field}.${list}`,
      keys,
      'none unless there is a labelSelector',
    )
  return [
    ...listed('matchLabelKeys', matchLabelKeys),
    ...listed('mismatchLabelKeys', mismatchLabelKeys),
    ...each(matchLabelKeys, `${field}.matchLabelKeys`, (key, at) =>
      unless(
        !mismatchLabelKeys.includes(key) && !selected.includes(key),
        at,
        key,
        'one that is neither in mismatchLabelKeys nor in labelSelector',
      ),
    ),
  ]
}

function selectorProblems(selector: Selector | undefined, field: string): Problem[] {
  return [
    ...labelKeyProblems(selector?.matchLabels, `${field}.matchLabels`),
    ...each(selector?.matchExpressions, `${field}.matchExpressions`, expressionProblems),
  ]
}

const acceptedValues: Record<string, string> = {
  In: 'one value or more with the operator In',
  NotIn: 'one value or more with the operator NotIn',
  Exists: 'none with the operator Exists',
  DoesNotExist: 'none with the operator DoesNotExist',
  Gt: 'exactly one with the operator Gt',
  Lt: 'exactly one with the operator Lt',
}

function expressionProblems({ operator, values = [] }: Expression, field: string): Problem[] {
  const fits =
    operator === 'In' || operator === 'NotIn'
      ? values.length > 0
      : operator === 'Gt' || operator === 'Lt'
        ? values.length === 1
        : values.length === 0
  return unless(fits, `${field}.values`, values, acceptedValues[operator] ?? '')
}

const acceptedLabelValue = 'the value of a label: letters, digits, ".", "_" and "-", 63 characters at most'

function isLabelValue(text: string): boolean {
  return text.length <= 63 && /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(text)
}
