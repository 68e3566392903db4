import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import type { Server } from 'node:net'

/** A pod network on loopback that no other plane of this machine has. */
export interface PodNetwork {
  /** Second byte of the addresses, 1 to 254. */
  number: number
  /** For example `127.3.0.0/16`. */
  cidr: string
  release(): Promise<void>
}

/** Below the kernel's range for outgoing connections (from 32768), so that none takes the port between check and use. */
const portRange = [20_000, 32_000] as const
/** Port on the last address of a network; holding it is the claim, which the kernel drops with the process. */
const claimPort = 10_127

/** A port on 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...portRange)
    const server = await listen('127.0.0.1', port)
    if (server === undefined) continue
    await close(server)
    return port
  }
}

/** Claims the first 127.N.0.0/16 that no other plane holds. Throws where the system has only 127.0.0.1 (macOS). */
export async function claimPodNetwork(): Promise<PodNetwork> {
  for (let number = 1; number < 255; number++) {
    const server = await listen(`127.${number}.255.254`, claimPort)
    if (server === undefined) continue
    server.unref()
    return { number, cidr: `127.${number}.0.0/16`, release: () => close(server) }
  }
  throw new Error('all pod networks 127.1.0.0/16 to 127.254.0.0/16 are in use')
}

async function listen(host: string, port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy())
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host, port }, resolve))
    return server
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') return undefined
    if (code === 'EADDRNOTAVAIL')
      throw new Error(`${host} is no address of this machine: planes need Linux, where all of 127.0.0.0/8 is loopback`)
    throw error
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
