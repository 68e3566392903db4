import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import { SettingsError, type SettingProblem } from './environment.ts'
import type { FastifyBaseLogger } from 'fastify'
import type { HookSettings } from './settings.ts'

const fileSettings = ['TLS_CERT', 'TLS_KEY', 'TLS_CLIENT_CA'] as const

/**
 * TLS options from the files that the settings name, or undefined for plain HTTP.
 *
 * @throws SettingsError naming each file that cannot be read, or certificate and key if they do not belong together
 */
export function readTls(settings: HookSettings): TlsOptions | undefined {
  if (settings.TLS_CERT === undefined) return undefined
  return {
    ...readFiles(settings),
    minVersion: 'TLSv1.2',
    // Asked for, but required on hook routes only: see guard.ts.
    requestCert: settings.TLS_CLIENT_CA !== undefined,
    rejectUnauthorized: false,
  }
}

/**
 * Takes over renewed files while the server runs, as mounted Secrets are renewed in place. Files that do not fit
 * together are logged and the old ones stay.
 *
 * @param intervalMs how often the files are looked at
 * @returns stops watching
 */
export function followTls(
  server: { setSecureContext(options: SecureContextOptions): void },
  settings: HookSettings,
  log: FastifyBaseLogger,
  intervalMs = 60_000,
): () => void {
  const paths = fileSettings.map((name) => settings[name]).filter((path) => path !== undefined)
  const reload = (): void => {
    try {
      server.setSecureContext({ ...readFiles(settings), minVersion: 'TLSv1.2' })
      log.info('certificates reloaded')
    } catch (error) {
      log.error({ err: error }, 'renewed certificates are not usable, the old ones stay')
    }
  }
  for (const path of paths) watchFile(path, { interval: intervalMs, persistent: false }, reload)
  return () => paths.forEach((path) => unwatchFile(path, reload))
}

function readFiles(settings: HookSettings): SecureContextOptions {
  const problems: SettingProblem[] = []
  const [cert, key, ca] = fileSettings.map((variable) => {
    const path = settings[variable]
    if (path === undefined) return undefined
    try {
      return readFileSync(path)
    } catch (error) {
      problems.push(unusable(variable, path, error))
      return undefined
    }
  })
  if (problems.length > 0) throw new SettingsError(problems)
  const context = { cert, key, ...(ca === undefined ? {} : { ca }) }
  try {
    createSecureContext(context)
  } catch (error) {
    const accepted = `certificate, key and authorities that fit together (${reason(error)})`
    throw new SettingsError(
      fileSettings.flatMap((variable) => {
        const path = settings[variable]
        return path === undefined ? [] : [{ variable, given: JSON.stringify(path), accepted }]
      }),
    )
  }
  return context
}

function unusable(variable: string, path: string, error: unknown): SettingProblem {
  return { variable, given: JSON.stringify(path), accepted: `a file that can be read (${reason(error)})` }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
