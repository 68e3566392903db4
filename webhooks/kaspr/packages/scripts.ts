import { readFileSync } from 'node:fs'
import { packagePath } from '../../package-root.ts'

/**
 * The programs of the install container, read once when the service starts: they are part of it, like its code. They travel
 * as arguments in the pod template. A ConfigMap would be read by pods of an older template too, and would have to be in place before
 * the first pod of a new one.
 */

/** Installs packages; a bash script. */
export const installScript = source('install.sh')

/** Fetches and stores archives of installed packages; a Python program. */
export const gcsClient = source('gcs.py')

function source(file: string): string {
  return readFileSync(packagePath('webhooks', 'kaspr', 'packages', file), 'utf8')
}

/**
 * Text as an argument of a container: the kubelet replaces `$(NAME)` by a variable, and `$$` by one dollar sign. It reads
 * back as exactly the text.
 */
export function asArgument(text: string): string {
  return text.replace(/\$(?=[$(])/g, '$$$$')
}
