import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { objectsOf, type KindRule } from '../../webhooks/contract/request.ts'
import type {
  CompositeRequest,
  CompositeResponse,
  CustomizeResponse,
  FinalizeResponse,
  KubeObject,
  ObjectMap,
} from '../../webhooks/contract/types.ts'
import { readSettings, type Environment } from '../../webhooks/environment.ts'
import { registerComposite, type HookContext } from '../../webhooks/hooks.ts'
import { createLogger } from '../../webhooks/logging.ts'
import { buildServer } from '../../webhooks/server.ts'
import { hookSettings } from '../../webhooks/settings.ts'

/** A small system with every kind of hook. Its parents' `spec` tells the hooks what to do; see `LabSpec`. */
export const lab: FastifyPluginAsync = async (app) => {
  await Promise.resolve()
  registerComposite(app, {
    resource: 'labs',
    apiVersion: 'lab.dev/v1',
    kind: 'Lab',
    childRules: [configMaps, statefulSets],
    relatedRules: [parts],
    sync,
    finalize: (request, context): FinalizeResponse => ({
      ...sync(request, context),
      children: [],
      finalized: objectsOf(request.children, configMaps).size === 0,
    }),
    customize: ({ parent }): CustomizeResponse => {
      const { wants } = specOf(parent)
      return {
        relatedResources: wants === undefined ? [] : [{ apiVersion: 'lab.dev/v1', resource: 'parts', names: wants }],
      }
    },
  })
}

/** How often the sync hook of any lab ran, by parent name. */
export const runs = new Map<string, number>()

interface LabSpec {
  /** Thrown as an error. */
  fail?: string
  /** How long the hook holds the thread, without using it. */
  blockMs?: number
  /** Answered as it is. */
  answer?: unknown
  /** Names of parts to ask for. */
  wants?: string[]
}

const configMaps: KindRule = { apiVersion: 'v1', kind: 'ConfigMap' }
const statefulSets: KindRule = { apiVersion: 'apps/v1', kind: 'StatefulSet' }
const parts: KindRule = { apiVersion: 'lab.dev/v1', kind: 'Part' }

function specOf(parent: KubeObject): LabSpec {
  return parent['spec'] ?? {}
}

function sync({ parent, children, related }: CompositeRequest, { now }: HookContext): CompositeResponse {
  const { name, namespace } = parent.metadata
  const spec = specOf(parent)
  runs.set(name, (runs.get(name) ?? 0) + 1)
  if (spec.blockMs !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, spec.blockMs)
  if (spec.fail !== undefined) throw new Error(spec.fail)
  if (spec.answer !== undefined) return spec.answer as CompositeResponse
  const observed = [configMaps, statefulSets].flatMap((rule) => [...objectsOf(children, rule).keys()])
  const data = Object.fromEntries(
    [...objectsOf(related, parts)].flatMap(([, part]) => Object.entries(part['data'] ?? {})),
  )
  const metadata = { name: `${name}-config`, ...(namespace === undefined ? {} : { namespace }) }
  return {
    status: { observed, minute: `${now.toISOString().slice(0, 16)}:00Z`, ms: now.getMilliseconds() },
    children: [{ ...configMaps, metadata, data }],
  }
}

/** A parent of the lab. */
export function labParent(spec: LabSpec = {}, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  const identity = { name: 'one', namespace: 'lab', uid: '0f1e', generation: 1, ...metadata }
  return { apiVersion: 'lab.dev/v1', kind: 'Lab', metadata: identity, spec }
}

/** A complete request with nothing observed, changed by what is given. */
export function labRequest(changes: Partial<CompositeRequest> = {}): CompositeRequest {
  return {
    controller: {
      apiVersion: 'metacontroller.k8s.io/v1alpha1',
      kind: 'CompositeController',
      metadata: { name: 'labs' },
    },
    parent: labParent(),
    children: { 'ConfigMap.v1': {}, 'StatefulSet.apps/v1': {} },
    related: { 'Part.lab.dev/v1': {} },
    finalizing: false,
    ...changes,
  }
}

/** A group of objects, keyed as protocol version v2 does, or v1. */
export function group(objects: readonly KubeObject[], version: 'v1' | 'v2' = 'v2'): ObjectMap[string] {
  return Object.fromEntries(
    objects.map((object) => {
      const { name, namespace = '' } = object.metadata
      return [version === 'v1' ? name : `${namespace}/${name}`, object]
    }),
  )
}

/** A server with the lab's hooks, and what it logs. */
export async function labServer(
  env: Environment = {},
  now?: () => Date,
): Promise<{ app: FastifyInstance; log: Record<string, unknown>[] }> {
  const log: Record<string, unknown>[] = []
  const write = (line: string): void => void log.push(JSON.parse(line) as Record<string, unknown>)
  const settings = readSettings(hookSettings, { LOG_LEVEL: 'debug', ...env })
  const logger = createLogger(settings.LOG_LEVEL, { write })
  const app = await buildServer({ settings, hooks: [lab], logger, ...(now === undefined ? {} : { now }) })
  return { app, log }
}
