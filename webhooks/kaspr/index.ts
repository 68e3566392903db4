import type { FastifyPluginAsync } from 'fastify'
import { type CompositeHooks, registerComposite } from '../hooks.ts'
import { customizeApp, finalizeApp, syncApp } from './app.ts'
import { childRules } from './child.ts'
import { componentKinds } from './components/kinds.ts'
import { configMapRule, syncComponent } from './components/sync.ts'
import { kasprApiVersion } from './names.ts'

const app: CompositeHooks = {
  resource: 'kasprapps',
  apiVersion: kasprApiVersion,
  kind: 'KasprApp',
  childRules: Object.values(childRules),
  relatedRules: componentKinds.map(({ kind }) => ({ apiVersion: kasprApiVersion, kind })),
  sync: syncApp,
  finalize: finalizeApp,
  customize: customizeApp,
}

const components = componentKinds.map((kind): CompositeHooks => ({
  resource: kind.resource,
  apiVersion: kasprApiVersion,
  kind: kind.kind,
  childRules: [configMapRule],
  sync: (request, { now }) => syncComponent(kind, request, now),
}))

/** Serves the hooks of Kaspr. */
export const kaspr: FastifyPluginAsync = async (app) => {
  for (const hooks of kasprHooks) registerComposite(app, hooks)
}

/** The hooks of Kaspr: one set for the app, one for each kind of component. */
export const kasprHooks: readonly CompositeHooks[] = [app, ...components]
