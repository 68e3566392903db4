import closeWithGrace from 'close-with-grace'
import type { FastifyPluginAsync } from 'fastify'
import { readSettings, SettingsError, withEnvFile, type Environment } from './environment.ts'
import { kaspr } from './kaspr/index.ts'
import { createLogger } from './logging.ts'
import { rollout } from './rollout/index.ts'
import { buildServer } from './server.ts'
import { hookSettings } from './settings.ts'

/** The systems that this service is made of. */
const systems: readonly FastifyPluginAsync[] = [kaspr, rollout]

/**
 * Runs the hook service until SIGTERM or SIGINT: then running calls finish, new ones get 503, and the process exits with
 * code 0. An error that nobody caught ends it the same way with code 1, for the container to be restarted.
 *
 * @param hooks other plugins than the service's own, for tests
 * @returns when it listens
 * @throws SettingsError for wrong settings, a port in use or unusable certificates
 */
export async function serve(env: Environment, hooks: readonly FastifyPluginAsync[] = systems): Promise<void> {
  const settings = readSettings(hookSettings, withEnvFile(env))
  const logger = createLogger(settings.LOG_LEVEL)
  const app = await buildServer({ settings, hooks, logger })
  // Before it listens: who sees it listening may end it. Calls end within SHUTDOWN_SECONDS (server.ts); this is the net below.
  const grace = closeWithGrace({ delay: settings.SHUTDOWN_SECONDS * 1000 + 5000, logger }, async ({ signal, err }) => {
    if (err === undefined) logger.info({ signal }, 'shutting down')
    else logger.fatal({ err }, 'shutting down after an error that nobody caught')
    await app.close()
  })
  try {
    await app.listen({ host: settings.HOST, port: settings.PORT })
  } catch (error) {
    grace.uninstall()
    await app.close()
    throw listenProblem(error, settings)
  }
}

/** A socket that cannot be had, in terms of the settings that ask for it. */
function listenProblem(error: unknown, { HOST, PORT }: { HOST: string; PORT: number }): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'EADDRINUSE':
      return new SettingsError([{ variable: 'PORT', given: String(PORT), accepted: `a port that is free on ${HOST}` }])
    case 'EACCES':
      return new SettingsError([{ variable: 'PORT', given: String(PORT), accepted: 'a port that this user may open' }])
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new SettingsError([{ variable: 'HOST', given: HOST, accepted: 'an address of this machine' }])
    default:
      return error
  }
}
