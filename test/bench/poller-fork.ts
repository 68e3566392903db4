import { fork } from 'node:child_process'
import { once } from 'node:events'
import { packagePath } from '../../webhooks/package-root.ts'

/** What a process of the bench does when it is told to. Arguments and results go through JSON. */
export type Methods = Record<string, (...args: never[]) => unknown>

/** A compiled file of this folder in a process of its own. */
export interface Forked<M extends Methods> {
  call<K extends keyof M & string>(method: K, ...args: Parameters<M[K]>): Promise<Awaited<ReturnType<M[K]>>>
  stop(): Promise<void>
}

interface Call {
  id: number
  method: string
  args: unknown[]
}

interface Result {
  id: number
  value?: unknown
  error?: string
}

/** Starts a file that calls `serve`. A call is rejected with what the method threw, or when the process ends. */
export function start<M extends Methods>(file: string, args: readonly string[] = []): Forked<M> {
  const child = fork(packagePath('dist', 'test', 'bench', file), args, { execArgv: [] })
  const waiting = new Map<number, (result: Result) => void>()
  const ended = once(child, 'exit')
  let calls = 0
  child.on('message', (message: Result) => waiting.get(message.id)?.(message))
  child.on('exit', (code) => {
    for (const [id, settle] of waiting) settle({ id, error: `${file} ended with ${code ?? 'a signal'}` })
  })
  return {
    async call(method, ...args) {
      const id = ++calls
      const { value, error } = await new Promise<Result>((resolve) => {
        waiting.set(id, resolve)
        if (!child.connected) resolve({ id, error: `${file} has ended` })
        else child.send({ id, method, args } satisfies Call)
      })
      waiting.delete(id)
      if (error !== undefined) throw new Error(error)
      return value as never
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** Does what the parent asks for, one call after the other, until the parent lets go. */
export function serve(methods: Methods): void {
  let last = Promise.resolve()
  process.on('message', ({ id, method, args }: Call) => {
    const answer = (result: Omit<Result, 'id'>): void => void process.send?.({ id, ...result })
    last = last
      .then(() => methods[method]?.(...(args as never[])))
      .then(
        (value) => answer({ value }),
        (error: unknown) => answer({ error: String(error) }),
      )
  })
  process.on('disconnect', () => process.exit())
}
