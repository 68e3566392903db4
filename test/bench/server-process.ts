import { spawn } from 'node:child_process'
import { packagePath } from '../../webhooks/package-root.ts'

/** A server in a process of its own. */
export interface ServerProcess {
  /** `http://127.0.0.1:<port>` */
  url: string
  stop: () => void
}

/** Starts a compiled file of this package as its image does, and waits until it says where it listens. */
export async function startServer(file: string, args: readonly string[] = []): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['--enable-source-maps', packagePath('dist', file), ...args], {
    env: { HOST: '127.0.0.1', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more
      const found = /listening at (http:[^\s"]+)/.exec(text)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`${file} ended with code ${code ?? 'unknown'}: ${text}`)))
  })
  return { url, stop: () => void child.kill() }
}
