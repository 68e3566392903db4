import { isMap } from '../../webhooks/contract/objects.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'

/** The selector of a set as the API takes it in a query. */
export function selectorText({ spec }: KubeObject): string {
  const selector = isMap(spec) && isMap(spec['selector']) ? spec['selector'] : {}
  const { matchLabels, matchExpressions } = selector as { matchLabels?: unknown; matchExpressions?: unknown }
  const equal = isMap(matchLabels) ? Object.entries(matchLabels).map(([key, value]) => `${key}=${String(value)}`) : []
  const expressions = Array.isArray(matchExpressions) ? matchExpressions.filter(isMap).map(expressionText) : []
  return [...equal, ...expressions].join(',')
}

function expressionText({ key, operator, values }: Record<string, unknown>): string {
  const name = String(key)
  const list = Array.isArray(values) ? values.join(',') : ''
  switch (operator) {
    case 'In':
      return `${name} in (${list})`
    case 'NotIn':
      return `${name} notin (${list})`
    case 'DoesNotExist':
      return `!${name}`
    default:
      return name
  }
}
