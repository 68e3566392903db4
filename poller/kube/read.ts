import type { KubeObject } from '../../webhooks/contract/types.ts'
import { ApiError } from './client.ts'
import type { KubeClient } from './client.ts'

/** How an object is read: with which client, and within which time. */
export interface Reading {
  client: KubeClient
  timeoutMs?: number
}

/** An object as the API server has it now, `undefined` without one. */
export async function read(
  { client, timeoutMs }: Reading,
  path: string,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  try {
    return await client.request<KubeObject>({ path, signal, ...(timeoutMs !== undefined && { timeoutMs }) })
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  }
}
