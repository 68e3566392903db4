import { chmod, mkdir, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { packagePath } from '../../webhooks/package-root.ts'
import type { Plane } from './plane.ts'

/** Puts `kubectl rollouts` onto the PATH, as npm does it for `bin`: a link with the plugin's name to a program. */
export async function installPlugin(plane: Plane): Promise<void> {
  const bin = join(plane.dir, 'bin')
  const main = packagePath('dist', 'cli', 'kubectl-rollouts.js')
  await mkdir(bin)
  await chmod(main, 0o755)
  await symlink(main, join(bin, 'kubectl-rollouts'))
  process.env['PATH'] = `${bin}${delimiter}${process.env['PATH'] ?? ''}`
}
