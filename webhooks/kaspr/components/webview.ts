import type { KasprWebViewSpec } from '../../../crds/types/kasprwebview.ts'
import { type Problem, shown } from '../../contract/validate.ts'
import { processorsProblems } from './block-problems.ts'
import { type Code, code, optional, processors, strings } from './blocks.ts'
import type { Definition } from './definition-file.ts'

type Response = NonNullable<KasprWebViewSpec['response']>

/** Code for a part of the answer, after success and after an error. */
interface Selector {
  onSuccess?: Code
  onError?: Code
}

/** What the runtime would refuse of a webview that its schema lets through: a refused file stops every pod of the app. */
export function webviewProblems({ response = {}, processors }: KasprWebViewSpec): Problem[] {
  const { statusCode, statusCodeSelector, headers = {}, headersSelector } = response
  return [
    ...(statusCode === undefined || statusCodeSelector === undefined
      ? []
      : [either('statusCode', statusCode, 'statusCodeSelector')]),
    ...(Object.keys(headers).length === 0 || headersSelector === undefined
      ? []
      : [either('headers', headers, 'headersSelector')]),
    ...(['bodySelector', 'statusCodeSelector', 'headersSelector'] as const).flatMap((part) =>
      selectorProblems(`spec.response.${part}`, response[part]),
    ),
    ...processorsProblems(processors),
  ]
}

function either(field: string, value: unknown, selector: string): Problem {
  return {
    field: `spec.response.${field}`,
    value: shown(value),
    accepted: `one of ${field} and ${selector}, not both`,
  }
}

function selectorProblems(field: string, selector: Selector | undefined): Problem[] {
  if (selector === undefined || selector.onSuccess !== undefined || selector.onError !== undefined) return []
  return [{ field, value: '{}', accepted: 'onSuccess, onError or both' }]
}

/** The runtime's definition of a webview called `name`. */
export function webviewDefinition(name: string, spec: KasprWebViewSpec): Record<string, Definition> {
  return optional({
    name,
    description: spec.description,
    request: { method: spec.request.method, path: spec.request.path },
    response: spec.response && responseDefinition(spec.response),
    processors: processors(spec.processors),
  })
}

function responseDefinition(response: Response): Definition {
  return optional({
    content_type: response.contentType,
    status_code: response.statusCode,
    headers: strings(response.headers),
    body_selector: selector(response.bodySelector),
    status_code_selector: selector(response.statusCodeSelector),
    headers_selector: selector(response.headersSelector),
  })
}

function selector(value: Selector | undefined): Definition | undefined {
  return value && optional({ on_success: code(value.onSuccess), on_error: code(value.onError) })
}
