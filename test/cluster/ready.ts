import { readFile } from 'node:fs/promises'
import { get } from 'node:https'
import { connect } from 'node:net'
import type { Endpoint } from './credentials.ts'

/** Whether `GET /readyz` answers 200. Throws when there is no answer. */
export async function isReady({ server, caFile }: Endpoint): Promise<boolean> {
  const ca = await readFile(caFile, 'utf8')
  return new Promise((resolve, reject) => {
    const request = get(`${server}/readyz`, { ca, agent: false, timeout: 5_000 }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode === 200))
    })
    request.once('timeout', () => request.destroy(new Error('no answer within 5 s'))).once('error', reject)
  })
}

/** Whether somebody listens on a unix socket. Throws when not. */
export async function canConnect(socketPath: string): Promise<boolean> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(socketPath, () => {
      socket.destroy()
      resolve()
    }).once('error', reject)
  })
  return true
}
