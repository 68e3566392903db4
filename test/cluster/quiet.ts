import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEntry, AuditMark } from './audit.ts'
import type { Plane } from './plane.ts'
import { isOurs, isWrite } from './requests.ts'
import { until } from './until.ts'

/** Writes of Metacontroller, hooks and pollers since the mark. Lease renewals, the one thing that never stops, are left out. */
export async function ourWrites(plane: Plane, mark: AuditMark): Promise<AuditEntry[]> {
  return (await plane.audit().since(mark)).filter((entry) => isOurs(entry) && isWrite(entry))
}

/** Waits for so many seconds without a write of ours, for two minutes at most. */
export async function quiet(plane: Plane, seconds: number): Promise<void> {
  const check = async (): Promise<boolean> => {
    const mark = await plane.audit().mark()
    await sleep(seconds * 1000)
    return (await ourWrites(plane, mark)).length === 0
  }
  await until(`${seconds} seconds without a write of ours`, check, { limitMs: 120_000 })
}
