/** Components of the CRD schemas: mostly ones that can be rendered. */
import fc from 'fast-check'
import { kasprAgentSpecSchema } from '../../crds/types/kaspragent.ts'
import { kasprJoinSpecSchema } from '../../crds/types/kasprjoin.ts'
import { kasprTableSpecSchema } from '../../crds/types/kasprtable.ts'
import { kasprTaskSpecSchema } from '../../crds/types/kasprtask.ts'
import { kasprWebViewSpecSchema } from '../../crds/types/kasprwebview.ts'
import type { KubeObject } from '../../webhooks/contract/types.ts'
import { componentKinds } from '../../webhooks/kaspr/components/kinds.ts'
import type { ComponentKind } from '../../webhooks/kaspr/components/kinds.ts'
import { mostly, of } from './arbitrary-values.ts'
import { schemaArbitrary } from './schema-arbitrary.ts'

/** Schemas of the component kinds. */
export const componentSchemas: Record<ComponentKind['kind'], object> = {
  KasprAgent: kasprAgentSpecSchema,
  KasprWebView: kasprWebViewSpecSchema,
  KasprTable: kasprTableSpecSchema,
  KasprTask: kasprTaskSpecSchema,
  KasprJoin: kasprJoinSpecSchema,
}

/** A component of that spec as the API server stores it. */
export function componentOf(kind: string, called: string, spec: unknown, app = 'orders'): KubeObject {
  return {
    apiVersion: 'kaspr.io/v1alpha1',
    kind,
    metadata: {
      name: called,
      namespace: 'shop',
      uid: `uid-${kind}-${called}`,
      generation: 1,
      labels: { 'kaspr.io/app': app },
    },
    spec,
  }
}

/** Sets of components of the app `orders`, a few of another, with names that are unique for each kind. */
export const componentSets: fc.Arbitrary<KubeObject[]> = fc
  .array(fc.oneof(...componentKinds.map(({ kind }) => componentArbitrary(kind))), {
    maxLength: 5,
  })
  .map((components) => [
    ...new Map(components.map((component) => [`${component.kind} ${component.metadata.name}`, component])).values(),
  ])

/** Specs of components of a kind that its schema accepts, and mostly its rules too; with a field, if one is given. */
export function componentSpecs(kind: ComponentKind['kind'], field?: readonly string[]): fc.Arbitrary<unknown> {
  return schemaArbitrary(componentSchemas[kind], {
    present: (place) => (field !== undefined && place.every((key, index) => key === field[index]) ? 1 : 0.4),
    // Most tables that are named exist.
    at: (place) =>
      /(leftTable|rightTable|tables\.\[\]\.name)$/.test(place.join('.')) ? of('t1', 't2', 't3') : undefined,
  })
}

function componentArbitrary(kind: ComponentKind['kind']): fc.Arbitrary<KubeObject> {
  const called = kind === 'KasprTable' ? of('t1', 't2', 't3') : of('a', 'b', 'orders')
  const app = mostly(['orders'], ['other'])
  return fc
    .tuple(called, componentSpecs(kind), app)
    .map(([own, content, owner]) => componentOf(kind, own, content, owner))
}
