import { type ConditionDraft, conditions } from '../../contract/conditions.ts'
import { freeze } from '../../contract/freeze.ts'
import { objectNamed } from '../../contract/objects.ts'
import { objectsOf } from '../../contract/request.ts'
import type { CompositeRequest, CompositeResponse, KubeObject } from '../../contract/types.ts'
import { type Problem, problemText } from '../../contract/validate.ts'
import { appLabel } from '../names.ts'
import type { ComponentKind } from './kinds.ts'
import { type RenderedComponent, dataHash, renderComponent } from './render.ts'

export const configMapRule = { apiVersion: 'v1', kind: 'ConfigMap' }

/**
 * Sync of a component: one ConfigMap with its definition, and a status that says what the cluster holds. The app mounts
 * the file only once `status.hash`, taken from the *observed* ConfigMap, is the hash of what the spec renders to.
 */
export function syncComponent(kind: ComponentKind, request: CompositeRequest, now: Date): CompositeResponse {
  const { parent } = request
  const rendered = withLabelCheck(parent, renderComponent(kind, parent))
  if (!rendered.valid) return invalid(request, rendered.problems, now)

  const observed = objectNamed(request.children, configMapRule, rendered.configMap)
  const hash = observed === undefined ? undefined : dataHash(observed['data'])
  return {
    children: [configMap(kind, parent, rendered)],
    status: {
      configMap: rendered.configMap,
      ...(hash === undefined ? {} : { hash }),
      // Whether they exist is for the app to say: a component sees nothing but itself.
      ...Object.fromEntries(rendered.links.tables.map(({ field, name }) => [field, { name }])),
      conditions: statusConditions(parent, now, [
        { type: 'Valid', status: 'True', reason: 'SpecAccepted', message: 'The spec can be rendered' },
        readyCondition(rendered, observed !== undefined, hash),
      ]),
    },
  }
}

function readyCondition(
  rendered: RenderedComponent & { valid: true },
  exists: boolean,
  hash: string | undefined,
): ConditionDraft {
  if (hash === rendered.hash) {
    return {
      type: 'Ready',
      status: 'True',
      reason: 'DefinitionCurrent',
      message: `ConfigMap ${rendered.configMap} holds the definition`,
    }
  }
  const message = exists
    ? `Waiting for ConfigMap ${rendered.configMap} to hold the definition`
    : `Waiting for ConfigMap ${rendered.configMap}; if it does not appear, an object of that name belongs to somebody else`
  return { type: 'Ready', status: 'False', reason: exists ? 'DefinitionOutdated' : 'ConfigMapMissing', message }
}

/** A spec that cannot be rendered changes nothing: the observed ConfigMap stays as it is, and the status says why. */
function invalid({ parent, children }: CompositeRequest, problems: Problem[], now: Date): CompositeResponse {
  const observed = [...objectsOf(children, configMapRule).values()]
  const holding = observed[0]
  return {
    children: observed.map(freeze),
    status: {
      ...(holding === undefined ? {} : { configMap: holding.metadata.name, hash: dataHash(holding['data']) }),
      conditions: statusConditions(parent, now, [
        { type: 'Valid', status: 'False', reason: 'InvalidSpec', message: problems.map(problemText).join('; ') },
        {
          type: 'Ready',
          status: 'False',
          reason: 'InvalidSpec',
          message: 'The spec is invalid; the last valid definition stays as it is',
        },
      ]),
    },
  }
}

function withLabelCheck(parent: KubeObject, rendered: RenderedComponent): RenderedComponent {
  const problems = appLabelProblems(parent)
  if (problems.length === 0) return rendered
  return { valid: false, name: rendered.name, problems: [...problems, ...(rendered.valid ? [] : rendered.problems)] }
}

/** A problem unless the component names the app that it belongs to. */
export function appLabelProblems({ metadata }: KubeObject): Problem[] {
  const app = metadata.labels?.[appLabel]
  if (app !== undefined && app !== '') return []
  const accepted = 'the name of the KasprApp in this namespace that it belongs to'
  return [{ field: `metadata.labels["${appLabel}"]`, accepted }]
}

function statusConditions(parent: KubeObject, now: Date, drafts: ConditionDraft[]): unknown {
  const status = parent['status'] as { conditions?: unknown } | undefined
  return conditions(status?.conditions, drafts, parent.metadata.generation ?? 0, now)
}

/** Generated labels, then the component's own (they win), without the label that would make it part of the app's pods. */
function configMap(
  { kind }: ComponentKind,
  parent: KubeObject,
  rendered: RenderedComponent & { valid: true },
): KubeObject {
  const { name, namespace } = parent.metadata
  const labels: Record<string, string> = {
    'kaspr.io/kind': kind,
    'kaspr.io/name': rendered.configMap,
    'kaspr.io/component-type': kind,
    'app.kubernetes.io/name': kind,
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/part-of': `kaspr-${name}`,
    'app.kubernetes.io/managed-by': 'kaspr-operator',
    ...parent.metadata.labels,
  }
  delete labels['kaspr.io/cluster']
  return {
    ...configMapRule,
    metadata: { name: rendered.configMap, ...(namespace === undefined ? {} : { namespace }), labels },
    data: rendered.data,
  }
}
