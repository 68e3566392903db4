import type { IncomingMessage } from 'node:http'
import { errorCodes, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { KubeObject } from './contract/types.ts'
import { DeadlineRefusal, Refusal } from './errors.ts'
import { callerCheck } from './guard.ts'
import type { HookMetrics } from './metrics.ts'
import type { RunningCalls } from './running-calls.ts'
import type { CallSensing, SensedCall } from './sensors/call-sensing.ts'
import type { HookSettings } from './settings.ts'

/** Names of the hooks of a controller. */
export type HookName = 'sync' | 'finalize' | 'customize'

/** A hook's place and parent kind. */
export interface HookId {
  resource: string
  hook: HookName
  kind: string
}

/** A hook call in progress: what its metrics and its log line will say. */
export interface HookCall {
  readonly startedMs: number
  parent?: KubeObject
  failure?: Error
  /** Once the parent is known. */
  sensed?: SensedCall
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The hook call that this request is, if it is one. */
    call: HookCall | null
  }
  interface FastifyContextConfig {
    hook?: HookId
  }
}

/** What the calls of a server share. */
export interface CallKeeping {
  settings: HookSettings
  calls: RunningCalls
  metrics: HookMetrics
  sensing: CallSensing
}

/**
 * Checks, bounds, measures and logs every hook call in this scope, before its body is read.
 *
 * Why 429 at HOOK_CALLS_MAX: hooks compute on one thread, so calls beyond it would only wait, holding their bodies in
 * memory. Metacontroller has at most `--workers` calls per controller under way, so the limit is met only when something
 * is wrong. It must come with whole seconds, or the caller tries again without a pause.
 */
export function guardCalls(scope: FastifyInstance, { settings, calls, metrics, sensing }: CallKeeping): void {
  const refusedCaller = callerCheck(settings)
  scope.addHook('onRequest', (request, reply, done) => {
    const { hook } = request.routeOptions.config
    let refusal = refusedCaller(request)
    if (hook === undefined) {
      done(refusal)
      return
    }
    const call: HookCall = { startedMs: performance.now() }
    request.call = call
    if (refusal === undefined && !calls.enter()) {
      refusal = new Refusal(429, 'too many calls at once', { 'retry-after': '1' })
    }
    // Fastify's handlerTimeout would do the same for thirty times the cost, an aborted signal with its stack per call.
    const deadline = setTimeout(() => {
      if (!reply.sent) reply.send(new DeadlineRefusal(settings))
    }, settings.HOOK_TIMEOUT_SECONDS * 1000)
    // Unlike Fastify's onResponse, this also comes when the caller leaves.
    reply.raw.once('close', () => {
      clearTimeout(deadline)
      if (refusal === undefined) calls.leave()
      finish(call, hook, { request, reply, metrics, sensing })
    })
    done(refusal)
  })
  parseForLivingCallers(scope, settings)
  scope.addHook('onSend', (_request, reply, payload, done) => {
    // The caller must not send its next call on a connection that is about to be closed.
    if (calls.draining) reply.header('connection', 'close')
    done(null, payload)
  })
}

/**
 * When calls have queued up behind a slow one, their callers may have given up meanwhile. Their end shows on the socket,
 * but only once the event loop has been back to read it: two turns, a few microseconds. Then neither parsing nor hook
 * are wasted on them. Until then a body stays as it was received: other calls come in meanwhile, and text that is made
 * before they do is no longer at hand when it is parsed.
 */
function parseForLivingCallers(scope: FastifyInstance, { BODY_LIMIT_BYTES: limit }: HookSettings): void {
  const { onProtoPoisoning = 'error', onConstructorPoisoning = 'error' } = scope.initialConfig
  const parse = scope.getDefaultJsonParser(onProtoPoisoning, onConstructorPoisoning)
  scope.addContentTypeParser('application/json', (request, payload, done) => {
    const parseUnlessAlone = (body: readonly Buffer[]): void => {
      if (request.raw.socket.destroyed) done(new Refusal(499, 'the caller has left'))
      else void parse(request, Buffer.concat(body).toString(), done)
    }
    receive(payload, limit, (error, body) => {
      if (error !== undefined) done(error)
      else setImmediate(() => setImmediate(parseUnlessAlone, body))
    })
  })
}

/** Reads a body to its end, or as far as it may go. */
function receive(
  payload: IncomingMessage,
  limit: number,
  done: (error: Error | undefined, body: readonly Buffer[]) => void,
): void {
  const body: Buffer[] = []
  let bytes = 0
  const end = (error?: Error): void => {
    payload.off('data', add).off('end', end).off('error', end)
    done(error, body)
  }
  const add = (chunk: Buffer): void => {
    bytes += chunk.length
    body.push(chunk)
    if (bytes > limit) end(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
  }
  if (Number(payload.headers['content-length']) > limit) end(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
  else payload.on('data', add).on('end', end).on('error', end)
}

interface Exchange {
  request: FastifyRequest
  reply: FastifyReply
}

/** Measures and logs a call that has ended: what went well at debug, the rest so that it shows in production. */
function finish(
  call: HookCall,
  { resource, hook, kind }: HookId,
  { request, reply, metrics, sensing }: Pick<CallKeeping, 'metrics' | 'sensing'> & Exchange,
): void {
  const ms = performance.now() - call.startedMs
  // 499 is what proxies write for a caller that left before the answer.
  const code = reply.raw.writableEnded ? reply.statusCode : 499
  const requestBytes = byteCount(request.headers['content-length'])
  const responseBytes = code === 499 ? undefined : byteCount(reply.getHeader('content-length'))
  metrics.observe({
    resource,
    hook,
    kind,
    code: String(code),
    seconds: ms / 1000,
    ...(requestBytes === undefined ? {} : { requestBytes }),
    ...(responseBytes === undefined ? {} : { responseBytes }),
  })

  if (call.sensed !== undefined) sensing.end(call.sensed, code < 400, call.failure)

  const [level, outcome] = verdict(code)
  const { namespace, name, uid } = call.parent?.metadata ?? {}
  const failure =
    call.failure === undefined ? {} : code === 500 ? { err: call.failure } : { reason: call.failure.message }
  const line = { hook: `${resource}/${hook}`, namespace, name, uid, code, ms: Math.round(ms * 100) / 100 }
  request.log[level]({ ...line, requestBytes, responseBytes, ...failure }, outcome)
}

function verdict(code: number): [level: 'debug' | 'warn' | 'error', outcome: string] {
  if (code === 499) return ['warn', 'hook call abandoned: the caller left']
  if (code < 400) return ['debug', 'hook call answered']
  return code === 500 ? ['error', 'hook call failed'] : ['warn', 'hook call refused']
}

function byteCount(header: string | number | string[] | undefined): number | undefined {
  const count = Number(header)
  return Number.isSafeInteger(count) ? count : undefined
}
