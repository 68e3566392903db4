import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { schemas, type SchemaId } from './contract/schemas.ts'

/** What the OpenAPI document says about a route. */
export interface RouteDocs {
  summary: string
  request?: SchemaId
  /** The answer with status 200: one of the protocol's schemas, or plain text. */
  answer?: SchemaId
  /** Answered to who shows no valid token or certificate. */
  guarded?: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    docs?: RouteDocs
  }
}

/**
 * Makes `app.swagger()` describe the routes. They carry their description in `config.docs`, not in `schema`: a schema
 * for answers would make Fastify drop the fields of manifests that it does not declare.
 *
 * Register before the routes.
 */
export async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  for (const schema of schemas) app.addSchema(schema)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'kaspr-metacontroller hooks',
        version,
        description:
          'Webhooks for Metacontroller (protocol version v2), health and metrics. With TLS_CLIENT_CA set, hook calls need a client certificate.',
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'Needed if HOOK_TOKEN is set.' },
        },
      },
    },
    refResolver: { buildLocalReference: ({ $id }) => (typeof $id === 'string' ? $id : 'unnamed') },
    transform: ({ url, route }) => ({ url, schema: described(route.config?.docs) }),
  })
}

function described(docs: RouteDocs | undefined): FastifySchema {
  if (docs === undefined) return { hide: true }
  const { summary, request, answer, guarded } = docs
  const content = { 'application/json': { schema: { $ref: 'ErrorResponse#' } } }
  const errors = guarded ? [400, 401, 413, 415, 429, 500, 503] : [503]
  return {
    summary,
    ...(answer === undefined ? { produces: ['text/plain'] } : {}),
    ...(guarded ? { security: [{}, { token: [] }] } : {}),
    ...(request === undefined ? {} : { body: { $ref: `${request}#` } }),
    response: {
      200:
        answer === undefined ? { description: summary, type: 'string' } : { description: summary, $ref: `${answer}#` },
      ...Object.fromEntries(errors.map((code) => [code, { description: 'Error', content }])),
    },
  }
}
