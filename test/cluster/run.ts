import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, readdir, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packagePath } from '../../webhooks/package-root.ts'
import { BuildError, buildControlPlane } from './builder.ts'

/** Longest time for one scenario file; what hangs fails instead of holding up everything. */
const fileLimitMs = 15 * 60_000

/** A mistake of whoever started this; one line is all there is to say. */
class UsageError extends Error {}

/**
 * `npm run test:cluster [-- part-of-a-name …]`: builds the control plane, then runs every `*.scenario.js` below this
 * folder whose path contains one of the arguments, two at a time (they mostly wait). Gives the exit code.
 */
async function main(parts: readonly string[]): Promise<number> {
  const files = await scenarios(parts)
  const driver = await metacontroller()
  await buildControlPlane()
  console.log(`Metacontroller: ${driver}`)
  await rm(packagePath('.build', 'logs'), { recursive: true, force: true })
  const options = ['--test', '--test-concurrency=2', `--test-timeout=${fileLimitMs}`, '--test-reporter=spec']
  const child = spawn(process.execPath, [...options, ...files], { stdio: 'inherit' })
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
}

async function scenarios(parts: readonly string[]): Promise<string[]> {
  const folder = dirname(fileURLToPath(import.meta.url))
  const all = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.scenario.js')).sort()
  const chosen = parts.length === 0 ? all : all.filter((name) => parts.some((part) => name.includes(part)))
  if (chosen.length === 0) {
    const names = all.map((name) => name.replace('.scenario.js', '')).join(', ')
    throw new UsageError(`no scenario's name contains ${parts.join(' or ')}; there are: ${names || 'none'}`)
  }
  return chosen.map((name) => relative(process.cwd(), join(folder, name)))
}

/** What drives the hooks: the binary named by METACONTROLLER_BIN, or the stand-in. */
async function metacontroller(): Promise<string> {
  const { METACONTROLLER_BIN: binary = '' } = process.env
  if (binary === '') return 'the stand-in (METACONTROLLER_BIN names a real one)'
  try {
    await access(binary, constants.X_OK)
  } catch {
    throw new UsageError(
      `METACONTROLLER_BIN=${binary} is no program; give the path of a Metacontroller binary, or unset it`,
    )
  }
  return binary
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError || error instanceof BuildError)) throw error
  process.stderr.write(`test:cluster: ${error.message}\n`)
  process.exitCode = 1
}
