import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'

/** One request to the API server. */
export interface AuditEntry {
  user: string
  /** get, list, watch, create, update, patch, delete, deletecollection. A watch is entered when it begins. */
  verb: string
  /** API group, `''` for core. */
  group: string
  resource: string
  subresource: string
  namespace: string
  /** `''` for lists, and for creates with `generateName`. */
  name: string
  /** HTTP status. */
  code: number
  /** RFC 3339 with microseconds: when the answer was complete (a watch: when it began). */
  time: string
  userAgent: string
}

/** A point in the log. */
export type AuditMark = number

/** Requests of users and components to one API server; its own loopback requests and non-resource URLs are left out. */
export class AuditLog {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** The present end of the log. An answer is logged before a client has it in full. */
  async mark(): Promise<AuditMark> {
    return (await stat(this.#file)).size
  }

  /** Everything after the mark, in the order of the log. Reads only that part of the file. */
  async since(mark: AuditMark): Promise<AuditEntry[]> {
    const entries: AuditEntry[] = []
    const lines = createInterface({ input: createReadStream(this.#file, { start: mark }), crlfDelay: Infinity })
    for await (const line of lines) {
      const entry = parseLine(line)
      if (entry !== undefined) entries.push(entry)
    }
    return entries
  }
}

interface AuditEvent {
  stage: string
  verb: string
  user: { username: string }
  userAgent?: string
  objectRef?: { resource?: string; subresource?: string; namespace?: string; name?: string; apiGroup?: string }
  responseStatus?: { code?: number }
  stageTimestamp: string
}

function parseLine(line: string): AuditEntry | undefined {
  const event = parseJson(line)
  if (event === undefined) return undefined
  if (event.verb === 'watch' ? event.stage !== 'ResponseStarted' : event.stage === 'ResponseStarted') return undefined
  const ref = event.objectRef ?? {}
  return {
    user: event.user.username,
    verb: event.verb,
    group: ref.apiGroup ?? '',
    resource: ref.resource ?? '',
    subresource: ref.subresource ?? '',
    namespace: ref.namespace ?? '',
    name: ref.name ?? '',
    code: event.responseStatus?.code ?? 0,
    time: event.stageTimestamp,
    userAgent: event.userAgent ?? '',
  }
}

/** Undefined for a line that is still being written; the API server writes no other that is no JSON. */
function parseJson(line: string): AuditEvent | undefined {
  try {
    return JSON.parse(line) as AuditEvent
  } catch {
    return undefined
  }
}
