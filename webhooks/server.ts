import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyServerOptions,
} from 'fastify'
import type { Registry } from 'prom-client'
import { guardCalls } from './calls.ts'
import { errorHandler, sendError } from './errors.ts'
import { registerOpenApi } from './openapi.ts'
import { registerOperations } from './operations.ts'
import { RunningCalls } from './running-calls.ts'
import { CallSensing } from './sensors/call-sensing.ts'
import { createSensors } from './sensors/prometheus.ts'
import type { PartialSensor } from './sensors/sensor.ts'
import type { HookSettings } from './settings.ts'
import { followTls, readTls } from './tls.ts'
import { packageVersion } from './version.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What hooks are given besides their requests. */
    hookService: { settings: HookSettings; now: () => Date; sensing: CallSensing }
  }
}

/** What a hook server is made of. */
export interface HookServerOptions {
  settings: HookSettings
  /** One plugin per system; each registers its hooks (hooks.ts). */
  hooks: readonly FastifyPluginAsync[]
  logger: FastifyBaseLogger
  /** The clock that hooks see, for tests. */
  now?: () => Date
  /** Milliseconds that only go forward, for tests. */
  ticks?: () => number
  /** Sensors beside the Prometheus sensor. */
  sensors?: readonly PartialSensor[]
}

/**
 * Builds the hook service: hooks behind one guard, health, metrics and OpenAPI document beside them. It does not listen
 * yet.
 *
 * @throws SettingsError if the files of the TLS settings are unusable
 */
export async function buildServer(options: HookServerOptions): Promise<FastifyInstance> {
  const { settings, hooks, logger, now = () => new Date() } = options
  const app = Fastify(serverOptions(settings, logger))
  const calls = new RunningCalls(settings.HOOK_CALLS_MAX)
  app.decorateRequest('call', null)
  // Metacontroller sends JSON and nothing else.
  app.removeContentTypeParser('text/plain')
  app.setErrorHandler(errorHandler(settings))
  app.setNotFoundHandler((request, reply) => {
    sendError(reply, 404, `${request.method} ${request.url.slice(0, 200)}: not here; hooks are called with POST`)
  })

  await registerOpenApi(app, packageVersion())
  const metrics = registerOperations(app, calls)
  const sensing = senseCalls(options, metrics.registry)
  app.decorate('hookService', { settings, now, sensing })
  await app.register(async (scope) => {
    guardCalls(scope, { settings, calls, metrics, sensing })
    for (const plugin of hooks) await scope.register(plugin)
  })

  if (app.server instanceof HttpsServer) {
    const unfollow = followTls(app.server, settings, logger)
    app.addHook('onClose', unfollow)
  }
  // Runs while the socket still listens, so that new calls get a 503 and not a refused connection.
  app.addHook('preClose', async () => {
    await calls.drain(settings.SHUTDOWN_SECONDS * 1000)
    // Idle connections are closed by Fastify. What is left then is half-open or stuck.
    setTimeout(() => app.server.closeAllConnections(), 1000).unref()
  })
  return app
}

function senseCalls({ settings, logger, ticks, sensors = [] }: HookServerOptions, registry: Registry): CallSensing {
  const clock = ticks ?? (() => performance.now())
  const detail = settings.METRICS_DETAIL
  const sensor = createSensors({ registry, process: 'serve', detail, logger, ticks: clock })
  for (const further of sensors) sensor.add(further)
  return new CallSensing({ sensor, registry, ticks: clock })
}

/**
 * Fastify's defaults suit public JSON APIs. A hook service has one trusted caller that sends large objects of which every
 * key and value counts, so each default is decided here. test/webhooks/server.test.ts shows what the refused ones do.
 */
function serverOptions(settings: HookSettings, logger: FastifyBaseLogger): FastifyServerOptions {
  const sockets = {
    // Default 72 s. Go's client keeps idle connections for 90 s, and it must be the one who closes: otherwise a call
    // that is just being written meets a closed socket.
    keepAliveTimeout: 100_000,
    // Default none. These end sockets that trickle; hook calls have their own, shorter deadline.
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: 5_000,
  }
  const tls = readTls(settings)
  return {
    // HTTP/1.1 only, as Metacontroller speaks it.
    serverFactory: (handler) =>
      tls === undefined ? createHttpServer(sockets, handler) : createHttpsServer({ ...sockets, ...tls }, handler),
    // Default 1 MiB. A parent with many children is larger.
    bodyLimit: settings.BODY_LIMIT_BYTES,
    // Default `error`. `__proto__` and `constructor` are legal keys of a ConfigMap; only own properties are read.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    // Default: "3" becomes 3, unknown fields are deleted, defaults filled in. Requests stay as they came.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false } },
    // Callers' addresses are not used.
    trustProxy: false,
    // Default. Running calls finish while new ones get 503, and no idle connection holds up the end.
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    // Default: an object of Fastify's own form.
    frameworkErrors: ({ statusCode, message }, _request, reply) => sendError(reply, statusCode ?? 400, message),
    loggerInstance: logger,
    // Default: two lines per call, without the parent's name, from a logger made for each. calls.ts writes one.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (parent) => parent,
  }
}
