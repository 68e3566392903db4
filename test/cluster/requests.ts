import type { AuditEntry } from './audit.ts'

/** A request of Metacontroller, hooks or pollers; renewals of the pollers' Leases are the one thing that never stops. */
export function isOurs({ user, resource }: AuditEntry): boolean {
  return /^system:serviceaccount:(kaspr-system|metacontroller):/.test(user) && resource !== 'leases'
}

/** A request that changes something. */
export function isWrite({ verb }: AuditEntry): boolean {
  return !['get', 'list', 'watch'].includes(verb)
}

/** Requests by account, verb, resource and code; the most frequent first. */
export function counted(entries: readonly AuditEntry[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { user, verb, resource, subresource, code } of entries) {
    const what = `${user.replace(/^.*:/, '')} ${verb} ${resource}${subresource === '' ? '' : `/${subresource}`} ${code}`
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a))
}
