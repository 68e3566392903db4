import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Path of a file that ships with the package (for example `crds/kasprapps.yaml`), whether this code runs from `dist/`
 * or from source.
 */
export function packagePath(...segments: string[]): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error('kaspr-metacontroller is installed incompletely: package.json is missing')
    folder = parent
  }
  return join(folder, ...segments)
}
