import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Whether the module with this `import.meta.url` is the program that was started. */
export function isMain(url: string): boolean {
  const [, script] = process.argv
  return script !== undefined && realpathSync(script) === fileURLToPath(url)
}
