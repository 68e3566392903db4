import type { KubeObject } from '../../webhooks/contract/types.ts'
import { splitLines } from './lines.ts'

/** One line of a watch. `BOOKMARK` objects carry only kind and resourceVersion; `ERROR` carries a Status. */
export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: KubeObject }
  | { type: 'ERROR'; object: { code?: number; reason?: string; message?: string } }

/** A line of a watch stream that is no JSON event. */
export class WatchFormatError extends Error {
  override name = 'WatchFormatError'
}

/**
 * Reads the events of a watch response. `onData` is called for every chunk, before it is parsed.
 *
 * @throws WatchFormatError for a line that is no event
 */
export async function* readWatch(
  body: AsyncIterable<Buffer>,
  onData: (() => void) | undefined,
): AsyncGenerator<WatchEvent> {
  for await (const line of splitLines(tapped(body, onData))) {
    let event: unknown
    try {
      event = JSON.parse(line)
    } catch {
      throw new WatchFormatError(`A watch line of ${line.length} characters is no JSON: ${line.slice(0, 80)}`)
    }
    if (!isWatchEvent(event)) throw new WatchFormatError(`A watch line is no event: ${line.slice(0, 80)}`)
    yield event
  }
}

async function* tapped(body: AsyncIterable<Buffer>, onData: (() => void) | undefined): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    onData?.()
    yield chunk
  }
}

const eventTypes = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']

function isWatchEvent(value: unknown): value is WatchEvent {
  const event = value as { type?: unknown; object?: { metadata?: unknown } | null } | null
  if (typeof event !== 'object' || event === null || typeof event.object !== 'object' || event.object === null) {
    return false
  }
  if (event.type === 'ERROR') return true
  return eventTypes.includes(event.type as string) && typeof event.object.metadata === 'object'
}
