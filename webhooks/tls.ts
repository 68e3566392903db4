import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import type { FastifyBaseLogger } from 'fastify'
import { SettingsError, type SettingProblem } from './environment.ts'
import type { HookSettings } from './settings.ts'

const fileSettings = ['TLS_CERT', 'TLS_KEY', 'TLS_CLIENT_CA'] as const
const minVersion = 'TLSv1.2'

/**
 * TLS options from the files that the settings name, or undefined for plain HTTP.
 *
 * @throws SettingsError naming each file that cannot be read, or certificate and key if they do not belong together
 */
export function readTls(settings: HookSettings): TlsOptions | undefined {
  if (settings.TLS_CERT === undefined) return undefined
  return {
    ...readFiles(settings),
    minVersion,
    // Asked for, but required on hook routes only: see guard.ts.
    requestCert: settings.TLS_CLIENT_CA !== undefined,
    rejectUnauthorized: false,
  }
}

/**
 * Takes over renewed files while the server runs, as mounted Secrets are renewed in place. Files that do not fit
 * together are logged and the old ones stay.
 *
 * @param intervalMs how often the files are read; notifications of a file system do not reach across mounts and links
 * @returns stops looking
 */
export function followTls(
  server: { setSecureContext(options: SecureContextOptions): void },
  settings: HookSettings,
  log: FastifyBaseLogger,
  intervalMs = 60_000,
): () => void {
  let current = readFiles(settings)
  const timer = setInterval(() => {
    try {
      const files = readFiles(settings)
      if (isDeepStrictEqual(files, current)) return
      server.setSecureContext({ ...files, minVersion })
      current = files
      log.info('renewed certificates taken over')
    } catch (error) {
      log.error({ err: error }, 'renewed certificates are not usable, the old ones stay')
    }
  }, intervalMs).unref()
  return () => clearInterval(timer)
}

function readFiles(settings: HookSettings): SecureContextOptions {
  const problems: SettingProblem[] = []
  const given = fileSettings.flatMap((variable) => {
    const path = settings[variable]
    return path === undefined ? [] : [{ variable, path }]
  })
  const files = given.map(({ variable, path }): [variable: string, content: Buffer] => {
    try {
      return [variable, readFileSync(path)]
    } catch (error) {
      problems.push({ variable, given: JSON.stringify(path), accepted: `a file that can be read (${reason(error)})` })
      return [variable, Buffer.alloc(0)]
    }
  })
  if (problems.length > 0) throw new SettingsError(problems)

  const { TLS_CERT: cert, TLS_KEY: key, TLS_CLIENT_CA: ca } = Object.fromEntries(files)
  const context = { cert, key, ...(ca === undefined ? {} : { ca }) }
  try {
    createSecureContext(context)
    // OpenSSL takes a file without any authority in silence, and would then refuse every client.
    if (ca !== undefined) new X509Certificate(ca)
  } catch (error) {
    const accepted = `PEM files that fit together (${reason(error)})`
    throw new SettingsError(given.map(({ variable, path }) => ({ variable, given: JSON.stringify(path), accepted })))
  }
  return context
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
