import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { AnswerError } from './contract/answer.ts'
import { RequestError } from './contract/request.ts'
import type { HookSettings } from './settings.ts'

/** A call that is turned away before its hook runs. The message goes to the caller. */
export class Refusal extends Error {
  readonly statusCode: 401 | 429 | 499 | 503
  readonly headers: Readonly<Record<string, string>>

  constructor(statusCode: 401 | 429 | 499 | 503, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.name = 'Refusal'
    this.statusCode = statusCode
    this.headers = headers
  }
}

/** A call whose time is up. Its connection is given up too: the rest of its body may still be on the way. */
export class DeadlineRefusal extends Refusal {
  constructor({ HOOK_TIMEOUT_SECONDS }: HookSettings) {
    super(503, `no answer within HOOK_TIMEOUT_SECONDS, ${HOOK_TIMEOUT_SECONDS}`, { connection: 'close' })
  }
}

/**
 * Builds the one error handler of the service: every failure becomes `{"error": "…"}`, one line, never a 2xx and never
 * with a `children` key, which Metacontroller would obey. Callers are told what they can mend; what went wrong inside
 * stays in the log.
 */
export function errorHandler(
  settings: HookSettings,
): (error: unknown, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    const [code, message] = outcome(error, request, settings)
    if (error instanceof Refusal) reply.headers(error.headers)
    if (request.call === null) {
      if (code >= 500) request.log.error({ err: error, method: request.method, url: request.url }, 'request failed')
    } else {
      request.call.failure = error instanceof Error ? error : new Error(String(error))
    }
    sendError(reply, code, message)
  }
}

/** Sends an error in the service's one form. */
export function sendError(reply: FastifyReply, code: number, message: string): void {
  void reply
    .code(code)
    .type('application/json')
    .send(JSON.stringify({ error: message }))
}

function outcome(error: unknown, request: FastifyRequest, settings: HookSettings): [code: number, message: string] {
  if (error instanceof RequestError || error instanceof Refusal) return [error.statusCode, error.message]
  if (error instanceof AnswerError) return [500, `the answer is wrong and was not sent: ${error.message}`]
  if (isFastifyError(error)) {
    switch (error.code) {
      case 'FST_ERR_CTP_BODY_TOO_LARGE':
        return [413, `the body is larger than BODY_LIMIT_BYTES, ${settings.BODY_LIMIT_BYTES}`]
      case 'FST_ERR_CTP_INVALID_JSON_BODY':
      case 'FST_ERR_CTP_EMPTY_JSON_BODY':
        return [400, 'the body is not valid JSON']
      case 'ECONNRESET':
        return [499, 'the caller has left']
      case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
        return [415, `content-type is ${shortened(request.headers['content-type'])}, accepted is application/json`]
    }
    if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
      return [error.statusCode, error.message.replaceAll(/\s+/g, ' ')]
    }
  }
  return [500, 'internal error: the log of the hook service has the details']
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

function shortened(value: string | undefined): string {
  return value === undefined ? 'not given' : JSON.stringify(value.slice(0, 80))
}
