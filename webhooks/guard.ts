import { createHash, timingSafeEqual } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { Refusal } from './errors.ts'
import type { HookSettings } from './settings.ts'

/**
 * Builds the check of who calls a hook: the bearer token if HOOK_TOKEN is set, a verified client certificate if
 * TLS_CLIENT_CA is. It returns a 401 for callers who have neither.
 *
 * Health and metrics are not behind it: kubelets and most Prometheus set-ups can present neither token nor certificate,
 * and what they read names no objects. A NetworkPolicy narrows who reaches them.
 */
export function callerCheck(settings: HookSettings): (request: FastifyRequest) => Refusal | undefined {
  const { HOOK_TOKEN, TLS_CLIENT_CA } = settings
  // Metacontroller trims the token that it reads from its Secret; a file's last newline must not make them differ.
  const token = HOOK_TOKEN === undefined ? undefined : digest(HOOK_TOKEN.trim())

  return (request) => {
    if (TLS_CLIENT_CA !== undefined && !hasClientCertificate(request)) {
      return new Refusal(401, 'a client certificate signed by an authority of TLS_CLIENT_CA is needed')
    }
    if (token === undefined) return undefined
    const given = /^bearer +(.*)$/i.exec(request.headers.authorization ?? '')?.[1]
    // Digests are of one length, so the comparison tells neither content nor length.
    if (given === undefined || !timingSafeEqual(digest(given), token)) {
      return new Refusal(401, 'the bearer token is missing or wrong', { 'www-authenticate': 'Bearer' })
    }
    return undefined
  }
}

/**
 * The handshake asks for a certificate without insisting, because probes share the port. `authorized` alone does not
 * prove that there is one: Node before 24 sets it for any TLS 1.3 session that was resumed.
 */
function hasClientCertificate({ raw: { socket } }: FastifyRequest): boolean {
  return socket instanceof TLSSocket && socket.authorized && socket.getPeerX509Certificate() !== undefined
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
